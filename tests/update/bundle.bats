#!/usr/bin/env bats
# Bundles: made by meetingctl, signed by the real minisign and signify, served by nginx; a bundle that isn't what it should be is
# refused whole.

load server

setup_file() {
	needs nginx openssl faketime jq minisign signify-openbsd
	make_certificates
	cd "$BATS_FILE_TMPDIR"
	minisign -G -W -p mini.pub -s mini.sec >/dev/null
	minisign -G -W -p other.pub -s other.sec >/dev/null
	signify-openbsd -G -n -p sig.pub -s sig.sec
}

setup() {
	FOLDER=$BATS_TEST_TMPDIR/etc STATE=$BATS_TEST_TMPDIR/state
	start_server
	mkdir -p "$STATE" "$FOLDER" lists
	cd "$BATS_TEST_TMPDIR"
	printf '%s\n' 'service fleet' 'source our own lists' "feed bundle $URL/lists key=$BATS_FILE_TMPDIR/mini.pub" >"$FOLDER/fleet.service"
	mkdir -p own
	printf 'service meet\nsource A\naddress 192.0.2.0/25\n' >own/meet.service
	printf 'service other\nsource B\naddress 198.51.100.0/24\naddress 10.0.0.1 private\n' >own/other.service
	printf 'client 10.0.0.0/8\n' >own/clients
}

teardown() {
	stop_server
}

# [SERIAL [EXPIRES [NAME]]]
bundle() {
	meetingctl bundle --name="${3-fleet}" --expires="${2-2999-01-01}" --serial="${1-1}" own >"$SITE/lists"
}

# nginx knows files by their second and size.
another_second() {
	stamp=$((${stamp-1700000000} + 1))
	touch -d "@$stamp" "$SITE/lists"
}

sign() {
	another_second
	minisign -S -s "$BATS_FILE_TMPDIR/${KEY-mini}.sec" -m "$SITE/lists" "$@" >/dev/null
}

publish() {
	bundle "$@"
	sign
}

in_force() {
	exempt 192.0.2.1
	not_exempt 192.0.2.129
	exempt 198.51.100.1
	exempt 10.0.0.1
}

# MESSAGE [OPTION]...
refused() {
	find "$STATE/services" -type f 2>/dev/null | sort | xargs -r sha256sum >before
	run update --yes "${@:2}"
	same 1 "$status"
	has "$output" "$1"
	find "$STATE/services" -type f 2>/dev/null | sort | xargs -r sha256sum >after
	cmp before after
}

@test "signed by minisign, hashed or not: installed, and in force; clients stay at home" {
	publish 1
	run update --yes
	same 0 "$status"
	has "$output" '+ meet address 192.0.2.0/25'
	has "$output" 'fleet: installed'
	in_force
	same 'meet.service other.service' "$(ls "$STATE/services" | paste -sd ' ')"
	same '[1,["meet.service","other.service"]]' "$(jq -c '.bundles.fleet | [.serial, .files]' "$STATE/update.json")"
	sed -i 's|192.0.2.0/25|192.0.2.0/26|' own/meet.service
	bundle 2
	sign -l
	head -n 2 "$SITE/lists.minisig" | tail -n 1 | base64 -d | head -c 2 | grep -qx Ed
	run update --yes --max-shrink=50
	same 0 "$status"
	not_exempt 192.0.2.65
	run update --yes
	same 0 "$status"
	has "$output" 'fleet: nothing has changed'
}

@test "signed by signify" {
	sed -i "s|mini.pub|sig.pub|" "$FOLDER/fleet.service"
	bundle 1
	signify-openbsd -S -s "$BATS_FILE_TMPDIR/sig.sec" -m "$SITE/lists" -x "$SITE/lists.sig"
	run update --yes
	same 0 "$status"
	in_force
	sed -i 's/meet/MEET/' "$SITE/lists"
	another_second
	refused "$URL/lists: the signature isn't one of this text"
}

@test "the key stands in the line itself" {
	sed -i "s|key=.*|key=$(tail -n 1 "$BATS_FILE_TMPDIR/mini.pub")|" "$FOLDER/fleet.service"
	publish 1
	update --yes
	in_force
	sed -i "s|key=.*|key=RWQnonsense|" "$FOLDER/fleet.service"
	refused 'not a public key of minisign or signify'
	sed -i "s|key=.*|key=/nowhere/x.pub|" "$FOLDER/fleet.service"
	refused 'the trusted key /nowhere/x.pub: No such file or directory'
}

