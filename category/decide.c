/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decision: which entry, if any, makes a request a member of the category.
 *
 * In intercept mode the original destination is the truth, and a name is the client's claim; in explicit mode the host is
 * where Squid will connect. All else follows from the chain of entries that hold the destination, the longest first. */
#include <config.h>

#include "category/lines.h"
#include "category/quick.h"

#include <string.h>

enum { ARGUMENTS = 64 };

/* The question, read. */
struct question {
	const struct category *category;
	const struct policy *policy;
	bool client_asked;
	size_t services;             /* asked for; 0: any */
	uint16_t service[ARGUMENTS];
	uint16_t port;
	const struct client_set *set[ARGUMENTS]; /* what the client's lines limit it to; sets == 0: nothing does */
	size_t sets;
};

/* Arrays are left as they are: their counts tell what of them is filled. */
static void question_begin(struct question *question, const struct category *category, const struct policy *policy)
{
	question->category = category;
	question->policy = policy;
	question->client_asked = false;
	question->services = question->sets = 0;
	question->port = 0;
}

static void verdict_begin(struct verdict *verdict, const struct category *category)
{
	memset(verdict, 0, offsetof(struct verdict, also));
	verdict->message[0] = '\0';
	verdict->category = category;
}

__attribute__((cold)) static bool unreadable(struct verdict *verdict, const char *what, const char *reason)
{
	verdict->kind = VERDICT_UNREADABLE;
	append_format(verdict->message, sizeof verdict->message, 0, "%s: %s", what, reason);
	return false;
}

static bool is_missing(struct text text)
{
	return text.at == NULL || text.length == 0 || (text.length == 1 && text.at[0] == '-');
}

