/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does DNS say that an address is one of a name's?
 *
 * c-ares asks, in the helper's own loop. One look-up a name and family serves all that ask at once. An address counts for
 * its time to live, so the answers of a name that takes turns add up; one that isn't among them makes DNS be asked again,
 * at most once a second. All is bounded: the wait, the cache, the look-ups under way and those who wait for them.
 *
 * Who waits holds one of Squid's places, and with all of them taken no other question comes through. So while DNS is silent
 * only SILENT_MOST may wait: the oldest above that are refused, and so is who comes then; their look-ups go on. Silence is
 * that somebody waits and nothing is heard. That a name has an address, or none, is heard; SERVFAIL, REFUSED and nonsense
 * aren't: so speaks a server that is cut off from DNS itself. Weak where DNS answers for some names and not for others. */
#include <config.h>

#include "helper/helper.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAMES_MOST = 10000,   /* names in the cache */
	LOOKUPS_MOST = 256,   /* under way at once */
	SILENT_MOST = 48,     /* who wait while DNS is silent: a quarter of Squid's 64 places (burst.bats) is left to others */
	SILENT_MS = 200, SILENT_PART = 10, /* silent: for so long, or for a tenth of the time-out if that is more */
	ADDRESSES_MOST = 256, /* of one name */
	BUCKETS = 16384,
	AGAIN_MS = 1000,      /* an address that isn't known, or an error: not asked again before */
	TTL_LEAST = 1, TTL_MOST = 3600, NEGATIVE_MOST = 300, NEGATIVE_UNKNOWN = 30 /* seconds */
};

struct known {
	uint8_t bytes[16];
	int64_t until;
};

/* Somebody who waits for a look-up. */
struct asker {
	void *ticket;
	struct address dst;
	int64_t deadline;
	struct lookup *lookup;
	struct asker *next, *previous;             /* of the same look-up */
	struct asker *later, *earlier;             /* of all, by deadline */
};

/* A name and a family, with what is known. */
struct lookup {
	struct resolver *resolver;
	char name[NAME_SIZE];
	enum family family;
	struct known *known;
	size_t known_count;
	int64_t asked;            /* when; 0: never */
	int64_t negative_until;   /* DNS has said that there is no address */
	int64_t failed_until;
	bool under_way;
	struct asker *askers;
	struct lookup *next;             /* in its bucket */
	struct lookup *newer, *older;    /* by last use */
};

struct resolver {
	ares_channel channel;
	unsigned timeout_ms;
	resolver_answered *answered;
	void *context;
	struct lookup *bucket[BUCKETS];
	struct lookup *newest, *oldest;
	size_t lookups, under_way, waiting; /* waiting: askers */
	int64_t heard;                      /* when DNS has told something last */
	struct asker *first, *last;         /* by deadline */
};

static size_t address_size(enum family family)
{
	return family == IPV4 ? 4 : 16;
}

/* ---- The cache ---- */

static struct lookup **bucket_of(struct resolver *resolver, const char *name, enum family family)
{
	uint32_t hash = 2166136261u ^ (uint32_t)family;

	for (; *name != '\0'; name++) {
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	}
	return &resolver->bucket[(hash ^ hash >> 16) % BUCKETS];
}

static void use_unlink(struct resolver *resolver, struct lookup *lookup)
{
	*(lookup->newer == NULL ? &resolver->newest : &lookup->newer->older) = lookup->older;
	*(lookup->older == NULL ? &resolver->oldest : &lookup->older->newer) = lookup->newer;
}

static void use_link(struct resolver *resolver, struct lookup *lookup)
{
	lookup->newer = NULL;
	lookup->older = resolver->newest;
	*(resolver->newest == NULL ? &resolver->oldest : &resolver->newest->newer) = lookup;
	resolver->newest = lookup;
}

static void lookup_free(struct resolver *resolver, struct lookup *lookup)
{
	struct lookup **at = bucket_of(resolver, lookup->name, lookup->family);

	while (*at != lookup) {
		at = &(*at)->next;
	}
	*at = lookup->next;
	use_unlink(resolver, lookup);
	resolver->lookups--;
	free(lookup->known);
	free(lookup);
}

