/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl explain: what is decided about a request, each fact with what it was compared with, and Squid's answer.
 *
 * The facts become a line of the helper, and go the helper's own way: read, decided, answered. */
#include <config.h>

#include "ctl/ctl.h"
#include "helper/helper.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: meetingctl explain [OPTION]... [ARGUMENT]...\n"
    "Says what is decided about a request, and the way to it. The facts are those that Squid's access.log shows.\n"
    "\n"
    "  --client ADDRESS            the client\n"
    "  --dst ADDRESS[:PORT]        where an intercepted client connects to; IPv6 with a port as [ADDRESS]:PORT\n"
    "  --host NAME[:PORT]          what an explicit client asks Squid for; a name or an address\n"
    "  --sni NAME                  the name that an intercepted client claims in TLS\n"
    "  --helper-line LINE          in place of all these: a line as Squid sends it; `-` reads lines from standard input\n"
    "  --mode=intercept|explicit   how the client reaches Squid (explicit if there is a --host and no --dst)\n"
    "  --json                      the same for scripts, an object a line\n"
    "\n"
    "--names, --resolver, --dns-timeout, --stale, --shadow, --fields and --config are those of ext_meeting_acl.\n"
    "ARGUMENTs are those of the acl line: names of services, `client`, or none for any service.\n"
    "Exit status: 0 exempt, 1 not exempt, 2 wrong usage.\n"
    "\n"
    "Example: meetingctl explain --client 192.0.2.7 --dst 216.115.208.10:8200 gotomeeting\n";

enum { SHOWN = 20, OWN_OPTIONS = 6 };

struct request {
	struct options options;
	bool json;
	const char *client, *sni, *line;
	struct text dst, dport, host, port;
};

/* What was decided about one line. */
struct answer {
	struct question question;
	struct facts facts;
	struct verdict verdict;
	char reply[REPLY_SIZE]; /* without the line end */
};

/* ---- The question as a line of the helper ---- */

static size_t put_word(char *line, size_t at, struct text word)
{
	static const char hex[] = "0123456789ABCDEF";

	if (word.at == NULL || word.length == 0) {
		word = text_of("-");
	}
	for (size_t i = 0; i < word.length && at + 5 < LINE_SIZE; i++) {
		unsigned char c = (unsigned char)word.at[i];

		if (c > 0x20 && c < 0x7f && c != '%') {
			line[at++] = (char)c;
		} else {
			line[at++] = '%';
			line[at++] = hex[c >> 4];
			line[at++] = hex[c & 15];
		}
	}
	if (at < LINE_SIZE) {
		line[at++] = ' ';
	}
	return at;
}

enum { CHANNEL_LENGTH = 2 };

/* With a channel number in front, so that a number as client isn't taken for one. */
static size_t make_line(struct request *request, char **arguments, char line[LINE_SIZE])
{
	static const enum field all[] = {FIELD_CLIENT, FIELD_DST, FIELD_DPORT, FIELD_HOST, FIELD_PORT, FIELD_SNI};
	const struct text words[] = {text_of(request->client), request->dst, request->dport, request->host, request->port,
		text_of(request->sni)};
	size_t at = put_word(line, 0, text_of("0"));

	request->options.fields = sizeof all / sizeof all[0];
	memcpy(request->options.field, all, sizeof all);
	for (size_t i = 0; i < request->options.fields; i++) {
		at = put_word(line, at, words[i]);
	}
	for (; *arguments != NULL; arguments++) {
		at = put_word(line, at, text_of(*arguments));
	}
	return at;
}

/* ---- The helper's way ---- */

static void note_confirmation(void *context, void *ticket, enum confirmation confirmation)
{
	(void)context;
	*(enum confirmation *)ticket = confirmation;
}

/* Asks DNS, and waits for it. */
static enum confirmation ask_dns(const struct options *options, const struct question *question)
{
	enum confirmation confirmation = CONFIRM_UNASKED, now;
	struct address dst;
	char why[256], name[NAME_SIZE];
	struct resolver *resolver = resolver_open(options->resolver, options->dns_timeout_ms, note_confirmation, NULL, why);

	if (resolver == NULL) {
		fprintf(stderr, "meetingctl explain: no name can be confirmed by DNS: %s\n", why);
		return CONFIRM_FAILED;
	}
	protocol_claim(options, question, name, &dst);
	now = resolver_ask(resolver, name, &dst, &confirmation);
	if (now != CONFIRM_UNASKED) {
		confirmation = now;
	}
	while (confirmation == CONFIRM_UNASKED) {
		struct pollfd fds[RESOLVER_FDS];
		int timeout;
		size_t count = resolver_wait(resolver, fds, &timeout);

		resolver_work(resolver, fds, poll(fds, count, timeout) < 0 ? 0 : count);
	}
	resolver_close(resolver);
	return confirmation;
}

