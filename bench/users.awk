# SPDX-License-Identifier: GPL-2.0-or-later
# "When one machine is not enough", of bench/results: what users take, and how many users one of each thing holds.

# All that is assumed. The rest is measured.
function assume() {
	requests = 1   # a second, of a user, in the busiest hour
	hours = 8      # so many hours like that one are a day's requests
	fill = 0.7     # of a core, or of a rate, is used in that hour; the rest is for what nobody foresaw
	open = 6       # connections that a user keeps open
	squid_gb = 4   # memory for one Squid
	patience = 60  # seconds for a report of one day
	report_gib = 4 # memory for it
	keep = 90      # days in the store
	disk_tb = 1    # disk for them
}

# The median in the group, of the subject, at the largest case that it has.
function at_largest(name, group, subject,    c) {
	if (read_group(name, group) == 0) return 0
	for (c = cases; c > 0; c--)
		if ((subject, of_case[c]) in median) return median[subject, of_case[c]]
	return 0
}

# At how many records this comes to the limit (or, with by_records, to how much it comes for so many): in proportion to the
# largest case, which is too much rather than too little where a record costs less the more there are.
function in_proportion(name, group, subject, limit, by_records) {
	if (read_group(name, group) == 0 || law_of(subject) == 0) return 0
	return by_records ? law_y[points] * limit / last : last * limit / law_y[points]
}

# One row: one of WHAT is full at so many USERS; a request takes so much of it; what happens then; measured by bench/run BY.
function holds(what, takes, users, then, by,    i) {
	if (users <= 0) return
	for (i = ++things; i > 1 && users_of[order[i - 1]] > users; i--) order[i] = order[i - 1]
	order[i] = things
	what_of[things] = what; takes_of[things] = takes; users_of[things] = users; then_of[things] = then; by_of[things] = by
}

# So many microseconds of a core for a request.
function holds_core(what, us, then, by) { holds(what, human(us) " us of a core", fill * 1e6 / us / requests, then, by) }

function holds_rate(what, rate, then, by) { holds(what, human(1e6 / rate) " us", fill * rate / requests, then, by) }

function holds_disk(what, size, by) {
	holds(what ", " keep " days in " disk_tb " TB", human(size) " bytes", disk_tb * 1e12 / keep / daily / size, "keep fewer days", by)
}

function holds_report(what, records, then, by) { holds(what, "-", records / daily, then, by) }

function measure_users() {
	assume()
	things = 0
	daily = requests * hours * 3600 # requests of one user
	squid = at_largest("module", "through Squid, CPU of Squid", "srv_meeting")
	icap = at_largest("module", "through Squid, CPU of c-icap", "srv_meeting")
	helper = at_largest("squid", "CPU of the helper", "helper, no cache")
	ingest = at_largest("store", "ingest", "meetingctl")
	clickhouse = at_largest("fleet", "ingest", "ClickHouse")
	journal = at_largest("store", "size", "journal")
	store = at_largest("store", "size", "store")
	table_size = at_largest("fleet", "size", "ClickHouse")
	one_squid = fill * 1e6 / squid / requests

	holds_core("Squid, one process, with the record", squid, "requests wait", "module")
	holds_core("Squid, one process, without the record", at_largest("squid", "CPU of Squid", "helper, no cache"), \
		"requests wait", "squid")
	if (read_group("squid", "memory of Squid") && law_of("helper, no cache") > 2 && law == "line")
		holds("Squid, its connections in " squid_gb " GB", human(b * 1000) " kB a connection", \
			(squid_gb * 1000 - a) / b / open, "the machine swaps", "squid")
	holds_core("c-icap, one core of it", icap, "it takes a second core", "module")
	holds_core("the helper, one process", helper, "requests wait", "squid")
	holds_rate("`meetingctl ingest` to SQLite", ingest, "records arrive later", "store")
	holds_rate("`meetingctl ingest` to ClickHouse", clickhouse, "records arrive later", "fleet")
	holds_disk("SQLite", store, "store")
	holds_disk("ClickHouse", table_size, "fleet")
	holds_report("SQLite, a day's report in " patience " s", \
		in_proportion("store", "report", "meetingctl", patience * 1000), "ask for hours", "store")
	holds_report("SQLite, a day's report in " report_gib " GiB", \
		in_proportion("store", "report, memory", "meetingctl", report_gib * 1024), "ask for hours", "store")
	holds_report("ClickHouse, a day's report in " patience " s", \
		in_proportion("fleet", "report by client", "ClickHouse", patience * 1000), "ask for hours, add shards", "fleet")
}

