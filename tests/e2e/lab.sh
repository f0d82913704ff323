# shellcheck shell=bash disable=SC2034,SC2317 # others read what is set here, and wait_until calls functions by name
# SPDX-License-Identifier: GPL-2.0-or-later
# A laboratory to be sourced: a client, the proxy with the real Squid and c-icap, and servers, in network namespaces.
#
#   client                    proxy                                      servers
#   198.51.100.10 --------- 198.51.100.1         198.51.100.129 --------- 198.51.100.130
#   2001:db8:1::10          2001:db8:1::1         2001:db8:2::1           2001:db8:2::2
#                           Squid: 3128 explicit,                         192.0.2.0/24, 2001:db8:a::/48: the meeting's
#                           3129 and 3130 intercepting                    203.0.113.0/24, 2001:db8:b::/48: anybody's
#                           c-icap: 1344
#
# The last number of a server's address, or that less 128, says what it speaks. 10: TLS on 80, 443 and 8200. 20: on the
# same ports, it sends back every byte, which is neither TLS nor HTTP. 30: HTTP on 80. All else refuses the connection.
# The proxy doesn't forward packets: what doesn't go through Squid goes nowhere.
#
#   lab_make      the folder $LAB, the namespaces, the certificates, the servers
#                 then the caller puts service files and `clients` into $LAB/etc
#   lab_start     Squid and c-icap, with the files that are shipped
#   lab_stop      ends all that and removes the namespaces; the folder stays, lab_remove does both
#
# The caller may set before: top_srcdir, top_builddir (absolute: where the project's files and its built programs are);
# LAB_SERVERS (more addresses for the servers); LAB_HOSTS (more lines `ADDRESS NAME` for DNS); LAB_SQUID (lines for
# squid.conf, in place of the usual ones); LAB_C_ICAP (more lines for c-icap.conf).