/* Makes room for one more name; false if all are under way. */
static bool make_room(struct resolver *resolver)
{
	struct lookup *lookup = resolver->oldest;

	if (resolver->lookups < NAMES_MOST) {
		return true;
	}
	while (lookup != NULL && lookup->under_way) {
		lookup = lookup->newer;
	}
	if (lookup != NULL) {
		lookup_free(resolver, lookup);
	}
	return lookup != NULL;
}

static struct lookup *find(struct resolver *resolver, const char *name, enum family family)
{
	struct lookup **bucket = bucket_of(resolver, name, family), *lookup = *bucket;

	while (lookup != NULL && (lookup->family != family || strcmp(lookup->name, name) != 0)) {
		lookup = lookup->next;
	}
	if (lookup != NULL) {
		use_unlink(resolver, lookup);
		use_link(resolver, lookup);
		return lookup;
	}
	lookup = make_room(resolver) ? calloc(1, sizeof *lookup) : NULL;
	if (lookup == NULL) {
		return NULL;
	}
	bucket = bucket_of(resolver, name, family);
	lookup->resolver = resolver;
	memcpy(lookup->name, name, strlen(name) + 1);
	lookup->family = family;
	lookup->next = *bucket;
	*bucket = lookup;
	use_link(resolver, lookup);
	resolver->lookups++;
	return lookup;
}

static bool is_known(const struct lookup *lookup, const uint8_t *bytes, int64_t now)
{
	for (size_t i = 0; i < lookup->known_count; i++) {
		if (lookup->known[i].until > now && memcmp(lookup->known[i].bytes, bytes, address_size(lookup->family)) == 0) {
			return true;
		}
	}
	return false;
}

/* Notes an address; in place of the same one, of one whose time is over, or of the one whose time is over first. */
static void learn(struct lookup *lookup, const void *bytes, int ttl, int64_t now)
{
	size_t size = address_size(lookup->family), at = lookup->known_count;
	int64_t seconds = ttl < TTL_LEAST ? TTL_LEAST : ttl > TTL_MOST ? TTL_MOST : ttl;

	for (size_t i = 0; i < lookup->known_count; i++) {
		if (memcmp(lookup->known[i].bytes, bytes, size) == 0) {
			at = i;
			break;
		}
		if (lookup->known[i].until <= now) {
			at = i;
		}
	}
	if (at == lookup->known_count && at == ADDRESSES_MOST) {
		at = 0;
		for (size_t i = 1; i < lookup->known_count; i++) {
			at = lookup->known[i].until < lookup->known[at].until ? i : at;
		}
	}
	if (at == lookup->known_count) {
		struct known *known = reallocarray(lookup->known, at + 1, sizeof *known);

		if (known == NULL) {
			return;
		}
		lookup->known = known;
		lookup->known_count++;
	}
	memcpy(lookup->known[at].bytes, bytes, size);
	lookup->known[at].until = now + seconds * 1000;
}

/* ---- Those who wait ---- */

static void answer(struct asker *asker, enum confirmation confirmation)
{
	struct lookup *lookup = asker->lookup;
	struct resolver *resolver = lookup->resolver;
	void *ticket = asker->ticket;

	*(asker->previous == NULL ? &lookup->askers : &asker->previous->next) = asker->next;
	if (asker->next != NULL) {
		asker->next->previous = asker->previous;
	}
	*(asker->earlier == NULL ? &resolver->first : &asker->earlier->later) = asker->later;
	*(asker->later == NULL ? &resolver->last : &asker->later->earlier) = asker->earlier;
	resolver->waiting--;
	free(asker);
	resolver->answered(resolver->context, ticket, confirmation);
}

