# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real HTTPS server on loopback, with certificates of the test's own, and a place for updates; sourced by tests/update/*.bats.
#
#   $SITE    what the server gives; a file `list` there is https://localhost:$PORT/list
#   $FOLDER  the shipped service files; $STATE what updates write to
#   update   meetingctl update, with these folders and the test's certificates

load ../category/programs
load ../port

# Certificates are made once for a file of tests: $BATS_FILE_TMPDIR/NAME.pem and .key.
make_certificates() (
	cd "$BATS_FILE_TMPDIR" || exit
	exec 2>openssl.log
	new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$2.key" "${@:3}"; }
	sign() { openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -extfile <(echo "subjectAltName=$2") \
		-out "$1.pem" "${@:3}"; }
	new 'a CA of tests' ca -x509 -days 30 -out ca.pem
	new localhost good -out good.csr && sign good DNS:localhost -days 30
	new localhost other -out other.csr && sign other DNS:other.example -days 30
	new localhost expired -out expired.csr
	faketime -f -400d openssl x509 -req -in expired.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
		-extfile <(echo subjectAltName=DNS:localhost) -out expired.pem -days 1
	new localhost self -x509 -days 30 -addext subjectAltName=DNS:localhost -out self.pem
)

# [LOCATIONS]: starts nginx with the good certificate on $PORT, and with the others on the three ports behind it. Tried again
# on other ports if these are taken.
start_server() {
	SITE=$BATS_TEST_TMPDIR/site SERVER=$BATS_TEST_TMPDIR/nginx
	mkdir -p "$SITE" "$SERVER"
	cd "$BATS_TEST_TMPDIR" || return # what a test writes down stays there
	local name port
	for _ in 1 2 3 4 5; do
		free_port
		PORT=$free PLAIN=$((free + 4))
		{
			echo "daemon off; worker_processes 1; pid $SERVER/pid; error_log $SERVER/errors notice;"
			[ "$EUID" != 0 ] || echo 'user root;'
			echo "events { worker_connections 64; }"
			echo "http { log_format said '\$request_method \$uri \$args \$status \$http_if_none_match|\$http_user_agent';"
			echo "access_log $SERVER/access said;"
			echo "types { text/plain txt; application/json json; text/html html; } default_type text/plain; etag on;"
			for name in client_body proxy fastcgi uwsgi scgi; do echo "${name}_temp_path $SERVER/$name;"; done
			port=$PORT
			for name in good other expired self; do
				echo "server { listen 127.0.0.1:$port ssl; ssl_certificate $BATS_FILE_TMPDIR/$name.pem;"
				echo "ssl_certificate_key $BATS_FILE_TMPDIR/$name.key; root $SITE; ${1-} }"
				port=$((port + 1))
			done
			echo "server { listen 127.0.0.1:$PLAIN; root $SITE; } }"
		} >"$SERVER/conf"
		sed -i "s/@PORT@/$PORT/g; s/@PLAIN@/$PLAIN/g" "$SERVER/conf"
		nginx -c "$SERVER/conf" >"$SERVER/out" 2>&1 3>&- &
		NGINX=$!
		if wait_until 10 eval '[ -s "$SERVER/pid" ] || ! kill -0 $NGINX' && kill -0 "$NGINX" 2>/dev/null; then
			URL=https://localhost:$PORT
			return
		fi
	done
	cat "$SERVER/out" && return 1
}

stop_server() {
	[ -z "${NGINX-}" ] || { kill "$NGINX" && wait "$NGINX"; } 2>/dev/null || true
	NGINX=
}

update() {
	meetingctl update --config="$FOLDER" --state="$STATE" --cafile="$BATS_FILE_TMPDIR/ca.pem" "$@"
}

# ADDRESS: is it exempt on port 443, by what is in force?
exempt() {
	local answer
	answer=$(helper --config="$FOLDER" --config="$STATE/services" 2>/dev/null <<<"- $1 443 - -")
	[[ $answer == OK* ]]
}

not_exempt() {
	if exempt "$1"; then
		echo "$1 is exempt" && return 1
	fi
}

# A service whose feed is PATH now, with options for update behind it: update refuses it with MESSAGE, and what was in force
# still is.
refuses() { # PATH MESSAGE [OPTION]...
	sed -i "s|^feed cidr [^ ]*|feed cidr ${URL}$1|" "$FOLDER/meet.service"
	run update --yes "${@:3}"
	same 1 "$status"
	has "$output" "$2"
	has "$output" 'what was in force stays'
	old_list_serves
}

old_list_serves() {
	exempt 192.0.2.1
	exempt 192.0.2.159
	not_exempt 192.0.2.160
	[ ! -e "$STATE/services/meet.service" ]
}

# [OPTION]...: a service file with a feed at $URL/list, and twenty blocks that the list has, too.
usual_service() {
	mkdir -p "$STATE"
	{
		printf '%s\n' '# shipped' 'service meet' 'title Meet' '' 'source the vendor 2026-10-01' "feed cidr $URL/list ${*}" 'ports tcp 443'
		usual_list 20 | sed 's/^/address /'
		printf '%s\n' '' 'source by hand' 'ports tcp 80' 'name meet.example'
	} | file meet.service
	usual_list 20 >"$SITE/list"
}

# COUNT: so many blocks of eight addresses, one a line, from 192.0.2.0 on.
usual_list() {
	local i
	for ((i = 0; i < $1; i++)); do echo "192.0.2.$((i * 8))/29"; done
}
