/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What belongs to the meeting services, and the decision about one request. */
#ifndef SQUID_MEETING_CATEGORY_H
#define SQUID_MEETING_CATEGORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define MUST_CHECK __attribute__((warn_unused_result))
#else
#define MUST_CHECK
#endif

#define FORMAT_LIKE(string, first) __attribute__((format(printf, string, first)))

/* Makes room for one more element in the list whose address is given; returns false if memory has run out. */
bool grow(void *list, size_t *room, size_t count, size_t size) MUST_CHECK;

/* ---- Text ---------------------------------------------------------------------------------------------------------- */

/* A piece of text, not ended by NUL. A fact that is missing has at == NULL. The memory is the caller's. */
struct text {
	const char *at;
	size_t length;
};

struct text text_of(const char *string); /* of NULL: a missing text */
bool text_is(struct text text, const char *string);

/* The length of the well-formed UTF-8 character (RFC 3629) at text, which has left bytes; 0: there is none. */
size_t utf8_length(const char *text, size_t left);

/* Why a text was refused: a sentence without a full stop, and the byte of the text where it went wrong. */
struct refusal {
	char reason[256];
	size_t offset;
};

/* Fills why in; always false. */
bool refuse(struct refusal *why, size_t offset, const char *format, ...) FORMAT_LIKE(3, 4);

/* A decimal number of 0 to most, without leading zeros. */
bool number_parse(struct text text, uint32_t most, uint32_t *number) MUST_CHECK;

/* ---- Addresses and names -------------------------------------------------------------------------------------------- */

enum family { IPV4 = 4, IPV6 = 6 };

struct address {
	enum family family;
	uint8_t bytes[16]; /* network order; IPv4 uses the first four */
};

struct prefix {
	struct address address; /* no bit set behind length */
	unsigned length;        /* 0..32 or 0..128 */
};

enum {
	ADDRESS_TEXT_SIZE = 46, /* with the NUL */
	PREFIX_TEXT_SIZE = 50,
	SERVICE_NAME_SIZE = 64,
	NAME_SIZE = 254,
	RULE_SIZE = 256, /* a prefix, or a name with a leading dot */
	SOURCE_SIZE = 1024
};

/* One address of a request: dotted IPv4 with no leading zeros, or any textual form of IPv6, with or without brackets.
 * An IPv4-mapped IPv6 address becomes that IPv4 address. Returns false, and why, for all else. */
bool address_parse(struct text text, struct address *address, struct refusal *why) MUST_CHECK;

/* One address or CIDR block of a file: the canonical form only (RFC 5952 for IPv6), no host bits. libcidr reads it, and
 * its answer counts only if it is the text again. Returns false, and why, with what to write instead where that is clear. */
bool prefix_parse(struct text text, struct prefix *prefix, struct refusal *why) MUST_CHECK;

/* A host name by RFC 1123, case folded into name; one dot at the end is dropped. Returns false, and why, for all else,
 * IPv4 addresses included. */
bool name_parse(struct text text, char name[NAME_SIZE], struct refusal *why) MUST_CHECK;

/* May the block stand in a service file? Not if it is too wide (unless wide), private space (unless private), or special.
 * Returns false, and why. */
bool prefix_allowed(const struct prefix *prefix, bool wide, bool private, struct refusal *why) MUST_CHECK;

/* The short word that names a service: lower-case letters, digits, hyphens and underscores. Returns false, and why. */
bool service_name_parse(struct text text, char name[SERVICE_NAME_SIZE], struct refusal *why) MUST_CHECK;

unsigned family_bits(enum family family); /* 32 or 128 */

/* The canonical text; returns its length. */
size_t address_format(const struct address *address, char out[ADDRESS_TEXT_SIZE]);
size_t prefix_format(const struct prefix *prefix, char out[PREFIX_TEXT_SIZE]); /* a single host without a length */
bool prefix_holds(const struct prefix *prefix, const struct address *address);

/* ---- Ports ---------------------------------------------------------------------------------------------------------- */

enum transport { TCP, UDP };

struct port_range {
	uint16_t first, last;
};

/* The ports that an entry allows: sorted ranges that neither touch nor overlap. */
enum { PORT_RANGES = 32 };
struct ports {
	bool any; /* every port of both transports */
	uint8_t count[2];
	struct port_range range[2][PORT_RANGES];
};