@test "unsigned" {
	bundle 1
	refused "$URL/lists: unsigned: there is neither .minisig nor .sig beside it"
}

@test "wrongly signed: changed text, comment, signature, or nonsense" {
	publish 1
	cp "$SITE/lists.minisig" good
	sed -i 's|192.0.2.0/25|192.0.2.0/24|' "$SITE/lists"
	another_second
	refused "the signature isn't one of this text"
	bundle 1
	another_second
	sed 's/^trusted comment: /&x/' good >"$SITE/lists.minisig"
	refused "the signature's trusted comment was changed"
	head -n 2 good >"$SITE/lists.minisig"
	refused 'not a whole signature'
	sed '2s/^..../AAAA/' good >"$SITE/lists.minisig"
	refused 'a signature of an unknown algorithm'
	echo nonsense >"$SITE/lists.minisig"
	refused 'not a signature of minisign or signify'
	{ cat good && echo more; } >"$SITE/lists.minisig"
	refused 'not a whole signature'
	cp good "$SITE/lists.minisig"
	run update --yes
	same 0 "$status"
}

@test "signed by another key" {
	bundle 1
	KEY=other sign
	refused 'signed by another key than the one that is trusted here'
}

@test "older than the installed one, or another one of the same serial" {
	publish 5
	update --yes
	cp "$SITE/lists" five
	cp "$SITE/lists.minisig" five.minisig
	sed -i 's|192.0.2.0/25|192.0.2.0/26|' own/meet.service
	publish 4
	refused 'it is older than the installed one: serial 4, after 5' --max-shrink=50
	publish 5
	refused "it isn't the installed one, and has the same serial, 5" --max-shrink=50
	publish 6
	update --yes --max-shrink=50
	cp five "$SITE/lists"
	another_second
	cp five.minisig "$SITE/lists.minisig"
	refused 'it is older than the installed one: serial 5, after 6'
}

@test "a newer one in which nothing changes counts, too: the one before is then older" {
	publish 5
	update --yes
	cp "$SITE/lists" five
	cp "$SITE/lists.minisig" five.minisig
	publish 6
	update --yes
	cp five "$SITE/lists"
	another_second
	cp five.minisig "$SITE/lists.minisig"
	refused 'it is older than the installed one: serial 5, after 6'
}

@test "expired: on the day itself it still counts" {
	publish 1 2026-12-01
	refused 'it has expired on 2026-12-01' --today=2026-12-02
	run update --yes --today=2026-12-01
	same 0 "$status"
}

@test "of another name" {
	publish 1 2999-01-01 others
	refused 'it is called others, and fleet was wanted'
}

@test "no bundle, or one that isn't whole" {
	publish 1
	cp "$SITE/lists" whole
	local change
	for change in '1s/1$/2/' '3s/1$/01/' '3s/1$/-1/' 's/^expires .*/expires soon/' 's/^end$//' '$s/$/\nmore/' \
		's/^file meet.service .*/file meet.service 9999/' 's/^file meet.service .*/file meet.service 0/' \
		's/^file meet.service/file ..\/meet.service/' 's/^file other.service/file a.service/' 's/^file other/file meet/' \
		's/^file meet.service/file clients/' 's/^name/nome/'; do
		sed "$change" whole >"$SITE/lists"
		sign
		refused "$URL/lists: not a bundle: "
	done
	sed -n '1,4p; $p' whole >"$SITE/lists"
	sign
	refused 'not a bundle'
}

