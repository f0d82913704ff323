# SPDX-License-Identifier: GPL-2.0-or-later
# For gnuplot: -v of='NAME;GROUP;SUBJECT[;FROM[;SCALE]]' prints what was measured, as CASE VALUE LOWEST HIGHEST, and behind two
# empty lines the curve of its law, from this case on; without a law, what was measured again.
BEGIN {
	OFS = "\t"
	split(of, part, ";")
	scale = part[5] ? part[5] : 1
	read_group(part[1], part[2])
	law_of(part[3])
	for (c = 1; c <= points; c++) print law_x[c], law_y[c] * scale, law_low[c] * scale, law_high[c] * scale
	print "\n"
	law_of(part[3], part[4])
	if (points < 3 || law == "none") {
		for (c = 1; c <= points; c++) print law_x[c], law_y[c] * scale
		exit
	}
	for (c = 0; c <= 60; c++) {
		x = first * exp(log(last / first) * c / 60)
		print x, value(law, x) * scale
	}
}
