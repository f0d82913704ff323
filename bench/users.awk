# SPDX-License-Identifier: GPL-2.0-or-later
# "When one machine is not enough", of bench/results: what a user takes, and how many users one of each thing holds.

# All that is assumed. The rest is measured.
function assume() {
	requests = 1      # a second, of a user, in the busiest hour
	hours = 8         # so many hours like that one are a day's requests
	fill = 0.7        # of a core, or of a rate, is used in that hour; the rest is for what nobody foresaw
	patience = 60     # seconds for a report of one day
	report_gib = 4    # memory for it
	open = 6          # connections that a user keeps open
	squid_gb = 4      # memory for one Squid
	keep = 90         # days in the store
	disk_tb = 1       # disk for them
}

# The median in the group, of the subject, at the largest case that it has.
function at_largest(name, group, subject,    c) {
	if (read_group(name, group) == 0) return 0
	for (c = cases; c > 0; c--)
		if ((subject, of_case[c]) in median) return median[subject, of_case[c]]
	return 0
}

# At how many records this grows to the limit (or, with by_case, how much it is then): straight on from the two largest cases.
function straight_on(name, group, subject, limit, by_case,    slope) {
	if (read_group(name, group) == 0 || law_of(subject) == 0) return 0
	slope = (law_y[points] - law_y[points - 1]) / (law_x[points] - law_x[points - 1])
	return by_case ? law_y[points] + (limit - last) * slope : last + (limit - law_y[points]) / slope
}

# One row: one of WHAT is full at so many USERS; a request takes so much of it; what happens then; measured by bench/run BY.
function holds(what, takes, users, then, by,    i) {
	if (users <= 0) return
	for (i = ++things; i > 1 && users_of[order[i - 1]] > users; i--) order[i] = order[i - 1]
	order[i] = things
	what_of[things] = what; takes_of[things] = takes; users_of[things] = users; then_of[things] = then; by_of[things] = by
}

function measure_users(    day) {
	assume()
	things = 0
	day = requests * hours * 3600 # of one user
	squid = at_largest("module", "through Squid, CPU of Squid", "srv_meeting")
	icap = at_largest("module", "through Squid, CPU of c-icap", "srv_meeting")
	helper = at_largest("squid", "CPU of the helper", "helper, no cache")
	alone = at_largest("squid", "CPU of Squid", "helper, no cache")
	ingest = at_largest("store", "ingest", "meetingctl")
	clickhouse = at_largest("fleet", "ingest", "ClickHouse")
	journal = at_largest("store", "size", "journal")
	store = at_largest("store", "size", "store")
	table_bytes = at_largest("fleet", "size", "ClickHouse")
	one_squid = fill * 1e6 / squid / requests
	holds("Squid, one process, with the record", human(squid) " us of its core", one_squid, "requests wait", "module")
	holds("Squid, one process, without the record", human(alone) " us of its core", fill * 1e6 / alone / requests, "requests wait", "squid")
	if (read_group("squid", "memory of Squid") && law_of("helper, no cache") > 2)
		holds("Squid, its connections in " squid_gb " GB", human(b * 1000) " kB a connection", (squid_gb * 1000 - a) / b / open, "the machine swaps", "squid")
	holds("c-icap, one core of it", human(icap) " us", fill * 1e6 / icap / requests, "it takes a second core", "module")
	holds("the helper, one process", human(helper) " us of its core", fill * 1e6 / helper / requests, "requests wait", "squid")
	holds("`meetingctl ingest` to SQLite", human(1e6 / ingest) " us", fill * ingest / requests, "records arrive later", "store")
	holds("`meetingctl ingest` to ClickHouse", human(1e6 / clickhouse) " us", fill * clickhouse / requests, "records arrive later", "fleet")
	holds("SQLite, " keep " days in " disk_tb " TB", human(store) " bytes", disk_tb * 1e12 / keep / day / store, "keep fewer days", "store")
	holds("ClickHouse, " keep " days in " disk_tb " TB", human(table_bytes) " bytes", disk_tb * 1e12 / keep / day / table_bytes, "keep fewer days", "fleet")
	holds("SQLite, a day's report in " patience " s", "-", straight_on("store", "report", "meetingctl", patience * 1000) / day, "ask for hours", "store")
	holds("SQLite, a day's report in " report_gib " GiB", "-", straight_on("store", "report, memory", "meetingctl", report_gib * 1024) / day, "ask for hours", "store")
	holds("ClickHouse, a day's report in " patience " s", "-", straight_on("fleet", "report by client", "ClickHouse", patience * 1000) / day, "ask for hours, add shards", "fleet")
}

# Rounded down to two digits: more would be a promise.
function about_users(n,    unit_of) {
	for (unit_of = 1; n / unit_of >= 100; unit_of *= 10);
	return human(int(n / unit_of) * unit_of)
}
function up(x) { return x == int(x) ? x : int(x) + 1 }
function bytes(x) { return x >= 1e12 ? human(x / 1e12) " TB" : human(x / 1e9) " GB" }

# The first to be full of those that end so.
function first_to(then,    k) {
	for (k = 1; k < things && index(then_of[order[k]], then) != 1; k++);
	return "**" what_of[order[k]] "**, at " about_users(users_of[order[k]]) " users"
}

# An example before the table.
function users_example(    rate, daily) {
	rate = 10000 * requests
	daily = rate * hours * 3600
	print "For example, 10,000 users in their busiest hour make " human(rate) " requests a second. For each, Squid takes " human(squid) " us of its core, with"
	print "the helper and the record: one process, filled to " fill " of a core, does " human(fill * 1e6 / squid) " a second, so there are " up(rate * squid / 1e6 / fill) ". c-icap takes " human(rate * icap / 1e6) " of"
	print "a core, and the helpers " human(rate * helper / 1e6) ". Their journals grow by " bytes(daily * journal) " a day, which one `meetingctl ingest` takes to SQLite in"
	print duration(daily / ingest) ", or to ClickHouse in " duration(daily / clickhouse) ": one ClickHouse server takes what " int(fill * clickhouse / (one_squid * requests)) " such processes of Squid write."
	print ""
	print "What users feel first: " first_to("requests wait") ". What the administrator feels first:"
	print first_to("ask") "."
}

function users_assumed() {
	print "Assumed, and to be changed at the top of `bench/users.awk`: a user makes " requests " request" (requests == 1 ? "" : "s") " a second in the busiest hour, and in a day"
	print "as many as in " hours " such hours, " human(requests * hours * 3600) "; all are asked about and recorded; " open " connections are open. A process is filled to " fill " of a"
	print "core, and a server to " fill " of its rate. A proxy is one Squid process, with its helper and its c-icap. All else is measured, each at the"
	print "largest size that it was measured at, on the machine named at the top."
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
		records = rate * hours * 3600
		printf "| %s | %s | %s | %s + %s + %s |", human(users), human(rate), human(up(users / one_squid)),
			human(rate * squid / 1e6), human(rate * icap / 1e6), human(rate * helper / 1e6)
		printf " %s | %s; %s |", bytes(records * journal), bytes(records * store * keep), bytes(records * table_bytes * keep)
		printf " %s%% | %s |", human(100 * rate / ingest), human(up(rate / fill / clickhouse))
		printf " %s; %s |\n", duration(straight_on("store", "report", "meetingctl", records, 1) / 1000),
			duration(straight_on("fleet", "report by client", "ClickHouse", records, 1) / 1000)
	}
}
function duration(s) { return s < 120 ? human(s) " s" : s < 7200 ? human(s / 60) " min" : human(s / 3600) " h" }
