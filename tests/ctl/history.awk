# SPDX-License-Identifier: GPL-2.0-or-later
# Writes a random history as a journal: awk -v count=1000 -v seed=1 [-v start=SECONDS] [-v step=SECONDS] -f history.awk
# Each record has a conn of its own, but one of ten that is the one of the record before, as of a late splice.

function pick(list,   n, parts) {
	n = split(list, parts, " ")
	return parts[1 + int(rand() * n)]
}

function field(key, value) {
	return value == "" ? "" : ",\"" key "\":\"" value "\""
}

BEGIN {
	srand(seed)
	users = "anna ben =cmd|x +1 -1 @sum M\\u00fcller a\\\"b <b>c</b> x\\ty a,b o'neil"
	for (i = 0; i < count; i++) {
		at = start + i * (step == "" ? 1 : step)
		millis = int((at - int(at)) * 1000)
		time = strftime("%Y-%m-%dT%H:%M:%S", int(at), 1) sprintf(".%03dZ", millis)
		client = "10.0." int(rand() * 4) "." 1 + int(rand() * 20)
		chance = rand()
		if (i == 0 || rand() >= 0.1) {
			conn = client ":" 1024 + i
			port = pick("80 443 8200")
			dst = "192.0.2." int(rand() * 50) ":" port
			foreign = "203.0.113." int(rand() * 50) ":" port
		}
		user = rand() < 0.6 ? pick(users) : ""
		line = "{\"time\":\"" time "\"" field("proxy", "p" 1 + int(rand() * 2)) field("conn", conn)
		line = line field("client", client) field("user", user) field("method", pick("CONNECT GET POST"))
		line = line field("host", pick("meet.example.com a.example.org b.example.org")) ",\"port\":" port
		if (chance < 0.4) {
			service = pick("meet huddle zoom")
			line = line field("dst", dst) field("sni", pick("meet.example.com other.example.net")) field("verdict", "bypass")
			line = line field("service", service) field("rule", "192.0.2.0/24") field("evidence", "address")
			line = line field("source", "https://" service ".example/list 2026-10-01") (rand() < 0.1 ? ",\"stale\":true" : "")
			line = line field("decided_by", pick("helper helper icap"))
		} else if (chance < 0.5) {
			line = line field("dst", dst) field("verdict", "shadow") field("rule", "192.0.2.0/24") field("evidence", "address")
			line = line field("decided_by", "helper") field("would", pick("meet zoom"))
		} else if (chance < 0.6) {
			line = line field("dst", foreign) field("sni", "meet.example.com") field("verdict", "denied")
			line = line field("decided_by", "squid") field("reason", "http-407")
		} else {
			line = line field("dst", foreign) field("verdict", "normal") field("decided_by", "helper")
			line = line field("reason", "no-entry")
		}
		print line "}"
	}
}
