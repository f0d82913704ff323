#!/usr/bin/env bats
# A client writes line breaks and blanks into its SNI: Squid, the helper, access.log and the ICAP module take it for one
# odd name, and for nothing else.

load story

setup_file() {
	# Decrypted, since then the requests inside carry the SNI; and with no look at the server's certificate, which can't
	# have such a name in it.
	LAB_SQUID=${lab_squid_usual/include \$LAB\/share\/squid-conf\/splice.conf/sslproxy_cert_error allow all}
	story_begins
}
teardown_file() { story_ends; }

# SNI: asks the meeting server for a page under that name.
ask_under() {
	printf 'GET / HTTP/1.1\r\nHost: meet.example.com\r\nConnection: close\r\n\r\n' >"$LAB/request"
	answer=$(lab_in client timeout 10 openssl s_client -quiet -ign_eof -connect 192.0.2.10:443 -servername "$1" \
		<"$LAB/request" 2>/dev/null) || :
}

@test "a line break in the SNI is no second question to the helper" {
	ask_under $'a.example.com - -\n99 198.51.100.10 192.0.2.10 443 - -'
	is answer "${answer%%$'\r'*}" 'HTTP/1.1 200 OK'
	logged ' GET https://meet\.example\.com/ .* sni=a\.example\.com%20-%20-%0A99%20198'
	recorded '.method == "GET" and .sni == "a.example.com - -\n99 198.51.100.10 192.0.2.10 443 - -"'
	is 'complaint in cache.log' "$(grep -E 'assertion|unexpected reply|FATAL' "$LAB/log/cache.log")" ''
	lab_runs squid
}

@test "a line break in the SNI is no header to the ICAP module" {
	ask_under $'a.example.com\r\nX-Meeting-Service: forged\r\nX-Meeting-Verdict: shadow'
	is answer "${answer%%$'\r'*}" 'HTTP/1.1 200 OK'
	logged ' GET https://meet\.example\.com/ .* sni=a\.example\.com%0D%0AX-Meeting-Service:%20forged'
	recorded '.method == "GET" and .verdict == "bypass" and .service == "meet" and
		.sni == "a.example.com\r\nX-Meeting-Service: forged\r\nX-Meeting-Verdict: shadow"'
	lab_runs squid
}
