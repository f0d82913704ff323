#!/usr/bin/env bats
# What Squid hands over becomes one record of one line, whatever bytes are in it.

# shellcheck disable=SC2154,SC2031,SC2030 # module.bash and bats set them
load module

setup_file() {
	make_place
	echo 'client 192.0.2.128/25' >"$place/services/clients"
	start
}
teardown_file() { remove_place; }
setup() { before=$(lines); }

# JQ-CONDITION ARGUMENT...: sends it, and looks at the only new record.
recorded() {
	is status "$(status_of preview=0 "${@:2}")" 'ICAP/1.0 204'
	is 'new records' "$(($(lines) - before))" 1
	before=$(lines)
	last_record | jq -e "$1" >/dev/null && return
	echo "not so: $1"
	last_record
	return 1
}

@test "the helper's verdict" {
	recorded '. == {time, proxy, conn: "192.0.2.7:51000", client: "192.0.2.7", user: "alice", method: "CONNECT",
		host: "203.0.113.5", port: 443, dst: "203.0.113.5:443", sni: "a.meet.example.com", verdict: "bypass",
		service: "gotomeeting", rule: "203.0.113.0/24", evidence: "address",
		source: "https://vendor.example/addresses 2026-10-01", stale: true, decided_by: "helper"}' \
		request='CONNECT 203.0.113.5:443 HTTP/1.1' header='X-Client-IP: 192.0.2.7' \
		header='X-Client-Username: alice' header='X-Meeting-Verdict: bypass' \
		header='X-Meeting-Service: gotomeeting' header='X-Meeting-Rule: 203.0.113.0/24' \
		header='X-Meeting-Evidence: address' \
		header='X-Meeting-Source: https://vendor.example/addresses%202026-10-01' \
		header='X-Meeting-Stale: yes' header='X-Meeting-Would: -' header='X-Meeting-Dst: 203.0.113.5:443' \
		header='X-Meeting-Sni: a.meet.example.com' header='X-Meeting-Conn: 192.0.2.7:51000' \
		header='X-Meeting-Mode: intercept'
}

@test "the fields are in their order" {
	fields='time proxy conn client user method host port dst sni verdict service rule evidence source stale'
	is keys "$(tail -n 1 "$journal" | jq -rc 'keys_unsorted | join(" ")')" "$fields decided_by"
}

@test "time and proxy" {
	recorded '(.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$")) and
		(now - (.time | sub("[.][0-9]*Z"; "Z") | fromdate) | fabs) < 60 and .proxy == "'"$(uname -n)"'"'
}

@test "a normal and a shadow verdict" {
	recorded '.verdict == "normal" and .decided_by == "helper" and (has("rule") | not)' \
		header='X-Meeting-Verdict: normal' header='X-Meeting-Rule: 203.0.113.0/24'
	recorded '.verdict == "shadow" and .would == "gotomeeting" and .decided_by == "helper"' \
		header='X-Meeting-Verdict: shadow' header='X-Meeting-Would: gotomeeting'
}

@test "without a verdict the module decides" {
	recorded '.verdict == "bypass" and .decided_by == "icap" and .service == "gotomeeting" and
		.rule == "203.0.113.0/24" and .evidence == "address" and
		(.source | startswith("https://vendor.example/addresses"))' \
		header='X-Meeting-Mode: intercept' header='X-Meeting-Dst: 203.0.113.5:443' header='X-Meeting-Verdict: -'
	recorded '.verdict == "bypass" and .rule == "2001:db8:5::/48"' \
		header='X-Meeting-Mode: intercept' header='X-Meeting-Dst: 2001:db8:5::1:8200'
	recorded '.verdict == "normal" and .decided_by == "icap" and .reason == "other-port"' \
		header='X-Meeting-Mode: intercept' header='X-Meeting-Dst: 203.0.113.5:25'
	recorded '.verdict == "bypass" and .evidence == "name" and .rule == ".meet.example.com"' \
		request='CONNECT a.meet.example.com:443 HTTP/1.1' header='X-Meeting-Mode: explicit'
	recorded '.verdict == "normal" and .reason == "no-entry"' \
		request='GET http://a.meet.example.com/ HTTP/1.1' host=a.meet.example.com \
		header='X-Meeting-Mode: intercept' header='X-Meeting-Dst: 192.0.2.200:80'
	recorded '.verdict == "normal" and .reason == "mode-unknown"' header='X-Meeting-Dst: 203.0.113.5:443'
	recorded '.verdict == "bypass" and .evidence == "client" and .rule == "192.0.2.128/25"' \
		header='X-Client-IP: 192.0.2.129'
}

@test "users, plain and encoded" {
	recorded '.user == "alice"' header='X-Client-Username: alice'
	recorded '.user == "böb smith"' header='X-Client-Username: böb smith'
	recorded '.user == "alice"' header='X-Authenticated-User: TG9jYWw6Ly9hbGljZQ=='
	recorded '.user == "corp/alice"' header='X-Authenticated-User: WinNT://corp/alice'
}

@test "hostile bytes make one valid line" {
	recorded '.sni == "a\r\n{\"verdict\":\"bypass\"}\u0000\u001b[2J"' \
		header='X-Meeting-Sni: a%0D%0A{"verdict":"bypass"}%00%1B[2J'
	recorded '.user == "\u0001\u0002\u007f\ufffd\ufffd\"\\"' header='X-Client-Username: \x01\x02\x7f\xff\xc3"\x5c'
	recorded '.method == "\u0001\"" and .host == "\ufffd"' request='\x01" http://\xff/ HTTP/1.1'
	# A folded header.
	recorded '.user == "a\r\n\tb"' header='X-Client-Username: a\x0d\x0a\x09b'
	tail -n 4 "$journal" | iconv -f UTF-8 -t UTF-32 >/dev/null
}

@test "a secret in the target isn't kept" {
	recorded '.host == "www.example.com"' request='GET http://alice:secret@www.example.com/?token=secret HTTP/1.1'
	run grep secret "$journal"
	is status "$status" 1
}

@test "huge headers make a bounded line" {
	huge=$(printf 'x%.0s' {1..60000})
	recorded '.user | test("^x+…$")' header="X-Client-Username: $huge"
	recorded '.sni | test("^x+…$")' header="X-Meeting-Sni: $huge"
	recorded '.host | test("^x+…$")' request="GET http://$huge/ HTTP/1.1"
	all=()
	for name in Service Rule Source Would Dst Sni Conn Mode; do all+=("header=X-Meeting-$name: $huge"); done
	recorded '.verdict == "bypass"' header='X-Meeting-Verdict: bypass' "${all[@]}" header="X-Client-IP: $huge" \
		header="X-Client-Username: $huge" request="$huge http://$huge/ HTTP/1.1"
	(($(last_record | wc -c) <= 4096))
	# Thousands of them.
	many=()
	for i in {1..3000}; do many+=("header=X-Foo-$i: $i"); done
	recorded '.user == "last"' "${many[@]}" header='X-Client-Username: last'
}