# Rounded down to two digits: more would be a promise.
function about_users(n,    of) {
	for (of = 1; n / of >= 100; of *= 10);
	return human(int(n / of) * of)
}
function up(x) { return x == int(x) ? x : int(x) + 1 }
function bytes(x) { return x >= 1e12 ? human(x / 1e12) " TB" : human(x / 1e9) " GB" }
function duration(s) { return s < 120 ? human(s) " s" : s < 7200 ? human(s / 60) " min" : human(s / 3600) " h" }

# The first to be full of those that end so.
function first_to(then,    k) {
	for (k = 1; k < things && index(then_of[order[k]], then) != 1; k++);
	return "**" what_of[order[k]] "**, at " about_users(users_of[order[k]]) " users"
}

# An example before the table.
function users_example(    rate, records) {
	rate = 10000 * requests
	records = 10000 * daily
	print "For example, 10,000 users in their busiest hour make " human(rate) " requests a second. For each, Squid takes " human(squid) " us of"
	print "its core, with the helper and the record: one process, filled to " fill " of a core, does " human(fill * 1e6 / squid) " a second, so there are"
	print up(10000 / one_squid) ". c-icap takes " human(rate * icap / 1e6) " of a core, and the helpers " human(rate * helper / 1e6) ". Their journals grow by " \
		bytes(records * journal) " a day, which one"
	print "`meetingctl ingest` takes to SQLite in " duration(records / ingest) ", or to ClickHouse in " duration(records / clickhouse) ": one ClickHouse server takes"
	print "what " int(fill * clickhouse / (one_squid * requests)) " such processes of Squid write."
	print ""
	print "What users feel first: " first_to("requests wait") "."
	print "What the administrator feels first: " first_to("ask") "."
}

function users_assumed() {
	print "Assumed, and to be changed at the top of `bench/users.awk`: a user makes " requests " request" (requests == 1 ? "" : "s") " a second in the busiest hour,"
	print "and in a day as many as in " hours " such hours, " human(daily) "; all are asked about and recorded; " open " connections are open. A process"
	print "is filled to " fill " of a core, and a server to " fill " of its rate. A proxy is one Squid process, with its helper and its c-icap."
	print "All else is measured, each at the largest size that it was measured at, on the machine named at the top."
}

function users_full(    k, i) {
	head("one of these | a request takes | is full at so many users | then | `bench/run`", 5)
	for (k = 1; k <= things; k++) {
		i = order[k]
		print "| " what_of[i] " | " takes_of[i] " | " about_users(users_of[i]) " | " then_of[i] " | " by_of[i] " |"
	}
}

function users_table(    users, rate, records) {
	head("users | requests a second | proxies | cores: Squid + c-icap + helpers | journal a day | " keep " days in SQLite; ClickHouse | " \
		"one SQLite is busy | ClickHouse servers | report of a day: SQLite; ClickHouse", 9)
	for (users = 1000; users <= 1000000; users *= 10) {
		rate = users * requests
		records = users * daily
		printf "| %s | %s | %s |", human(users), human(rate), human(up(users / one_squid))
		printf " %s + %s + %s |", human(rate * squid / 1e6), human(rate * icap / 1e6), human(rate * helper / 1e6)
		printf " %s | %s; %s |", bytes(records * journal), bytes(records * store * keep), bytes(records * table_size * keep)
		printf " %s%% | %s |", human(100 * rate / ingest), human(up(rate / fill / clickhouse))
		printf " %s; %s |\n", duration(in_proportion("store", "report", "meetingctl", records, 1) / 1000), \
			duration(in_proportion("fleet", "report by client", "ClickHouse", records, 1) / 1000)
	}
}
