/* SPDX-License-Identifier: GPL-2.0-or-later */
/* srv_meeting: the c-icap service that keeps a record of every transaction and changes none.
 *
 * c-icap calls init, then applies the directives, drops its privileges, calls post_init, and forks its processes,
 * each of which runs start_process and serves requests in several threads. So post_init, still in the parent, loads
 * the category once for all processes, and registers the counters. Each process then opens the journal for itself, and
 * watches the category by itself. */
#include <config.h>

#include "category/category.h"
#include "icap/answer.h"
#include "icap/attributes.h"
#include "icap/background.h"
#include "icap/c_icap.h"
#include "icap/formats.h"
#include "icap/headers.h"
#include "icap/page.h"
#include "icap/settings.h"
#include "icap/statistics.h"
#include "icap/transaction.h"
#include "records/records.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_COMMAND "meeting-start"
#define TICK_COMMAND "meeting-tick"

enum {
	START_MS = 10 * 1000,
	ECHO_BUFFER = 32 * 1024,
	PROBLEMS_TOLD = 100,
	SQUID_CONNECTIONS = 50 /* max-conn of icap.conf */
};

/* All that the module keeps. Only journal and counted change once requests are served. */
static struct {
	char proxy[256];
	struct category *category; /* of the parent; a process's own is in live */
	struct live *live;         /* of the process; NULL in the parent, or if memory has run out */
	ci_service_xdata_t *data;
	struct statistics statistics;
	struct shared *shared;         /* of all processes; NULL if memory has run out */
	struct background *background; /* of the process; NULL where no store is filled */
	bool in_child;
	bool attributes; /* the access log may ask for them */
	struct journal *journal;
	pthread_mutex_t counted_lock;
	struct journal_counts counted; /* what c-icap's statistics already have */
} meeting = { .counted_lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- Start and end ---- */

static int init(ci_service_xdata_t *data, struct ci_server_conf *server)
{
	(void)server;
	ci_service_set_preview(data, 0);
	ci_service_set_transfer_preview(data, "*");
	ci_service_enable_204(data);
	ci_service_set_xopts(data, CI_XCLIENTIP | CI_XAUTHENTICATEDUSER);
	return CI_OK;
}

static void tell_problems(const struct problems *problems)
{
	char text[1024];
	size_t told = problems->count < PROBLEMS_TOLD ? problems->count : PROBLEMS_TOLD;

	for (size_t i = 0; i < told; i++) {
		(void)problem_format(&problems->list[i], text, sizeof text);
		ci_debug_printf(1, "meeting: %s\n", text);
	}
	if (told < problems->count + problems->omitted) {
		ci_debug_printf(1, "meeting: and %zu more; `meetingctl check` tells them all\n",
		    problems->count + problems->omitted - told);
	}
}

static const char *const *folders(size_t *count)
{
	const struct settings *settings = settings_get();

	*count = settings->folders > 0 ? settings->folders : CATEGORY_FOLDERS;
	return settings->folders > 0 ? (const char *const *)settings->folder : category_folders;
}

static void load_category(void)
{
	struct problems problems = { .list = NULL };
	struct category_counts counts;
	size_t count;
	const char *const *list = folders(&count);

	meeting.category = category_load(list, count, NULL, &problems);
	tell_problems(&problems);
	problems_free(&problems);
	if (meeting.category == NULL) {
		ci_debug_printf(1, "meeting: out of memory; nothing is loaded, and nothing is a member\n");
		return;
	}
	category_count(meeting.category, &counts);
	ci_debug_printf(1, "meeting: version %s, %zu services, %zu addresses, %zu names, %zu clients; "
	    "files refused: %zu\n", PACKAGE_VERSION, counts.services, counts.addresses, counts.names, counts.clients,
	    counts.refused_files);
}

/* The ISTag changes with the category, so that clients of ICAP know. */
static void set_istag(const struct category *category)
{
	char tag[CI_SERVICE_ISTAG_SIZE + 1];

	if (category != NULL && meeting.shared != NULL)
		shared_note_category(meeting.shared, category_version(category), clock_now());
	snprintf(tag, sizeof tag, "%016" PRIx64, category != NULL ? category_version(category) : 0);
	ci_service_set_istag(meeting.data, tag);
}

/* What the thread that watches the folders has to tell; live_tell. */
static void tell_live(void *context, enum live_event event, const struct category *category,
    const struct problems *problems)
{
	struct category_counts counts;

	(void)context;
	if (event != LIVE_LOADED)
		return; /* what has expired stands in cache.log, and in `meetingctl list` */
	set_istag(category);
	category_count(category, &counts);
	tell_problems(problems);
	ci_debug_printf(1, "meeting: reloaded, %zu services, %zu addresses, %zu names, %zu clients; files refused: %zu\n",
	    counts.services, counts.addresses, counts.names, counts.clients, counts.refused_files);
}

/* From here on the process keeps its category up to date by itself: a thread doesn't live through a fork. */
static void watch_category(void)
{
	size_t count;
	const char *const *list = folders(&count);

	if (meeting.category == NULL)
		return;
	meeting.live = live_open(meeting.category, list, count, tell_live, NULL);
	meeting.category = NULL;
	if (meeting.live == NULL)
		ci_debug_printf(1, "meeting: out of memory; nothing is loaded, and nothing is a member\n");
}

static void tell_journal_news(struct journal *journal)
{
	char news[512];

	if (journal_news(journal, news, sizeof news) > 0) {
		ci_debug_printf(1, "meeting: %s\n", news);
	}
}

static void count_journal(void)
{
	struct journal_counts now;

	pthread_mutex_lock(&meeting.counted_lock);
	journal_count(meeting.journal, &now);
	statistics_count_journal(&meeting.statistics, &meeting.counted, &now);
	meeting.counted = now;
	pthread_mutex_unlock(&meeting.counted_lock);
}

/* Once a second in each process: no record waits for the next request to come. */
static void tick(const char *name, int type, void *data)
{
	(void)type;
	(void)data;
	if (meeting.journal == NULL)
		return;
	journal_flush(meeting.journal);
	count_journal();
	tell_journal_news(meeting.journal);
	ci_command_schedule(name, NULL, 1);
}

/* What a page is made from. The category has to be let go of. */
static struct page_sources take_sources(void)
{
	const struct settings *settings = settings_get();
	struct page_sources sources = { .store = settings->store, .journals = (const char *const *)settings->journal,
		.journal_count = settings->journals, .chart = settings->chart, .statistics = &meeting.statistics,
		.shared = meeting.shared, .limits = &page_limits, .now = clock_now() };

	sources.folders = folders(&sources.folder_count);
	sources.category = meeting.live != NULL ? live_take(meeting.live) : NULL;
	return sources;
}

static void let_go(const struct page_sources *sources)
{
	if (sources->category != NULL)
		live_release(meeting.live, sources->category);
}

static void renew_page(void)
{
	struct page_sources sources = take_sources();

	page_renew(&sources);
	let_go(&sources);
}

static void tell_background(const char *text)
{
	ci_debug_printf(1, "meeting: %s\n", text);
}

/* The journals are read into the store by a thread of one of the processes: each stands ready. */
static void start_background(void)
{
	const struct settings *settings = settings_get();
	const struct background_options options = { .store = settings->store,
		.journals = (const char *const *)settings->journal, .journal_count = settings->journals,
		.keep = settings->keep, .shared = meeting.shared, .tell = tell_background, .rest = renew_page };

	if (settings->store == NULL)
		return;
	meeting.background = background_start(&options);
	if (meeting.background == NULL)
		ci_debug_printf(1, "meeting: out of memory; this process fills no store\n");
}

static void start_process(const char *name, int type, void *data)
{
	(void)name;
	(void)type;
	(void)data;
	meeting.in_child = true;
	watch_category();
	start_background();
	/* A journal at its limit of size is an error like others, not the end of the process. */
	signal(SIGXFSZ, SIG_IGN);
	meeting.journal = journal_open(settings_get()->journal[0], NULL);
	if (meeting.journal == NULL) {
		ci_debug_printf(1, "meeting: out of memory; no record is kept\n");
		return;
	}
	ci_command_schedule(TICK_COMMAND, NULL, 1);
}

static int post_init(ci_service_xdata_t *data, struct ci_server_conf *server)
{
	meeting.data = data;
	if (!settings_complete(settings_get()))
		return CI_ERROR;
	if (server->THREADS_PER_CHILD <= SQUID_CONNECTIONS)
		ci_debug_printf(1, "meeting: ThreadsPerChild is %d: requests can hang if Squid keeps as many connections, and "
		    "icap.conf says max-conn=%d; see c-icap-meeting.conf\n", server->THREADS_PER_CHILD, SQUID_CONNECTIONS);
	meeting.shared = shared_new();
	/* Who starts has other things to do. */
	if (meeting.shared != NULL)
		shared_rest(meeting.shared, clock_monotonic() + START_MS);
	if (gethostname(meeting.proxy, sizeof meeting.proxy) != 0)
		meeting.proxy[0] = '\0';
	meeting.proxy[sizeof meeting.proxy - 1] = '\0';
	meeting.attributes = formats_have_attributes(server->cfg_file);
	load_category();
	statistics_register(&meeting.statistics, meeting.category);
	set_istag(meeting.category);
	ci_command_register_action(START_COMMAND, CI_CMD_CHILD_START, NULL, start_process);
	ci_command_register_action(TICK_COMMAND, CI_CMD_ONDEMAND, NULL, tick);
	return CI_OK;
}

/* At the end of a process, and in the parent at its end and before it reads its configuration again. */
static void close_service(void)
{
	struct journal *journal = meeting.journal;

	if (journal != NULL) {
		uint64_t lost;

		meeting.journal = NULL;
		lost = journal_close(journal);
		if (lost > 0) {
			ci_debug_printf(1, "meeting: the process ends, and %s still can't be written; "
			    "records lost: %" PRIu64 "\n", settings_get()->journal[0], lost);
		}
	}
	background_stop(meeting.background);
	meeting.background = NULL;
	/* c-icap doesn't wait forever for the threads of a process that ends: leave them what they read. */
	if (meeting.in_child)
		return;
	statistics_free(&meeting.statistics);
	category_free(meeting.category);
	meeting.category = NULL;
	shared_free(meeting.shared);
	meeting.shared = NULL;
	settings_free(settings_get());
}

/* ---- Requests ---- */

/* Where transactions are judged and written down, one at a time. Not on the stacks of c-icap's threads: there are hundreds, and
 * what is used there for the first time since the thread's last request isn't in the cache. */
struct desk {
	_Alignas(64) pthread_mutex_t lock;
	struct transaction transaction;
	char line[RECORD_SIZE];
};

/* The desk of this processor, or the next one that is free; locked. */
static struct desk *take_desk(void)
{
	enum { DESKS = 8 };
	static struct desk desks[DESKS] = { [0 ... DESKS - 1] = { .lock = PTHREAD_MUTEX_INITIALIZER } };
	unsigned first = (unsigned)sched_getcpu();

	for (unsigned i = 0; i < DESKS; i++)
		if (pthread_mutex_trylock(&desks[(first + i) % DESKS].lock) == 0)
			return &desks[(first + i) % DESKS];
	pthread_mutex_lock(&desks[first % DESKS].lock);
	return &desks[first % DESKS];
}

static void keep_record(ci_request_t *request, const struct transaction_headers *headers)
{
	struct desk *desk = take_desk();
	struct transaction *transaction = &desk->transaction;
	const struct record *record = &transaction->record;
	const struct category *category = NULL;

	if (transaction_read(headers, text_of(meeting.proxy), clock_now(), transaction)) {
		category = meeting.live != NULL ? live_take(meeting.live) : NULL;
		transaction_ask(category, transaction);
	}
	if (meeting.journal == NULL) {
		statistics_add(&meeting.statistics, COUNT_LOST, 1);
	} else if (journal_write(meeting.journal, desk->line, record_format(record, desk->line)) != JOURNAL_WRITTEN) {
		count_journal();
		tell_journal_news(meeting.journal);
	}
	statistics_count(&meeting.statistics, record);
	if (meeting.attributes)
		attributes_set(request, record);
	if (category != NULL)
		live_release(meeting.live, category); /* the record points into it until here */
	pthread_mutex_unlock(&desk->lock);
}

/* What is kept of a request whose body must be echoed, or that the module answers by itself. */
struct pending {
	ci_ring_buf_t *echo;
	bool ended;
	bool answered;
	struct answer answer;
	size_t given; /* bytes of its body */
};

/* Most requests need none of it: it is NULL then. */
static struct pending *make_pending(ci_request_t *request)
{
	request->service_data = calloc(1, sizeof(struct pending));
	return request->service_data;
}

static void release_request(void *data)
{
	struct pending *pending = data;

	if (pending->echo != NULL)
		ci_ring_buf_destroy(pending->echo);
	free(pending->answer.made);
	free(pending);
}

/* Answers a request for the report. It never goes on: without memory it is an error. */
static int answer_report(ci_request_t *request, const struct transaction_headers *headers)
{
	struct pending *pending = make_pending(request);
	struct page_sources sources;
	bool head;

	if (pending == NULL)
		return CI_ERROR;
	sources = take_sources();
	head = answer_make(request, headers, settings_get(), &sources, &pending->answer);
	let_go(&sources);
	pending->answered = true;
	statistics_add(&meeting.statistics, pending->answer.status == 200 ? COUNT_REPORTS : COUNT_REPORTS_REFUSED, 1);
	if (meeting.attributes)
		attribute_set(request, "meeting:verdict", text_of("report"));
	if (!answer_begin(request, &pending->answer, head))
		return CI_ERROR;
	ci_req_unlock_data(request);
	return CI_MOD_CONTINUE;
}

/* c-icap calls it exactly once for a REQMOD, with a preview or without one, before it answers anything. */
static int check_preview(char *preview, int length, ci_request_t *request)
{
	struct transaction_headers headers;
	struct pending *pending;

	(void)preview;
	(void)length;
	headers_collect(request, &headers);
	if (answer_is_wanted(&headers, settings_get()->host))
		return answer_report(request, &headers);
	keep_record(request, &headers);
	if (ci_req_preview_size(request) >= 0 || ci_req_allow204(request) || !ci_req_hasbody(request))
		return CI_MOD_ALLOW204;
	/* No preview and no `Allow: 204`: the client takes nothing but the whole request back. */
	pending = make_pending(request);
	if (pending == NULL || (pending->echo = ci_ring_buf_new(ECHO_BUFFER)) == NULL)
		return CI_MOD_ALLOW204;
	ci_req_unlock_data(request);
	return CI_MOD_CONTINUE;
}

static int end_of_data(ci_request_t *request)
{
	struct pending *pending = ci_service_data(request);

	if (pending != NULL)
		pending->ended = true;
	return CI_MOD_DONE;
}

/* What the client sent to the report is dropped. */
static int give_answer(struct pending *pending, char *out, int *out_length)
{
	size_t left = pending->answer.length - pending->given, room;

	if (out == NULL || out_length == NULL)
		return CI_OK;
	room = *out_length > 0 ? (size_t)*out_length : 0;
	if (room > left)
		room = left;
	if (room > 0)
		memcpy(out, pending->answer.body + pending->given, room);
	pending->given += room;
	*out_length = left == 0 ? CI_EOF : (int)room;
	return CI_OK;
}

static int give_body(char *out, int *out_length, char *in, int *in_length, int at_end, ci_request_t *request)
{
	struct pending *pending = ci_service_data(request);

	(void)at_end;
	if (pending != NULL && pending->answered)
		return give_answer(pending, out, out_length);
	if (pending == NULL || pending->echo == NULL)
		return CI_ERROR;
	if (in != NULL && in_length != NULL) {
		*in_length = ci_ring_buf_write(pending->echo, in, C_ICAP_SIZE(*in_length));
		if (*in_length < 0)
			return CI_ERROR;
	}
	if (out != NULL && out_length != NULL) {
		*out_length = ci_ring_buf_read(pending->echo, out, C_ICAP_SIZE(*out_length));
		if (*out_length == 0 && pending->ended)
			*out_length = CI_EOF;
	}
	return CI_OK;
}

SERVICE_STORAGE ci_service_module_t service = {
	.mod_name = "meeting",
	.mod_short_descr = "squid-meeting " PACKAGE_VERSION,
	.mod_type = ICAP_REQMOD,
	.mod_init_service = init,
	.mod_post_init_service = post_init,
	.mod_close_service = close_service,
	.mod_release_request_data = release_request,
	.mod_check_preview_handler = check_preview,
	.mod_end_of_data_handler = end_of_data,
	.mod_service_io = give_body,
	.mod_conf_table = settings_directives,
};
SERVICE_DECLARE(service)
/* c-icap unloads others before a process is gone, while a thread that builds a category or fills the store may be running. */
CI_MOD_DISABLE_FORCE_UNLOAD();
