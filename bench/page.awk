# SPDX-License-Identifier: GPL-2.0-or-later
# A page with its generated blocks made anew; bench/document says what they are.

function head(text, columns,    c) {
	print "| " text " |"
	text = "|"
	for (c = 1; c <= columns; c++) text = text " --- |"
	print text
}

function table(name, wanted,    s, c, text, key, base) {
	if (read_group(name, wanted) == 0) { print "Not measured yet: `bench/run " name "`."; return }
	text = unit
	for (c = 1; c <= cases; c++) text = text " | " (of_case[c] ~ /^[0-9]+$/ ? human(of_case[c]) : of_case[c])
	head(text, cases + 1)
	for (s = 1; s <= subjects; s++) {
		text = "| " subject_of[s] " |"
		for (c = 1; c <= cases; c++) {
			key = subject_of[s] SUBSEP of_case[c]
			if (!(key in median)) { text = text " - |"; continue }
			base = median[subject_of[1], of_case[c]]
			text = text (base > 0 ? " **" human(median[key] / base) "**: " : " ") human(median[key])
			text = text (low[key] != high[key] ? sprintf(" (%s-%s)", human(low[key]), human(high[key])) : "") " |"
		}
		print text
	}
}

function laws(name, list,    groups, n, g, group, from, subject, s, rows) {
	n = split(list, groups, "; ")
	head("of | law, for n " noun[name] " | off by at most | sizes", 4)
	for (g = 1; g <= n; g++) {
		group = groups[g]; from = subject = ""; rows = 0
		if (match(group, /\/.*/)) { subject = substr(group, RSTART + 1); group = substr(group, 1, RSTART - 1) }
		if (match(group, / from [0-9]+$/)) { from = substr(group, RSTART + 6) + 0; group = substr(group, 1, RSTART - 1) }
		read_group(name, group)
		for (s = 1; s <= subjects; s++) {
			if ((subject != "" && subject_of[s] != subject) || law_of(subject_of[s], from) < 3) continue
			printf "| %s, %s | %s | %.0f %% | %d, %s to %s |\n", group, subject_of[s], law_text(), worst < 0.01 ? 1 : worst * 100, \
				points, human(first), human(last)
			rows++
		}
		if (rows == 0) print "| " groups[g] " | not measured yet at three sizes: `bench/run " name "` | - | - |"
	}
}

function about(name,    file, line) {
	file = "results/" name ".tsv"
	while ((getline line < file) > 0 && line ~ /^# /) print "- " substr(line, 3)
	close(file)
}

function users(what) {
	measure_users()
	if (what == "assumed") users_assumed()
	else if (what == "example") users_example()
	else if (what == "table") users_table()
	else users_full()
}

BEGIN {
	noun["tables"] = noun["large"] = "entries"
	noun["squid"] = noun["module"] = "connections"
	noun["store"] = noun["fleet"] = "records"
}
/^<!-- end -->/ { skip = 0 }
!skip
/^<!-- (results|laws|users) / {
	kind = $2
	name = $3
	rest = $0
	sub(/^<!-- [^ ]+ [^ ]+ /, "", rest); sub(/ ?-->$/, "", rest)
	print ""
	if (kind == "users") users(name)
	else if (kind == "laws") laws(name, rest)
	else if (rest == "machine") about(name)
	else table(name, rest)
	print ""
	skip = 1
}