top_srcdir=${top_srcdir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
top_builddir=${top_builddir:-$top_srcdir}

lab_addresses=(
	192.0.2.{10,20,30} 2001:db8:a::{10,20,30} 203.0.113.{10,20,30,138} 2001:db8:b::{10,20,30}
)

# What an administrator writes into squid.conf: the usual composition.
# shellcheck disable=SC2016 # $LAB is filled in later
lab_squid_usual='
include $LAB/share/squid-conf/intercept.conf
include $LAB/share/squid-conf/explicit.conf
include $LAB/share/squid-conf/splice.conf
include $LAB/share/squid-conf/log.conf
include $LAB/share/squid-conf/icap.conf
http_access allow meeting
'

# shellcheck source=tests/wait.bash
. "$top_srcdir/tests/wait.bash"

# Says what this machine lacks for the laboratory; succeeds when that is nothing.
lab_lacks() {
	local program lacks=0
	for program in squid c-icap nft ip socat dnsmasq openssl curl jq squidclient setsid \
		/usr/lib/squid/security_file_certgen /usr/lib/squid/basic_ncsa_auth; do
		command -v "$program" >/dev/null || { echo "there is no $program" && lacks=1; }
	done
	if ((EUID)); then
		echo 'only root can make network namespaces' && lacks=1
	elif ! unshare --net true 2>/dev/null; then
		echo 'no network namespace can be made here' && lacks=1
	fi
	[[ -e /proc/net/if_inet6 ]] || { echo 'the kernel has no IPv6' && lacks=1; }
	return $lacks
}

# ROOM COMMAND...: runs it in the client's, the proxy's or the servers' namespace.
lab_in() {
	local room=$1
	shift
	ip netns exec "$LAB_NAME-$room" "$@"
}

# NAME ROOM COMMAND...: the same in the background; what it prints goes to $LAB/log/NAME. It has a /dev/shm of its own,
# where Squid and c-icap keep files that another one of them on this machine must not meet, and the lab's DNS server.
lab_spawn() {
	local name=$1 room=$2
	shift 2
	# shellcheck disable=SC2016 # expanded by the inner shell
	setsid ip netns exec "$LAB_NAME-$room" sh -c 'mount -t tmpfs lab /dev/shm || exit
		[ ! -e /etc/resolv.conf ] || mount --bind "$1" /etc/resolv.conf || exit
		shift && exec "$@"' lab "$LAB/resolv.conf" "$@" \
		</dev/null >>"$LAB/log/$name" 2>&1 3>&- 4>&- &
	echo $! >"$LAB/pid/$name"
}

lab_runs() { # NAME
	local stat
	read -r stat 2>/dev/null <"/proc/$(<"$LAB/pid/$1")/stat" && [[ $stat != *') Z '* ]]
}

lab_ended() { ! lab_runs "$1"; }

lab_end() { # NAME
	[[ -e $LAB/pid/$1 ]] || return 0
	if lab_runs "$1"; then
		kill "$(<"$LAB/pid/$1")" 2>/dev/null
		wait_until 10 lab_ended "$1" || kill -KILL "$(<"$LAB/pid/$1")" 2>/dev/null
	fi
	rm -f "$LAB/pid/$1"
}

lab_listens() { # ROOM PORT [SS-OPTION]
	[[ $(lab_in "$1" ss -Hltn ${3:+"$3"} "sport = :$2") ]]
}

# NAME ROOM PORT [SS-OPTION]: waits until the program listens, or tells why it doesn't.
lab_await() {
	lab_listens_or_ended() { lab_listens "${@:2}" || lab_ended "$1"; }
	wait_until 20 lab_listens_or_ended "$@" && lab_listens "${@:2}" && return
	echo "$1 doesn't listen on port $3; $LAB/log says:"
	tail -n 20 "$LAB/log/$1"*
	return 1
}

# ---- Making it --------------------------------------------------------------------------------------------------------

lab_make() {
	local room
	LAB=$(mktemp -d /tmp/meeting-lab.XXXXXX) || return # not below a folder that Squid's user can't enter
	LAB_NAME=meeting-$BASHPID
	export LAB LAB_NAME
	chmod 755 "$LAB"
	mkdir "$LAB"/{bin,ca,etc,log,pid,share,state}
	echo "$LAB_NAME" >"$LAB/name"
	echo 'nameserver 127.0.0.1' >"$LAB/resolv.conf"
	for room in client proxy servers; do
		ip netns add "$LAB_NAME-$room" && ip -n "$LAB_NAME-$room" link set lo up || return
	done
	lab_cable client 198.51.100.10/25 2001:db8:1::10/64 inside 198.51.100.1/25 2001:db8:1::1/64 &&
		lab_cable servers 198.51.100.130/25 2001:db8:2::2/64 outside 198.51.100.129/25 2001:db8:2::1/64 &&
		ip -n "$LAB_NAME-client" route add default via 198.51.100.1 &&
		ip -n "$LAB_NAME-client" route add default via 2001:db8:1::1 &&
		ip -n "$LAB_NAME-proxy" route add default via 198.51.100.130 &&
		ip -n "$LAB_NAME-proxy" route add default via 2001:db8:2::2 &&
		lab_certificates && lab_servers && lab_dns && lab_install
}

# ROOM IPV4 IPV6 INTERFACE IPV4 IPV6: a cable from the room's eth0 to that interface of the proxy.
lab_cable() {
	local room=$LAB_NAME-$1 proxy=$LAB_NAME-proxy
	ip -n "$room" link add eth0 type veth peer name "$4" netns "$proxy" &&
		ip -n "$room" addr add "$2" dev eth0 && ip -n "$room" addr add "$3" dev eth0 nodad &&
		ip -n "$proxy" addr add "$5" dev "$4" && ip -n "$proxy" addr add "$6" dev "$4" nodad &&
		ip -n "$room" link set eth0 up && ip -n "$proxy" link set "$4" up
}

# The servers' certificate is signed by an authority that Squid trusts. Squid has an authority of its own for what it
# decrypts. The client trusts both, and can tell them apart.
lab_certificates() (
	names='DNS:*.example.com,DNS:*.gotomeeting.com'
	for address in "${lab_addresses[@]}" "${LAB_SERVERS[@]}"; do
		names+=,IP:$address
	done
	cd "$LAB/ca" || exit
	authority() { # FILE NAME
		openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$2" -keyout "$1.key" -out "$1.pem"
	}
	{
		authority servers-ca 'Authority of the servers' && authority proxy-ca 'Authority of the proxy' &&
			openssl req -newkey rsa:2048 -nodes -subj /CN=server.example.com -keyout server.key -out server.csr &&
			openssl x509 -req -in server.csr -CA servers-ca.pem -CAkey servers-ca.key -set_serial 1 -days 2 \
				-extfile <(echo "subjectAltName=$names") -out server.pem
	} >"$LAB/log/openssl" 2>&1 || { cat "$LAB/log/openssl" && exit 1; }
	cat proxy-ca.pem proxy-ca.key >proxy.pem && cat servers-ca.pem proxy-ca.pem >trusted-by-client.pem
)

lab_servers() {
	local address answer=$top_srcdir/tests/e2e/answer.sh tls
	for address in "${lab_addresses[@]}" "${LAB_SERVERS[@]}"; do
		ip -n "$LAB_NAME-servers" addr add "$address" dev lo || return
	done
	lab_in servers nft -f - <<-'END' || return
		table inet kinds {
			chain prerouting {
				type nat hook prerouting priority dstnat
				ip daddr & 0.0.0.127 == 0.0.0.10 tcp dport { 80, 443, 8200 } dnat to :4433
				ip daddr & 0.0.0.127 == 0.0.0.20 tcp dport { 80, 443, 8200 } dnat to :7
				ip daddr & 0.0.0.127 == 0.0.0.30 tcp dport 80 dnat to :8080
				ip6 daddr & ::ffff == ::10 tcp dport { 80, 443, 8200 } dnat to :4433
				ip6 daddr & ::ffff == ::20 tcp dport { 80, 443, 8200 } dnat to :7
				ip6 daddr & ::ffff == ::30 tcp dport 80 dnat to :8080
			}
		}
	END
	tls=cert=$LAB/ca/server.pem,key=$LAB/ca/server.key,verify=0
	lab_spawn tls4 servers socat "openssl-listen:4433,pf=ip4,reuseaddr,fork,$tls" "exec:$answer"
	lab_spawn tls6 servers socat "openssl-listen:4433,pf=ip6,ipv6-v6only,reuseaddr,fork,$tls" "exec:$answer"
	lab_spawn echo4 servers socat tcp4-listen:7,reuseaddr,fork exec:cat
	lab_spawn echo6 servers socat tcp6-listen:7,ipv6-v6only,reuseaddr,fork exec:cat
	lab_spawn http4 servers socat tcp4-listen:8080,reuseaddr,fork,backlog=1024 "exec:$answer"
	lab_spawn http6 servers socat tcp6-listen:8080,ipv6-v6only,reuseaddr,fork "exec:$answer"
	lab_await tls4 servers 4433 -4 && lab_await tls6 servers 4433 -6 &&
		lab_await echo4 servers 7 -4 && lab_await echo6 servers 7 -6 &&
		lab_await http4 servers 8080 -4 && lab_await http6 servers 8080 -6
}

# The names that the proxy knows; it is told by the only DNS server that there is.
lab_dns() {
	cat >"$LAB/hosts" <<-END
		192.0.2.10 meet.example.com
		203.0.113.10 other.example.com
		203.0.113.138 huddle.example.com
		${LAB_HOSTS-}
	END
	lab_spawn dns proxy dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file="$LAB/state/dns.pid" --user=root \
		--listen-address=127.0.0.1 --bind-interfaces --no-resolv --no-hosts --addn-hosts="$LAB/hosts" --local-ttl=60 \
		--address=/#/
	lab_await dns proxy 53
}

# Installs what is shipped and what was built into $LAB, where Squid's user can read it wherever the sources are.
lab_install() {
	mkdir "$LAB"/share/services "$LAB"/state/{services,squid,c-icap,journal}
	cp "$top_builddir/helper/ext_meeting_acl" "$LAB/bin/ext_meeting_acl.built" || return
	cp "$top_builddir/icap/.libs/srv_meeting.so" "$LAB/bin/" || return
	# The shipped lines call the helper with no --config. This is the lab's way to show it another category.
	cat >"$LAB/bin/ext_meeting_acl" <<-END
		#!/bin/sh
		exec $LAB/bin/ext_meeting_acl.built --config=$LAB/share/services --config=$LAB/state/services --config=$LAB/etc "\$@"
	END
	chmod 755 "$LAB"/bin/*
	lab_files
}

# The shipped configuration, with its placeholders filled in as `make install` does it.
lab_files() {
	local file
	mkdir "$LAB/share/squid-conf"
	for file in "$top_srcdir"/squid-conf/*; do
		[[ ! -e $file.in ]] || continue # made by a build in the source folder
		lab_fill "$file" >"$LAB/share/squid-conf/$(basename "$file" .in)"
	done
}

lab_fill() {
	sed -e "s|@helperdir@|$LAB/bin|g" -e "s|@icapmoduledir@|$LAB/bin|g" -e "s|@datadir@|$LAB/share|g" \
		-e "s|@statedir@|$LAB/state|g" -e "s|@confdir@|$LAB/etc|g" -e "s|@logdir@|$LAB/state/journal|g" "$1"
}

# ---- Squid and c-icap -------------------------------------------------------------------------------------------------

lab_start() {
	lab_in proxy nft -f "$LAB/share/squid-conf/meeting.nft" && lab_start_c_icap && lab_start_squid
}

# With the numbers that Debian's c-icap.conf has.
lab_start_c_icap() {
	cat >"$LAB/c-icap.conf" <<-END
		PidFile $LAB/state/c-icap/pid
		CommandsSocket $LAB/state/c-icap/ctl
		Port 127.0.0.1:1344
		User c-icap
		Group nogroup
		Timeout 300
		KeepAliveTimeout 600
		StartServers 3
		MaxServers 10
		MinSpareThreads 10
		MaxSpareThreads 20
		ThreadsPerChild 10
		TmpDir $LAB/state/c-icap
		ServerLog $LAB/log/c-icap-server.log
		AccessLog $LAB/log/c-icap-access.log
		LoadMagicFile /etc/c-icap/c-icap.magic
		ServicesDir $LAB/bin
		Include $LAB/share/squid-conf/c-icap-meeting.conf
		${LAB_C_ICAP-}
	END
	touch "$LAB"/log/c-icap-{server,access}.log
	chown -R c-icap "$LAB"/log/c-icap-* "$LAB"/state/{c-icap,journal}
	chgrp nogroup "$LAB/state" && chmod 1775 "$LAB/state"
	lab_spawn c-icap proxy c-icap -N -D -f "$LAB/c-icap.conf"
	lab_await c-icap proxy 1344
}

lab_start_squid() {
	[[ -e $LAB/state/squid/certificates ]] ||
		/usr/lib/squid/security_file_certgen -c -s "$LAB/state/squid/certificates" -M 4MB >"$LAB/log/certgen" || return
	printf 'user:%s\n' "$(openssl passwd -apr1 secret)" >"$LAB/state/squid/passwords"
	lab_squid_conf >"$LAB/squid.conf"
	ln -sf cache.log "$LAB/log/squid.cache"
	touch "$LAB"/log/{access,cache}.log
	chown -R proxy "$LAB/state/squid" "$LAB"/log/{access,cache}.log "$LAB/ca/proxy.pem"
	lab_spawn squid proxy squid -N -n "${LAB_NAME//-/}" -f "$LAB/squid.conf"
	lab_await squid proxy 3130
}

# An ordinary squid.conf of somebody who wants a password from everybody, with the lines of $LAB_SQUID in their place.
lab_squid_conf() {
	cat <<-END
		http_port 3128 ssl-bump tls-cert=$LAB/ca/proxy.pem generate-host-certificates=on
		http_port 3129 intercept
		https_port 3130 intercept ssl-bump tls-cert=$LAB/ca/proxy.pem generate-host-certificates=on
		sslcrtd_program /usr/lib/squid/security_file_certgen -s $LAB/state/squid/certificates -M 4MB
		sslcrtd_children 2 startup=1 idle=1
		tls_outgoing_options cafile=$LAB/ca/servers-ca.pem
		auth_param basic program /usr/lib/squid/basic_ncsa_auth $LAB/state/squid/passwords
		auth_param basic children 1 startup=1
		auth_param basic realm the proxy
		acl authenticated proxy_auth REQUIRED
		acl step1 at_step SslBump1

		${LAB_SQUID//\$LAB/$LAB}

		http_access deny !authenticated
		http_access allow authenticated
		http_access deny all
		ssl_bump peek step1
		ssl_bump bump all

		access_log stdio:$LAB/log/access.log logformat=meeting
		cache_log $LAB/log/cache.log
		cache deny all
		coredump_dir $LAB/state/squid
		dns_nameservers 127.0.0.1
		hosts_file none
		logfile_rotate 0
		netdb_filename none
		pid_filename $LAB/state/squid/pid
		pinger_enable off
		shutdown_lifetime 0 seconds
		visible_hostname proxy.example.net
	END
}
LAB_SQUID=${LAB_SQUID-$lab_squid_usual}

# ---- Asking -----------------------------------------------------------------------------------------------------------

# CURL-ARGUMENT...: asks as the client; never fails. What came of it: $code, $connect (of the proxy's answer to a CONNECT),
# $body, $complaint (curl's), and $whose certificate the client saw: the server's, the proxy's, nobody's.
ask() {
	local told
	told=$(lab_in client env -u http_proxy -u https_proxy -u all_proxy curl -q --silent --show-error --max-time 10 \
		--cacert "$LAB/ca/trusted-by-client.pem" --output "$LAB/body" \
		--write-out '%{http_connect} %{http_code}\n%{certs}' "$@" 2>"$LAB/complaint") || :
	read -r connect code <<<"$told"
	body=$(cat "$LAB/body" 2>/dev/null) || :
	complaint=$(<"$LAB/complaint")
	rm -f "$LAB/body"
	whose=nobody
	if [[ $told == *BEGIN* ]]; then
		whose=somebody
		[[ $(fingerprint <<<"$told") != "$(fingerprint <"$LAB/ca/server.pem")" ]] || whose=server
		! openssl verify -CAfile "$LAB/ca/proxy-ca.pem" <(openssl x509 <<<"$told") >/dev/null 2>&1 || whose=proxy
	fi
}

# The same through the explicit port.
ask_proxy() { ask --proxy http://198.51.100.1:3128 "$@"; }

fingerprint() { openssl x509 -noout -fingerprint -sha256; }

# ADDRESS PORT: speaks a protocol that is neither TLS nor HTTP, twice to and fro. $heard has the first line that came back,
# and the second one behind a |.
speak() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	heard=$(lab_in client timeout 10 bash -c '
		exec 3<>"/dev/tcp/$1/$2" || exit
		printf "\1\2\377hello\n" >&3; IFS= read -rt 5 -u 3 first
		printf "\3again\n" >&3; IFS= read -rt 5 -u 3 second
		printf "%s|%s" "$first" "$second"' speak "$@" 2>&1) || :
}
echoed=$'\1\2\377hello|\3again'

# ---- Ending it --------------------------------------------------------------------------------------------------------

lab_stop() {
	local file room signal pid
	[[ -e ${LAB:-/nonexistent}/name ]] || return 0
	for file in "$LAB"/pid/*; do
		[[ -e $file ]] && lab_runs "${file##*/}" && kill "$(<"$file")" 2>/dev/null
	done
	for file in "$LAB"/pid/*; do
		[[ -e $file ]] && lab_end "${file##*/}"
	done
	for room in client proxy servers; do
		[[ -e /run/netns/$LAB_NAME-$room ]] || continue
		# What is left in a namespace of ours is a child of what we started.
		lab_is_empty() { [[ ! $(ip netns pids "$LAB_NAME-$room") ]]; }
		for signal in TERM KILL; do
			for pid in $(ip netns pids "$LAB_NAME-$room"); do
				kill -$signal "$pid" 2>/dev/null
			done
			wait_until 5 lab_is_empty && break
		done
		ip netns del "$LAB_NAME-$room"
	done
	rm -f "$LAB/name"
}

lab_remove() {
	lab_stop
	[[ ! ${LAB-} ]] || rm -rf "$LAB"
}
