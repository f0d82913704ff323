#!/usr/bin/env bats
# meetingctl report: whose meeting failed and why, what to clean up, signs of abuse; and forms that nothing breaks out of.

load store

setup() {
	needs sqlite3 jq awk
	FOLDER=$BATS_TEST_TMPDIR
	journal=$FOLDER/decisions.jsonl
	store=$FOLDER/store.db
	file etc/meet.service <<-'END'
		service meet
		source https://meet.example/list 2026-10-01
		address 192.0.2.0/24 tcp 443
		address 198.51.100.0/24
		name .meet.example
		source https://meet.example/old
		expires 2020-01-01
		address 203.0.113.128/25
	END
	file shipped/huddle.service <<-'END'
		service huddle
		address 203.0.113.0/25 tcp 443
		name huddle.example
	END
	: | file etc/huddle.service
	now=$(date -u +%Y-%m-%dT%H:%M:%S.000Z)
	number=0
	: >"$journal"
}

# KEY VALUE...: a record of now, with a conn of its own.
record() {
	number=$((number + 1))
	jq -nc --arg time "$now" --arg conn "10.0.0.1:$number" '{time: $time, conn: $conn, client: "10.0.0.1",
		decided_by: "helper", verdict: "normal"} + ($ARGS.positional | [range(0; length; 2) as $i | {(.[$i]): .[$i + 1]}] |
		add // {}) | if has("port") then .port |= tonumber else . end | reduce ("stale", "disagrees") as $key (.; if has($key) then .[$key] = true else . end)' \
		--args "$@" >>"$journal"
}

report() {
	meetingctl ingest --journal="$journal" --to="sqlite:$store" --quiet
	meetingctl report --from="sqlite:$store" --config="$FOLDER/shipped" --config="$FOLDER/etc" --since=1h "$@"
}

failures() { report --format=json | jq -c '.failures[] | [.destination, .name, .why, .service, .rule, .records]' | sort; }

@test "why a meeting failed" {
	record dst 192.0.2.7:8443 port 8443 verdict denied decided_by squid sni x.meet.example
	record dst 192.0.2.7:443 port 443
	record dst 9.9.9.9:443 port 443 sni a.meet.example verdict denied decided_by squid
	record dst 9.9.9.9:443 port 443 sni a.meet.example
	record dst 9.9.9.9:443 port 443 sni other.example
	record dst 203.0.113.5:443 port 443
	record dst 203.0.113.5:80 port 80
	record dst 9.9.9.9:443 port 443 sni huddle.example
	record host a.meet.example port 443
	record host 192.0.2.9 port 80
	record host other.example port 80
	record dst 192.0.2.8:443 port 443 verdict bypass service meet rule 192.0.2.0/24 evidence address
	record dst 2001:db8::7:443 port 443 sni a.meet.example
	wanted='["192.0.2.7:443","","exempt-now","meet","192.0.2.0/24",1]
["192.0.2.7:8443","x.meet.example","other-port","meet","192.0.2.0/24",1]
["192.0.2.9:80","192.0.2.9","other-port","meet","192.0.2.0/24",1]
["2001:db8::7:443","a.meet.example","name-only","meet",".meet.example",1]
["203.0.113.5:443","","switched-off","huddle","203.0.113.0/25",1]
["203.0.113.5:80","","switched-off","huddle","203.0.113.0/25",1]
["9.9.9.9:443","a.meet.example","name-only","meet",".meet.example",2]
["9.9.9.9:443","huddle.example","switched-off","huddle","huddle.example",1]
["a.meet.example:443","a.meet.example","exempt-now","meet",".meet.example",1]'
	same "$wanted" "$(failures)"
	has "$(report)" '    192.0.2.0/24 of meet is for tcp 443 only'
}

@test "what was refused and no entry holds comes behind what is near the category" {
	for number in 1 2 3; do
		record dst 9.9.9.9:443 port 443 verdict denied decided_by squid sni other.example user anna
		record dst 9.9.9.8:443 port 443 sni other.example
	done
	record host other.example port 443 verdict denied decided_by squid
	record dst 192.0.2.7:8443 port 8443 verdict denied decided_by squid
	same '["192.0.2.7:8443","","","other-port",1]
["9.9.9.9:443","other.example","anna","no-entry",3]
["other.example:443","other.example","","no-entry",1]' \
		"$(report --format=json | jq -c '.failures[] | [.destination, .name, .user, .why, .records]')"
	has "$(report)" '    refused, and no entry holds the address or the name'
}

@test "what is alike otherwise is in the order of its text, whatever came first" {
	for user in zoe Anna "" ben anna; do
		record user "$user" dst 192.0.2.8:443 verdict bypass service meet
	done
	same '["","Anna","anna","ben","zoe"]' "$(report --by user --format=json | jq -c '[.table[].user]')"
}

@test "rules that never matched, and those that did" {
	record dst 192.0.2.8:443 verdict bypass service meet rule 192.0.2.0/24 evidence address
	record dst 192.0.2.8:443 verdict shadow would meet rule .meet.example evidence name
	same '["198.51.100.0/24","203.0.113.128/25"]' "$(report --format=json | jq -c '[.unused[].rule] | sort')"
}

@test "entries past their expiry, and how much they decided" {
	record dst 203.0.113.200:443 verdict bypass service meet rule 203.0.113.128/25 evidence address stale yes
	report --format=json >"$FOLDER/json"
	same '[["meet","https://meet.example/old","2020-01-01","1"]]' \
		"$(jq -c '[.expired[] | [.service, .source, .expires, .entries]]' "$FOLDER/json")"
	has "$(jq -r .notes.expired "$FOLDER/json")" 'decided by such an entry: 1.'
}

