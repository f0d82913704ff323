#!/usr/bin/env bats
# The feeds of Microsoft and Amazon: the version is asked first and at most once an hour, by one client id; sets are blocks;
# announced changes wait for their day.

load server

setup_file() {
	needs nginx openssl faketime jq
	make_certificates
}

setup() {
	FOLDER=$BATS_TEST_TMPDIR/shipped STATE=$BATS_TEST_TMPDIR/state
	start_server 'location ~ ^/(version|endpoints|changes)/ { default_type application/json; }
		location = /busy/version/worldwide { return 429; }'
	mkdir -p "$STATE" "$SITE"/{version,endpoints,changes/worldwide}
	version 2026100100
	set11=52.112.0.0/14 set12='"52.112.0.0/14"' names='"*.lync.com"'
	endpoints
	echo '[]' >"$SITE/changes/worldwide/0000000000"
	printf '%s\n' 'service teams' '# media' 'source set 11 2026-06-06' "feed m365-json $URL/endpoints/worldwide exclude-set=16,17" \
		'ports udp 3478-3481' 'address 52.112.0.0/14' '' 'source by hand' 'name teams.example' '' '# signalling' \
		'source set 12 2026-06-06' "feed m365-json $URL/endpoints/worldwide exclude-set=16,17" 'ports tcp 80,443 udp 443' \
		'name .lync.com' 'address 52.112.0.0/14' | file teams.service
}

teardown() {
	stop_server
}

version() {
	echo "{\"instance\":\"Worldwide\",\"latest\":\"$1\"}" >"$SITE/version/worldwide"
}

