/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl explain: what is decided about a request, each fact with what it was compared with, and Squid's answer. */
#include <config.h>

#include "ctl/ctl.h"
#include "helper/helper.h"

#include <getopt.h>
#include <jansson.h>
#include <string.h>

static const char help[] =
    "Usage: meetingctl explain [OPTION]... [ARGUMENT]...\n"
    "Says what is decided about a request, and the way to it. The facts are those that Squid's access.log shows.\n"
    "\n"
    "  --client ADDRESS            the client\n"
    "  --dst ADDRESS[:PORT]        where an intercepted client connects to; IPv6 with a port as [ADDRESS]:PORT\n"
    "  --host NAME[:PORT]          what an explicit client asks Squid for; a name or an address\n"
    "  --sni NAME                  the name that an intercepted client claims in TLS\n"
    "  --mode=intercept|explicit   how the client reaches Squid (explicit if there is a --host and no --dst)\n"
    "  --names=trust|ignore, --stale=accept|refuse, --shadow, --config=DIR   as ext_meeting_acl has them\n"
    "  --json                      the same for scripts\n"
    "\n"
    "ARGUMENTs are those of the acl line: names of services, `client`, or none for any service.\n"
    "Exit status: 0 exempt, 1 not exempt, 2 wrong usage.\n"
    "\n"
    "Example: meetingctl explain --client 192.0.2.7 --dst 216.115.208.10:8200 gotomeeting\n";

enum { SHOWN = 20, LINE_ROOM = LINE_SIZE };

struct request {
	struct common common;
	struct options options;
	const char *client, *sni;
	struct text dst, dport, host, port;
	struct text *argument;
	size_t arguments;
};

/* ---- The question as a line of the helper ---- */

static size_t put_word(char *line, size_t at, struct text word)
{
	static const char hex[] = "0123456789ABCDEF";

	if (word.at == NULL || word.length == 0) {
		word = text_of("-");
	}
	for (size_t i = 0; i < word.length && at + 5 < LINE_ROOM; i++) {
		unsigned char c = (unsigned char)word.at[i];

		if (c > 0x20 && c < 0x7f && c != '%') {
			line[at++] = (char)c;
		} else {
			line[at++] = '%';
			line[at++] = hex[c >> 4];
			line[at++] = hex[c & 15];
		}
	}
	line[at++] = ' ';
	return at;
}

/* The very answer that Squid gets, without the line end. */
static void ask_protocol(const struct request *request, const struct category *category, char reply[REPLY_SIZE])
{
	static const enum field all[] = {FIELD_CLIENT, FIELD_DST, FIELD_DPORT, FIELD_HOST, FIELD_PORT, FIELD_SNI};
	const struct text words[] = {text_of(request->client), request->dst, request->dport, request->host, request->port,
		text_of(request->sni)};
	static char line[LINE_ROOM];
	struct options options = request->options;
	char complaint[256];
	size_t at = 0;

	options.fields = sizeof all / sizeof all[0];
	memcpy(options.field, all, sizeof all);
	for (size_t i = 0; i < options.fields; i++) {
		at = put_word(line, at, words[i]);
	}
	for (size_t i = 0; i < request->arguments; i++) {
		at = put_word(line, at, request->argument[i]);
	}
	size_t length = protocol_answer(&options, category, line, at, reply, complaint);
	reply[length - 1] = '\0';
}

/* ---- The entries that hold a fact ---- */

struct view {
	const struct request *request;
	uint16_t port;
	json_t *json; /* NULL: as text */
	unsigned count;
};

static const char *port_word(const struct view *view, const struct entry *entry)
{
	if (entry->ports == NULL) {
		return "";
	}
	if (ports_allow(entry->ports, TCP, view->port)) {
		return "allows the port";
	}
	return view->port == 0 ? "but not without a port" : "but NOT ON THIS PORT";
}

static void join_services(const struct entry *entry, char *out, size_t size)
{
	int at = snprintf(out, size, "%s", entry->services == NULL ? "everywhere" : "towards");

	for (size_t i = 0; entry->services != NULL && entry->services[i] != NULL && at > 0 && (size_t)at < size; i++) {
		int more = snprintf(out + at, size - (size_t)at, " %s", entry->services[i]);

		at = more < 0 ? -1 : at + more;
	}
}

