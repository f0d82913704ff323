#!/usr/bin/env bats
# Whatever Squid asks, the answer is that nothing changes: 204 where the client takes it, else the request itself.

# shellcheck disable=SC2154,SC2031,SC2030 # module.bash and bats set them
load module

setup_file() { make_place && start; }
teardown_file() { remove_place; }
setup() { before=$(lines); }

# STATUS ARGUMENT...: the answer, and one record for it, whole.
answered() {
	local status
	status=$(status_of "${@:2}")
	is "answer to ${*:2}" "$status" "ICAP/1.0 $1"
	is "new records of ${*:2}" "$(($(lines) - before))" 1
	last_record | jq -e . >/dev/null
	before=$(lines)
}

@test "OPTIONS says what it takes" {
	run c-icap-client -i 127.0.0.1 -p "$port" -s meeting
	for line in 'Methods: REQMOD' 'Allow: 204' 'Preview: 0' 'Transfer-Preview: *' \
		'X-Include: X-Client-IP, X-Authenticated-User'; do
		grep -qF -- "$line" <<<"$output"
	done
	grep -qE 'ISTag: "CI0001[0-9a-f-]*[0-9a-f]{16}"' <<<"$output"
	is 'new records' "$(lines)" "$before"
}

@test "RESPMOD is refused" {
	exec 9<>"/dev/tcp/127.0.0.1/$port"
	# It answers before it has seen more than this.
	printf '%s\r\n' 'RESPMOD icap://127.0.0.1/meeting ICAP/1.0' 'Encapsulated: res-hdr=0, null-body=19' '' >&9
	read -r answer <&9
	exec 9>&-
	[[ $answer == 'ICAP/1.0 405 '* ]]
	is 'new records' "$(lines)" "$before"
}

@test "requests without a body" {
	for line in 'GET http://www.example.com/ HTTP/1.1' 'CONNECT www.example.com:443 HTTP/1.1' \
		'CONNECT 203.0.113.5:443 HTTP/1.1' 'CONNECT [2001:db8:5::1]:443 HTTP/1.1' \
		'NONE 203.0.113.5:8200 HTTP/1.1' 'NONE error:invalid-request HTTP/0.0' \
		'PROPFIND * HTTP/1.1' 'GET /path HTTP/1.1' 'x'; do
		answered '204' request="$line" preview=0 allow204
		answered '204' request="$line" preview=0
		answered '204' request="$line" allow204
		answered '200' request="$line"
	done
}

@test "requests with a body and a preview" {
	post='request=POST http://www.example.com/ HTTP/1.1'
	for body in 0 1 4096 100000; do
		for preview in 0 1 1024 4096; do
			answered '204' "$post" body=$body preview=$preview
			answered '204' "$post" body=$body preview=$preview allow204
		done
	done
}

@test "requests with a body and no preview" {
	for body in 0 1 4096 100000 5000000; do
		answered '204' request='POST http://www.example.com/ HTTP/1.1' body=$body allow204
	done
}

@test "without a preview and Allow: 204 the request comes back as it was" {
	for body in 0 1 4063 4064 4065 32768 100000; do
		run request request='POST http://www.example.com/ HTTP/1.1' body=$body
		is status "${lines[0]}" 'ICAP/1.0 200 OK'
		grep -qx 'head: the same' <<<"$output"
		grep -qx "body: the same, $body" <<<"$output"
	done
	run request request='CONNECT www.example.com:443 HTTP/1.1'
	grep -qx 'head: the same' <<<"$output"
}

@test "a large body passes in bounded memory" {
	peak() { # in KiB, of the process that has the highest
		processes | sed 's|.*|/proc/&/status|' |
			xargs sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' | sort -n | tail -n 1
	}
	small=$(peak)
	run request request='PUT http://www.example.com/ HTTP/1.1' body=60000000
	grep -qx 'body: the same, 60000000' <<<"$output"
	(($(peak) - small < 8192))
}

@test "several requests over one connection" {
	run request request='POST http://{n}.example.com/ HTTP/1.1' body=300 preview=100 times=50
	is answers "$(grep -c ' ICAP/1.0 204 ' <<<"$output")" 50
	is records "$(($(lines) - before))" 50
}

@test "a client that goes away leaves no broken record" {
	head=$'REQMOD icap://x/meeting ICAP/1.0\r\nHost: x\r\n'
	for part in 'REQMOD icap://x/mee' "$head"$'Encapsulated: req-hdr=0, null-body=500\r\n\r\nGET ' \
		"$head"$'Preview: 0\r\nEncapsulated: req-hdr=0, req-body=19\r\n\r\nPOST / HTTP/1.1\r\n\r\n'; do
		exec 9<>"/dev/tcp/127.0.0.1/$port"
		printf '%s' "$part" >&9
		exec 9>&-
	done
	answered '204' preview=0
	jq -e . "$journal" >/dev/null
}