endpoints() {
	echo "[{\"id\":1,\"serviceArea\":\"Exchange\",\"urls\":[\"outlook.office.com\"],\"tcpPorts\":\"443\"},
		{\"id\":11,\"serviceArea\":\"Skype\",\"ips\":[\"$set11\"],\"udpPorts\":\"3478-3481\",\"required\":true},
		{\"id\":12,\"serviceArea\":\"Skype\",\"urls\":[$names],\"ips\":[$set12],\"tcpPorts\":\"80,443\",\"udpPorts\":\"443\"},
		{\"id\":16,\"serviceArea\":\"Skype\",\"urls\":[\"aka.ms\"],\"tcpPorts\":\"443\"}]" >"$SITE/endpoints/worldwide"
}

# What was asked since the last time.
asked() {
	cut -d ' ' -f 2 "$SERVER/access" | paste -sd ' '
	: >"$SERVER/access"
}

# An hour and more goes by.
later() {
	jq '.lists[].asked -= 3601' "$STATE/update.json" >changed && cp changed "$STATE/update.json"
}

@test "Microsoft: one block a set, and what was in between stays" {
	run update --yes
	same 0 "$status"
	has "$output" 'teams: the same entries, confirmed'
	same "service teams
# media
source    $URL/endpoints/worldwide (service area Skype, set 11) 2026-10-01
feed m365-json $URL/endpoints/worldwide exclude-set=16,17
ports     udp 3478-3481
address   52.112.0.0/14

source    $URL/endpoints/worldwide (service area Skype, set 12) 2026-10-01
feed m365-json $URL/endpoints/worldwide exclude-set=16,17
ports     tcp 80,443 udp 443
name      .lync.com
address   52.112.0.0/14

source by hand
ports     udp 3478-3481
name teams.example" "$(cat "$STATE/services/teams.service")"
	run meetingctl diff "$FOLDER" "$STATE/services"
	has "$output" '0 added, 0 removed'
	lacks "$output" ports:
}

@test "Microsoft: version, changes and endpoints by one client id; then the version alone, and not within an hour" {
	update --yes
	grep -oE 'clientrequestid=[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12} ' "$SERVER/access" | sort -u >ids
	same 1 "$(wc -l <ids)"
	same '/version/worldwide /endpoints/worldwide /changes/worldwide/0000000000' "$(asked)"
	run update --yes
	same 0 "$status"
	has "$output" 'nothing has changed'
	same '' "$(asked)"
	later
	update --yes
	grep -qF "$(cat ids)" "$SERVER/access"
	same '/version/worldwide' "$(asked)"
	later
	version 2026110100
	update --yes
	same '/version/worldwide /endpoints/worldwide /changes/worldwide/0000000000' "$(asked)"
	has "$(cat "$STATE/services/teams.service")" 'set 12) 2026-11-01'
}

@test "Microsoft: the version is no version, or the endpoints aren't there: refused, and tried again within the hour" {
	echo '{"latest":"soon"}' >"$SITE/version/worldwide"
	run update --yes
	same 1 "$status"
	has "$output" "$URL/version/worldwide?clientrequestid="
	has "$output" "not Microsoft's answer about the version"
	version 2026110100
	mv "$SITE/endpoints/worldwide" saved
	run update --yes
	same 1 "$status"
	has "$output" "$URL/endpoints/worldwide?clientrequestid="
	has "$output" 'the server answers 404'
	asked >/dev/null
	cp saved "$SITE/endpoints/worldwide"
	update --yes
	same '/endpoints/worldwide /changes/worldwide/0000000000' "$(asked)"
	later
	version 2026120100
	echo '{}' >"$SITE/changes/worldwide/0000000000"
	run update --yes
	same 1 "$status"
	has "$output" "Microsoft's changes are a list"
}

@test "Microsoft: 429 without a time means an hour" {
	sed -i "s|$URL/|$URL/busy/|" "$FOLDER/teams.service"
	run update --yes
	same 1 "$status"
	has "$output" 'not to be asked again for 3600 seconds'
	asked >/dev/null
	run update --yes
	same 1 "$status"
	has "$output" 'wants to be left alone until'
	same '' "$(asked)"
}

@test "an announced addition waits for its day, without being asked for again, and is then installed" {
	update --yes
	set12='"52.112.0.0/14","52.122.0.0/15"' names='"*.lync.com","*.teams.cloud.microsoft"'
	endpoints
	echo '[{"id":1,"endpointSetId":12,"disposition":"change","version":"2026110100","add":{"effectiveDate":"20261201",
		"ips":["52.122.0.0/15"],"urls":["*.teams.cloud.microsoft"]}},
		{"id":2,"endpointSetId":12,"disposition":"change","version":"2018110100","add":{"effectiveDate":"20181201",
		"ips":["52.112.0.0/14"]}},
		{"id":3,"endpointSetId":1,"disposition":"change","add":{"effectiveDate":"soon","urls":["a.*.b"]}}]' \
		>"$SITE/changes/worldwide/0000000000"
	version 2026110100
	later
	run update --yes --today=2026-11-30
	same 0 "$status"
	has "$output" 'teams: announced: 52.122.0.0/15 is added on 2026-12-01'
	has "$output" 'teams: announced: .teams.cloud.microsoft is added on 2026-12-01'
	lacks "$(cat "$STATE/services/teams.service")" 52.122.0.0/15
	same '[["2026-12-01","add",12,"52.122.0.0/15"],["2026-12-01","add",12,".teams.cloud.microsoft"]]' \
		"$(jq -c '.files["teams.service"].pending | map([.day, .change, .set, .rule])' "$STATE/update.json")"
	asked >/dev/null
	run update --yes --today=2026-12-01 --max-growth=100
	same 0 "$status"
	has "$output" '+ teams address 52.122.0.0/15  tcp 80,443 udp 443'
	has "$output" '+ teams name .teams.cloud.microsoft'
	same '' "$(asked)"
	same '[]' "$(jq -c '.files["teams.service"].pending' "$STATE/update.json")"
	run meetingctl explain --config="$STATE/services" --dst 52.122.0.1:443
	same 0 "$status"
}

@test "an announced removal waits for its day, too" {
	update --yes
	set11=52.112.0.0/14 names='"*.teams.microsoft.com"'
	endpoints
	echo '[{"id":1,"endpointSetId":12,"version":"2026110100","effectiveDate":"2026-12-01","remove":{"urls":["*.lync.com"]}}]' \
		>"$SITE/changes/worldwide/0000000000"
	version 2026110100
	later
	run update --yes --today=2026-11-30 --max-growth=any
	same 0 "$status"
	has "$output" 'teams: announced: .lync.com is removed on 2026-12-01'
	has "$(cat "$STATE/services/teams.service")" 'name      .lync.com'
	has "$(cat "$STATE/services/teams.service")" 'name      .teams.microsoft.com'
	run update --yes --today=2026-12-01 --max-shrink=50 --allow-withdrawn
	same 0 "$status"
	has "$output" '- teams name .lync.com'
	lacks "$(cat "$STATE/services/teams.service")" .lync.com
}