static bool show_entry(void *context, const struct entry *entry)
{
	struct view *view = context;
	char detail[512];

	if (view->count++ == SHOWN) {
		return false;
	}
	if (entry->kind == ENTRY_CLIENT) {
		join_services(entry, detail, sizeof detail);
	} else {
		ports_format(entry->ports, detail, sizeof detail);
	}
	if (view->json != NULL) {
		(void)json_array_append_new(view->json, json_pack("{s:s, s:s?, s:s, s:s, s:s, s:s, s:s, s:i}",
		    "rule", entry->rule, "service", entry->service, entry->kind == ENTRY_CLIENT ? "exempt" : "ports", detail,
		    "source", entry->source, "date", entry->date, "expires", entry->expires, "file", entry->file, "line",
		    (int)entry->line));
		return true;
	}
	printf("            in %s%s%s of %s (%s) %s\n", colour(BOLD), entry->rule, colour(PLAIN),
	    entry->service == NULL ? "the exempt clients" : entry->service, detail, port_word(view, entry));
	printf("               %s%s:%u, from %s%s%s%s%s%s\n", colour(DIM), entry->file, entry->line, entry->source,
	    entry->date[0] == '\0' ? "" : " of ", entry->date, entry->expires[0] == '\0' ? "" : ", expires on ", entry->expires,
	    colour(PLAIN));
	return true;
}

/* Shows one fact and what holds it. Returns the entries as JSON, or NULL as text. */
static json_t *show_fact(const struct request *request, const struct category *category, const char *what,
    struct text value, uint16_t port, const char *remark)
{
	struct view view = {request, port, request->common.json ? json_array() : NULL, 0};
	struct address address;
	struct refusal why;
	char name[NAME_SIZE];
	bool client = strcmp(what, "client") == 0;

	if (view.json == NULL) {
		printf("  %-8s  %.*s", what, (int)value.length, value.at);
		if (port != 0) {
			printf(", port %u", port);
		}
		putchar('\n');
	}
	if (address_parse(value, &address, &why)) {
		(client ? category_entries_of_client : category_entries_of_address)(category, &address, show_entry, &view);
	} else if (!client && name_parse(value, name, &why)) {
		category_entries_of_name(category, name, show_entry, &view);
	}
	if (view.json == NULL && view.count == 0) {
		printf("            in no %s\n", client ? "line of any `clients` file" : "entry of any service");
	} else if (view.json == NULL && view.count > SHOWN) {
		puts("            and in more");
	}
	if (view.json == NULL && remark != NULL) {
		printf("            %s\n", remark);
	}
	return view.json;
}

/* ---- The verdict in words ---- */

static void say_miss(const struct verdict *verdict)
{
	static const char *const words[] = {
		[MISS_NONE] = "",
		[MISS_NO_ENTRY] = "no entry holds where the client wants to go.",
		[MISS_OTHER_PORT] = "an entry holds where the client wants to go, but not on this port.",
		[MISS_OTHER_SERVICE] = "an entry holds where the client wants to go, but of a service that wasn't asked about.",
		[MISS_STALE] = "the entry is past its expiry, and --stale=refuse is set.",
		[MISS_NAME_IGNORED] = "only the name matches, and an intercepted client can claim any name (--names=ignore).",
		[MISS_NAME_REFUTED] = "only the name matches, and DNS says that the address isn't that name's.",
		[MISS_NAME_UNANSWERED] = "only the name matches, and DNS gave no answer to confirm it.",
		[MISS_CLIENT_UNKNOWN] = "the client isn't known (Squid says `-` or `::` for it, as in ssl_bump at step 1).",
		[MISS_CLIENT] = "no line of `clients` holds the client.",
		[MISS_SERVICE_OFF] = "the services asked about have no entries: switched off, or their files refused.",
		[MISS_NOTHING_LOADED] = "no service has any entry; look at `meetingctl check` and at --config.",
	};

	printf("%sNOT EXEMPT%s: %s\n", colour(RED), colour(PLAIN),
	    verdict->kind == VERDICT_UNREADABLE ? verdict->message : words[verdict->miss]);
}

