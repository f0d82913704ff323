#!/usr/bin/env bats
# What the guard says to a list that was fetched well: every reason is told at once, and nothing changes; its options.

load server

setup_file() {
	needs nginx openssl faketime jq
	make_certificates
}

setup() {
	FOLDER=$BATS_TEST_TMPDIR/shipped STATE=$BATS_TEST_TMPDIR/state
	start_server
	usual_service
	# no longer what is shipped, but what was installed
	mkdir -p "$STATE/services"
	mv "$FOLDER/meet.service" "$STATE/services"
	cp "$STATE/services/meet.service" "$BATS_TEST_TMPDIR/before"
}

teardown() {
	stop_server
}

old_list_serves() {
	exempt 192.0.2.1
	exempt 192.0.2.159
	cmp "$STATE/services/meet.service" "$BATS_TEST_TMPDIR/before"
	same '' "$(find "$STATE" -path '*/history/*')"
}

# MESSAGE [OPTION]...
refused() {
	run update --yes "${@:2}"
	same 1 "$status"
	has "$output" "$1"
	has "$output" 'meet: refused; what was in force stays'
	old_list_serves
}

taken() {
	run update --yes "$@"
	same 0 "$status"
	has "$output" 'meet: installed'
}

@test "empty, or nothing but comments" {
	: >"$SITE/list"
	refused "$URL/list: there is no entry in it"
	echo '# nothing' >"$SITE/list"
	refused 'there is no entry in it'
}

@test "not the format" {
	printf '<html><body>Moved, see https://x.example/y</body></html>\n' >"$SITE/list"
	refused "$URL/list:1:"
	head -c 10000 /dev/urandom >"$SITE/list"
	refused "$URL/list:"
}

@test "one entry that can't be taken, with its place; partial on the feed line takes the rest" {
	{ usual_list 20 && echo 202.173.24.0/2; } >"$SITE/list"
	refused "$URL/list:21:13: 202.173.24.0/2: "
	sed -i "s|/list *$|/list partial|" "$STATE/services/meet.service"
	usual_list 21 >>"$SITE/list"
	taken
	has "$output" "meet: note: $URL/list:21:13: 202.173.24.0/2: "
	same 21 "$(grep -c ^address "$STATE/services/meet.service")"
}

@test "private, special and very wide space" {
	local block
	for block in 10.0.0.0/24 192.168.1.1 100.64.0.0/16 127.0.0.1 224.0.0.1 0.0.0.0/0 8.0.0.0/7 fd00::/8 ::/0 2000::/3; do
		{ usual_list 20 && echo "$block"; } >"$SITE/list"
		refused "$URL/list:21:1: " --max-growth=any
	done
	{ usual_list 20 && echo 8.0.0.0/8; } >"$SITE/list"
	refused 'as many as a /8' --max-growth=any
	{ usual_list 20 && for i in {0..255}; do echo "20.$i.0.0/16"; done; } >"$SITE/list"
	refused 'as many as a /8' --max-growth=any
	{ usual_list 20 && echo 2400::/19; } >"$SITE/list"
	refused 'as many as a /19' --max-growth=any
}

@test "grown too much: by addresses, not by lines" {
	usual_list 31 >"$SITE/list"
	refused 'IPv4 addresses: 88 gained, of 160, is 55 %, more than --max-growth=50'
	refused 'more than --max-growth=54' --max-growth=54
	# five times the lines, not an address more
	for ((i = 0; i < 160; i++)); do echo "192.0.2.$i"; done >"$SITE/list"
	run update --dry-run
	same 0 "$status"
	usual_list 31 >"$SITE/list"
	taken --max-growth=55
}

@test "shrunk too much: by addresses, not by lines" {
	usual_list 14 >"$SITE/list"
	refused 'IPv4 addresses: 48 lost, of 160, is 30 %, more than --max-shrink=25'
	# a tenth of the lines, not an address less
	printf '%s\n' 192.0.2.0/25 192.0.2.128/27 >"$SITE/list"
	run update --dry-run
	same 0 "$status"
	has "$output" 'IPv4 addresses: 160 before, 160 after (0 gained, 0 lost)'
	usual_list 14 >"$SITE/list"
	taken --max-shrink=any
}

