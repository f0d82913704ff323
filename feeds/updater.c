/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files have feeds, and whether what would be installed for them had any effect. */
#include <config.h>

#include "feeds/update.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where in the folders the path lies; folders: in none. */
static size_t folder_of(const struct updater *updater, const char *path)
{
	size_t length = (size_t)(strrchr(path, '/') - path), i = updater->folders;

	while (i-- > 0) {
		if (strlen(updater->folder[i]) == length && memcmp(updater->folder[i], path, length) == 0) {
			return i;
		}
	}
	return updater->folders;
}

static bool find_shipped(struct updater *updater, struct job *job)
{
	for (size_t i = 0; i < updater->folders && updater->folder[i] != updater->target && job->shipped == NULL; i++) {
		job->shipped = path_join(updater->folder[i], job->base);
		if (job->shipped == NULL) {
			return false;
		}
		if (access(job->shipped, R_OK) != 0) {
			free(job->shipped);
			job->shipped = NULL;
		}
	}
	return true;
}

static void free_job(struct job *job)
{
	edit_close(&job->edit);
	free(job->path);
	free(job->base);
	free(job->text);
	free(job->shipped);
}

/* Fills in what is to be known of a file with feeds. Returns false if memory has run out. */
static bool fill_job(struct updater *updater, struct job *job, struct problems *problems, bool *good)
{
	struct problems own = {NULL, 0, 0, 0};
	struct category *category = category_read(job->path, job->text, job->length, &own);
	struct service_view view;
	size_t place = folder_of(updater, job->path), target = 0;
	bool fine = category != NULL;

	*good = fine && own.count == 0;
	for (size_t i = 0; fine && i < own.count; i++) {
		const struct problem *problem = &own.list[i];

		fine = problem_add(problems, problem->file, problem->line, problem->column, problem->reason);
	}
	if (*good) {
		category_service(category, 0, &view);
		(void)snprintf(job->service, sizeof job->service, "%s", view.name);
	}
	while (updater->folder[target] != updater->target) {
		target++;
	}
	for (size_t i = 0; i < job->edit.feeds; i++) {
		job->bundle = job->bundle || text_is(job->edit.feed[i].parsed.format, "bundle");
	}
	if (!job->bundle && place > target) {
		job->hidden = "this file hides what update would install: move it to where update installs, or take its feed line out";
	}
	problems_free(&own);
	category_free(category);
	return fine && find_shipped(updater, job);
}

/* Adds the file if it has feeds. Returns false if memory has run out. */
static bool look_at(struct updater *updater, const char *path, struct problems *problems)
{
	struct job job = {.path = strdup(path), .base = strdup(strrchr(path, '/') + 1)};
	const char *reason;
	struct refusal why;
	bool fine = job.path != NULL && job.base != NULL, good = false;

	job.text = file_read(path, &job.length, &reason);
	if (job.text == NULL) {
		fine = fine && reason != NULL && problem_add(problems, path, 0, 0, reason);
	} else if (!edit_open(&job.edit, (struct text){job.text, job.length}, &why)) {
		fine = fine && problem_add(problems, path, (uint32_t)why.offset, 0, why.reason);
	} else if (job.edit.feeds > 0) {
		fine = fine && fill_job(updater, &job, problems, &good);
	}
	if (fine && good) {
		fine = grow(&updater->job, &updater->room, updater->jobs, sizeof *updater->job);
		if (fine) {
			updater->job[updater->jobs++] = job;
			return true;
		}
	}
	free_job(&job);
	return fine;
}

/* Bundles first; and what is in one isn't fetched by itself. */
static void sort_jobs(struct updater *updater)
{
	size_t bundles = 0;

	for (size_t i = 0; i < updater->jobs; i++) {
		if (updater->job[i].bundle) {
			struct job job = updater->job[i];

			memmove(&updater->job[bundles + 1], &updater->job[bundles], (i - bundles) * sizeof job);
			updater->job[bundles++] = job;
		}
	}
	for (size_t b = 0; b < bundles; b++) {
		const json_t *files =
		    json_object_get(state_at(&updater->state, "bundles", updater->job[b].service), "files");

		for (size_t i = bundles; i < updater->jobs; i++) {
			for (size_t f = 0; f < json_array_size(files); f++) {
				updater->job[i].bundled = updater->job[i].bundled ||
				    strcmp(json_string_value(json_array_get(files, f)), updater->job[i].base) == 0;
			}
		}
	}
}

static bool set_folders(struct updater *updater)
{
	const struct update_options *options = updater->options;

	updater->target = path_join(options->state, "services");
	updater->folder = reallocarray(NULL, options->folder_count + 1, sizeof *updater->folder);
	if (updater->target == NULL || updater->folder == NULL) {
		return false;
	}
	bool found = false;
	for (size_t i = 0; i < options->folder_count; i++) {
		bool same = !found && strcmp(options->folders[i], updater->target) == 0;

		updater->folder[updater->folders++] = same ? updater->target : options->folders[i];
		found = found || same;
	}
	if (!found) {
		updater->folder[updater->folders++] = updater->target;
	}
	return true;
}

struct updater *updater_open(const struct update_options *options, struct problems *problems, struct refusal *why)
{
	struct updater *updater = calloc(1, sizeof *updater);
	struct paths paths = {NULL, 0, 0};

	if (updater == NULL) {
		(void)refuse(why, 0, "out of memory");
		return NULL;
	}
	updater->options = options;
	updater->now = time(NULL);
	if (!state_open(&updater->state, options->state, !options->dry_run, why)) {
		updater_close(updater);
		return NULL;
	}
	updater->fetcher = fetcher_open(&options->fetch);
	bool fine = updater->fetcher != NULL && set_folders(updater) &&
	    category_paths(updater->folder, updater->folders, &paths, problems);
	for (size_t i = 0; fine && i < paths.count; i++) {
		fine = strcmp(strrchr(paths.path[i], '/'), "/clients") == 0 || look_at(updater, paths.path[i], problems);
	}
	paths_free(&paths);
	if (!fine) {
		(void)refuse(why, 0, "out of memory, or libcurl can't be used");
		updater_close(updater);
		return NULL;
	}
	sort_jobs(updater);
	return updater;
}

void updater_close(struct updater *updater)
{
	if (updater == NULL) {
		return;
	}
	for (size_t i = 0; i < updater->jobs; i++) {
		free_job(&updater->job[i]);
	}
	free(updater->job);
	free(updater->folder);
	free(updater->target);
	fetcher_close(updater->fetcher);
	state_close(&updater->state);
	free(updater);
}

size_t updater_count(const struct updater *updater)
{
	return updater->jobs;
}

const char *updater_service(const struct updater *updater, size_t index)
{
	return updater->job[index].service;
}

const char *updater_file(const struct updater *updater, size_t index)
{
	return updater->job[index].path;
}

bool updater_bundled(const struct updater *updater, size_t index)
{
	return updater->job[index].bundled;
}