static bool wait_for(struct lookup *lookup, const struct address *dst, void *ticket, int64_t now)
{
	struct resolver *resolver = lookup->resolver;
	struct asker *asker = calloc(1, sizeof *asker);

	if (asker == NULL) {
		return false;
	}
	asker->ticket = ticket;
	asker->dst = *dst;
	asker->deadline = now + resolver->timeout_ms;
	asker->lookup = lookup;
	asker->next = lookup->askers;
	if (asker->next != NULL) {
		asker->next->previous = asker;
	}
	lookup->askers = asker;
	asker->earlier = resolver->last; /* all wait equally long, so the last deadline is the newest */
	*(resolver->last == NULL ? &resolver->first : &resolver->last->later) = asker;
	resolver->last = asker;
	resolver->waiting++;
	return true;
}

/* ---- What DNS answers ---- */

/* How long "there is none" holds: the lesser of the SOA record's time to live and its minimum (RFC 2308 5). */
static int64_t negative_seconds(const unsigned char *answer_, int length)
{
	const unsigned char *at = answer_ + 12, *end = answer_ + length;
	unsigned questions, records;

	if (length < 12) {
		return NEGATIVE_UNKNOWN;
	}
	questions = (unsigned)answer_[4] << 8 | answer_[5];
	records = ((unsigned)answer_[6] << 8 | answer_[7]) + ((unsigned)answer_[8] << 8 | answer_[9]);
	for (unsigned i = 0; i < questions + records; i++) {
		long name_length;
		char *name;

		if (at >= end || ares_expand_name(at, answer_, length, &name, &name_length) != ARES_SUCCESS) {
			break;
		}
		ares_free_string(name);
		if (name_length > end - at || end - at - name_length < (i < questions ? 4 : 10)) {
			break;
		}
		at += name_length;
		if (i < questions) {
			at += 4;
			continue;
		}
		unsigned type = (unsigned)at[0] << 8 | at[1], data = (unsigned)at[8] << 8 | at[9];
		uint32_t ttl = (uint32_t)at[4] << 24 | (uint32_t)at[5] << 16 | (uint32_t)at[6] << 8 | at[7];
		at += 10;
		if (data > end - at) {
			break;
		}
		at += data;
		if (type == ns_t_soa && data >= 22) {
			uint32_t least = (uint32_t)at[-4] << 24 | (uint32_t)at[-3] << 16 | (uint32_t)at[-2] << 8 | at[-1];

			ttl = ttl < least ? ttl : least;
			return ttl < TTL_LEAST ? TTL_LEAST : ttl > NEGATIVE_MOST ? NEGATIVE_MOST : (int64_t)ttl;
		}
	}
	return NEGATIVE_UNKNOWN;
}

/* Returns the status of c-ares: ARES_SUCCESS if there was an address. */
static int learn_all(struct lookup *lookup, const unsigned char *answer_, int length, int64_t now)
{
	struct ares_addrttl four[ADDRESSES_MOST];
	int count = ADDRESSES_MOST, status = ares_parse_a_reply(answer_, length, NULL, four, &count);

	for (int i = 0; status == ARES_SUCCESS && i < count; i++) {
		learn(lookup, &four[i].ipaddr, four[i].ttl, now);
	}
	return status == ARES_SUCCESS && count == 0 ? ARES_ENODATA : status;
}

static int learn_all6(struct lookup *lookup, const unsigned char *answer_, int length, int64_t now)
{
	struct ares_addr6ttl six[ADDRESSES_MOST];
	int count = ADDRESSES_MOST, status = ares_parse_aaaa_reply(answer_, length, NULL, six, &count);

	for (int i = 0; status == ARES_SUCCESS && i < count; i++) {
		learn(lookup, &six[i].ip6addr, six[i].ttl, now);
	}
	return status == ARES_SUCCESS && count == 0 ? ARES_ENODATA : status;
}

