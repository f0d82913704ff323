#!/usr/bin/env bats
# The real c-icap takes the shipped part of its configuration, loads the module, and records what it is told without any
# Squid: also where no verdict comes with it.

load story

setup_file() { story_begins lab_start_c_icap; }
teardown_file() { story_ends; }

# METHOD [HEADER...]: what c-icap answers, without the carriage returns.
tell() {
	local method=$1 header request
	shift
	request=$'GET http://192.0.2.30/ HTTP/1.1\r\nHost: 192.0.2.30\r\n\r\n'
	{
		printf '%s icap://127.0.0.1:1344/meeting ICAP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n' "$method"
		for header in "$@"; do
			printf '%s\r\n' "$header"
		done
		if [[ $method == REQMOD ]]; then
			printf 'Allow: 204\r\nEncapsulated: req-hdr=0, null-body=%d\r\n\r\n%s' ${#request} "$request"
		else
			printf '\r\n'
		fi
	} >"$LAB/request"
	lab_in proxy timeout 10 socat -t 5 - TCP:127.0.0.1:1344,shut-none <"$LAB/request" | tr -d '\r'
}

@test "OPTIONS says REQMOD, 204 and an empty preview" {
	answer=$(tell OPTIONS)
	is status "${answer%%$'\n'*}" 'ICAP/1.0 200 OK'
	grep -qx 'Methods: REQMOD' <<<"$answer"
	grep -qx 'Allow: 204' <<<"$answer"
	grep -qx 'Preview: 0' <<<"$answer"
}

@test "REQMOD with a verdict of the helper is answered 204 and recorded" {
	answer=$(tell REQMOD 'X-Client-IP: 198.51.100.10' 'X-Meeting-Verdict: bypass' 'X-Meeting-Service: meet' \
		'X-Meeting-Rule: 192.0.2.0/24' 'X-Meeting-Evidence: address' 'X-Meeting-Mode: intercept' \
		'X-Meeting-Source: a%20source' 'X-Meeting-Dst: 192.0.2.30:80' 'X-Meeting-Conn: 198.51.100.10:4711')
	is status "${answer%%$'\n'*}" 'ICAP/1.0 204 Unmodified'
	recorded '.verdict == "bypass" and .service == "meet" and .source == "a source" and .decided_by == "helper" and
		.dst == "192.0.2.30:80" and .conn == "198.51.100.10:4711" and .client == "198.51.100.10"'
}

@test "each process has more threads than Squid keeps connections" {
	connections=$(grep -o 'max-conn=[0-9]*' "$LAB/share/squid-conf/icap.conf")
	for pid in $(pgrep -P "$(<"$LAB/pid/c-icap")"); do
		threads=("/proc/$pid/task/"*)
		((${#threads[@]} > ${connections#*=}))
	done
	[[ $pid ]]
}

@test "REQMOD without a verdict is decided by the module" {
	answer=$(tell REQMOD 'X-Client-IP: 198.51.100.10' 'X-Meeting-Verdict: -' 'X-Meeting-Evidence: -' \
		'X-Meeting-Mode: intercept' 'X-Meeting-Dst: 192.0.2.30:80')
	is status "${answer%%$'\n'*}" 'ICAP/1.0 204 Unmodified'
	recorded '.decided_by == "icap" and .verdict == "bypass" and .service == "meet" and .rule == "192.0.2.0/24"'
}
