#!/usr/bin/env bats
# What meetingctl explain says that Squid gets is what the helper answers, for some thousand random questions.
# MEETING_SEED chooses them.

load ../category/programs

setup() {
	FOLDER=$BATS_TEST_TMPDIR/services
	seed=${MEETING_SEED:-1}
	echo "# MEETING_SEED=$seed"
	file meet.service <<-'END'
		service meet
		source https://meet.example/ 2026-01-01
		ports tcp 80,443,8200
		address 192.0.2.0/24
		address 2001:db8::/32
		name .meet.example
	END
	printf 'service other\nsource O\nexpires 2020-01-01\naddress 192.0.2.128/25 tcp 443\naddress 198.51.100.0/24\nname a.meet.example\n' |
		file other.service
	printf '' | file off.service
	printf 'client 10.0.0.0/8\nclient 11.0.0.0/8 other\nclient 11.1.0.0/16 meet\n' | file clients
}

# COUNT: a table of random facts, one request a line: client, dst, dport, host, port, sni, arguments; `-` for none.
facts() {
	awk -v count="$1" -v seed="$seed" '
		function one(list, words, n) { n = split(list, words, " "); return words[1 + int(rand() * n)] }
		BEGIN {
			srand(seed)
			clients = "10.1.1.1 11.1.1.1 11.2.2.2 12.1.1.1 fd00::1 :: 0.0.0.0 - ::ffff:10.1.1.1 nonsense 5"
			addresses = "192.0.2.1 192.0.2.200 198.51.100.7 203.0.113.1 2001:db8::1 2001:db9::1 ::ffff:192.0.2.1 - 010.1.1.1"
			ports = "80 443 8200 8080 0 - 65536 x"
			names = "a.meet.example b.meet.example meet.example other.example a_b.example - 192.0.2.1 A.MEET.EXAMPLE. %20"
			for (i = 0; i < count; i++) {
				printf "%s %s %s %s %s %s", one(clients), one(addresses), one(ports), one(names " " addresses), one(ports), one(names)
				for (n = int(rand() * 4); n > 0; n--)
					printf " %s", one("meet other off client zoon meet other client")
				print ""
			}
		}'
}

compare() {
	cmp -s "$1" "$2" || { diff "$1" "$2" | head -n 10 && return 1; }
	[ -s "$1" ]
}

@test "line by line, in both modes and with all options" {
	cd "$BATS_TEST_TMPDIR"
	facts 3000 | awk '{ print (NR % 3 ? "42949" NR " " : "") $0 }' >lines
	for options in '--names=ignore' '--names=trust' '--names=ignore --mode=explicit' '--names=trust --stale=refuse --shadow'; do
		options+=" --fields=client,dst,dport,host,port,sni --config=$FOLDER"
		# shellcheck disable=SC2086
		helper $options <lines >answers 2>/dev/null
		# shellcheck disable=SC2086
		meetingctl explain $options --helper-line - <lines | sed -n 's/^Squid gets: //p' >explained || true
		same 3000 "$(wc -l <answers)"
		compare answers explained
		[ "$(grep -c -e 'OK verdict_=bypass' -e 'verdict_=shadow' answers)" -gt 100 ]
		[ "$(grep -c 'ERR verdict_=normal' answers)" -gt 100 ]
	done
}

@test "fact by fact, as an administrator asks" {
	cd "$BATS_TEST_TMPDIR"
	# numbers as clients are channels in a line
	facts 600 | sed 's/^5 /nonsense /; s/%20/-/g' | grep -v '^- - - - - -' >lines
	for mode in intercept explicit; do
		options="--names=ignore --mode=$mode --config=$FOLDER"
		# shellcheck disable=SC2086
		sed 's/^/7 /' lines | helper $options --fields=client,dst,dport,host,port,sni 2>/dev/null | sed 's/^7 //' >answers
		while read -r client dst dport host port sni arguments; do
			# an address with colons needs brackets in front of a port; a name must not have any
			[[ $dst != *:* ]] || dst="[$dst]"
			[[ $host != *:* ]] || host="[$host]"
			# shellcheck disable=SC2086
			meetingctl explain $options --client="$client" --dst="$dst:$dport" --host="$host:$port" --sni="$sni" $arguments || true
		done <lines | sed -n 's/^Squid gets: //p' >explained
		compare answers explained
	done
}