/* Adds "80,443,8801-8802". Returns false, and why, with ports half changed. */
bool ports_add_list(struct ports *ports, enum transport transport, struct text list, struct refusal *why) MUST_CHECK;

/* port 0 is an unknown port: allowed only where any port is. */
static inline bool ports_allow(const struct ports *ports, enum transport transport, uint16_t port)
{
	if (ports->any) {
		return true;
	}
	for (unsigned i = 0; i < ports->count[transport]; i++) {
		if (port >= ports->range[transport][i].first && port <= ports->range[transport][i].last) {
			return port != 0;
		}
	}
	return false;
}

/* "tcp 80,443,8200 udp 1853,8200", or "any"; cut at size. Returns the length. */
size_t ports_format(const struct ports *ports, char *out, size_t size);

/* ---- Feeds ---------------------------------------------------------------------------------------------------------- */

/* A `feed` line: where a block's entries are fetched from, and how. The texts are parts of the line. */
enum { FEED_EXCLUDES = 32 };
struct feed_line {
	struct text format; /* "cidr", "m365-json", "aws-json" or "bundle" */
	struct text url;    /* https:// */
	struct text area, aws_service, key; /* missing where not said */
	bool required;      /* only what the vendor calls so */
	bool partial;       /* what can't be taken is left out */
	uint32_t expires;   /* days, 0: not said */
	uint32_t exclude[FEED_EXCLUDES]; /* sets of Microsoft's */
	size_t excludes;
};

/* Reads what stands behind `feed`. Returns false, and why. */
bool feed_line_parse(struct text text, struct feed_line *line, struct refusal *why) MUST_CHECK;

/* Adds "16,17,27" to what is excluded. Returns false, and why. */
bool feed_sets_parse(struct text list, struct feed_line *line, struct refusal *why) MUST_CHECK;

/* ---- The category --------------------------------------------------------------------------------------------------- */

/* Immutable once loaded: any number of threads may ask it. */
struct category;

/* A line that was refused. line and column count from 1, columns in bytes; line 0 is about the file as a whole. */
struct problem {
	char *file;
	uint32_t line, column;
	char *reason;
};

struct problems {
	struct problem *list;
	size_t count, room;
	size_t omitted; /* more than this many were found, but not kept */
};

void problems_free(struct problems *problems); /* frees what is in it, and leaves it empty */

/* Adds a line; the texts are copied. Returns false if memory has run out. */
bool problem_add(struct problems *problems, const char *file, uint32_t line, uint32_t column, const char *reason)
    MUST_CHECK;

/* "FILE:LINE:COLUMN: reason"; cut at size. Returns the length. */
size_t problem_format(const struct problem *problem, char *out, size_t size);

/* The folders used where none is named: the shipped ones, what `meetingctl update` installed, the administrator's. */
enum { CATEGORY_FOLDERS = 3 };
extern const char *const category_folders[CATEGORY_FOLDERS];

/* Loads the *.service files and `clients` of the folders (a single file may stand for a folder of its own); a file in a later folder hides the one of the same name in an
 * earlier one. A missing folder is no problem. A file with an error is refused whole and told in problems (which the
 * caller made empty, and frees); if previous, which may be NULL, holds a good content of that file, it stays in force.
 * previous isn't changed. Returns NULL only when memory has run out. The caller frees the category. */
struct category *category_load(const char *const *folders, size_t count, const struct category *previous,
    struct problems *problems) MUST_CHECK;
void category_free(struct category *category);

/* The category of one file alone, whose content is given; problems name it by path, which ends in .service or is clients.
 * Returns NULL only when memory has run out. The caller frees the category. */
struct category *category_read(const char *path, const char *content, size_t length, struct problems *problems) MUST_CHECK;

/* The files that category_load reads of the folders, in the order of their names: those that no other hides. What can't be
 * listed is told in problems. Returns false if memory has run out; the caller calls paths_free in either case. */
struct paths {
	char **path;
	size_t count, room;
};
bool category_paths(const char *const *folders, size_t count, struct paths *paths, struct problems *problems) MUST_CHECK;
void paths_free(struct paths *paths);

/* Reads a whole regular file of at most 256 MiB, which the caller frees. Returns NULL, and why; why is NULL if memory has
 * run out. */
char *file_read(const char *path, size_t *length, const char **why) MUST_CHECK;

