/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From folders to a category: which files count, which of them are good, and what is kept of those that no longer are. */
#include <config.h>

#include "category/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_LENGTH = 256 * 1024 * 1024, PATH_LENGTH = 4096 };

const char *const category_folders[CATEGORY_FOLDERS] = {SERVICES_DIR, STATE_DIR "/services", CONFIG_DIR};

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static bool is_clients(const char *base)
{
	return strcmp(base, "clients") == 0;
}

bool is_category_file(const char *base)
{
	size_t length = strlen(base), suffix = strlen(".service");

	return is_clients(base) || (base[0] != '.' && length > suffix && strcmp(base + length - suffix, ".service") == 0);
}

/* Puts the path in, in place of one of the same base. */
static bool put_path(struct paths *paths, const char *folder, const char *base)
{
	size_t size = strlen(folder) + strlen(base) + 2;
	char *path = malloc(size);

	if (path == NULL) {
		return false;
	}
	append_format(path, size, 0, "%s/%s", folder, base);
	for (size_t i = 0; i < paths->count; i++) {
		if (strcmp(base_of(paths->path[i]), base) == 0) {
			free(paths->path[i]);
			paths->path[i] = path;
			return true;
		}
	}
	if (!grow(&paths->path, &paths->room, paths->count, sizeof *paths->path)) {
		free(path);
		return false;
	}
	paths->path[paths->count++] = path;
	return true;
}

/* A folder that can't be read keeps the files that it had. */
static bool keep_folder(struct paths *paths, const char *folder, const struct category *previous)
{
	size_t length = strlen(folder);

	for (size_t i = 0; previous != NULL && i < previous->files; i++) {
		const char *path = previous->file[i].path;

		if (strncmp(path, folder, length) == 0 && path[length] == '/' && path + length + 1 == previous->file[i].base &&
		    !put_path(paths, folder, previous->file[i].base)) {
			return false;
		}
	}
	return true;
}

/* A single file may stand where a folder may. */
static bool put_file(struct paths *paths, const char *path, struct problems *problems)
{
	const char *base = base_of(path);
	char folder[PATH_LENGTH] = ".";

	if (!is_category_file(base)) {
		return problem_add(problems, path, 0, 0, "named neither *.service nor clients");
	}
	if (base > path) {
		append_format(folder, sizeof folder, 0, "%.*s", (int)(base - path - 1), path);
	}
	return put_path(paths, folder, base);
}

/* Returns false if memory has run out. */
static bool list_folder(struct paths *paths, const char *folder, const struct category *previous,
    struct problems *problems)
{
	DIR *dir = opendir(folder);
	bool fine = true;

	if (dir == NULL && errno == ENOTDIR) {
		return put_file(paths, folder, problems);
	}
	if (dir == NULL) {
		return errno == ENOENT || (problem_add(problems, folder, 0, 0, strerror(errno)) &&
		    keep_folder(paths, folder, previous));
	}
	for (struct dirent *entry; fine && (entry = readdir(dir)) != NULL;) {
		fine = !is_category_file(entry->d_name) || put_path(paths, folder, entry->d_name);
	}
	closedir(dir);
	return fine;
}

static int path_compare(const void *left, const void *right)
{
	return strcmp(base_of(*(char *const *)left), base_of(*(char *const *)right));
}

char *file_read(const char *path, size_t *length, const char **why)
{
	struct stat status;
	char *content = NULL;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */

	*why = NULL;
	*length = 0;
	if (file < 0 || fstat(file, &status) != 0) {
		*why = strerror(errno);
	} else if (!S_ISREG(status.st_mode)) {
		*why = "not a regular file";
	} else if (status.st_size > FILE_LENGTH) {
		*why = "larger than 256 MiB";
	} else {
		size_t size = (size_t)status.st_size + 1;

		content = malloc(size);
		while (content != NULL && *length < size) {
			ssize_t got = read(file, content + *length, size - *length);

			if (got == 0) {
				break;
			}
			if (got < 0 && errno == EINTR) {
				continue;
			}
			if (got < 0 || *length + (size_t)got == size) {
				*why = got < 0 ? strerror(errno) : "it grows while it is read";
				free(content);
				content = NULL;
				break;
			}
			*length += (size_t)got;
		}
	}
	if (file >= 0) {
		close(file);
	}
	return content;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++) {
		hash = (hash ^ at[i]) * 0x100000001b3u; /* FNV-1a */
	}
	return hash;
}

/* Takes back what a refused file has added; its service stays known. */
static void roll_back(struct builder *builder, const struct builder *mark)
{
	for (size_t i = mark->blocks; i < builder->blocks; i++) {
		free(builder->block[i].source);
	}
	for (size_t i = mark->client_sets; i < builder->client_sets; i++) {
		free(builder->client_set[i].service);
		free(builder->client_set[i].names);
	}
	builder->blocks = mark->blocks;
	builder->client_sets = mark->client_sets;
	builder->port_sets = mark->port_sets;
	for (int i = 0; i < 2; i++) {
		builder->address[i].count = mark->address[i].count;
		builder->client[i].count = mark->client[i].count;
	}
	builder->names = mark->names;
	builder->arena_length = mark->arena_length;
}