@test "exempt by name at an address of no range: a candidate" {
	record dst 9.9.9.9:443 sni a.meet.example verdict bypass service meet rule .meet.example evidence name
	record dst 192.0.2.1:443 sni a.meet.example verdict bypass service meet rule .meet.example evidence name
	record dst 9.9.9.8:443 sni a.meet.example verdict bypass service meet rule 192.0.2.0/24 evidence address
	same '[["meet","9.9.9.9:443","a.meet.example",1]]' \
		"$(report --format=json | jq -c '[.candidates[] | [.service, .destination, .name, .records]]')"
}

@test "exempt by address with a name that is no service's" {
	record dst 192.0.2.1:443 sni evil.example verdict bypass service meet rule 192.0.2.0/24 evidence address
	record dst 192.0.2.1:443 sni a.meet.example verdict bypass service meet rule 192.0.2.0/24 evidence address
	record dst 192.0.2.1:443 verdict bypass service meet rule 192.0.2.0/24 evidence address
	same '[["foreign-name","10.0.0.1","evil.example"]]' \
		"$(report --format=json | jq -c '[.abuse[] | [.sign, .client, .name]]')"
}

@test "what the module's own folders don't hold" {
	record dst 192.0.2.1:443 verdict bypass service meet rule 192.0.2.0/24 evidence address disagrees yes host a.example
	record dst 192.0.2.1:443 verdict bypass service meet rule 192.0.2.0/24 evidence address
	record dst 192.0.2.2:443 verdict normal disagrees yes
	same '[["disagreement","10.0.0.1","meet","192.0.2.1:443","a.example",1]]' \
		"$(report --format=json | jq -c '[.abuse[] | [.sign, .client, .service, .destination, .name, .records]]')"
}

@test "one client with unusually many, and the rule for it" {
	awk -v now="$now" 'BEGIN {
		for (client = 1; client <= 9; client++)
			for (i = 0; i < (client == 9 ? 201 : client == 8 ? 200 : 20); i++)
				printf("{\"time\":\"%s\",\"conn\":\"10.0.0.%d:%d\",\"client\":\"10.0.0.%d\",\"dst\":\"192.0.2.1:443\"," \
					"\"verdict\":\"bypass\",\"service\":\"meet\",\"rule\":\"192.0.2.0/24\",\"evidence\":\"address\"," \
					"\"decided_by\":\"helper\"}\n", now, client, 1000 + i, client)
	}' >"$journal"
	report --format=json >"$FOLDER/json"
	same '[["many-connections","10.0.0.9",201]]' "$(jq -c '[.abuse[] | [.sign, .client, .connections]]' "$FOLDER/json")"
	has "$(jq -r .notes.abuse "$FOLDER/json")" '(here 20): more than 200.'
}

@test "a rule that the category hasn't" {
	record dst 8.8.8.8:443 verdict bypass service meet rule 8.8.8.0/24 evidence address
	same '[["unknown-rule","8.8.8.0/24"]]' "$(report --format=json | jq -c '[.abuse[] | [.sign, .rule]]')"
}

@test "one connection in two records" {
	record dst 192.0.2.1:443 verdict bypass service meet
	tail -n 1 "$journal" >>"$journal.again" && cat "$journal.again" >>"$journal"
	same '[2,1]' "$(report --format=json | jq -c '.totals[] | select(.verdict == "all") | [.records, .connections]')"
}

hostile() {
	record user '<script>alert(1)</script>' host '"><img src=x>' dst 192.0.2.7:444 sni "<b>&'.meet.example"
	record user $'=HYPERLINK("x")\r\n,"' dst 192.0.2.7:444
	record user $'\e[31mred\x9b\xc2\x9b' dst 192.0.2.7:444
}

@test "HTML: whole, without a script, and nothing gets out of its cell" {
	hostile
	html=$(report --format=html --by user)
	has "$html" '<!DOCTYPE html>'
	has "$html" '</html>'
	has "$html" '&lt;script&gt;alert(1)&lt;/script&gt;'
	lacks "$html" '<script'
	lacks "$html" '<img'
	lacks "$html" '<b>'
	lacks "$html" 'http://'
	lacks "$html" ' src='
	lacks "$html" $'\e'
}

@test "CSV: RFC 4180, and no formulas" {
	hostile
	report --format=csv --by user >"$FOLDER/csv"
	has "$(cat "$FOLDER/csv")" $'"\'=HYPERLINK(""x"")\r\n,""",1,1,1,0,0,0\r'
}

@test "text: no escape sequences, and no wider than asked for" {
	hostile
	record user "$(printf 'x%.0s' {1..200})" dst 192.0.2.7:444
	for width in 80 100 140; do
		text=$(COLUMNS=$width report --by user)
		lacks "$text" $'\e'
		same '' "$(LC_ALL=C awk -v most="$width" '{ gsub(/[\200-\277]/, "") } length($0) > most' <<<"$text" | LC_ALL=C grep -av /etc/ || :)"
	done
}

@test "no record, no store, no category" {
	report >/dev/null
	run meetingctl report --from="sqlite:$FOLDER/none.db"
	same 1 "$status"
	has "$output" 'meetingctl ingest makes it'
	run meetingctl report --from="sqlite:$store" --config="$FOLDER/none" --format=json
	same 0 "$status"
}

@test "wrong usage" {
	for wrong in --since=someday --until=2026-13-01 --by=colour --format=pdf --limit=many --section=nothing surplus \
		'--since=1h --until=2h' --bogus; do
		# shellcheck disable=SC2086 # several words
		run meetingctl report $wrong
		same 2 "$status"
	done
}
