#!/usr/bin/env bats
# Squid 5.7 reads at most 32,767 bytes of replies, and loses the reply whose channel number it has read in part (helper.cc): its
# request hangs. So that all replies which can be on their way are fewer bytes, squid-conf bounds how many questions are asked.

load ../category/programs

# MODE: the longest reply to a question about a shipped entry, with a channel number of ten digits.
longest_reply() {
	cat "$top_srcdir"/services/*.service | awk -v mode="$1" '
		$1 == "address" { split($2, part, "/"); dst = part[1]; sni = "-" }
		$1 == "name" { dst = "203.0.113.9"; sni = $2; sub(/^\*?\./, "a.long.name.", sni) }
		$1 == "address" || $1 == "name" {
			for (port = 443; port; port = port == 443 ? 8801 : 0)
				print 1000000000 + NR, "10.1.2.3", mode == "explicit" && sni != "-" ? sni : dst, port, "-", sni
		}' |
		helper --mode="$1" --config="$top_srcdir/services" --names=trust 2>/dev/null |
		awk 'length > longest { longest = length } END { print longest + 1 }'
}

@test "the replies to all questions that Squid may ask at once fit into one read of Squid's" {
	for mode in intercept explicit; do
		longest=$(longest_reply $mode)
		concurrency=$(sed -n 's/^external_acl_type .*concurrency=\([0-9]*\) .*/\1/p' "$top_srcdir/squid-conf/$mode.conf.in")
		echo "$mode: $concurrency replies of up to $longest bytes"
		[[ $longest -gt 100 && $((longest * concurrency)) -le 32767 ]]
	done
}