/* Says of the services of a refused file what has become of them. */
static void mark_services(struct builder *builder, uint16_t file, bool kept, size_t services_before)
{
	const char *base = builder->file[file].base;
	char name[SERVICE_NAME_SIZE];
	struct refusal why;

	for (size_t i = 0; i < builder->services; i++) {
		struct service *service = &builder->service[i];

		if (service->file == file && (kept || i >= services_before)) {
			service->state = kept ? SERVICE_KEPT : SERVICE_REFUSED;
		}
	}
	/* The file's name is the best word for a service whose file can't be read at all. */
	if (!is_clients(base) && !kept && builder->services == services_before) {
		struct text stem = {base, strlen(base) - strlen(".service")};

		if (service_name_parse(stem, name, &why)) {
			int service = builder_service(builder, name, file);

			if (service >= 0 && (size_t)service >= services_before) {
				builder->service[service].state = SERVICE_REFUSED;
			}
		}
	}
}

/* Adds a file whose content has been read; NULL: it couldn't be, and that has been told. */
static bool add_file(struct builder *builder, const char *path, const char *content, size_t length,
    const struct category *previous)
{
	int number = builder_file(builder, path);
	size_t services = builder->services;
	bool good = false, kept;

	if (number < 0) {
		return !builder->out_of_memory && problem_add(builder->problems, path, 0, 0, "more than 65,535 files");
	}
	uint16_t file = (uint16_t)number;
	struct builder mark = *builder;
	if (content != NULL) {
		good = is_clients(builder->file[file].base) ? clients_file_parse(builder, file, content, length)
		                                            : service_file_parse(builder, file, content, length);
		builder->file[file].hash = hash_bytes(0xcbf29ce484222325u, content, length) | 1;
	}
	if (good || builder->out_of_memory) {
		return good;
	}
	roll_back(builder, &mark);
	builder->file[file].hash = 0;
	builder->file[file].refused = true;
	if (!keep_file(builder, previous, file, &kept)) {
		return false;
	}
	mark_services(builder, file, kept, services);
	return true;
}

static bool load_file(struct builder *builder, const char *path, const struct category *previous)
{
	size_t length;
	const char *why;
	char *content = file_read(path, &length, &why);
	bool fine = (content != NULL || (why != NULL && problem_add(builder->problems, path, 0, 0, why))) &&
	    add_file(builder, path, content, length, previous);

	free(content);
	return fine;
}

/* ---- From what was gathered to the category ---- */

static int service_compare(const void *left, const void *right, void *services)
{
	const struct service *service = services;

	return strcmp(service[*(const uint16_t *)left].name, service[*(const uint16_t *)right].name);
}

/* Puts the services into the order of the alphabet; the blocks follow. Fills rank: the service of each block. */
static bool sort_services(struct builder *builder, uint16_t *rank)
{
	uint16_t *order = calloc(builder->services + 1, sizeof *order);
	uint16_t *place = calloc(builder->services + 1, sizeof *place);
	struct service *sorted = calloc(builder->services + 1, sizeof *sorted);
	bool fine = order != NULL && place != NULL && sorted != NULL;

	for (size_t i = 0; fine && i < builder->services; i++) {
		order[i] = (uint16_t)i;
	}
	if (fine) {
		qsort_r(order, builder->services, sizeof *order, service_compare, builder->service);
		for (size_t i = 0; i < builder->services; i++) {
			sorted[i] = builder->service[order[i]];
			place[order[i]] = (uint16_t)i;
		}
		for (size_t i = 0; i < builder->blocks; i++) {
			struct block *block = &builder->block[i];

			block->service = block->service == UINT16_MAX ? UINT16_MAX : place[block->service];
			rank[i] = block->service;
		}
		free(builder->service);
		builder->service = sorted;
		sorted = NULL;
	}
	free(order);
	free(place);
	free(sorted);
	return fine;
}

/* Counts each node once for each service that grants it. */
static void count_entries(struct category *category, const struct nodes *nodes, bool names)
{
	for (uint32_t number = NODE_FIRST; number < nodes->end; number = node_next(nodes, number)) {
		const struct node *node = node_at(nodes, number);
		uint16_t last = UINT16_MAX;

		for (uint32_t i = 0; i < node->grants; i++) {
			struct block *block = &category->block[node_grants(nodes, node)[i].block];
			struct service *service = &category->service[block->service];

			*(names ? &block->names : &block->addresses) += 1;
			if (block->service != last) {
				*(names ? &service->names : &service->addresses) += 1;
			}
			last = block->service;
		}
	}
}

