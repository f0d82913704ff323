/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of tables: a large one in the kernel's large pages, so that a look-up doesn't wait for an address translation. */
#include <config.h>

#include "category/internal.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { LINE = 64, LARGE_PAGE = 2 << 20 };

void *pages_new(size_t size)
{
	void *memory = NULL;

	if (posix_memalign(&memory, size < LARGE_PAGE ? LINE : LARGE_PAGE, size) != 0) {
		return NULL;
	}
	if (size >= LARGE_PAGE) { /* but not the rest behind the last whole one; where the kernel refuses, small ones do */
		(void)madvise(memory, size & ~(size_t)(LARGE_PAGE - 1), MADV_HUGEPAGE);
	}
	return memory;
}
