/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets share. */
#ifndef SQUID_MEETING_FUZZ_TARGET_H
#define SQUID_MEETING_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Runs one input; aborts if what was promised of it doesn't hold. libFuzzer calls it, and so does replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what didn't hold, and aborts; assert() may be compiled out. */
#define MUST(condition) \
	do { \
		if (!(condition)) { \
			must_fail(#condition, __FILE__, __LINE__); \
		} \
	} while (0)

_Noreturn void must_fail(const char *condition, const char *file, int line);

/* ---- A folder with one changing file, for loading ---- */

/* A new folder in memory, if there is such a place; the caller frees it with scratch_free. */
char *scratch_folder(void);
void scratch_put(const char *folder, const char *name, const void *bytes, size_t size);
void scratch_free(char *folder, const char *const *names); /* removes these files, the folder, and the text */

#endif