static bool build(struct category *category, struct builder *builder)
{
	uint16_t *rank = calloc(builder->blocks + 1, sizeof *rank);
	bool fine = rank != NULL && sort_services(builder, rank) &&
	    names_build(&category->names, builder->arena, builder->name, builder->names, rank);

	for (int i = 0; fine && i < 2; i++) {
		enum family family = i == 0 ? IPV4 : IPV6;

		fine = prefixes_build(&category->address[i], family, builder->address[i].list, builder->address[i].count, rank) &&
		    prefixes_build(&category->client[i], family, builder->client[i].list, builder->client[i].count, rank);
	}
	free(rank);
	if (!fine) {
		return false;
	}
	category->service = builder->service;
	category->services = (uint16_t)builder->services;
	category->block = builder->block;
	category->blocks = (uint16_t)builder->blocks;
	category->file = builder->file;
	category->files = (uint16_t)builder->files;
	category->ports = builder->ports;
	category->port_sets = (uint16_t)builder->port_sets;
	category->client_set = builder->client_set;
	category->client_sets = (uint16_t)builder->client_sets;
	builder->service = NULL;
	builder->block = NULL;
	builder->file = NULL;
	builder->ports = NULL;
	builder->client_set = NULL;
	builder->services = builder->blocks = builder->files = builder->client_sets = 0;
	count_entries(category, &category->address[0].nodes, false);
	count_entries(category, &category->address[1].nodes, false);
	count_entries(category, &category->names.nodes, true);
	for (uint16_t i = 0; i < category->files; i++) {
		category->refused_files += category->file[i].refused;
	}
	return true;
}

void paths_free(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++) {
		free(paths->path[i]);
	}
	free(paths->path);
	memset(paths, 0, sizeof *paths);
}

static bool list_folders(const char *const *folders, size_t count, struct paths *paths, const struct category *previous,
    struct problems *problems)
{
	for (size_t i = 0; i < count; i++) {
		if (!(strlen(folders[i]) < PATH_LENGTH ? list_folder(paths, folders[i], previous, problems)
		                                       : problem_add(problems, folders[i], 0, 0, "too long for a folder's name"))) {
			return false;
		}
	}
	if (paths->count > 0) {
		qsort(paths->path, paths->count, sizeof *paths->path, path_compare);
	}
	return true;
}

bool category_paths(const char *const *folders, size_t count, struct paths *paths, struct problems *problems)
{
	memset(paths, 0, sizeof *paths);
	return list_folders(folders, count, paths, NULL, problems);
}

/* Makes the category of what the builder has gathered, which it frees; category is empty until then. */
static struct category *finish(struct category *category, struct builder *builder, bool fine)
{
	fine = fine && build(category, builder);
	builder_free(builder);
	if (!fine) {
		category_free(category);
		return NULL;
	}
	return category;
}

struct category *category_load(const char *const *folders, size_t count, const struct category *previous,
    struct problems *problems)
{
	struct builder builder = {.problems = problems};
	struct client_set everywhere = {0, NULL, NULL};
	struct paths paths = {NULL, 0, 0};
	struct category *category = calloc(1, sizeof *category);
	bool fine = category != NULL && builder_client_set(&builder, &everywhere) == 0;

	if (fine) {
		category->signature = folders_signature(folders, count);
		fine = list_folders(folders, count, &paths, previous, problems);
	}
	for (size_t i = 0; fine && i < paths.count; i++) {
		fine = load_file(&builder, paths.path[i], previous);
	}
	paths_free(&paths);
	return finish(category, &builder, fine);
}

struct category *category_read(const char *path, const char *content, size_t length, struct problems *problems)
{
	struct builder builder = {.problems = problems};
	struct client_set everywhere = {0, NULL, NULL};
	struct category *category = calloc(1, sizeof *category);
	bool fine = category != NULL && builder_client_set(&builder, &everywhere) == 0;

	return finish(category, &builder, fine && add_file(&builder, path, content, length, NULL));
}

uint64_t folders_signature(const char *const *folders, size_t count)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < count; i++) {
		struct paths paths = {NULL, 0, 0};
		struct problems problems = {NULL, 0, 0, 0};
		bool listed = strlen(folders[i]) < PATH_LENGTH && list_folder(&paths, folders[i], NULL, &problems);

		if (listed && paths.count > 0) {
			qsort(paths.path, paths.count, sizeof *paths.path, path_compare);
		}
		for (size_t p = 0; p < paths.count; p++) {
			struct stat status;

			hash = hash_bytes(hash, paths.path[p], strlen(paths.path[p]) + 1);
			if (stat(paths.path[p], &status) == 0) {
				hash = hash_bytes(hash, &status.st_ino, sizeof status.st_ino);
				hash = hash_bytes(hash, &status.st_size, sizeof status.st_size);
				hash = hash_bytes(hash, &status.st_mtim, sizeof status.st_mtim);
			}
		}
		paths_free(&paths);
		problems_free(&problems);
	}
	return hash;
}

uint64_t category_version(const struct category *category)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (uint16_t i = 0; i < category->files; i++) {
		hash = hash_bytes(hash, category->file[i].base, strlen(category->file[i].base) + 1);
		for (int shift = 0; shift < 64; shift += 8) {
			unsigned char byte = (unsigned char)(category->file[i].hash >> shift);

			hash = hash_bytes(hash, &byte, 1);
		}
	}
	return hash;
}
