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

/* ---- Fetching (libfetch) --------------------------------------------------------------------------------------------- */

/* What no server may exceed. Zero means the default. */
struct fetch_limits {
	size_t bytes;           /* of a list, once unpacked: FEED_LENGTH */
	long seconds;           /* for all of a transfer: 300 */
	long stall;             /* seconds at less than 100 bytes a second: 30 */
	const char *cafile;     /* certificates to believe; NULL: as curl has it (CURL_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR) */
	void (*progress)(void *context, const char *url, size_t bytes); /* may be NULL */
	void *context;
};

enum fetch_result {
	FETCH_NEW,     /* bytes */
	FETCH_SAME,    /* the server says that it hasn't changed */
	FETCH_MISSING, /* 404 or 410; why says so */
	FETCH_WAIT,    /* not now: wait says how many seconds from now on; why says so */
	FETCH_FAILED   /* why */
};

struct fetched {
	char *bytes;            /* the caller calls fetched_free */
	size_t length;
	char etag[256], modified[64]; /* "" where the server gives none */
	int32_t day;            /* of modified; INT32_MAX: none */
	int64_t wait;
};

struct fetcher;

/* Returns NULL if libcurl can't be used, or memory has run out. The limits' texts have to outlive it. */
struct fetcher *fetcher_open(const struct fetch_limits *limits) MUST_CHECK;
void fetcher_close(struct fetcher *fetcher);

/* Gets an https:// address, by at most five redirects, all to https://, with certificates verified. types are those that
 * the content may have, ended by NULL; a server that says none is believed. etag and modified, which may be "", are of
 * what the caller has. */
enum fetch_result fetch(struct fetcher *fetcher, const char *url, const char *const *types, const char *etag,
    const char *modified, struct fetched *fetched, struct refusal *why) MUST_CHECK;
void fetched_free(struct fetched *fetched);

/* ---- Bundles ----------------------------------------------------------------------------------------------------------- */

/* A public key of minisign or signify. */
struct signature_key {
	unsigned char id[8], key[32];
};

/* A key file's text, or its line of base64 alone. Returns false, and why. */
bool signature_key_parse(struct text text, struct signature_key *key, struct refusal *why) MUST_CHECK;

/* Has the key signed the message? signature is the text of a .minisig or .sig. libsodium has to be initialized. */
bool signature_verify(const struct signature_key *key, struct text message, struct text signature, struct refusal *why)
    MUST_CHECK;

struct bundle_file {
	struct text base, content;
};
struct bundle {
	char name[SERVICE_NAME_SIZE];
	int64_t serial;  /* greater in a newer one */
	int32_t expires; /* the last day on which it counts */
	struct bundle_file *file;
	size_t files, room;
};

/* Takes a bundle apart; its texts are parts of text. Returns false, and why (offset: the byte); the caller calls
 * bundle_free in any case. */
bool bundle_parse(struct text text, struct bundle *bundle, struct refusal *why) MUST_CHECK;
void bundle_free(struct bundle *bundle);

/* The bundle as text, which the caller frees; puts its files in order. NULL if memory has run out. */
char *bundle_write(struct bundle *bundle, size_t *length) MUST_CHECK;
bool bundle_serial_parse(struct text text, int64_t *serial) MUST_CHECK; /* 1 to 18 digits */
bool bundle_file_name(struct text name) MUST_CHECK;                    /* may a bundle hold a file of this name? */

/* ---- Updating ---------------------------------------------------------------------------------------------------------- */

enum { GUARD_ANY = UINT32_MAX };
struct guard_limits {
	uint32_t growth, shrink; /* percent of the addresses (of a family) or names covered; GUARD_ANY: no matter */
	bool allow_withdrawn;    /* shipped entries may be missing */
};

struct update_options {
	const char *const *folders; /* where service files are; a later one hides an earlier one */
	size_t folder_count;
	const char *state;          /* the folder that updates write to; below it, services/ is one of the folders */
	const char *key;            /* of bundles whose line names none: a file */
	struct fetch_limits fetch;
	struct guard_limits guard;
	bool dry_run;               /* nothing is written anywhere */
	bool again;                 /* take what was rolled back, too */
	int32_t today;
};

enum update_status {
	UPDATE_SAME,    /* nothing to install */
	UPDATE_NEW,     /* to be installed, if whoever decides agrees */
	UPDATE_RENEWED, /* the entries are the same, and expire later: to be installed */
	UPDATE_HELD,    /* what was rolled back, and hasn't changed since */
	UPDATE_REFUSED, /* see reasons */
	UPDATE_FAILED   /* couldn't be fetched; see reasons */
};
const char *update_status_name(enum update_status status);

/* One file of an update. */
struct update_part {
	char *base;             /* "zoom.service" */
	char *text;             /* NULL: it is removed */
	size_t length;
	char basis[65];         /* the hash of what it was made of */
	struct category *before, *after;
	struct diff diff;
};

/* Microsoft's announcement of a change that is still to come. */
struct announced {
	int32_t day;
	char date[11];
	bool add, name, known;
	int64_t set;
	char rule[RULE_SIZE];
	struct prefix prefix;
};

struct update {
	enum update_status status;
	struct problems reasons; /* all that speaks against it */
	struct problems notes;   /* what else there is to tell */
	struct problems told;    /* what of the lists is written otherwise */
	struct update_part *part;
	size_t parts, part_room;
	struct announced *pending;
	size_t pendings;
	struct json_t *withdrawn;
	struct json_t *files;    /* of a bundle */
	int64_t serial;
	char hash[65];
};

struct updater;

/* Looks for service files with a `feed` line, and takes the lock of the state. The options have to outlive it. Returns
 * NULL, and why. Files that can't be read are told in problems. */
struct updater *updater_open(const struct update_options *options, struct problems *problems, struct refusal *why) MUST_CHECK;
void updater_close(struct updater *updater);

/* The files with feeds, bundles first; some may belong to a bundle in force, and then aren't fetched by themselves. */
size_t updater_count(const struct updater *updater);
const char *updater_service(const struct updater *updater, size_t index);
const char *updater_file(const struct updater *updater, size_t index);
bool updater_bundled(const struct updater *updater, size_t index);

/* Fetches, reads, guards and compares; nothing is installed yet. The caller calls update_free in any case. Returns false if
 * memory has run out, or the state can't be written, and why. */
bool update_make(struct updater *updater, size_t index, struct update *update, struct refusal *why) MUST_CHECK;
void update_free(struct update *update);

/* Puts the new files in force, each in one step; what they replace is kept, the last five of each. Returns false, and why;
 * what isn't replaced is as it was. */
bool update_install(struct updater *updater, size_t index, const struct update *update, struct refusal *why) MUST_CHECK;

/* The state that updates keep in the folder, update.json; an empty object if there is none. NULL, and why. Below "files", by
 * their names: "service", "checked", "installed", "failed" (times of RFC 3339), "failures", "error", "pending". */
struct json_t *update_state(const char *folder, struct refusal *why) MUST_CHECK;

/* Puts the last version before the present one in force again, and holds what it replaces until the vendor's list changes.
 * Returns false, and why; else when that version was replaced, as text. */
bool update_rollback(const char *state, const char *service, char when[32], struct refusal *why) MUST_CHECK;

#endif
