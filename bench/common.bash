# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the benchmarks share: programs are built into a folder that goes away in the end.
top=$(cd "$bench/.." && pwd)
# shellcheck source=tests/wait.bash
. "$top/tests/wait.bash"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rounds=${ROUNDS:-5}
helper=$top_builddir/helper/ext_meeting_acl

# PACKAGE...: ends the benchmark if one isn't installed.
need_packages() {
	local missing
	missing=$(for package; do
		[[ $(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null) == *installed* ]] || echo "$package"
	done)
	if [[ $missing ]]; then
		echo "These are compared with: apt-get install --no-install-recommends ${missing//$'\n'/ }" >&2
		exit 1
	fi
}

# PROGRAM SOURCE...: compiled as the project is; what the linker needs is in LIBS.
build() {
	local program=$1
	shift
	(cd "$top" && ${CC:-cc} -O2 -g -std=gnu11 -Wall -Wextra -D_GNU_SOURCE -I. -I"$top_builddir" -DSERVICES_DIR='"/"' \
		-DSTATE_DIR='"/"' -DCONFIG_DIR='"/"' ${FLAGS:-} -o "$work/$program" "$@" ${LIBS:-})
}

# FOLDER ORIGIN_PORT USER: the lines of squid.conf that are the same for all: to one origin, with nothing kept or logged.
squid_lines() {
	cat <<-END
	cache_peer 127.0.0.1 parent $2 0 no-query no-digest originserver default
	never_direct allow all
	cache deny all
	access_log none
	cache_log $1/cache.log
	cache_store_log none
	pid_filename none
	pinger_enable off
	shutdown_lifetime 0 seconds
	coredump_dir $1
	visible_hostname bench.example
	icon_directory $1
	cache_effective_user $3
	END
}

# The tables' programs. dpdk's headers want a newer CPU's instructions, so that its part is compiled for one.
build_tables() {
	local category=$top_builddir/category/.libs/libcategory.a
	need_packages libmaxminddb-dev libjudy-dev libpsl-dev libcidr-dev
	if [[ ${WITHOUT_DPDK:-} ]]; then # as in `make check`: it is much to install
		FLAGS=-DWITHOUT_DPDK LIBS="$category -lcidr -lmaxminddb -lJudy" \
			build tables bench/tables.c bench/subjects.c bench/tables-libraries.c
	else
		need_packages libdpdk-dev
		FLAGS="$(pkg-config --cflags libdpdk) -c" build dpdk.o bench/tables-dpdk.c
		LIBS="$category -lcidr -lmaxminddb -lJudy -Wl,--as-needed -lrte_lpm -lrte_fib -lrte_eal" \
			build tables bench/tables.c bench/subjects.c bench/tables-libraries.c "$work/dpdk.o"
	fi
	LIBS="$category -lcidr -lpsl" build names bench/names.c bench/subjects.c
}

# The small list: what Cisco published of GoToMeeting, as one source, in the folder $work/services.
make_services() {
	mkdir -p "$work/services"
	awk '/^source/ { sources++; $0 = "source Cisco WSA technical note on GoToMeeting" } sources < 2' \
		"$top/services/gotomeeting.service" >"$work/services/gotomeeting.service"
}

# PID...: their CPU time in ns, of all their threads.
cpu_of() {
	local pid
	for pid; do cat "/proc/$pid"/task/*/schedstat 2>/dev/null || :; done | awk '{ sum += $1 } END { printf "%.0f", sum }'
}

# PID...: the most that they had resident so far, in MB, added up.
peak_of() {
	local pid
	for pid; do cat "/proc/$pid/status" 2>/dev/null || :; done | awk '/^VmHWM/ { sum += $2 } END { print sum * 1.024 / 1000 }'
}

# The eight services that bench/history.c makes up, in the folder $work/services.
make_history_services() {
	mkdir -p "$work/services"
	for service in {0..7}; do
		{
			printf 'service service%d\nsource https://service%d.example.com/ranges 2026-10-01\n' "$service" "$service"
			printf 'address 198.18.%d.0/23\n' $((service * 2))
			printf 'name www.host%d.example.com\n' $(seq $((service * 40)) $((service * 40 + 39)))
		} >"$work/services/service$service.service"
	done
}

row() { # GROUP CASE SUBJECT UNIT VALUE
	printf '%s\t%s\t%s\t%s\t%s\n' "$@"
}
