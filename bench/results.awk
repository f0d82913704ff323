# SPDX-License-Identifier: GPL-2.0-or-later
# What all scripts of the page read: bench/results/NAME.tsv, a group at a time.

# 12,345 or 1.23 M: three digits are all that a measurement is good for.
function human(x) {
	if (x >= 1e9) return sprintf("%.3g G", x / 1e9)
	if (x >= 1e6) return sprintf("%.3g M", x / 1e6)
	if (x >= 1000) { x = sprintf("%d", x + 0.5); return substr(x, 1, length(x) - 3) "," substr(x, length(x) - 2) }
	return sprintf(x >= 100 ? "%.0f" : "%.3g", x)
}

# Sets cases, of_case[] in ascending order, subjects, subject_of[], unit, and median, low and high of [subject, case]. Returns the
# number of cases.
function read_group(name, wanted,    file, f, line, n, i) {
	file = "results/" name ".tsv"
	split("", seen); split("", median); split("", low); split("", high); split("", of_case); split("", subject_of)
	cases = subjects = 0
	while ((getline line < file) > 0) {
		n = split(line, f, "\t")
		if (n < 8 || f[1] != wanted) continue
		unit = f[4]
		if (!(("c" f[2]) in seen)) {
			seen["c" f[2]] = 1
			for (i = ++cases; i > 1 && f[2] ~ /^[0-9]+$/ && of_case[i - 1] + 0 > f[2] + 0; i--) of_case[i] = of_case[i - 1]
			of_case[i] = f[2]
		}
		if (!(("s" f[3]) in seen)) { seen["s" f[3]] = 1; subject_of[++subjects] = f[3] }
		median[f[3], f[2]] = f[5]; low[f[3], f[2]] = f[6]; high[f[3], f[2]] = f[7]
	}
	close(file)
	return cases
}