static int find_service(const struct category *category, struct text name)
{
	size_t low = 0, high = category->services;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *candidate = category->service[middle].name;
		int order = strncmp(candidate, name.at, name.length);

		if (order == 0 && candidate[name.length] != '\0') {
			order = 1;
		}
		if (order == 0) {
			return (int)middle;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return -1;
}

static bool read_arguments(struct question *question, const struct text *arguments, size_t count, struct verdict *verdict)
{
	for (size_t i = 0; i < count; i++) {
		if (is_missing(arguments[i])) {
			continue;
		}
		if (text_is(arguments[i], "client")) {
			question->client_asked = true;
			continue;
		}
		int service = memchr(arguments[i].at, '\0', arguments[i].length) != NULL ? -1
		    : find_service(question->category, arguments[i]);
		if (service < 0) {
			int length = arguments[i].length > 64 ? 64 : (int)arguments[i].length;

			verdict->kind = VERDICT_UNREADABLE;
			append_format(verdict->message, sizeof verdict->message, 0,
			    "argument `%.*s`: no service of that name is known", length, arguments[i].at);
			return false;
		}
		if (question->services == ARGUMENTS) {
			return unreadable(verdict, "arguments", "more than 64");
		}
		question->service[question->services++] = (uint16_t)service;
	}
	return true;
}

static inline bool read_port(struct text text, uint16_t *port, const char *what, struct verdict *verdict)
{
	uint32_t number = 0;

	*port = 0;
	if (is_missing(text)) {
		return true;
	}
	if (!number_read(text, 65535, &number)) {
		return unreadable(verdict, what, "not a port");
	}
	*port = (uint16_t)number;
	return true;
}

/* Reads an address that may be missing. */
static inline bool read_address(struct text text, struct address *address, bool *known, const char *what,
    struct verdict *verdict)
{
	struct refusal why;

	*known = false;
	if (is_missing(text)) {
		return true;
	}
	*address = (struct address){IPV4, {0}};
	if (!ipv4_read(text, address->bytes) && !address_parse(text, address, &why)) {
		return unreadable(verdict, what, why.reason);
	}
	*known = true;
	return true;
}

static bool is_unspecified(const struct address *address)
{
	static const uint8_t zero[16] = {0};

	return memcmp(address->bytes, zero, sizeof zero) == 0;
}

static bool set_holds(const struct client_set *set, const char *service)
{
	for (unsigned i = 0; i < set->count; i++) {
		if (strcmp(set->service[i], service) == 0) {
			return true;
		}
	}
	return false;
}

/* Whether the question asks for the service, and the client, if asked about, is exempt towards it. */
static bool is_one_wanted(const struct question *question, uint16_t service)
{
	bool wanted = question->services == 0;

	for (size_t i = 0; i < question->services && !wanted; i++) {
		wanted = question->service[i] == service;
	}
	if (!wanted || question->sets == 0) {
		return wanted;
	}
	for (size_t i = 0; i < question->sets; i++) {
		if (set_holds(question->set[i], question->category->service[service].name)) {
			return true;
		}
	}
	return false;
}

/* The lines that hold the client. Returns the node of the longest that exempts it everywhere; where none does, fills the
 * sets that its lines limit it to. */
static uint32_t find_client(struct question *question, const struct prefixes *table, const struct address *client)
{
	const struct category *category = question->category;

	for (uint32_t node = lines_lookup(table, client).node; node != NODE_NONE; node = node_at(&table->nodes, node)->parent) {
		const struct node *at = node_at(&table->nodes, node);

		for (uint32_t i = 0; i < at->grants; i++) {
			const struct client_set *set = &category->client_set[node_grants(&table->nodes, at)[i].ports];

			if (set->count == 0) {
				question->sets = 0;
				return node;
			}
			if (question->sets < ARGUMENTS) {
				question->set[question->sets++] = set;
			}
		}
	}
	return NODE_NONE;
}

static inline bool is_wanted(const struct question *question, uint16_t service)
{
	return question->services + question->sets == 0 || is_one_wanted(question, service);
}

static inline void note_miss(struct verdict *verdict, enum miss miss)
{
	verdict->miss = miss > verdict->miss ? miss : verdict->miss;
}

/* Whether the grant allows what is asked; if not, notes why. */
static inline bool is_allowed(const struct question *question, const struct grant *grant, struct verdict *verdict)
{
	const struct category *category = question->category;
	const struct block *block = &category->block[grant->block];

	if (!is_wanted(question, block->service)) {
		note_miss(verdict, MISS_OTHER_SERVICE);
	} else if (!ports_allow(&category->ports[grant->ports], TCP, question->port)) {
		note_miss(verdict, MISS_OTHER_PORT);
	} else if (question->policy->refuse_stale && question->policy->today > block->expiry) {
		note_miss(verdict, MISS_STALE);
	} else {
		return true;
	}
	return false;
}

static inline void decided(const struct question *question, const struct grant *grant, enum table table, uint32_t node,
    struct verdict *verdict)
{
	const struct category *category = question->category;
	const struct block *block = &category->block[grant->block];

	verdict->table = (uint8_t)table;
	verdict->node = node;
	verdict->service_index = block->service;
	verdict->service = category->service[block->service].name;
	verdict->stale = question->policy->today > block->expiry;
}

/* Takes the other services of the grants behind the one that decides; its own makes the verdict fresh if any is. */
static void take_others(const struct question *question, const struct grant *grant, const struct grant *end,
    struct verdict *verdict)
{
	for (; grant < end; grant++) {
		const struct block *block = &question->category->block[grant->block];

		if (!is_allowed(question, grant, verdict)) {
			continue;
		}
		if (block->service == verdict->service_index) {
			verdict->stale = verdict->stale && question->policy->today > block->expiry;
		} else if ((verdict->also_count == 0 || verdict->also[verdict->also_count - 1] != block->service) &&
		    verdict->also_count < sizeof verdict->also / sizeof verdict->also[0]) {
			verdict->also[verdict->also_count++] = block->service;
		}
	}
}

/* Walks a chain of nodes that hold the destination. Returns whether an entry decides, and which. */
static bool walk(const struct question *question, const struct nodes *nodes, uint32_t number, enum table table,
    struct verdict *verdict)
{
	while (number != NODE_NONE) {
		const struct node *node = node_at(nodes, number);
		const struct grant *grant = node_grants(nodes, node), *end = grant + node->grants;

		while (grant < end && !is_allowed(question, grant, verdict)) {
			grant++;
		}
		if (grant < end) {
			decided(question, grant, table, number, verdict);
			take_others(question, grant + 1, end, verdict);
			return true;
		}
		number = node->parent;
	}
	note_miss(verdict, MISS_NO_ENTRY);
	return false;
}

/* Most questions ask for any service, and most entries have one grant that allows the port: that is known before the node
 * is in the cache, and says no more than walk() would. */
static inline bool is_plain(const struct question *question, const struct grant *grant)
{
	const struct category *category = question->category;

	return question->services + question->sets == 0 &&
	    ports_allow(&category->ports[grant->ports], TCP, question->port) &&
	    !(question->policy->refuse_stale && question->policy->today > category->block[grant->block].expiry);
}

static inline bool walk_hit(const struct question *question, enum table kind, struct hit hit, struct verdict *verdict)
{
	const struct prefixes *table = &question->category->address[kind == TABLE_ADDRESS6];

	if (hit.node == NODE_NONE) { /* nearly all addresses */
		note_miss(verdict, MISS_NO_ENTRY);
		return false;
	}
	if (hit.only != 0 && is_plain(question, &table->only[hit.only])) {
		decided(question, &table->only[hit.only], kind, hit.node, verdict);
		return true;
	}
	return walk(question, &table->nodes, hit.node, kind, verdict);
}

/* The compiler thinks it too long for that; called, it takes a sixth more of the whole look-up. */
__attribute__((always_inline))
static inline bool walk_address(const struct question *question, const struct address *address, struct verdict *verdict)
{
	const struct prefixes *tables = question->category->address;

	return address->family == IPV4
	    ? walk_hit(question, TABLE_ADDRESS4, lines_lookup4(&tables[0], address->bytes), verdict)
	    : walk_hit(question, TABLE_ADDRESS6, lines_lookup6(&tables[1], address->bytes), verdict);
}

static bool walk_name(const struct question *question, const char *name, struct verdict *verdict)
{
	const struct names *names = &question->category->names;

	return walk(question, &names->nodes, names_lookup(names, name, strlen(name)), TABLE_NAMES, verdict);
}

static void bypass(struct verdict *verdict, enum evidence evidence)
{
	verdict->kind = VERDICT_BYPASS;
	verdict->evidence = evidence;
	verdict->miss = MISS_NONE;
}

static void miss(struct verdict *verdict, enum miss miss_)
{
	verdict->kind = VERDICT_NORMAL;
	verdict->service = NULL;
	verdict->stale = false;
	verdict->also_count = 0;
	verdict->miss = miss_;
}

static void weigh_confirmation(enum confirmation confirmation, struct verdict *verdict)
{
	switch (confirmation) {
	case CONFIRM_UNASKED: verdict->kind = VERDICT_UNDECIDED; break;
	case CONFIRM_YES: bypass(verdict, EVIDENCE_NAME); break;
	case CONFIRM_NO: miss(verdict, MISS_NAME_REFUTED); break;
	case CONFIRM_FAILED: miss(verdict, MISS_NAME_UNANSWERED); break;
	case CONFIRM_REFUSED: miss(verdict, MISS_NAME_UNASKED); break;
	}
}

/* What a claimed name counts. name matched, and the address did not. */
static void weigh_claim(const struct question *question, const struct facts *facts, bool dst_known, struct verdict *verdict)
{
	switch (question->policy->names) {
	case NAMES_TRUST:
		bypass(verdict, EVIDENCE_NAME);
		break;
	case NAMES_VERIFY:
		weigh_confirmation(dst_known ? facts->sni_confirmed : CONFIRM_FAILED, verdict);
		break;
	case NAMES_IGNORE:
		miss(verdict, MISS_NAME_IGNORED);
		break;
	}
}

static void decide_intercepted(struct question *question, const struct facts *facts, struct verdict *verdict)
{
	struct address dst;
	char name[NAME_SIZE];
	struct refusal why;
	bool known;

	if (!read_address(facts->dst, &dst, &known, "dst", verdict) ||
	    !read_port(facts->dport, &question->port, "dport", verdict)) {
		return;
	}
	if (known && walk_address(question, &dst, verdict)) {
		bypass(verdict, EVIDENCE_ADDRESS);
		return;
	}
	/* What a client claims may be anything; what is no name can't be one of ours. */
	if (!is_missing(facts->sni) && name_parse(facts->sni, name, &why) && walk_name(question, name, verdict)) {
		weigh_claim(question, facts, known, verdict);
		return;
	}
	note_miss(verdict, MISS_NO_ENTRY);
}

static void decide_explicit(struct question *question, const struct facts *facts, struct verdict *verdict)
{
	struct address address;
	char name[NAME_SIZE];
	struct refusal why, why_not;

	if (!read_port(facts->port, &question->port, "port", verdict)) {
		return;
	}
	if (is_missing(facts->host)) {
		note_miss(verdict, MISS_NO_ENTRY);
	} else if (address_parse(facts->host, &address, &why)) {
		if (walk_address(question, &address, verdict)) {
			bypass(verdict, EVIDENCE_ADDRESS);
		}
	} else if (!name_parse(facts->host, name, &why_not)) {
		bool address_like = memchr(facts->host.at, ':', facts->host.length) != NULL;

		unreadable(verdict, "host", address_like ? why.reason : why_not.reason);
	} else if (walk_name(question, name, verdict)) {
		bypass(verdict, EVIDENCE_NAME);
	}
}

static bool any_service_on(const struct question *question)
{
	for (size_t i = 0; i < question->services; i++) {
		const struct service *service = &question->category->service[question->service[i]];

		if (service->addresses + service->names > 0) {
			return true;
		}
	}
	return false;
}

/* Answers what can be answered from the client alone. Returns true if that was all. */
static bool decide_client(struct question *question, const struct address *client, bool known, struct verdict *verdict)
{
	if (!known || is_unspecified(client)) {
		miss(verdict, MISS_CLIENT_UNKNOWN);
		return true;
	}
	int index = client->family == IPV4 ? 0 : 1;
	uint32_t node = find_client(question, &question->category->client[index], client);
	if (node == NODE_NONE && question->sets == 0) {
		miss(verdict, MISS_CLIENT);
		return true;
	}
	if (node != NODE_NONE && question->services == 0) {
		verdict->table = index == 0 ? TABLE_CLIENT4 : TABLE_CLIENT6;
		verdict->node = node;
		bypass(verdict, EVIDENCE_CLIENT);
		return true;
	}
	return false;
}

void decide(const struct category *category, const struct policy *policy, const struct facts *facts,
    const struct text *arguments, size_t argument_count, struct verdict *verdict)
{
	struct question question;
	struct address client = {IPV4, {0}};
	bool client_known;

	question_begin(&question, category, policy);
	verdict_begin(verdict, category);
	if (!read_arguments(&question, arguments, argument_count, verdict) ||
	    !read_address(facts->client, &client, &client_known, "client", verdict)) {
		return;
	}
	if (question.client_asked && decide_client(&question, &client, client_known, verdict)) {
		return;
	}
	if (policy->mode == MODE_INTERCEPT) {
		decide_intercepted(&question, facts, verdict);
	} else {
		decide_explicit(&question, facts, verdict);
	}
	if (verdict->kind == VERDICT_NORMAL && verdict->miss == MISS_NO_ENTRY) {
		bool empty = category->names.nodes.count + category->address[0].nodes.count + category->address[1].nodes.count == 0;

		if (empty) {
			verdict->miss = MISS_NOTHING_LOADED;
		} else if (question.services > 0 && !any_service_on(&question)) {
			verdict->miss = MISS_SERVICE_OFF;
		}
	}
}