@test "as many as before, but others: both are told" {
	usual_list 20 | sed 's/192\.0\.2/198.51.100/' >"$SITE/list"
	refused 'IPv4 addresses: 160 gained, of 160, is 100 %'
	has "$output" 'IPv4 addresses: 160 lost, of 160, is 100 %'
}

@test "a family, or names, that were not there before" {
	{ usual_list 20 && echo 2001:db8::/48; } >"$SITE/list"
	refused 'IPv6 addresses: 1208925819614629174706176, where there was none (--max-growth=any takes it)'
	{ usual_list 20 && echo '*.meet.example'; } >"$SITE/list"
	refused 'names: 1, where there was none'
	taken --max-growth=any
}

@test "a block that has had no entries: there is nothing to compare with, and no question of growth" {
	sed -i '/^address/d' "$STATE/services/meet.service"
	taken
}

@test "other blocks of the file don't make up for a feed that shrinks" {
	printf '\nsource more by hand\naddress 203.0.113.0/24\n' >>"$STATE/services/meet.service"
	cp "$STATE/services/meet.service" "$BATS_TEST_TMPDIR/before"
	usual_list 14 >"$SITE/list"
	refused 'IPv4 addresses: 48 lost, of 160'
}

@test "a pinned entry is missing; it may be within another, or in pieces" {
	sed -i 's|192.0.2.80/29|192.0.2.80/29 pin # the meeting rooms|' "$STATE/services/meet.service"
	cp "$STATE/services/meet.service" "$BATS_TEST_TMPDIR/before"
	usual_list 20 | grep -v 2.80/ >"$SITE/list"
	refused 'the pinned entry 192.0.2.80/29 (line 18) is missing' --allow-withdrawn --max-shrink=any
	printf '%s\n' 192.0.2.0/25 192.0.2.128/27 >"$SITE/list"
	taken
	has "$(cat "$STATE/services/meet.service")" 'address   192.0.2.80/29 pin'
	{ usual_list 20 | grep -v 2.80/ && echo 192.0.2.80/30 && echo 192.0.2.84/30; } >"$SITE/list"
	taken
	usual_list 20 >"$SITE/list"
	taken
	same 1 "$(grep -c 2.80/29 "$STATE/services/meet.service")"
	usual_list 20 | grep -v 2.80/ >"$SITE/list"
	run update --yes
	has "$output" 'the pinned entry 192.0.2.80/29 (line'
}

@test "a shipped entry is missing; allowed once, it may be so from then on" {
	cp "$STATE/services/meet.service" "$FOLDER"
	usual_list 19 >"$SITE/list"
	refused 'the shipped entry 192.0.2.152/29 is missing (--allow-withdrawn takes it)'
	run update --dry-run --allow-withdrawn
	same 0 "$status"
	refused 'the shipped entry 192.0.2.152/29 is missing'
	taken --allow-withdrawn
	usual_list 19 | sed 1d >"$SITE/list"
	run update --yes
	same 1 "$status"
	has "$output" 'the shipped entry 192.0.2.0/29 is missing'
	lacks "$output" 192.0.2.152/29
}

@test "all reasons at once" {
	sed -i 's|192.0.2.80/29|192.0.2.80/29 pin|' "$STATE/services/meet.service"
	cp "$STATE/services/meet.service" "$BATS_TEST_TMPDIR/before"
	cp "$STATE/services/meet.service" "$FOLDER"
	printf '%s\n' 192.0.2.0/26 198.51.100.0/24 2001:db8::1 >"$SITE/list"
	refused 'IPv4 addresses: 256 gained'
	has "$output" 'IPv4 addresses: 96 lost'
	has "$output" 'IPv6 addresses: 1, where there was none'
	has "$output" 'the pinned entry 192.0.2.80/29'
	has "$output" 'the shipped entry 192.0.2.64/29'
	has "$output" 'and 2 more of the shipped entries are missing'
	printf '%s\n' nonsense/1 192.0.2.0/33 10.0.0.0/8 >"$SITE/list"
	refused "$URL/list:1:"
	has "$output" "$URL/list:2:"
	has "$output" "$URL/list:3:"
}
