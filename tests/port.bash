# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A port for a server of a test's own.

# Sets `free` to a port where nothing listens, another one each time; below those that connections get by themselves.
free_port() {
	local port
	for _ in {1..100}; do
		port=$((20000 + RANDOM % 12000))
		[[ " ${used_ports-} " == *" $port "* ]] && continue
		(: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue
		used_ports+=" $port"
		free=$port
		return
	done
	return 1
}
