#!/usr/bin/env bats
# meetingctl update against an HTTPS server that misbehaves, each in its way: exit 1, the message names what was wrong, and the
# old list still serves.

load server

setup_file() {
	needs nginx openssl faketime jq socat gzip
	make_certificates
}

locations='
	location = /moved { return 301 /list; }
	location = /plain { return 301 http://localhost:@PLAIN@/list; }
	location = /ftp { return 302 ftp://localhost/list; }
	location = /loop { return 302 /loop; }
	location = /error { return 500; }
	location = /gone { return 410; }
	location = /busy { add_header Retry-After 120 always; return 429; }
	location = /later { add_header Retry-After 120 always; return 503; }
	location = /cutoff { return 444; }
	location = /page { default_type text/html; try_files /list =404; }
	location = /bomb { default_type text/plain; add_header Content-Encoding gzip; }
	location = /slowly { limit_rate 20; try_files /large =404; }
'

setup() {
	FOLDER=$BATS_TEST_TMPDIR/shipped STATE=$BATS_TEST_TMPDIR/state
	start_server "$locations"
	usual_service
}

teardown() {
	stop_server
	[ -z "${RUDE-}" ] || kill "$RUDE" 2>/dev/null || true
}

# From now on $URL is the server that is ruder than nginx.
start_rude() {
	for _ in 1 2 3 4 5; do
		free_port
		PORT=$free
		socat "OPENSSL-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork,verify=0,cert=$BATS_FILE_TMPDIR/good.pem,key=$BATS_FILE_TMPDIR/good.key" \
			"EXEC:bash $top_srcdir/tests/update/rude.sh" 2>"$BATS_TEST_TMPDIR/socat" 3>&- &
		RUDE=$!
		if wait_until 10 eval '(: <>/dev/tcp/127.0.0.1/$PORT) || ! kill -0 $RUDE' && kill -0 "$RUDE" 2>/dev/null; then
			URL=https://localhost:$PORT
			return
		fi
	done
	return 1
}

@test "a redirect to HTTPS is followed" {
	sed -i "s|/list|/moved|" "$FOLDER/meet.service"
	run update --yes
	same 0 "$status"
}

@test "truncated: shorter than its Content-Length" {
	start_rude
	refuses /short 'bytes remaining to read'
}

@test "Content-Length is less than what comes: an entry in pieces is refused" {
	start_rude
	refuses /long '/long:4:6: 192.0: an IPv4 address has four numbers'
}

@test "the connection is cut in the middle of a chunked list" {
	start_rude
	refuses /cut 'not fetched: '
}

@test "cut before any answer" {
	refuses /cutoff 'not fetched: '
}

@test "half a list without any length: the guard finds it" {
	start_rude
	refuses /unended 'IPv4 addresses: 80 lost, of 160, is 50 %, more than --max-shrink=25'
}

@test "slow: nothing but a byte a second" {
	start_rude
	refuses /slow 'Operation too slow' --stall=1
	has "$output" 'last 1 seconds'
}

@test "slow, by nginx" {
	head -c 100000 /dev/zero | tr '\0' '\n' >"$SITE/large"
	refuses /slowly 'Operation too slow' --stall=1
}

@test "steady, but longer than the time for a list" {
	start_rude
	refuses /drip 'timed out after' --timeout=1 --stall=60
}

@test "silent after the request" {
	start_rude
	refuses /silent 'timed out after' --timeout=1
}

@test "endless" {
	start_rude
	refuses /endless 'larger than 1000000 bytes, once unpacked' --max-bytes=1000000
}

@test "huge, and says so" {
	truncate -s 100M "$SITE/huge"
	refuses /huge 'larger than 67108864 bytes'
	lacks "$output" unpacked
}

@test "a gzip bomb" {
	head -c 100000000 /dev/zero | gzip >"$SITE/bomb"
	[ "$(stat -c %s "$SITE/bomb")" -lt 200000 ]
	refuses /bomb 'larger than 67108864 bytes, once unpacked'
}

@test "gzip that isn't" {
	usual_list 20 >"$SITE/bomb"
	refuses /bomb 'not fetched: '
}

@test "packed in a way that wasn't asked for" {
	start_rude
	refuses /brotli 'not fetched: '
}

@test "gzip is unpacked" {
	usual_list 22 | gzip >"$SITE/bomb"
	sed -i "s|/list|/bomb|" "$FOLDER/meet.service"
	run update --yes
	same 0 "$status"
	exempt 192.0.2.170
}

@test "wrong type: a page" {
	refuses /page 'the server calls it text/html, and text/plain was wanted'
}

@test "not HTTP at all" {
	start_rude
	refuses /nonsense 'not fetched: '
}

@test "a redirect to plain HTTP isn't followed" {
	refuses /plain "redirected to http://localhost:$PLAIN/list, which isn't https://"
	refuses /ftp "redirected to ftp://localhost/list, which isn't https://"
}

@test "a redirect loop, and one to nowhere" {
	refuses /loop 'redirected more than 5 times'
	same 6 "$(grep -c ' /loop ' "$SERVER/access")"
	start_rude
	refuses /nowhere 'redirected, but not told where to'
}

@test "an expired certificate" {
	URL=https://localhost:$((PORT + 2))
	refuses /list 'certificate has expired'
}

@test "a certificate of another host" {
	URL=https://localhost:$((PORT + 1))
	refuses /list "certificate subject name"
}

@test "a self-signed certificate, and one of a CA that isn't believed" {
	URL=https://localhost:$((PORT + 3))
	refuses /list 'self-signed certificate'
	URL=https://localhost:$PORT
	refuses /list 'unable to get local issuer certificate' --cafile="$BATS_FILE_TMPDIR/self.pem"
}

@test "500, 404, 410, 206, and 304 to whom didn't ask" {
	refuses /error 'the server answers 500'
	refuses /missing 'the server answers 404'
	refuses /gone 'the server answers 410'
	start_rude
	refuses /partial 'the server answers 206'
	refuses /unasked304 "wasn't asked that"
}

@test "429: Retry-After is honoured, by the next run, too" {
	refuses /busy 'the server answers 429: not to be asked again for 120 seconds'
	local asked
	asked=$(wc -l <"$SERVER/access")
	refuses /busy 'its server wants to be left alone until 20'
	same "$asked" "$(wc -l <"$SERVER/access")"
	refuses /later 'the server answers 503: not to be asked again for 120 seconds'
	# when the time has come it is asked
	jq '.lists[].not_before = 1' "$STATE/update.json" >changed
	cp changed "$STATE/update.json"
	refuses /busy 'the server answers 429'
}

@test "nobody there" {
	stop_server
	refuses /list 'not fetched: '
}

@test "failures are counted, and end with a success" {
	refuses /error 'the server answers 500'
	refuses /error 'the server answers 500'
	same "[2,\"$URL/error: the server answers 500\"]" "$(jq -c '.files["meet.service"] | [.failures, .error]' "$STATE/update.json")"
	sed -i "s|/error|/list|" "$FOLDER/meet.service"
	update --yes
	same '[0,null]' "$(jq -c '.files["meet.service"] | [.failures, .error]' "$STATE/update.json")"
}
