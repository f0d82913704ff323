/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of lines that were refused. */
#include <config.h>

#include "category/internal.h"

#include <stdlib.h>
#include <string.h>

enum { PROBLEMS_KEPT = 10000 };

bool problem_add(struct problems *problems, const char *file, uint32_t line, uint32_t column, const char *reason)
{
	struct problem problem = {NULL, line, column, NULL};

	if (problems->count == PROBLEMS_KEPT) {
		problems->omitted++;
		return true;
	}
	if (!grow(&problems->list, &problems->room, problems->count, sizeof *problems->list)) {
		return false;
	}
	problem.file = strdup(file);
	problem.reason = strdup(reason);
	if (problem.file == NULL || problem.reason == NULL) {
		free(problem.file);
		free(problem.reason);
		return false;
	}
	problems->list[problems->count++] = problem;
	return true;
}

void problems_free(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->list[i].file);
		free(problems->list[i].reason);
	}
	free(problems->list);
	memset(problems, 0, sizeof *problems);
}

size_t problem_format(const struct problem *problem, char *out, size_t size)
{
	size_t at = append_format(out, size, 0, "%s:", problem->file);

	if (problem->line > 0) {
		at = append_format(out, size, at, "%u:%u:", problem->line, problem->column);
	}
	return append_format(out, size, at, " %s", problem->reason);
}
