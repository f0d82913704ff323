#!/usr/bin/env bats
# Squid itself parses every composition of the shipped files without a complaint: interception, explicit use, both, with
# and without splicing and recording, and the lines of the README.

load story

setup_file() {
	command -v squid >/dev/null || { story_lacks 'there is no squid' && return; }
	LAB=$BATS_FILE_TMPDIR
	export LAB
	mkdir -p "$LAB"/{bin,ca,etc,log,share,state}
	lab_files
	printf '#!/bin/sh\nexec cat\n' >"$LAB/bin/ext_meeting_acl"
	chmod 755 "$LAB/bin/ext_meeting_acl"
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -keyout "$LAB/ca/key" -out "$LAB/ca/cert" 2>/dev/null
	cat "$LAB/ca/cert" "$LAB/ca/key" >"$LAB/ca/proxy.pem"
	cp "$LAB/ca/cert" "$LAB/ca/servers-ca.pem"
}
teardown_file() { :; }
setup() { [[ ! ${LAB_LACKS-} ]] || skip "$LAB_LACKS"; }
teardown() { :; }

# NAME...: squid.conf with these files, then the line that uses them.
parses() {
	LAB_SQUID=
	for name in "$@"; do
		LAB_SQUID+="include $LAB/share/squid-conf/$name.conf"$'\n'
	done
	LAB_SQUID+='http_access allow meeting'
	parses_squid_conf
}

parses_squid_conf() {
	lab_squid_conf >"$LAB/squid.conf"
	[[ $LAB_SQUID == *log.conf* ]] || sed -i /^access_log/d "$LAB/squid.conf"
	squid -k parse -f "$LAB/squid.conf" >"$LAB/said" 2>&1 || { grep -E 'FATAL|ERROR' "$LAB/said" && return 1; }
	! grep -E '\| (FATAL|ERROR|WARNING|BUG)' "$LAB/said"
}

@test "interception alone" { parses intercept; }
@test "interception, spliced" { parses intercept splice; }
@test "interception, spliced, logged and recorded" { parses intercept splice log icap; }
@test "interception, spliced by name too, logged and recorded" { parses intercept splice names log icap; }
@test "interception, decrypted, logged and recorded" { parses intercept log icap; }
@test "explicit alone" { parses explicit; }
@test "explicit, spliced, logged and recorded" { parses explicit splice log icap; }
@test "both, spliced, logged and recorded" { parses intercept explicit splice log icap; }
@test "both the other way round" { parses explicit intercept splice log icap; }
@test "the refused recorded as well" { parses intercept explicit splice log icap denied; }
@test "the refused, explicit alone" { parses explicit denied; }
@test "both, decrypted, recorded" { parses intercept explicit icap; }

@test "the report, first and last" { parses report intercept explicit splice log icap && parses intercept icap report; }

@test "every shipped file for squid.conf is among these" {
	shipped=$(cd "$LAB/share/squid-conf" && ls -- *.conf)
	is files "${shipped//$'\n'/ }" \
		'c-icap-meeting.conf denied.conf explicit.conf icap.conf intercept.conf log.conf names.conf report.conf splice.conf'
}

@test "no placeholder is left in a shipped file" {
	is placeholders "$(grep -rE '@[a-z]+@' "$LAB/share/squid-conf" --include='*.conf' --include='*.nft')" ''
}

@test "the README's lines" {
	readme=$(sed -n '/^    include .*squid-conf/,/^$/p' "$top_srcdir/squid-conf/README.md" | sed 's/^    //')
	[[ $readme == *splice.conf* && $readme == *'http_access allow meeting'* ]]
	LAB_SQUID=${readme//\/usr\/share\/squid-meeting/$LAB/share}
	LAB_SQUID=${LAB_SQUID//access_log*logformat=meeting/}
	parses_squid_conf
}

@test "the nftables rules are accepted" {
	if ! unshare --net true 2>/dev/null || ! command -v nft >/dev/null; then
		[[ ${MEETING_NO_SKIP-} != 1 ]] || { echo 'no nft, or no network namespace' && return 1; }
		skip 'no nft, or no network namespace'
	fi
	# Twice, as a second call must not double them.
	unshare --net sh -c "nft -f $LAB/share/squid-conf/meeting.nft && nft -f $LAB/share/squid-conf/meeting.nft &&
		nft list ruleset" >"$LAB/rules"
	is 'rules for port 80' "$(grep -c 'dport 80 redirect' "$LAB/rules")" 1
	is 'rules for 443 and 8200' "$(grep -c '443, 8200 } redirect' "$LAB/rules")" 1
}