static void answered(void *argument, int status, int timeouts, unsigned char *answer_, int length)
{
	struct lookup *lookup = argument;
	int64_t now = clock_monotonic();
	bool negative;

	(void)timeouts;
	lookup->under_way = false;
	lookup->resolver->under_way--;
	if (status == ARES_SUCCESS && answer_ != NULL) {
		status = (lookup->family == IPV4 ? learn_all : learn_all6)(lookup, answer_, length, now);
	}
	negative = status == ARES_ENODATA || status == ARES_ENOTFOUND;
	lookup->failed_until = status == ARES_SUCCESS || negative ? 0 : now + AGAIN_MS;
	if (lookup->failed_until == 0) {
		lookup->resolver->heard = now;
	}
	lookup->negative_until = negative ? now + 1000 * (answer_ == NULL ? NEGATIVE_UNKNOWN : negative_seconds(answer_, length)) : 0;
	if (negative) {
		lookup->known_count = 0; /* what was known before is withdrawn */
	}
	while (lookup->askers != NULL) {
		enum confirmation confirmation = is_known(lookup, lookup->askers->dst.bytes, now) ? CONFIRM_YES
		    : lookup->failed_until > 0                                                    ? CONFIRM_FAILED
		                                                                                  : CONFIRM_NO;

		answer(lookup->askers, confirmation);
	}
}

/* ---- The sockets of c-ares ---- */

static size_t sockets_wanted(const struct resolver *resolver, struct pollfd *fds)
{
	ares_socket_t sockets[RESOLVER_FDS];
	unsigned bits = (unsigned)ares_getsock(resolver->channel, sockets, RESOLVER_FDS);
	size_t count = 0;

	for (int i = 0; i < RESOLVER_FDS; i++) {
		/* c-ares's own macros shift a signed number too far. */
		short events = (short)((bits >> i & 1 ? POLLIN : 0) | (bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0));

		if (events != 0) {
			fds[count++] = (struct pollfd){sockets[i], events, 0};
		}
	}
	return count;
}

static void sockets_work(struct resolver *resolver, const struct pollfd *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i].revents != 0) {
			bool read = (fds[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0, write = (fds[i].revents & POLLOUT) != 0;

			ares_process_fd(resolver->channel, read ? fds[i].fd : ARES_SOCKET_BAD, write ? fds[i].fd : ARES_SOCKET_BAD);
		}
	}
}

/* ---- Silence ---- */

/* When DNS will have been silent for too long, if nothing is heard until then. Somebody waits. */
static int64_t silent_from(const struct resolver *resolver)
{
	int64_t began = resolver->first->deadline - resolver->timeout_ms, part = resolver->timeout_ms / SILENT_PART;

	return (resolver->heard > began ? resolver->heard : began) + (part > SILENT_MS ? part : SILENT_MS);
}

/* Do `more` wait than may while DNS is silent, and is it? */
static bool too_many_in_silence(struct resolver *resolver, size_t more)
{
	struct pollfd fds[RESOLVER_FDS];
	int64_t now;

	if (resolver->waiting + more <= SILENT_MOST || (now = clock_monotonic()) < silent_from(resolver)) {
		return false;
	}
	/* It may be this process that was held up: what has come is read first. */
	size_t count = sockets_wanted(resolver, fds);
	if (poll(fds, count, 0) > 0) {
		sockets_work(resolver, fds, count);
	}
	return resolver->waiting + more > SILENT_MOST && now >= silent_from(resolver);
}

/* ---- Outside ---- */

enum confirmation resolver_ask(struct resolver *resolver, const char *name, const struct address *dst, void *ticket)
{
	bool silent = too_many_in_silence(resolver, 1); /* before all else: it may learn the answer */
	struct lookup *lookup = find(resolver, name, dst->family);
	int64_t now = clock_monotonic();

