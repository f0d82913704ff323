#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Through the real Squid: CPU of Squid and of the helper for each request, and latency, with no acl, acl dst, and helpers.
set -eu
. "$bench/common.bash"
need_packages squid-openssl python3
squid=$(command -v squid || echo /usr/sbin/squid)
seconds=${SECONDS_EACH:-1}
build load bench/load.c
build origin bench/origin.c
make_services
sed -n 's/^address *\([^ ]*\).*/\1/p' "$work/services/gotomeeting.service" >"$work/list"

coproc ORIGIN { exec "$work/origin"; }
read -r origin_port <&"${ORIGIN[0]}"
origin_end=${ORIGIN[1]}
pids=()
finish() {
	for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || :; done
	exec {origin_end}>&-
	rm -rf "$work"
}
trap finish EXIT

meeting="$helper --mode=explicit --config=$work/services"
shipped=$(sed -n 's/^external_acl_type .*\(concurrency=[0-9]* queue-size=[0-9]*\).*/\1/p' "$top/squid-conf/explicit.conf.in")
external() { # CACHE HELPER...
	local cache=$1
	shift
	echo "external_acl_type meeting ttl=3600 negative_ttl=3600 cache=$cache $shipped \\
	children-max=1 children-startup=1 %>a %#>rd %>rP $*
acl meeting external meeting
http_access allow meeting"
}

# NAME ACL_LINES: starts a Squid that asks all of the origin. Started by root, it is a user of its own.
declare -A port process
number=0 user=$(id -un)
((EUID)) || user=proxy
chmod 755 "$work"
start() {
	local name=$1 folder=$work/$((++number))
	mkdir "$folder"
	((EUID)) || chown "$user" "$folder"
	port[$name]=$((20000 + RANDOM % 12000)) # below those that connections get by themselves
	cat >"$folder/squid.conf" <<-END
	http_port 127.0.0.1:${port[$name]}
	$2
	http_access allow all
	$(squid_lines "$folder" "$origin_port" "$user")
	END
	"$squid" -N -n "bench$$x$number" -f "$folder/squid.conf" >"$folder/out" 2>&1 &
	process[$name]=$!
	pids+=($!)
	disown
	wait_until 20 "$work/load" "${port[$name]}" 1 0.01 2 || { tail -n 20 "$folder/out" "$folder/cache.log" >&2; return 1; }
}

measure() { # NAME CONNECTIONS DESTINATIONS
	local name=$1 pid=${process[$1]} child before after helper_before=0 helper_after=0 count rate p50 p99
	child=$(ps -o pid=,comm= --ppid "$pid" | awk '$2 ~ /^(ext_meeting|answerer)/ { print $1 }')
	before=$(cpu_of "$pid")
	[ -z "$child" ] || helper_before=$(cpu_of "$child")
	IFS=$'\t' read -r count rate p50 p99 < <("$work/load" "${port[$name]}" "$2" "$seconds" "$3")
	after=$(cpu_of "$pid")
	[ -z "$child" ] || helper_after=$(cpu_of "$child")
	row 'CPU of Squid' "$2" "$name" 'us a request' "$(awk "BEGIN { print ($after - $before) / $count / 1000 }")"
	[ -z "$child" ] ||
		row 'CPU of the helper' "$2" "$name" 'us a request' "$(awk "BEGIN { print ($helper_after - $helper_before) / $count / 1000 }")"
	row 'latency, p50' "$2" "$name" us "$p50"
	row 'latency, p99' "$2" "$name" us "$p99"
	row 'requests a second' "$2" "$name" /s "$rate"
	# The first round goes upwards, so that the highest so far is that of these connections.
	((round > 0)) || row 'memory of Squid' "$2" "$name" MB "$(peak_of "$pid")"
	[[ -z $child ]] || ((round > 0)) || row 'memory of the helper' "$2" "$name" MB "$(peak_of "$child")"
}

# The answers of 512 clients about 768 destinations are more than the largest cache holds.
many=768 few=4
start 'no acl' ''
start 'acl dst' "acl meeting dst \"$work/list\"
http_access allow meeting"
start 'helper, no cache' "$(external 0 "$meeting")"
start 'helper, cache=10000, 4 destinations a client' "$(external 10000 "$meeting")"
start 'helper, cache=10000, 768 destinations a client' "$(external 10000 "$meeting")"
start 'helper, cache=262144, full' "$(external 262144 "$meeting")"
start 'Python helper, no cache' "$(external 0 "$bench/answerer.py")"
"$work/load" "${port['helper, cache=262144, full']}" 512 "${FILL_SECONDS:-25}" $many >/dev/null
for ((round = 0; round < rounds; round++)); do
	for connections in 1 32 128 512 2048; do
		measure 'no acl' $connections $many
		measure 'acl dst' $connections $many
		measure 'helper, no cache' $connections $many
		measure 'helper, cache=10000, 4 destinations a client' $connections $few
		measure 'helper, cache=10000, 768 destinations a client' $connections $many
		measure 'helper, cache=262144, full' $connections $many
		measure 'Python helper, no cache' $connections $many
	done
done
