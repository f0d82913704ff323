# SPDX-License-Identifier: GPL-2.0-or-later
# How results grow with their cases: which of three laws fits.
#
#   line       y = a + b n     least squares of the relative errors, so that a small case counts as much as a large one;
#                              neither a nor b is below 0
#   logarithm  y = a + b log2 n, in the same way
#   power      y = a n^k       least squares of the logarithms
#
# What counts is the largest relative error at any case, which is given with the law. The line is taken if it is off by a tenth or
# less, or if no other form halves its error; if that is above a third, there is none. Two constants are fitted to a handful of
# cases: it describes them, and promises nothing beyond the largest.

# Of y = a + b x at the points x[1..n], y[1..n]: sets a and b, neither below 0.
function fit_line(x, y, n,    i, w, sw, sx, sy, sxx, sxy, d) {
	for (i = 1; i <= n; i++) {
		w = 1 / (y[i] * y[i])
		sw += w; sx += w * x[i]; sy += w * y[i]; sxx += w * x[i] * x[i]; sxy += w * x[i] * y[i]
	}
	d = sw * sxx - sx * sx
	b = (sw * sxy - sx * sy) / d
	a = (sy - b * sx) / sw
	if (a < 0) { a = 0; b = sxy / sxx }
	if (b < 0) { b = 0; a = sy / sw }
}

function value(form, x) {
	return form == "power" ? a * exp(b * log(x)) : form == "logarithm" ? a + b * log(x) / log(2) : a + b * x
}

# Fits one form to the points: sets a and b, and returns the largest relative error.
function fit(form, x, y, n,    i, u, v, error, worst, sx, sy, sxx, sxy) {
	if (form == "power") {
		for (i = 1; i <= n; i++) {
			u = log(x[i]); v = log(y[i])
			sx += u; sy += v; sxx += u * u; sxy += u * v
		}
		b = (n * sxy - sx * sy) / (n * sxx - sx * sx)
		a = exp((sy - b * sx) / n)
	} else {
		for (i = 1; i <= n; i++) u_of[i] = form == "logarithm" ? log(x[i]) / log(2) : x[i]
		fit_line(u_of, y, n)
	}
	for (i = 1; i <= n; i++) {
		error = value(form, x[i]) / y[i] - 1
		if (error < 0) error = -error
		if (error > worst) worst = error
	}
	return worst + 0
}

# Of n records, what is measured in records a second, or for each record.
function whole(y, n) { return unit == "records/s" ? n / y : unit ~ /\/record$/ ? n * y : y }

# Of a subject of the group that is read, from this case on (or all): sets law (the form's name, or "none"), a, b, worst, points,
# first and last, and law_x[], law_y[], law_low[] and law_high[] of the points: of the whole, whose unit is of_unit. Returns the
# number of points; below 3 there is no law.
function law_of(subject, from,    c, n, forms, f, error, half, best_a, best_b) {
	points = 0
	of_unit = unit
	if (unit == "records/s") of_unit = "s"
	else sub(/(\/| a )(record|request)$/, "", of_unit)
	for (c = 1; c <= cases; c++) {
		n = of_case[c]
		if (n !~ /^[0-9]+$/ || n < (from ? from : 1) || median[subject, n] <= 0) continue
		law_x[++points] = n + 0
		law_y[points] = whole(median[subject, n], n)
		law_low[points] = whole(unit == "records/s" ? high[subject, n] : low[subject, n], n)
		law_high[points] = whole(unit == "records/s" ? low[subject, n] : high[subject, n], n)
	}
	first = law_x[1]; last = law_x[points]
	if (points < 3) return points
	law = "line"
	worst = fit(law, law_x, law_y, points)
	best_a = a; best_b = b
	half = worst > 0.1 ? worst / 2 : 0
	split("logarithm power", forms, " ")
	for (f = 1; f <= 2; f++) {
		error = fit(forms[f], law_x, law_y, points)
		if (error < half && error < worst) { worst = error; law = forms[f]; best_a = a; best_b = b }
	}
	a = best_a; b = best_b
	if (worst > 1 / 3) law = "none"
	return points
}

function quantity(x) {
	if (x >= 1e5 && of_unit == "us") return human(x / 1e6) " s"
	if (x >= 1e5 && of_unit == "bytes") return human(x / 1e6) " MB"
	return human(x) " " of_unit
}

# The law in words.
function law_text(    each) {
	if (law == "none") return "none of the three"
	if (law == "power") return sprintf("%.3g %s x n^%.2f: %.3g times as much for ten times n", a, of_unit, b, exp(b * log(10)))
	if (law == "logarithm") return (a > 0 ? quantity(a) " + " : "") quantity(b) " for each doubling"
	for (each = 1; b > 0 && b * each < 1 && each < 1e6; each *= 1000);
	return (a > 0 ? quantity(a) " + " : "") quantity(b * each) " for each" (each > 1 ? " " human(each) : "")
}
