/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of ext_meeting_acl. */
#include <config.h>

#include "helper/helper.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char *const field_names[] = {"client", "dst", "dport", "host", "port", "sni", "method", "-"};

void options_help(FILE *to)
{
	fputs(
	    "Usage: ext_meeting_acl [OPTION]...\n"
	    "Answers Squid's external_acl questions: does a request belong to a meeting service?\n"
	    "\n"
	    "  --mode=intercept|explicit   how clients reach Squid (intercept)\n"
	    "  --fields=LIST               what FORMAT carries, in order, of: client dst dport host port sni method -\n"
	    "                              (intercept: client,dst,dport,host,sni for %>a %>la %>lp %>rd %#ssl::>sni;\n"
	    "                              explicit: client,host,port for %>a %#>rd %>rP)\n"
	    "  --names=verify|trust|ignore whether an intercepted client's SNI counts: if DNS confirms it, always, never (verify)\n"
	    "  --resolver=ADDRESS[:PORT]   the DNS server to confirm names by (the system's)\n"
	    "  --dns-timeout=SECONDS       how long a question may wait for DNS (2)\n"
	    "  --stale=accept|refuse       whether entries past their expiry count (accept)\n"
	    "  --shadow                    always answer ERR, and say what would have been exempt\n"
	    "  --config=DIR                a folder of service files; may be given several times, later ones win\n"
	    "  -d, --debug                 write every question and answer to stderr\n"
	    "  --help                      show this\n"
	    "  --version                   show the version\n"
	    "\n"
	    "Example, in squid.conf:\n"
	    "  external_acl_type meeting ttl=60 negative_ttl=60 concurrency=64 \\\n"
	    "      %>a %>la %>lp %>rd %#ssl::>sni /usr/lib/squid/ext_meeting_acl\n"
	    "  acl meeting external meeting gotomeeting\n"
	    "\n"
	    "Try it: echo '192.0.2.1 216.115.208.10 443 - -' | ext_meeting_acl\n",
	    to);
}

static void set_wrong(struct options *options, const char *what, const char *value)
{
	if (options->wrong[0] == '\0') {
		(void)snprintf(options->wrong, sizeof options->wrong, "%s%s", what, value);
	}
}

static void read_fields(struct options *options, const char *list)
{
	const char *at = list;

	options->fields = 0;
	for (;;) {
		size_t length = strcspn(at, ","), field = 0;

		while (field <= FIELD_SKIPPED &&
		    (strlen(field_names[field]) != length || memcmp(field_names[field], at, length) != 0)) {
			field++;
		}
		if (field > FIELD_SKIPPED) {
			set_wrong(options, "--fields takes client, dst, dport, host, port, sni, method and -, not ", at);
			return;
		}
		if (options->fields == FIELDS) {
			set_wrong(options, "--fields takes at most 16 fields", "");
			return;
		}
		for (size_t i = 0; i < options->fields; i++) {
			if (field != FIELD_SKIPPED && options->field[i] == (enum field)field) {
				set_wrong(options, "--fields names a field twice: ", at);
				return;
			}
		}
		options->field[options->fields++] = (enum field)field;
		if (at[length] == '\0') {
			return;
		}
		at += length + 1;
	}
}

/* The index of value in words (ended by NULL), or -1. */
static int choose(struct options *options, const char *option, const char *value, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(value, words[i]) == 0) {
			return i;
		}
	}
	set_wrong(options, option, value);
	return -1;
}

/* Seconds, with up to three decimals: "2", "0.5". */
static void read_timeout(struct options *options, const char *value)
{
	char *end;
	double seconds;

	if (value[0] < '0' || value[0] > '9' || (seconds = strtod(value, &end), *end != '\0') || seconds < 0.05 ||
	    seconds > 30) {
		set_wrong(options, "--dns-timeout takes 0.05 to 30 seconds, not ", value);
		return;
	}
	options->dns_timeout_ms = (unsigned)(seconds * 1000);
}

void options_take(struct options *options, int option, const char *value)
{
	static const char *const modes[] = {"intercept", "explicit", NULL};
	static const char *const names[] = {"verify", "trust", "ignore", NULL};
	static const char *const stale[] = {"accept", "refuse", NULL};
	int choice;

	switch (option) {
	case 'm':
		choice = choose(options, "--mode is intercept or explicit, not ", value, modes);
		options->policy.mode = choice == 1 ? MODE_EXPLICIT : MODE_INTERCEPT;
		break;
	case 'f':
		read_fields(options, value);
		break;
	case 'n':
		choice = choose(options, "--names is verify, trust or ignore, not ", value, names);
		options->policy.names = choice == 0 ? NAMES_VERIFY : choice == 1 ? NAMES_TRUST : NAMES_IGNORE;
		break;
	case 'r': options->resolver = value; break;
	case 't': read_timeout(options, value); break;
	case 's':
		choice = choose(options, "--stale is accept or refuse, not ", value, stale);
		options->policy.refuse_stale = choice != 0;
		break;
	case 'S': options->shadow = true; break;
	case 'd': options->debug = true; break;
	case 'h': options->help = true; break;
	case 'v': options->version = true; break;
	case 'c':
		if (options->folders == FOLDERS) {
			set_wrong(options, "more than 32 --config folders", "");
		} else if (value[0] == '\0') {
			set_wrong(options, "--config takes a folder", "");
		} else {
			options->folder[options->folders++] = value;
		}
		break;
	default: break;
	}
}

const struct option options_known[] = {
	{"mode", required_argument, NULL, 'm'}, {"fields", required_argument, NULL, 'f'},
	{"names", required_argument, NULL, 'n'}, {"stale", required_argument, NULL, 's'}, {"shadow", no_argument, NULL, 'S'},
	{"resolver", required_argument, NULL, 'r'}, {"dns-timeout", required_argument, NULL, 't'},
	{"config", required_argument, NULL, 'c'}, {"debug", no_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'v'}, {NULL, 0, NULL, 0}};

void options_begin(struct options *options)
{
	memset(options, 0, sizeof *options);
	options->policy.names = NAMES_VERIFY;
	options->dns_timeout_ms = 2000;
}

void options_end(struct options *options)
{
	static const enum field intercept[] = {FIELD_CLIENT, FIELD_DST, FIELD_DPORT, FIELD_HOST, FIELD_SNI};
	static const enum field explicit[] = {FIELD_CLIENT, FIELD_HOST, FIELD_PORT};

	if (options->fields == 0 && options->wrong[0] == '\0') {
		bool intercepted = options->policy.mode == MODE_INTERCEPT;

		options->fields = intercepted ? sizeof intercept / sizeof intercept[0] : sizeof explicit / sizeof explicit[0];
		memcpy(options->field, intercepted ? intercept : explicit, options->fields * sizeof options->field[0]);
	}
	if (options->folders == 0) {
		options->folders = CATEGORY_FOLDERS;
		memcpy(options->folder, category_folders, sizeof category_folders);
	}
}

void options_read(struct options *options, int argc, char **argv)
{
	int option;

	options_begin(options);
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":d", options_known, NULL)) != -1) {
		if (option == '?') {
			set_wrong(options, "unknown option ", argv[optind - 1]);
		} else if (option == ':') {
			set_wrong(options, "a value is missing: ", argv[optind - 1]);
		} else {
			options_take(options, option, optarg);
		}
	}
	if (optind < argc) {
		set_wrong(options, "not an option: ", argv[optind]);
	}
	options_end(options);
}
