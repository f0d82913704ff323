/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl rollback: the version of a service's file before the last update is put in force again. */
#include <config.h>

#include "ctl/ctl.h"

#include <getopt.h>

static const char help[] =
    "Usage: meetingctl rollback [--state=DIR] SERVICE...\n"
    "Puts the version of the service's file before the last update in force again; again, the one before that; up to five.\n"
    "What was rolled back isn't installed again until the vendor's list changes (update --again takes it).\n"
    "\n"
    "  --state=DIR  where updates are kept (" STATE_DIR ")\n"
    "\n"
    "Example: meetingctl rollback zoom\n";

int command_rollback(int argc, char **argv)
{
	static const struct option known[] = {{"state", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	const char *state = STATE_DIR;
	int option, status = EXIT_YES;
	struct refusal why;
	char when[32];

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		switch (option) {
		case 's': state = optarg; break;
		case 'h': fputs(help, stdout); return EXIT_YES;
		default: return usage(argv[0], option == ':' ? "a value is missing: " : "unknown option ", argv[optind - 1]);
		}
	}
	if (optind == argc) {
		return usage(argv[0], "which service?", "");
	}
	for (; optind < argc; optind++) {
		if (update_rollback(state, argv[optind], when, &why)) {
			printf("%s: in force again is what was replaced on %s\n", argv[optind], when);
		} else {
			fprintf(stderr, "meetingctl rollback: %s: %s\n", argv[optind], why.reason);
			status = EXIT_NO;
		}
	}
	return status;
}
