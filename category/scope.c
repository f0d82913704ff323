/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which blocks may stand in a file at all: not too wide, not somebody's own network, never the special ones. */
#include <config.h>

#include "category/internal.h"

/* Source: IANA's IPv4 and IPv6 special-purpose address registries (RFC 6890), RFC 1918, RFC 4193, RFC 6598. */
static const struct special {
	struct prefix prefix;
	bool private;
	const char *what;
} specials[] = {
	{{{IPV4, {0}}, 8}, false, "the unspecified addresses (0.0.0.0/8)"},
	{{{IPV4, {127}}, 8}, false, "loopback (127.0.0.0/8)"},
	{{{IPV4, {169, 254}}, 16}, false, "link-local (169.254.0.0/16)"},
	{{{IPV4, {224}}, 4}, false, "multicast (224.0.0.0/4)"},
	{{{IPV4, {240}}, 4}, false, "reserved space (240.0.0.0/4)"},
	{{{IPV4, {10}}, 8}, true, "private space (10.0.0.0/8)"},
	{{{IPV4, {172, 16}}, 12}, true, "private space (172.16.0.0/12)"},
	{{{IPV4, {192, 168}}, 16}, true, "private space (192.168.0.0/16)"},
	{{{IPV4, {100, 64}}, 10}, true, "shared carrier space (100.64.0.0/10)"},
	{{{IPV6, {0}}, 96}, false, "unspecified, loopback or IPv4-compatible (::/96)"},
	{{{IPV6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, 96}, false, "IPv4-mapped addresses (::ffff:0:0/96)"},
	{{{IPV6, {0xfe, 0x80}}, 10}, false, "link-local (fe80::/10)"},
	{{{IPV6, {0xff}}, 8}, false, "multicast (ff00::/8)"},
	{{{IPV6, {0xfc}}, 7}, true, "private space (fc00::/7)"},
	{{{IPV6, {0xfe, 0xc0}}, 10}, true, "private space (fec0::/10)"},
};

/* NAT64 writes all of IPv4 into the last 32 bits (RFC 6052): a short prefix there is a short IPv4 prefix. */
static const struct prefix nat64 = {{IPV6, {0x00, 0x64, 0xff, 0x9b}}, 96};

static bool overlap(const struct prefix *a, const struct prefix *b)
{
	return a->length <= b->length ? prefix_holds(a, &b->address) : prefix_holds(b, &a->address);
}

bool prefix_allowed(const struct prefix *prefix, bool wide, bool private, struct refusal *why)
{
	unsigned shortest = prefix->address.family == IPV4 ? 8 : 19;

	if (prefix->length == 0) {
		return refuse(why, 0, "/0 is the whole Internet");
	}
	for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++) {
		if (overlap(prefix, &specials[i].prefix) && !specials[i].private) {
			return refuse(why, 0, "it holds %s", specials[i].what);
		}
	}
	if (overlap(prefix, &nat64) && prefix->length < 96 + 8) {
		shortest = 96 + 8;
	}
	if (prefix->length < shortest && !wide) {
		return refuse(why, 0, "shorter than /%u: if it is really meant, end the line in `wide`", shortest);
	}
	for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++) {
		if (overlap(prefix, &specials[i].prefix) && !private) {
			return refuse(why, 0, "it holds %s: for a meeting server of your own, end the line in `private`",
			    specials[i].what);
		}
	}
	return true;
}
