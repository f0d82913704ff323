# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs Debian packages for ./quickstart and ./check, which source it: quietly, and without any daemon being started,
# stopped or removed.

# What it takes to build (c-icap's headers include OpenSSL's), to run the laboratory of tests/e2e, and to run every test.
# shellcheck disable=SC2034 # for those who source this file
PACKAGES_BUILD='gcc libc6-dev make autoconf automake libtool pkg-config
	libicapapi-dev libssl-dev libcidr-dev libc-ares-dev libjansson-dev libsqlite3-dev
	libcurl4-openssl-dev libsodium-dev'
PACKAGES_LAB='squid-openssl squidclient c-icap nftables iproute2 util-linux socat dnsmasq-base
	openssl curl ca-certificates jq'
# shellcheck disable=SC2034
PACKAGES_TEST="$PACKAGES_LAB clang libclang-rt-14-dev libcmocka-dev bats shellcheck mandoc xz-utils procps sqlite3 git
	nodejs ipset clickhouse-server clickhouse-client chromium prometheus libjs-chart.js fonts-dejavu-core
	nginx-light minisign signify-openbsd faketime systemd
	libmaxminddb-dev libjudy-dev libpsl-dev"

# PACKAGE...: prints those that aren't installed.
missing_packages() {
	local package
	for package; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
	done
}

# PACKAGE...: installs those that are missing. Tells why if it can't.
install_packages() {
	local missing=() package log
	mapfile -t missing < <(missing_packages "$@")
	((${#missing[@]})) || return 0
	if ! command -v apt-get >/dev/null; then
		echo "These Debian packages are needed, and there is no apt-get: ${missing[*]}" >&2
		return 1
	fi
	if ((EUID)); then
		echo "Not root; please install: apt-get install --no-install-recommends ${missing[*]}" >&2
		return 1
	fi
	if [[ " ${missing[*]} " == *' squid-openssl '* && -z $(missing_packages squid) ]]; then
		echo "The package squid is installed here, and squid-openssl would replace it. That's yours to decide:" >&2
		echo "use another machine, or first: apt-get install squid-openssl" >&2
		return 1
	fi
	echo "Installing ${missing[*]}"
	log=$(mktemp) || return
	if ! install_by_apt "${missing[@]}" >"$log" 2>&1; then
		# The lists are missing or too old.
		if ! { apt-get -q update && install_by_apt "${missing[@]}"; } >>"$log" 2>&1; then
			tail -n 20 "$log" >&2
			rm -f "$log"
			return 1
		fi
	fi
	rm -f "$log"
	for package in squid-openssl:squid c-icap:c-icap clickhouse-server:clickhouse-server prometheus:prometheus; do
		# Installed for tests, which start their own: not to be started with the machine either.
		[[ " ${missing[*]} " != *" ${package%:*} "* ]] || update-rc.d "${package#*:}" disable >/dev/null 2>&1 || :
	done
}

# In a shell of its own, so that the policy is put back however this ends.
install_by_apt() (
	policy=/usr/sbin/policy-rc.d
	mark='# made by squid-meeting while it installs packages'
	saved=
	if [[ -e $policy ]] && ! grep -qxF "$mark" "$policy"; then
		saved=$policy.before-squid-meeting
		mv "$policy" "$saved" || exit
	fi
	trap 'if [[ $saved ]]; then mv -f "$saved" "$policy"; else rm -f "$policy"; fi' EXIT
	trap 'exit 1' INT TERM HUP
	printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy" && chmod 755 "$policy" || exit
	# needrestart would restart daemons whose libraries changed.
	DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y --no-install-recommends --no-remove --no-upgrade \
		-o DPkg::Lock::Timeout=120 install "$@" </dev/null
)