static void ask(const struct request *request, const struct category *category, char *line, size_t length,
    struct answer *answer)
{
	const struct options *options = &request->options;
	struct lines lines;

	memset(&answer->facts, 0, sizeof answer->facts);
	memset(&answer->verdict, 0, sizeof answer->verdict);
	protocol_begin(&lines, line, length < LINE_SIZE ? length : LINE_SIZE);
	protocol_read(options, &lines, &answer->question);
	if (length > LINE_SIZE) {
		answer->question.wrong = "a line of more than 65536 bytes"; /* as the helper has it */
	}
	if (answer->question.wrong == NULL) {
		protocol_facts(options, &answer->question, &answer->facts);
		protocol_decide(options, category, &answer->question, CONFIRM_UNASKED, &answer->verdict);
		if (answer->verdict.kind == VERDICT_UNDECIDED) {
			protocol_decide(options, category, &answer->question, ask_dns(options, &answer->question), &answer->verdict);
		}
	}
	answer->reply[protocol_reply(options, &answer->question, &answer->verdict, answer->reply) - 1] = '\0';
}

/* ---- The entries that hold a fact ---- */

struct view {
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
		return ", which allows the port";
	}
	return view->port == 0 ? ", but not without a port" : ", but NOT ON THIS PORT";
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
	printf("            in %s%s%s of %s (%s)%s\n", colour(BOLD), entry->rule, colour(PLAIN),
	    entry->service == NULL ? "the exempt clients" : entry->service, detail, port_word(view, entry));
	printf("               %s%s:%u, from %s%s%s%s%s%s\n", colour(DIM), entry->file, entry->line, entry->source,
	    entry->date[0] == '\0' ? "" : " of ", entry->date, entry->expires[0] == '\0' ? "" : ", expires on ", entry->expires,
	    colour(PLAIN));
	return true;
}

static uint16_t port_number(struct text text)
{
	uint32_t port = 0;

	for (size_t i = 0; i < text.length && i < 6; i++) {
		port = text.at[i] >= '0' && text.at[i] <= '9' ? port * 10 + (uint32_t)(text.at[i] - '0') : 65536;
	}
	return port > 65535 ? 0 : (uint16_t)port;
}

/* Shows one fact and what holds it. */
static void show_fact(const struct category *category, json_t *facts, const char *what, struct text value,
    struct text port, const char *remark)
{
	struct view view = {port_number(port), facts == NULL ? NULL : json_array(), 0};
	struct address address;
	struct refusal why;
	char name[NAME_SIZE];
	bool client = strcmp(what, "client") == 0;

	if (facts == NULL) {
		printf("  %-8s  %.*s", what, (int)value.length, value.at);
		if (view.port != 0) {
			printf(", port %u", view.port);
		}
		putchar('\n');
	}
	if (address_parse(value, &address, &why)) {
		(client ? category_entries_of_client : category_entries_of_address)(category, &address, show_entry, &view);
	} else if (!client && name_parse(value, name, &why)) {
		category_entries_of_name(category, name, show_entry, &view);
	}
	if (facts != NULL) {
		json_t *text = json_stringn(value.at, value.length); /* NULL if it isn't UTF-8 */

		(void)json_object_set_new(facts, what,
		    json_pack("{s:o, s:o}", "value", text == NULL ? json_null() : text, "entries", view.json));
		return;
	}
	if (view.count == 0) {
		printf("            in no %s\n", client ? "line of any `clients` file" : "entry of any service");
	} else if (view.count > SHOWN) {
		puts("            and in more");
	}
	if (remark != NULL) {
		printf("            %s\n", remark);
	}
}

static const char *sni_remark(const struct request *request, const struct verdict *verdict)
{
	if (request->options.policy.mode == MODE_EXPLICIT) {
		return "not looked at: to an explicit client the host is what Squid connects to";
	}
	if (verdict->kind == VERDICT_BYPASS && verdict->evidence != EVIDENCE_NAME) {
		return "not needed";
	}
	switch (request->options.policy.names) {
	case NAMES_TRUST: return "a client's claim, and it counts (--names=trust)";
	case NAMES_IGNORE: return "only a client's claim, and it doesn't count (--names=ignore)";
	case NAMES_VERIFY: break;
	}
	if (verdict->evidence == EVIDENCE_NAME) {
		return "a client's claim, and DNS confirms that the address is one of this name's";
	}
	return "only a client's claim; it counts if an entry allows it and DNS confirms it";
}