@test "a file with an error, a bundle's line in it, or the name of the file that asks: all is refused" {
	publish 1
	update --yes
	printf 'service meet\naddress 192.0.2.0/33\n' >own/meet.service
	printf 'service other\naddress 203.0.113.0/24\n' >own/other.service
	run bundle 2
	same 1 "$status"
	has "$output" 'own/meet.service:2:'
	content=$(cat own/meet.service)
	printf 'meeting-bundle 1\nname fleet\nserial 2\nexpires 2999-01-01\nfile meet.service %s\n%s\nend\n' "${#content}" "$content" >"$SITE/lists"
	sign
	refused 'meet.service:2:19: '
	in_force
	printf 'service meet\nfeed bundle https://elsewhere.example/x\n' >own/meet.service
	publish 2
	refused "a bundle doesn't hold a file with a bundle's line"
	printf 'service meet\naddress 192.0.2.0/25\n' >own/meet.service
	cp own/meet.service own/fleet.service
	publish 2
	refused "a bundle doesn't hold a file with a bundle's line, nor the one that names it"
}

@test "its files go past the guard, each by itself; and a service may be switched off" {
	publish 1
	update --yes
	printf 'service meet\nsource A\naddress 192.0.2.0/24\n' >own/meet.service
	publish 2
	refused 'meet.service: IPv4 addresses: 128 gained, of 128, is 100 %'
	run update --yes --max-growth=100
	same 0 "$status"
	: >own/meet.service
	publish 3
	run update --yes
	same 0 "$status"
	not_exempt 192.0.2.1
	exempt 198.51.100.1
}

@test "a file that is no longer in it is removed; rolled back it stays as it was until it changes" {
	publish 1
	update --yes
	rm own/meet.service
	publish 2
	run update --yes
	same 0 "$status"
	has "$output" 'meet.service: no longer in the bundle'
	not_exempt 192.0.2.1
	[ ! -e "$STATE/services/meet.service" ]
	printf 'service other\naddress 198.51.100.0/25\n' >own/other.service
	publish 3
	update --yes --max-shrink=any
	not_exempt 198.51.100.129
	meetingctl rollback --state="$STATE" other
	exempt 198.51.100.129
	run update --yes --max-shrink=any
	same 0 "$status"
	has "$output" 'other.service: left out: it was rolled back'
	exempt 198.51.100.129
	run update --yes --max-shrink=any --again
	not_exempt 198.51.100.129
}

@test "a file of the administrator's own hides the one of the bundle, and that is told" {
	printf 'service meet\naddress 203.0.113.0/24\n' >"$BATS_TEST_TMPDIR/meet.service"
	mkdir "$BATS_TEST_TMPDIR/last"
	mv "$BATS_TEST_TMPDIR/meet.service" "$FOLDER/fleet.service" "$BATS_TEST_TMPDIR/last"
	publish 1
	folders="--config=$FOLDER --config=$STATE/services --config=$BATS_TEST_TMPDIR/last"
	run meetingctl update $folders --state="$STATE" --cafile="$BATS_FILE_TMPDIR/ca.pem" --yes
	same 0 "$status"
	has "$output" "note: $BATS_TEST_TMPDIR/last/meet.service: hides the one of the bundle"
	run meetingctl update $folders --state="$STATE" --cafile="$BATS_FILE_TMPDIR/ca.pem" --yes
	has "$output" 'nothing has changed'
	meetingctl list $folders >said
	lacks "$(cat said)" 'never fetched'
	has "$(cat said)" 'list fetched 0 days ago'
}

@test "what comes with a bundle isn't fetched from its vendor" {
	printf 'service meet\nsource A\nfeed cidr %s/list\nports any\naddress 192.0.2.0/25\n' "$URL" >own/meet.service
	publish 1
	update --yes
	run update --yes
	same 0 "$status"
	has "$output" 'meet: note: comes with a bundle'
	lacks "$(cat "$SERVER/access")" ' /list '
}

@test "meetingctl bundle: wrong usage: exit 2; what it can't take: exit 1; help: exit 0" {
	local arguments
	for arguments in '' own '--name=x own' '--name=X --expires=2999-01-01 own' '--name=x --expires=1 own' \
		'--name=x --expires=2999-01-01' '--name=x --expires=2999-01-01 --serial=0 own' '--nonsense'; do
		# shellcheck disable=SC2086
		run meetingctl bundle $arguments
		same 2 "$status"
	done
	run meetingctl bundle --name=x --expires=2999-01-01 lists
	same 1 "$status"
	run meetingctl bundle --help
	same 0 "$status"
	meetingctl bundle --name=x --expires=2999-01-01 own | grep -qE "^serial $(date -u +%Y)[0-9]{10}$"
}
