#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The c-icap module with its journal, beside c-icap's own srv_echo, a module that only writes, and no ICAP: alone, and through
# the real Squid.
set -eu
. "$bench/common.bash"
need_packages c-icap squid-openssl
seconds=${SECONDS_EACH:-2}
squid=$(command -v squid || echo /usr/sbin/squid)
modules=$(dirname "$(dpkg -L c-icap libicapapi5 2>/dev/null | grep -m 1 '/srv_echo\.so$')")
module=$top_builddir/icap/.libs/srv_meeting.so
[[ -e $module ]] || { echo "bench/module.sh: $module isn't built" >&2; exit 1; }
build icap_load bench/icap_load.c
FLAGS='-shared -fPIC' build hurry.so bench/icap_hurry.c
# c-icap's headers have a CONFIG_DIR of their own.
FLAGS='-shared -fPIC -UCONFIG_DIR -USTATE_DIR -USERVICES_DIR' build srv_bound.so bench/icap_bound.c
build load bench/load.c
build origin bench/origin.c
make_services
mkdir "$work/journal"
user=$(id -un)
((EUID)) || user=proxy
chmod 777 "$work" "$work/journal"

coproc ORIGIN { exec "$work/origin"; }
read -r origin_port <&"${ORIGIN[0]}"
origin_end=${ORIGIN[1]}
icap=
declare -A port process
stop() { # PID...
	(($# > 0)) || return 0 # without arguments it would wait for all
	kill -TERM "$@" 2>/dev/null || :
	wait "$@" 2>/dev/null || :
}
finish() {
	# shellcheck disable=SC2086 # none or one
	stop $icap "${process[@]}"
	exec {origin_end}>&-
	rm -rf "$work"
}
trap finish EXIT

start_icap() {
	icap_port=$((20000 + RANDOM % 2000))
	cat >"$work/c-icap.conf" <<-END
		PidFile $work/pid
		CommandsSocket $work/control
		Port 127.0.0.1:$icap_port
		# A connection that Squid keeps takes a thread, and each of two Squids keeps 512.
		StartServers 2
		MaxServers 2
		MinSpareThreads 1
		MaxSpareThreads 1400
		ThreadsPerChild 700
		MaxKeepAliveRequests -1
		TmpDir $work
		ModulesDir $modules
		ServicesDir $modules
		LoadMagicFile /etc/c-icap/c-icap.magic
		ServerLog $work/server.log
		AccessLog $work/access.log
		Service echo srv_echo.so
		Service bound $work/srv_bound.so
		Service meeting $module
		meeting.Config $work/services
		meeting.Journal $work/journal/decisions.jsonl
	END
	BENCH_JOURNAL=$work/journal/bound c-icap -N -D -f "$work/c-icap.conf" >"$work/c-icap.out" 2>&1 &
	icap=$!
	wait_until 20 "$work/icap_load" "$icap_port" meeting 1 1 || { cat "$work/c-icap.out" "$work/server.log" >&2; exit 1; }
}

start_squid() { # NAME SERVICE
	local name=$1 service=$2 folder=$work/squid.${2:-none}
	rm -rf "$folder"
	mkdir "$folder"
	((EUID)) || chown "$user" "$folder"
	port[$name]=$((22000 + RANDOM % 10000)) # below those that connections get by themselves
	{
		cat <<-END
		http_port 127.0.0.1:${port[$name]} name=3128
		external_acl_type meeting ttl=60 negative_ttl=60 cache=10000 concurrency=64 queue-size=10000 children-max=1 \\
			children-startup=1 %>a %#>rd %>rP $helper --mode=explicit --config=$work/services
		acl meeting external meeting
		http_access allow meeting
		http_access allow all
		END
		squid_lines "$folder" "$origin_port" "$user"
		[[ ! $service ]] || sed "s|127.0.0.1:1344/meeting|127.0.0.1:$icap_port/$service|" "$top/squid-conf/icap.conf"
		[[ ! $service ]] || echo 'adaptation_meta X-Meeting-Mode explicit all'
	} >"$folder/squid.conf"
	"$squid" -N -n "module$$x${service:-none}" -f "$folder/squid.conf" >"$folder/out" 2>&1 &
	process[$name]=$!
	wait_until 20 "$work/load" "${port[$name]}" 1 0.01 2 || { tail -n 20 "$folder/out" "$folder/cache.log" >&2; exit 1; }
}

icap_processes() { ps -o pid= --ppid "$icap"; }

rows() { # CASE CONNECTIONS SUBJECT RATE P50 P99
	row "$1" "$2" "$3" requests/s "$4"
	row "$1, p50" "$2" "$3" us "$5"
	row "$1, p99" "$2" "$3" us "$6"
}

cpu_row() { # CASE CONNECTIONS SUBJECT NANOSECONDS REQUESTS
	row "$1" "$2" "$3" us/request "$(awk -v ns="$4" -v n="$5" 'BEGIN { print ns / n / 1000 }')"
}

clear_logs() {
	: >"$work/journal/decisions.jsonl"
	: >"$work/journal/bound"
	: >"$work/access.log"
}

ask_icap() { # SERVICE CONNECTIONS
	local before after requests rate p50 p99
	# shellcheck disable=SC2046 # a list
	before=$(cpu_of $(icap_processes))
	read -r requests rate p50 p99 < <("$work/icap_load" "$icap_port" "$1" "$2" "$seconds")
	# shellcheck disable=SC2046 # a list
	after=$(cpu_of $(icap_processes))
	rows 'c-icap' "$2" "srv_$1" "$rate" "$p50" "$p99"
	cpu_row 'c-icap, CPU' "$2" "srv_$1" $((after - before)) "$requests"
	clear_logs
}

# By c-icap's own tool, a thread for each connection, which it closes after one request in three.
ask_stretch() { # SERVICE CONNECTIONS
	local begun=${EPOCHREALTIME/./} took served
	if ! LD_PRELOAD=$work/hurry.so c-icap-stretch -i 127.0.0.1 -p "$icap_port" -s "$1" -req -urls "$work/urls" -t "$2" -m 100000 \
		-x 'X-Client-IP: 192.0.2.1' -x 'X-Meeting-Verdict: normal' -x 'X-Meeting-Mode: intercept' \
		-x 'X-Meeting-Dst: 203.0.113.5:443' >"$work/stretch" 2>&1 || grep -q 'Request failed' "$work/stretch"; then
		tail "$work/stretch" >&2
		return 1
	fi
	took=$((${EPOCHREALTIME/./} - begun))
	served=$(sed -n 's/.*Requests served :\([0-9]*\).*/\1/p' "$work/stretch" | tail -n 1)
	row 'c-icap-stretch' "$2" "srv_$1" requests/s $((served * 1000000 / took))
	clear_logs
}

ask_squid() { # NAME CONNECTIONS
	local before after icap_before icap_after count rate p50 p99
	before=$(cpu_of "${process[$1]}")
	# shellcheck disable=SC2046 # a list
	icap_before=$(cpu_of $(icap_processes))
	IFS=$'\t' read -r count rate p50 p99 < <("$work/load" "${port[$1]}" "$2" "$seconds" 768)
	after=$(cpu_of "${process[$1]}")
	# shellcheck disable=SC2046 # a list
	icap_after=$(cpu_of $(icap_processes))
	rows 'through Squid' "$2" "$1" "$rate" "$p50" "$p99"
	cpu_row 'through Squid, CPU of Squid' "$2" "$1" $((after - before)) "$count"
	cpu_row 'through Squid, CPU of c-icap' "$2" "$1" $((icap_after - icap_before)) "$count"
	clear_logs
}

printf 'www.host%d.example.com/\n' {1..64} >"$work/urls"
for ((round = 0; round < rounds; round++)); do
	# Runs differ by more than their rounds do; processes of its own for each round even that out.
	# shellcheck disable=SC2086 # none or one
	stop $icap "${process[@]}"
	process=()
	start_icap
	# Each is first in every second round.
	first=echo second=meeting
	((round % 2 == 0)) || first=meeting second=echo
	# While there are no Squids, whose connections keep threads of c-icap.
	for connections in 1 32 128 512; do
		for service in "$first" "$second" "$second" "$first"; do
			ask_stretch "$service" "$connections"
		done
		ask_icap "$first" "$connections"
		ask_icap bound "$connections"
		ask_icap "$second" "$connections"
		((round == 0)) || continue # upwards: the highest so far is that of these connections
		# shellcheck disable=SC2046 # a list
		row 'memory' "$connections" 'c-icap' MB "$(peak_of $(icap_processes))"
	done
	start_squid 'no ICAP' ''
	start_squid srv_echo echo
	start_squid srv_meeting meeting
	for connections in 1 32 128 512; do
		ask_squid 'no ICAP' "$connections"
		ask_squid "srv_$first" "$connections"
		ask_squid "srv_$second" "$connections"
		((round == 0)) || continue # upwards, as above
		row 'memory' "$connections" 'Squid, no ICAP' MB "$(peak_of "${process[no ICAP]}")"
		row 'memory' "$connections" 'Squid, srv_meeting' MB "$(peak_of "${process[srv_meeting]}")"
	done
done