static void show_facts(const struct request *request, const struct category *category, const struct answer *answer,
    json_t *json)
{
	bool intercept = request->options.policy.mode == MODE_INTERCEPT;
	const struct facts *facts = &answer->facts;
	const struct {
		const char *what;
		struct text value, port;
		const char *remark;
	} rows[] = {
		{"client", facts->client, {NULL, 0}, NULL},
		{"dst", facts->dst, facts->dport, intercept ? NULL : "not looked at: to an explicit client it is the proxy"},
		{"host", facts->host, facts->port, intercept ? "not looked at: an intercepted client can claim any host" : NULL},
		{"sni", facts->sni, facts->dport, sni_remark(request, &answer->verdict)},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].value.at != NULL && !text_is(rows[i].value, "-")) {
			show_fact(category, json, rows[i].what, rows[i].value, rows[i].port, rows[i].remark);
		}
	}
}

/* ---- The verdict in words ---- */

static const char *miss_sentence(enum miss why)
{
	switch (why) {
	case MISS_NONE: return "";
	case MISS_NO_ENTRY: return "no entry holds where the client wants to go.";
	case MISS_OTHER_PORT: return "an entry holds where the client wants to go, but not on this port.";
	case MISS_OTHER_SERVICE: return "an entry holds where the client wants to go, but of a service that wasn't asked about.";
	case MISS_STALE: return "the entry is past its expiry, and --stale=refuse is set.";
	case MISS_NAME_IGNORED: return "only the name matches, and a client can claim any name (--names=ignore).";
	case MISS_NAME_REFUTED: return "only the name matches, and DNS doesn't list the address under that name.";
	case MISS_NAME_UNANSWERED: return "only the name matches, and DNS gave no answer to confirm it.";
	case MISS_NAME_UNASKED: return "only the name matches, and too much waits for DNS already to confirm it.";
	case MISS_CLIENT_UNKNOWN: return "the client isn't known (Squid says `-` or `::`, as in ssl_bump at step 1).";
	case MISS_CLIENT: return "no line of `clients` holds the client.";
	case MISS_SERVICE_OFF: return "the services asked about have no entries: switched off, or their files refused.";
	case MISS_NOTHING_LOADED: return "no service has any entry; look at `meetingctl check` and at --config.";
	}
	return "";
}

static const char *reason_of(const struct answer *answer)
{
	if (answer->question.wrong != NULL) {
		return answer->question.wrong;
	}
	return answer->verdict.kind == VERDICT_UNREADABLE ? answer->verdict.message : NULL;
}