static void say_verdict(const struct verdict *verdict)
{
	char rule[RULE_SIZE], source[SOURCE_SIZE], also[SOURCE_SIZE];

	if (verdict->kind != VERDICT_BYPASS) {
		say_miss(verdict);
		return;
	}
	verdict_rule(verdict, rule);
	verdict_source(verdict, source, sizeof source);
	printf("%sEXEMPT%s: the %s is in %s", colour(GREEN), colour(PLAIN), evidence_name(verdict->evidence), rule);
	if (verdict->service != NULL) {
		printf(" of %s", verdict->service);
	}
	if (verdict_also(verdict, also, sizeof also) > 0) {
		printf(" (and of %s)", also);
	}
	printf(".\n  from %s%s\n", source, verdict->stale ? "; EXPIRED, but --stale=accept" : "");
}

static uint16_t port_number(struct text text)
{
	uint32_t port = 0;

	for (size_t i = 0; i < text.length && i < 6; i++) {
		port = text.at[i] >= '0' && text.at[i] <= '9' ? port * 10 + (uint32_t)(text.at[i] - '0') : 65536;
	}
	return port > 65535 ? 0 : (uint16_t)port;
}

static const char *sni_remark(const struct request *request)
{
	if (request->options.policy.mode == MODE_EXPLICIT) {
		return "not looked at: to an explicit client the host is what Squid connects to";
	}
	return request->options.policy.names == NAMES_TRUST ? "a client's claim, and it counts (--names=trust)"
	                                                    : "only a client's claim, and it doesn't count (--names=ignore)";
}

static json_t *show_facts(const struct request *request, const struct category *category)
{
	bool intercept = request->options.policy.mode == MODE_INTERCEPT;
	json_t *facts = request->common.json ? json_object() : NULL;
	const struct {
		const char *what;
		struct text value, port;
		const char *remark;
	} rows[] = {
		{"client", text_of(request->client), {NULL, 0}, NULL},
		{"dst", request->dst, request->dport, intercept ? NULL : "not looked at: to an explicit client it is the proxy"},
		{"host", request->host, request->port, intercept ? "not looked at: an intercepted client can claim any host" : NULL},
		{"sni", text_of(request->sni), intercept ? request->dport : request->port, sni_remark(request)},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].value.at != NULL) {
			json_t *entries =
			    show_fact(request, category, rows[i].what, rows[i].value, port_number(rows[i].port), rows[i].remark);

			if (facts != NULL) {
				(void)json_object_set_new(facts, rows[i].what, json_pack("{s:s%, s:o}", "value", rows[i].value.at,
				    rows[i].value.length, "entries", entries));
			}
		}
	}
	return facts;
}

static int explain(struct request *request, const struct category *category)
{
	struct facts facts = {.client = text_of(request->client), .dst = request->dst, .dport = request->dport,
		.host = request->host, .port = request->port, .sni = text_of(request->sni)};
	char reply[REPLY_SIZE], rule[RULE_SIZE], source[SOURCE_SIZE];
	struct verdict verdict;

	request->options.policy.today = date_today();
	decide(category, &request->options.policy, &facts, request->argument, request->arguments, &verdict);
	ask_protocol(request, category, reply);
	bool exempt = verdict.kind == VERDICT_BYPASS;
	if (!request->common.json) {
		printf("%s client; asked about %s", request->options.policy.mode == MODE_INTERCEPT ? "Intercepted" : "Explicit",
		    request->arguments == 0 ? "any service" : "");
		for (size_t i = 0; i < request->arguments; i++) {
			printf("%s%.*s", i == 0 ? "" : ", ", (int)request->argument[i].length, request->argument[i].at);
		}
		putchar('\n');
		(void)show_facts(request, category);
		say_verdict(&verdict);
		printf("Squid gets: %s\n", reply);
		return exempt ? EXIT_YES : EXIT_NO;
	}
	verdict_rule(&verdict, rule);
	verdict_source(&verdict, source, sizeof source);
	const char *reason = verdict.kind == VERDICT_UNREADABLE ? verdict.message : miss_name(verdict.miss);
	json_t *json = json_pack("{s:b, s:s?, s:s?, s:s?, s:s?, s:b, s:s?, s:s, s:o}", "exempt", (int)exempt, "service",
	    verdict.service, "rule", exempt ? rule : NULL, "evidence", evidence_name(verdict.evidence), "source",
	    exempt ? source : NULL, "stale", (int)verdict.stale, "reason", reason, "reply", reply, "facts",
	    show_facts(request, category));
	(void)json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
	return exempt ? EXIT_YES : EXIT_NO;
}