struct category_counts {
	size_t services, files, refused_files, addresses, names, clients, bytes;
};
void category_count(const struct category *category, struct category_counts *counts);

/* A number made from the content: the same for the same content, on every machine. */
uint64_t category_version(const struct category *category);

/* Rises with each category that a live puts in force. */
uint64_t category_serial(const struct category *category);

enum service_state {
	SERVICE_ON,
	SERVICE_OFF,     /* switched off by an empty file */
	SERVICE_REFUSED, /* its file has an error, and there was no good content before */
	SERVICE_KEPT     /* its file has an error, and the last good content is in force */
};

/* One service, in the order of the alphabet; the texts live as long as the category. */
struct service_view {
	const char *name, *title, *file;
	enum service_state state;
	size_t addresses, names;
};
size_t category_services(const struct category *category);
void category_service(const struct category *category, size_t index, struct service_view *view);

/* One source of one service: a block of a file; the texts live as long as the category. */
struct source_view {
	const char *service, *source, *date, *expires, *file;
	size_t addresses, names;
	bool expired; /* on the day asked about */
};
size_t category_sources(const struct category *category);
void category_source(const struct category *category, size_t index, int32_t today, struct source_view *view);

/* One entry as one block of one file gave it; the texts live as long as the category. */
enum entry_kind { ENTRY_ADDRESS, ENTRY_NAME, ENTRY_CLIENT };
struct entry {
	enum entry_kind kind;
	struct prefix prefix;      /* of an address and a client */
	char rule[RULE_SIZE];      /* the entry's text: "192.0.2.0/24", "meet.example.com", ".example.com" */
	const char *service;       /* NULL for a client: see services */
	const char *const *services; /* of a client: the services it is limited to, ended by NULL; NULL: everywhere */
	const char *source;        /* never NULL: the file where no source was given */
	const char *date;          /* of the source, "" where none was given */
	const char *expires;       /* "" where it never does */
	const char *file;
	uint32_t line;
	const struct ports *ports; /* NULL for a client */
};

/* Calls visit for each entry, in a fixed order; visit returns false to stop. */
typedef bool entry_visit(void *context, const struct entry *entry);
void category_entries(const struct category *category, entry_visit *visit, void *context);

/* The same for those that hold an address, a (parsed) name or a client: the longest first, whatever their ports. */
void category_entries_of_address(const struct category *category, const struct address *address, entry_visit *visit,
    void *context);
void category_entries_of_name(const struct category *category, const char *name, entry_visit *visit, void *context);
void category_entries_of_client(const struct category *category, const struct address *client, entry_visit *visit,
    void *context);

/* ---- The category in force, kept up to date ------------------------------------------------------------------------- */

/* Watches the folders in a thread of its own, builds the new category aside, and swaps it in. Nobody waits for a build. */
struct live;

enum live_event {
	LIVE_LOADED, /* a new category is in force */
	LIVE_EXPIRED /* told once a day: some of its sources are past their expiry */
};

/* Called from the thread; problems are those of this loading, and may be empty. */
typedef void live_tell(void *context, enum live_event event, const struct category *category,
    const struct problems *problems);

/* Starts with category, which it takes ownership of, even when it fails. The folders' texts have to outlive it.
 * Where there is no inotify to be had it looks every ten seconds; without a thread the category stays as it is.
 * Returns NULL only when memory has run out. */
struct live *live_open(struct category *category, const char *const *folders, size_t count, live_tell *tell, void *context)
    MUST_CHECK;

/* The category in force; it stays whole until it is given back. */
const struct category *live_take(struct live *live);
void live_release(struct live *live, const struct category *category);

/* Loads anew even if nothing seems to have changed. Safe in a signal handler. */
void live_reload(struct live *live);

/* Ends the thread. Nothing may still be taken. */
void live_close(struct live *live);

/* ---- The decision --------------------------------------------------------------------------------------------------- */

enum mode { MODE_INTERCEPT, MODE_EXPLICIT };
enum name_policy { NAMES_VERIFY, NAMES_TRUST, NAMES_IGNORE };

/* How questions are to be taken: the same for all questions of a helper. */
struct policy {
	enum mode mode;
	enum name_policy names;/* what a claimed name (sni) counts in intercept mode */
	bool refuse_stale;   /* an entry past its `expires` is no member */
	int32_t today;       /* days since 1970-01-01, UTC */
};