@test "an announced addition that is in force already isn't taken away" {
	echo '[{"id":1,"endpointSetId":12,"version":"2026110100","add":{"effectiveDate":"20261201","urls":["*.lync.com"]}}]' \
		>"$SITE/changes/worldwide/0000000000"
	run update --yes --today=2026-11-30
	same 0 "$status"
	lacks "$output" announced
	has "$(cat "$STATE/services/teams.service")" 'name      .lync.com'
}

@test "an announced change that can't be read is refused" {
	local change
	for change in '{"endpointSetId":12,"add":{"effectiveDate":"soon","urls":["a.example"]}}' '{"add":{}}' '7' \
		'{"endpointSetId":12,"add":{"effectiveDate":"20261201","ips":[7]}}' \
		'{"endpointSetId":12,"add":{"effectiveDate":"20261201","urls":["a.*.example"]}}'; do
		echo "[$change]" >"$SITE/changes/worldwide/0000000000"
		rm -rf "$STATE/feeds"
		run update --yes --today=2026-11-30
		same 1 "$status"
		has "$output" "teams: announced for $URL/endpoints/worldwide:1:2: "
		[ ! -e "$STATE/services" ]
	done
}

@test "Amazon: the day of the list, its service, and one fetch for several services" {
	rm "$FOLDER/teams.service"
	echo '{"syncToken":"1","createDate":"2026-11-20-18-13-07","prefixes":[{"ip_prefix":"99.77.128.0/18","service":"CHIME_MEETINGS"},
		{"ip_prefix":"3.5.140.0/22","service":"AMAZON"}],"ipv6_prefixes":[]}' >"$SITE/ip-ranges.json"
	for name in chime huddles; do
		printf '%s\n' "service $name" 'source Amazon' "feed aws-json $URL/ip-ranges.json" 'ports tcp 443 udp 3478' | file "$name.service"
	done
	run update --yes
	same 0 "$status"
	for name in chime huddles; do
		same "service $name
source    Amazon 2026-11-20
feed aws-json $URL/ip-ranges.json
ports     tcp 443 udp 3478
address   99.77.128.0/18" "$(cat "$STATE/services/$name.service")"
	done
	same '200 304' "$(cut -d ' ' -f 4 "$SERVER/access" | paste -sd ' ')"
}

@test "the shipped files that name feeds are such that an update works" {
	run grep -l '^feed' "$top_srcdir"/services/*.service
	same 'chime teams zoom' "$(sed 's|.*/||; s|\.service||' <<<"$output" | paste -sd ' ')"
	rm "$FOLDER/teams.service"
	local file
	for file in zoom chime teams; do
		sed "s|^feed\( *[a-z0-9-]*\) *https://[^/]*/|feed\1 $URL/|" "$top_srcdir/services/$file.service" | file "$file.service"
	done
	mkdir -p "$SITE/docs/ipranges"
	awk '$1 == "source" { on = /ZoomMeetings.txt/ } on && $1 == "address" { print $2 }' "$top_srcdir/services/zoom.service" \
		>"$SITE/docs/ipranges/ZoomMeetings.txt"
	echo 2001:db8::/48 >"$SITE/docs/ipranges/ZoomMeetings-IPv6.txt"
	echo '{"createDate":"2026-11-20-18-13-07","prefixes":[{"ip_prefix":"99.77.128.0/18","service":"CHIME_MEETINGS"}],
		"ipv6_prefixes":[{"ipv6_prefix":"2600:f0f0:4100::/40","service":"CHIME_MEETINGS"}]}' >"$SITE/ip-ranges.json"
	names=$(awk '$1 == "source" { on = /set 12/ } on && $1 == "name" { sub(/^\./, "*.", $2); print "\"" $2 "\"" }' \
		"$top_srcdir/services/teams.service" | paste -sd ,)
	set12=$(awk '$1 == "source" { on = /set 12/ } on && $1 == "address" { print "\"" $2 "\"" }' \
		"$top_srcdir/services/teams.service" | paste -sd ,)
	set11=$(awk '$1 == "source" { on = /set 11/ } on && $1 == "address" { print $2 }' "$top_srcdir/services/teams.service" |
		paste -sd , | sed 's/,/","/g')
	endpoints
	run update --yes
	echo "$output"
	same 0 "$status"
	run meetingctl diff "$FOLDER" "$STATE/services"
	has "$output" '1 added, 0 removed'
	has "$output" '+ zoom address 2001:db8::/48  tcp 443,8801-8802 udp 3478-3479,8801-8810'
}