static void say_verdict(const struct answer *answer)
{
	const struct verdict *verdict = &answer->verdict;
	char rule[RULE_SIZE], source[SOURCE_SIZE], also[SOURCE_SIZE];

	if (reason_of(answer) != NULL || verdict->kind != VERDICT_BYPASS) {
		printf("%sNOT EXEMPT%s: %s\n", colour(RED), colour(PLAIN),
		    reason_of(answer) != NULL ? reason_of(answer) : miss_sentence(verdict->miss));
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

static void say_question(const struct request *request, const struct answer *answer)
{
	struct text arguments[WORDS];
	size_t count = answer->question.wrong != NULL ? 0
	    : protocol_arguments(&request->options, &answer->question, arguments);

	printf("%s client; asked about %s", request->options.policy.mode == MODE_INTERCEPT ? "Intercepted" : "Explicit",
	    count == 0 ? "any service" : "");
	for (size_t i = 0; i < count; i++) {
		printf("%s%.*s", i == 0 ? "" : ", ", (int)arguments[i].length, arguments[i].at);
	}
	putchar('\n');
}

/* A reason may quote any bytes; JSON takes UTF-8 only. */
static void make_plain(const char *text, char *out, size_t size)
{
	size_t at = 0;

	for (; text[at] != '\0' && at + 1 < size; at++) {
		out[at] = (unsigned char)text[at] < 0x20 || (unsigned char)text[at] > 0x7e ? '?' : text[at];
	}
	out[at] = '\0';
}

static bool explain(const struct request *request, const struct category *category, char *line, size_t length)
{
	static struct answer answer;
	char rule[RULE_SIZE], source[SOURCE_SIZE];

	ask(request, category, line, length, &answer);
	bool exempt = answer.question.wrong == NULL && answer.verdict.kind == VERDICT_BYPASS;
	const char *reply = answer.reply + (request->line == NULL ? CHANNEL_LENGTH : 0);
	if (!request->json) {
		say_question(request, &answer);
		show_facts(request, category, &answer, NULL);
		say_verdict(&answer);
		printf("Squid gets: %s\n", reply);
		return exempt;
	}
	json_t *facts = json_object();
	show_facts(request, category, &answer, facts);
	if (exempt) {
		verdict_rule(&answer.verdict, rule);
		verdict_source(&answer.verdict, source, sizeof source);
	}
	const char *reason = miss_name(answer.verdict.miss);
	char plain[sizeof answer.verdict.message];
	if (reason_of(&answer) != NULL) {
		make_plain(reason_of(&answer), plain, sizeof plain);
		reason = plain;
	}
	json_t *json = json_pack("{s:b, s:s?, s:s?, s:s?, s:s?, s:b, s:s?, s:s, s:o}", "exempt", (int)exempt, "service",
	    answer.verdict.service, "rule", exempt ? rule : NULL, "evidence", evidence_name(answer.verdict.evidence), "source",
	    exempt ? source : NULL, "stale", (int)answer.verdict.stale, "reason", reason, "reply", reply, "facts", facts);
	(void)json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
	return exempt;
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

static void take_option(struct request *request, int option, char *value, bool *mode_given)
{
	switch (option) {
	case 'A': request->client = value; break;
	case 'D': split_port(value, &request->dst, &request->dport); break;
	case 'O': split_port(value, &request->host, &request->port); break;
	case 'I': request->sni = value; break;
	case 'L': request->line = value; break;
	case 'J': request->json = true; break;
	default:
		*mode_given = *mode_given || option == 'm';
		options_take(&request->options, option, value);
		break;
	}
}

/* The helper's options, and our own. */
static void join_options(struct option *known)
{
	static const struct option own[OWN_OPTIONS] = {{"client", required_argument, NULL, 'A'},
		{"dst", required_argument, NULL, 'D'}, {"host", required_argument, NULL, 'O'}, {"sni", required_argument, NULL, 'I'},
		{"helper-line", required_argument, NULL, 'L'}, {"json", no_argument, NULL, 'J'}};

	memcpy(known, own, sizeof own);
	for (size_t i = 0;; i++) {
		known[OWN_OPTIONS + i] = options_known[i];
		if (options_known[i].name == NULL) {
			return;
		}
	}
}

static bool explain_lines(const struct request *request, const struct category *category)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	bool exempt = false;

	while ((length = getline(&line, &room, stdin)) > 0) {
		exempt = explain(request, category, line, (size_t)length - (line[length - 1] == '\n'));
	}
	free(line);
	return exempt;
}

int command_explain(int argc, char **argv)
{
	static char line[LINE_SIZE];
	struct request request = {.json = false};
	struct option known[OWN_OPTIONS + 16];
	bool mode_given = false, exempt;
	int option;

	join_options(known);
	options_begin(&request.options);
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		if (option == '?' || option == ':') {
			return usage("explain", option == ':' ? "a value is missing: " : "unknown option ", argv[optind - 1]);
		}
		take_option(&request, option, optarg, &mode_given);
	}
	if (request.options.help) {
		fputs(help, stdout);
		return EXIT_YES;
	}
	bool facts = request.client != NULL || request.dst.at != NULL || request.host.at != NULL || request.sni != NULL;
	if (request.options.wrong[0] != '\0') {
		return usage("explain", request.options.wrong, "");
	}
	if (facts == (request.line != NULL)) {
		return usage("explain", "needs facts (--client, --dst, --host, --sni), or a --helper-line", "");
	}
	if (!mode_given && request.dst.at == NULL && request.host.at != NULL) {
		request.options.policy.mode = MODE_EXPLICIT;
	}
	options_end(&request.options);
	size_t length = request.line == NULL ? make_line(&request, argv + optind, line) : strlen(request.line);
	if (request.line == NULL && length + 5 >= LINE_SIZE) { /* put_word has cut something */
		return usage("explain", "the facts are too long", "");
	}
	request.options.policy.today = date_today();
	struct common common = {.folders = request.options.folders};
	memcpy(common.folder, request.options.folder, sizeof common.folder);
	struct category *category = load(&common);
	if (category == NULL) {
		return EXIT_NO;
	}
	if (request.line != NULL && strcmp(request.line, "-") == 0) {
		exempt = explain_lines(&request, category);
	} else if (request.line != NULL) {
		memcpy(line, request.line, length < sizeof line ? length + 1 : sizeof line);
		exempt = explain(&request, category, line, length);
	} else {
		exempt = explain(&request, category, line, length);
	}
	category_free(category);
	return exempt ? EXIT_YES : EXIT_NO;
}