	if (lookup == NULL) {
		return CONFIRM_REFUSED;
	}
	if (is_known(lookup, dst->bytes, now)) {
		return CONFIRM_YES;
	}
	if (!lookup->under_way) {
		if (lookup->negative_until > now) {
			return CONFIRM_NO;
		}
		if (lookup->failed_until > now) {
			return CONFIRM_FAILED;
		}
		if (lookup->asked != 0 && now - lookup->asked < AGAIN_MS) {
			return CONFIRM_NO;
		}
		if (resolver->under_way == LOOKUPS_MOST) {
			return CONFIRM_REFUSED;
		}
	}
	if (ticket == NULL && !silent) {
		return CONFIRM_UNASKED;
	}
	if (!silent && !wait_for(lookup, dst, ticket, now)) {
		return CONFIRM_REFUSED;
	}
	if (!lookup->under_way) {
		lookup->under_way = true;
		lookup->asked = now;
		resolver->under_way++;
		/* c-ares may call answered at once; the asker has its answer by then. */
		ares_query(resolver->channel, lookup->name, ns_c_in, dst->family == IPV4 ? ns_t_a : ns_t_aaaa, answered, lookup);
	}
	return silent ? CONFIRM_REFUSED : CONFIRM_UNASKED; /* the look-up of one that is refused tells when DNS is back */
}

size_t resolver_wait(struct resolver *resolver, struct pollfd *fds, int *timeout_ms)
{
	size_t count = sockets_wanted(resolver, fds);
	struct timeval wait, *next = resolver->under_way == 0 ? NULL : ares_timeout(resolver->channel, NULL, &wait);

	*timeout_ms = next == NULL ? -1 : (int)(next->tv_sec * 1000 + next->tv_usec / 1000 + 1);
	if (resolver->first != NULL) {
		int64_t until = resolver->first->deadline;

		if (resolver->waiting > SILENT_MOST && silent_from(resolver) < until) {
			until = silent_from(resolver);
		}
		int64_t left = until - clock_monotonic();
		left = left < 0 ? 0 : left;
		*timeout_ms = *timeout_ms < 0 || left < *timeout_ms ? (int)left : *timeout_ms;
	}
	return count;
}

void resolver_work(struct resolver *resolver, const struct pollfd *fds, size_t count)
{
	sockets_work(resolver, fds, count);
	if (resolver->under_way > 0) {
		ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* its own time-outs */
	}
	while (too_many_in_silence(resolver, 0)) {
		answer(resolver->first, CONFIRM_REFUSED);
	}
	while (resolver->first != NULL && resolver->first->deadline <= clock_monotonic()) {
		answer(resolver->first, CONFIRM_FAILED);
	}
}

struct resolver *resolver_open(const char *server, unsigned timeout_ms, resolver_answered *told, void *context,
    char why[256])
{
	struct resolver *resolver = calloc(1, sizeof *resolver);
	struct ares_options options = {.tries = 3};
	int status;

	if (resolver == NULL) {
		(void)snprintf(why, 256, "out of memory");
		return NULL;
	}
	resolver->timeout_ms = timeout_ms;
	resolver->answered = told;
	resolver->context = context;
	/* c-ares doubles the wait at each try: 1 + 2 + 4 parts make the whole. */
	options.timeout = (int)(timeout_ms / 7 < 50 ? 50 : timeout_ms / 7);
	options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
	status = ares_library_init(ARES_LIB_INIT_ALL);
	if (status == ARES_SUCCESS) {
		status = ares_init_options(&resolver->channel, &options, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
	}
	if (status == ARES_SUCCESS && server != NULL) {
		status = ares_set_servers_ports_csv(resolver->channel, server);
		if (status == ARES_SUCCESS && strchr(server, ',') != NULL) {
			status = ARES_EBADSTR;
		}
		if (status != ARES_SUCCESS) {
			ares_destroy(resolver->channel);
		}
	}
	if (status != ARES_SUCCESS) {
		(void)snprintf(why, 256, "%s%s%s", server == NULL ? "" : server, server == NULL ? "" : ": ", ares_strerror(status));
		free(resolver);
		return NULL;
	}
	return resolver;
}

void resolver_close(struct resolver *resolver)
{
	if (resolver == NULL) {
		return;
	}
	while (resolver->first != NULL) {
		answer(resolver->first, CONFIRM_FAILED);
	}
	ares_destroy(resolver->channel);
	while (resolver->oldest != NULL) {
		lookup_free(resolver, resolver->oldest);
	}
	ares_library_cleanup();
	free(resolver);
}
