/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vendors' lists to service files, what changed between two of them, and what others can be given of them. */
#ifndef SQUID_MEETING_FEEDS_H
#define SQUID_MEETING_FEEDS_H

#include "category/category.h"

/* ---- Reading a vendor's list --------------------------------------------------------------------------------------- */

enum feed_format {
	FEED_CIDR,      /* blocks, ranges, netmasks and names as text, several to a line */
	FEED_M365_JSON, /* the endpoints of Microsoft 365 */
	FEED_AWS_JSON,  /* Amazon's ip-ranges.json */
	FEED_PASTED,    /* blocks run together without anything between them */
	FEED_FORMATS
};

const char *feed_format_name(enum feed_format format);
bool feed_format_parse(const char *name, enum feed_format *format) MUST_CHECK; /* "m365-json", ...; false for all else */

struct feed_options {
	const char *file;         /* what the places of problems name */
	const char *source;       /* where the list is from; NULL: the format's own address, or file */
	const char *area;         /* of m365-json: the service area, "Skype" */
	const char *aws_service;  /* of aws-json: "CHIME_MEETINGS" */
	bool required_only;       /* of m365-json: leave out what the vendor calls optional */
	const uint32_t *exclude;  /* of m365-json: sets to leave out; some hold what isn't a meeting service's alone */
	size_t excludes;
	const struct ports *ports;/* of entries to which the list gives none; NULL: any */
};

/* An address or a name as the list gave it, in canonical form. */
struct feed_entry {
	char *name;              /* "meet.example.com" or ".example.com"; NULL: an address */
	struct prefix prefix;
	size_t block;
	uint32_t line, column;
};

/* Entries with the same source and ports. */
struct feed_block {
	char *source;
	char date[11];           /* "" if the list doesn't tell */
	struct ports ports;
	int64_t set;             /* of m365-json: its id; -1: none */
};

struct feed {
	struct feed_entry *entry;
	size_t entries, entry_room;
	struct feed_block *block;
	size_t blocks, block_room;
	struct problems refused; /* what wasn't taken, and why */
	struct problems told;    /* what was taken, but isn't written as it was given */
};

enum { FEED_LENGTH = 64 << 20, FEED_ENTRIES = 1000000 }; /* more is refused */

/* Reads length bytes into feed, whatever they are. All entries are in canonical form and may stand in a service file;
 * nothing is guessed: what isn't certain is in refused. A list without any entry has a problem, too. Returns false only when
 * memory has run out; the caller calls feed_free in either case. */
bool feed_read(enum feed_format format, const char *bytes, size_t length, const struct feed_options *options,
    struct feed *feed) MUST_CHECK;
void feed_free(struct feed *feed);

/* "tcp 80,443 udp 3478", or "any". Returns false, and why, with what to write instead. */
bool feed_ports_parse(struct text text, struct ports *ports, struct refusal *why) MUST_CHECK;

/* The feed as a service file; title and date (of blocks that have none) may be NULL. The texts have to be checked by
 * feed_line_allowed. The caller frees it; NULL if memory has run out. */
char *feed_service_file(const struct feed *feed, const char *service, const char *title, const char *date) MUST_CHECK;

/* May the text stand behind `title` or `source`? Returns false, and why. */
bool feed_line_allowed(const char *text, struct refusal *why) MUST_CHECK;

/* ---- Sets of addresses --------------------------------------------------------------------------------------------- */

/* A number of 128 bits. */
struct wide {
	uint64_t high, low;
};

enum { WIDE_TEXT_SIZE = 40 };
int wide_compare(struct wide a, struct wide b);
struct wide wide_add(struct wide a, struct wide b);
struct wide wide_subtract(struct wide a, struct wide b);
size_t wide_format(struct wide number, char out[WIDE_TEXT_SIZE]); /* decimal; returns the length */

/* From first to last, both included; IPv4 addresses are numbers below 2^32. */
struct range {
	enum family family;
	struct wide first, last;
};

struct range range_of(const struct prefix *prefix);
struct address range_address(enum family family, struct wide number);

/* Sorts the ranges (IPv4 first), and joins those that overlap or touch; returns how many are left. */
size_t ranges_unite(struct range *ranges, size_t count);

/* How many addresses of a family united ranges hold. All of IPv6 can't be told from none; no list holds it. */
struct wide ranges_count(const struct range *ranges, size_t count, enum family family);

/* Cuts the first block off a range: the largest that begins where it begins. Returns false once nothing is left. */
bool range_cut(struct range *range, struct prefix *prefix);

/* ---- Comparing ------------------------------------------------------------------------------------------------------ */

enum change_kind { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED };

/* One entry of one service that isn't the same before and after; the texts live as long as the diff. Several grants of one
 * entry are joined by "; ". */
struct change {
	enum change_kind kind;
	enum entry_kind entry;
	const char *service;     /* "" of clients */
	const char *rule;
	const char *before_ports, *after_ports, *before_source, *after_source, *before_expires, *after_expires;
	bool ports, source, expires; /* what differs, of CHANGE_CHANGED */
};

struct coverage {
	struct wide before, after, gained, lost;
};

struct diff {
	struct change *change;   /* in the order of services and entries */
	size_t changes, added, removed, changed;
	struct coverage ipv4, ipv6;
	struct coverage names;   /* hosts and domains that no other of the same side holds */
	void *memory;
};

/* Compares all entries of two categories; services names those to look at, ended by NULL; NULL: all, and the clients.
 * The categories have to outlive the diff. Returns false if memory has run out; diff_free is called in either case. */
bool diff_make(const struct category *before, const struct category *after, const char *const *services,
    struct diff *diff) MUST_CHECK;
void diff_free(struct diff *diff);

/* ---- Giving to others ----------------------------------------------------------------------------------------------- */

enum export_format {
	EXPORT_NFT,
	EXPORT_IPSET,
	EXPORT_SQUID_DST,
	EXPORT_SQUID_DSTDOMAIN,
	EXPORT_PAC,
	EXPORT_EDL,
	EXPORT_JSON,
	EXPORT_FORMATS
};

const char *export_format_name(enum export_format format);
bool export_format_parse(const char *name, enum export_format *format) MUST_CHECK;

struct export_options {
	const char *const *services; /* ended by NULL; NULL: all */
	const char *table;           /* of nft: the table's name */
	const char *proxy;           /* of pac: what all else gets */
	bool names;                  /* of edl: the names in place of the addresses */
};

/* The entries as text in the format; never a single address more than the entries hold, on no other port where the format
 * knows ports. The caller frees it. NULL, and why: the format can't hold it; an empty reason if memory has run out. */
char *export_make(const struct category *category, enum export_format format, const struct export_options *options,
    struct refusal *why) MUST_CHECK;

#endif