/* ---- The command line ---- */

/* Splits "ADDRESS:PORT", "[ADDRESS]:PORT" or "NAME:PORT"; several colons without brackets are an IPv6 address. */
static void split_port(const char *value, struct text *host, struct text *port)
{
	const char *colon = strrchr(value, ':');

	*host = text_of(value);
	*port = text_of(NULL);
	if (colon != NULL && (strchr(value, ':') == colon || (value[0] == '[' && colon[-1] == ']'))) {
		host->length = (size_t)(colon - value);
		*port = text_of(colon + 1);
	}
}

static bool read_option(struct request *request, int option, char *value, bool *mode_given)
{
	struct options *options = &request->options;

	switch (option) {
	case 'a': request->client = value; return true;
	case 'd': split_port(value, &request->dst, &request->dport); return true;
	case 'o': split_port(value, &request->host, &request->port); return true;
	case 'i': request->sni = value; return true;
	case 'j': request->common.json = true; return true;
	case 'S': options->shadow = true; return true;
	case 'c': return common_folder(&request->common, value);
	case 'm':
		*mode_given = true;
		options->policy.mode = strcmp(value, "explicit") == 0 ? MODE_EXPLICIT : MODE_INTERCEPT;
		return options->policy.mode == MODE_EXPLICIT || strcmp(value, "intercept") == 0;
	case 'n':
		options->policy.names = strcmp(value, "trust") == 0 ? NAMES_TRUST : NAMES_IGNORE;
		return options->policy.names == NAMES_TRUST || strcmp(value, "ignore") == 0;
	case 's':
		options->policy.refuse_stale = strcmp(value, "refuse") == 0;
		return options->policy.refuse_stale || strcmp(value, "accept") == 0;
	default: return false;
	}
}

int command_explain(int argc, char **argv)
{
	static const struct option known[] = {
		{"client", required_argument, NULL, 'a'}, {"dst", required_argument, NULL, 'd'},
		{"host", required_argument, NULL, 'o'}, {"sni", required_argument, NULL, 'i'},
		{"mode", required_argument, NULL, 'm'}, {"names", required_argument, NULL, 'n'},
		{"stale", required_argument, NULL, 's'}, {"shadow", no_argument, NULL, 'S'},
		{"config", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	static struct text arguments[128];
	struct request request = {.argument = arguments, .options = {.policy = {.names = NAMES_IGNORE}}};
	bool mode_given = false;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return EXIT_YES;
		}
		if (option == '?' || option == ':') {
			return usage("explain", option == ':' ? "a value is missing: " : "unknown option ", argv[optind - 1]);
		}
		if (!read_option(&request, option, optarg, &mode_given)) {
			return usage("explain", "not a value of that option: ", optarg == NULL ? "" : optarg);
		}
	}
	for (; optind < argc && request.arguments < sizeof arguments / sizeof arguments[0]; optind++) {
		arguments[request.arguments++] = text_of(argv[optind]);
	}
	if (request.client == NULL && request.dst.at == NULL && request.host.at == NULL && request.sni == NULL) {
		return usage("explain", "no fact is given: --client, --dst, --host or --sni", "");
	}
	if (!mode_given && request.dst.at == NULL && request.host.at != NULL) {
		request.options.policy.mode = MODE_EXPLICIT;
	}
	common_defaults(&request.common);
	struct category *category = load(&request.common);
	if (category == NULL) {
		return EXIT_NO;
	}
	int status = explain(&request, category);
	category_free(category);
	return status;
}