/* What DNS says of the claimed name: is dst one of its addresses? */
enum confirmation {
	CONFIRM_UNASKED,
	CONFIRM_YES,
	CONFIRM_NO,
	CONFIRM_FAILED, /* no answer in time, or an error */
	CONFIRM_REFUSED /* too many look-ups are under way, or too many questions wait while DNS is silent */
};

/* What is known of one request, as text; "-" or nothing is missing. */
struct facts {
	struct text client;
	struct text dst, dport; /* where the client connects to; believed in intercept mode only */
	struct text host, port; /* where Squid will connect to; believed in explicit mode only */
	struct text sni;
	enum confirmation sni_confirmed; /* by whom asks, after VERDICT_UNDECIDED */
};

enum verdict_kind {
	VERDICT_NORMAL,    /* no member: treat it as any other request */
	VERDICT_BYPASS,    /* a member of the category */
	VERDICT_UNDECIDED, /* a member if DNS confirms the name: ask again with sni_confirmed (NAMES_VERIFY only) */
	VERDICT_UNREADABLE /* the question makes no sense: no member, and message says why */
};

enum evidence { EVIDENCE_NONE, EVIDENCE_ADDRESS, EVIDENCE_NAME, EVIDENCE_CLIENT };

/* Why a request is no member; the nearest miss of all. */
enum miss {
	MISS_NONE,
	MISS_NO_ENTRY,        /* nothing holds the destination */
	MISS_OTHER_PORT,      /* an entry holds it, but not on this port */
	MISS_OTHER_SERVICE,   /* an entry holds it, but of a service that wasn't asked for, or isn't open to this client */
	MISS_STALE,           /* an entry holds it, but is past its expiry, and such are refused */
	MISS_NAME_IGNORED,    /* only a claimed name matched, and claims don't count here */
	MISS_NAME_REFUTED,    /* only a claimed name matched, and DNS says that it isn't this address */
	MISS_NAME_UNANSWERED, /* only a claimed name matched, and DNS gave no answer */
	MISS_NAME_UNASKED,    /* only a claimed name matched, and too much waited for DNS already */
	MISS_CLIENT_UNKNOWN,  /* the client was asked about, and isn't known */
	MISS_CLIENT,          /* the client was asked about, and isn't exempt */
	MISS_SERVICE_OFF,     /* the services asked for are switched off, or their files refused */
	MISS_NOTHING_LOADED   /* no service has any entry */
};

struct verdict {
	enum verdict_kind kind;
	enum evidence evidence;
	enum miss miss;
	bool stale;          /* the deciding entry is past its expiry */
	const char *service; /* NULL where a client alone decided; lives as long as the category */

	const struct category *category; /* what follows is for verdict_rule and the like */
	uint8_t table;
	uint32_t node;
	uint16_t service_index;
	uint16_t also_count;
	uint16_t also[16]; /* the other services of a tie, in the order of the alphabet, the first 16 */
	char message[256]; /* of VERDICT_UNREADABLE */
};

/* Decides. arguments are those of the acl line: service names, `client`, or nothing for any service.
 * Never fails: what can't be read is VERDICT_UNREADABLE. The verdict points into the category. */
void decide(const struct category *category, const struct policy *policy, const struct facts *facts,
    const struct text *arguments, size_t argument_count, struct verdict *verdict);

/* Of VERDICT_BYPASS: the entry's text, all its sources ("A; B"), the other services of a tie ("a,b"). Ended by NUL, cut
 * at size, empty where there is none. Return the length. */
size_t verdict_rule(const struct verdict *verdict, char out[RULE_SIZE]);
size_t verdict_source(const struct verdict *verdict, char *out, size_t size);
size_t verdict_also(const struct verdict *verdict, char *out, size_t size);

const char *evidence_name(enum evidence evidence); /* "address", "name", "client"; NULL for none */
const char *miss_name(enum miss miss);             /* "no-entry", ...; NULL for MISS_NONE */

/* Days since 1970-01-01 of "2026-10-01", and of now. */
bool date_parse(struct text text, int32_t *day) MUST_CHECK;
int32_t date_today(void);

/* Milliseconds: since 1970-01-01 00:00 UTC, and of a clock that is never set. */
int64_t clock_now(void);
int64_t clock_monotonic(void);

#endif
