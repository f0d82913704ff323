# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests with ClickHouse share: the real server on loopback, on ports and in folders of its own, and what stands between.

# shellcheck source=tests/ctl/store.bash
load store
load ../port

# For setup_file: whether there is all that it takes; if not, `missing` says what.
has_clickhouse() {
	local tool
	missing=
	for tool in clickhouse-server clickhouse-client jq awk perl sqlite3 curl openssl; do
		command -v "$tool" >/dev/null || missing+=" $tool"
	done
	[[ ! $missing ]]
}

need_clickhouse() {
	has_clickhouse && return
	[[ ${MEETING_NO_SKIP-} != 1 ]] || { echo "missing:$missing"; return 1; }
	skip "missing:$missing"
}

# COUNT: so many servers, each a shard of the cluster `meeting`, in $place/1 and so on. They are to be stopped by stop_servers.
start_servers() {
	local number shards='' try
	place=$(mktemp -d /tmp/clickhouse.XXXXXX)
	servers=$1
	export place servers
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=clickhouse -addext subjectAltName=IP:127.0.0.1 \
		-keyout "$place/key.pem" -out "$place/certificate.pem" 2>/dev/null
	cat >"$place/users.xml" <<-'END'
		<yandex>
			<profiles><default/><reader><readonly>1</readonly></reader></profiles>
			<quotas><default/></quotas>
			<users>
				<default><password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
				<meeting>
					<password>s3cret</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
				</meeting>
				<reader><password/><networks><ip>127.0.0.1</ip></networks><profile>reader</profile><quota>default</quota></reader>
			</users>
		</yandex>
	END
	# shellcheck disable=SC2034 # only how often
	for try in 1 2 3; do
		shards=
		for ((number = 1; number <= servers; number++)); do
			free_port && echo "$free" >"$place/$number.http"
			free_port && echo "$free" >"$place/$number.https"
			free_port && echo "$free" >"$place/$number.tcp"
			shards+="<shard><replica><host>127.0.0.1</host><port>$free</port></replica></shard>"
		done
		for ((number = 1; number <= servers; number++)); do
			mkdir -p "$place/$number"
			cat >"$place/$number/config.xml" <<-END
				<yandex>
					<logger><level>warning</level><log>$place/$number/log</log><errorlog>$place/$number/errors</errorlog></logger>
					<http_port>$(<"$place/$number.http")</http_port>
					<https_port>$(<"$place/$number.https")</https_port>
					<openSSL><server>
						<certificateFile>$place/certificate.pem</certificateFile><privateKeyFile>$place/key.pem</privateKeyFile>
						<verificationMode>none</verificationMode>
					</server></openSSL>
					<tcp_port>$(<"$place/$number.tcp")</tcp_port>
					<listen_host>127.0.0.1</listen_host>
					<path>$place/$number/data/</path>
					<tmp_path>$place/$number/tmp/</tmp_path>
					<user_files_path>$place/$number/user_files/</user_files_path>
					<format_schema_path>$place/$number/format_schemas/</format_schema_path>
					<users_config>$place/users.xml</users_config>
					<default_profile>default</default_profile>
					<default_database>default</default_database>
					<mark_cache_size>67108864</mark_cache_size>
					<remote_servers><meeting>$shards</meeting></remote_servers>
				</yandex>
			END
		done
		for ((number = 1; number <= servers; number++)); do
			start_server "$number" || { stop_servers_here && continue 2; }
		done
		return
	done
	cat "$place"/*/errors
	return 1
}

has_pid_ended() { ! kill -0 "$1" 2>/dev/null; }
answers() { [[ $(ask_server "$1" 'SELECT 1') == 1 ]]; }
answers_or_has_ended() { answers "$1" || has_pid_ended "$(<"$place/$1.pid")"; }

# NUMBER
start_server() {
	# In a group of its own, and without bats' descriptors, which it would keep open.
	setsid clickhouse-server --config-file="$place/$1/config.xml" >"$place/$1/output" 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$place/$1.pid"
	disown $!
	wait_until 30 answers_or_has_ended "$1"
	answers "$1"
}

# NUMBER SIGNAL
end_server() {
	local pid
	pid=$(<"$place/$1.pid")
	kill "-$2" "$pid" 2>/dev/null || :
	wait_until 30 has_pid_ended "$pid" || kill -KILL "$pid"
}

stop_servers_here() {
	local number
	for ((number = 1; number <= servers; number++)); do
		[[ ! -e $place/$number.pid ]] || end_server "$number" KILL
	done
}

# For teardown_file.
stop_servers() {
	[[ ${place-} ]] || return 0
	stop_servers_here
	rm -rf "$place"
}

# NUMBER SQL [CURL-OPTION...]
ask_server() { curl -sS --max-time 20 "http://127.0.0.1:$(<"$place/$1.http")/" --data-binary "$2" "${@:3}"; }

# NUMBER SCHEMA DATABASE: as the manual says it, but for the database's name.
make_database() {
	sed "s/\bmeeting\./$3./g; s/EXISTS meeting;/EXISTS $3;/; s/(meeting, meeting,/(meeting, $3,/" \
		"$top_srcdir/records/clickhouse/$2.sql" |
		clickhouse-client --host 127.0.0.1 --port "$(<"$place/$1.tcp")" --multiquery
}

# NUMBER DATABASE
clickhouse() { echo "clickhouse://127.0.0.1:$(<"$place/$1.http")/$2"; }

# MODE [ARGUMENT...]: starts what stands between (tests/ctl/between.pl says how), and sets `between` to its port.
stand_between() {
	perl "$top_srcdir/tests/ctl/between.pl" "$FOLDER/between.port" "$@" >"$FOLDER/between.said" 2>&1 3>&- &
	between_pid=$!
	wait_until 10 test -s "$FOLDER/between.port"
	between=$(<"$FOLDER/between.port")
	rm "$FOLDER/between.port"
}

stand_aside() {
	[[ ! ${between_pid-} ]] || kill "$between_pid" 2>/dev/null || :
	between_pid=
}

# ARGUMENT...: a report of all times, whole.
whole_report() {
	COLUMNS=100 meetingctl report --config="$FOLDER/etc" --since=2020-01-01 --until=2030-01-01 --limit=0 "$@"
}
