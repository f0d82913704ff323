/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A c-icap module that does nothing but append a constant line of the journal's length to the file BENCH_JOURNAL, with one
 * write(2) before its 204, each thread through a descriptor of its own: no module that keeps such a journal takes less. */
#include <config.h>

#include "icap/c_icap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char line[284];

static int init(ci_service_xdata_t *data, struct ci_server_conf *server)
{
	(void)server;
	memset(line, ' ', sizeof line);
	line[sizeof line - 1] = '\n';
	ci_service_set_preview(data, 0);
	ci_service_enable_204(data);
	return CI_OK;
}

static void *init_request(ci_request_t *request)
{
	(void)request;
	return line;
}

static void release_request(void *data)
{
	(void)data;
}

static int check_preview(char *preview, int length, ci_request_t *request)
{
	static __thread int fd = -1;

	(void)preview;
	(void)length;
	(void)request;
	if (fd < 0) {
		fd = open(getenv("BENCH_JOURNAL"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	}
	return write(fd, line, sizeof line) == (ssize_t)sizeof line ? CI_MOD_ALLOW204 : CI_ERROR;
}

SERVICE_STORAGE ci_service_module_t service = {
	.mod_name = "bound",
	.mod_short_descr = "One write a request",
	.mod_type = ICAP_REQMOD,
	.mod_init_service = init,
	.mod_init_request_data = init_request,
	.mod_release_request_data = release_request,
	.mod_check_preview_handler = check_preview,
};
SERVICE_DECLARE(service)
