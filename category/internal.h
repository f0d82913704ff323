/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of category/ share; no other folder includes it. */
#ifndef SQUID_MEETING_CATEGORY_INTERNAL_H
#define SQUID_MEETING_CATEGORY_INTERNAL_H

#include "category/category.h"

#include <endian.h>
#include <string.h>

/* ---- text.c ---- */

/* Writes at out + at, cut at size; returns the new end. */
size_t append_format(char *out, size_t size, size_t at, const char *format, ...) FORMAT_LIKE(4, 5);

/* ---- pages.c ---- */

/* Memory for a table, in whole cache lines; free() takes it back. NULL: memory has run out. */
void *pages_new(size_t size);

/* ---- Tables: nodes that lie within one another, and the grants of each ----
 * A node is one distinct prefix or name. Its parent is the next shorter one that holds it, so the chain from the most
 * specific node upwards is all that holds an address or a name. NODE_NONE ends it. */
enum { NODE_NONE = 0, NODE_FIRST = 1 };

/* All of a node lies together: a decision touches one or two cache lines of it. Its number is its place in words. */
struct node {
	uint32_t parent;
	uint32_t length : 8;  /* of the prefix in bits, or of the name's text */
	uint32_t grants : 24;
	uint32_t key[];       /* the prefix's address, or the name's text with its NUL; then the grants */
};
enum { GRANTS_MOST = (1 << 24) - 1, NODE_WORDS = 2, GRANT_WORDS = 2 };

/* One line of one file that gave the node. */
struct grant {
	uint32_t line;
	uint16_t block;
	uint16_t ports; /* index of the category's ports; of clients: of its client sets */
};

struct nodes {
	uint32_t *word;     /* NULL: none */
	uint32_t end;       /* behind the last node */
	uint32_t key_words; /* of each; 0: what its text takes */
	uint32_t count;
};

static inline struct node *node_at(const struct nodes *nodes, uint32_t number)
{
	return (struct node *)(void *)(nodes->word + number);
}

static inline uint32_t node_key_words(const struct nodes *nodes, const struct node *node)
{
	return nodes->key_words != 0 ? nodes->key_words : (node->length + 4u) / 4;
}

static inline struct grant *node_grants(const struct nodes *nodes, const struct node *node)
{
	return (struct grant *)(void *)(uintptr_t)(node->key + node_key_words(nodes, node));
}

/* The number behind node's: nodes->end behind the last one. */
static inline uint32_t node_next(const struct nodes *nodes, uint32_t number)
{
	const struct node *node = node_at(nodes, number);

	return number + NODE_WORDS + node_key_words(nodes, node) + GRANT_WORDS * node->grants;
}

static inline const char *node_text(const struct node *node)
{
	return (const char *)node->key;
}

/* Room for words of nodes. Then each is put, followed by its grants. nodes_put returns its number. */
bool nodes_begin(struct nodes *nodes, size_t words, uint32_t key_words) MUST_CHECK;
uint32_t nodes_put(struct nodes *nodes, size_t length, const void *key, size_t key_size);
void nodes_grant(struct nodes *nodes, uint32_t number, const struct grant *grant);
size_t nodes_bytes(const struct nodes *nodes);

/* Orders the grants of one node: by service, then block, then line; rank is the service of each block. */
int grant_compare(const struct grant *a, const struct grant *b, const uint16_t *rank);

/* 128 bits in host order; IPv4 in the upper 32. */
struct key {
	uint64_t high, low;
};

static inline struct key key_of_bytes(const uint8_t bytes[16])
{
	struct key key;

	memcpy(&key, bytes, sizeof key);
	return (struct key){be64toh(key.high), be64toh(key.low)};
}

static inline struct key address_key(const struct address *address)
{
	struct key key = key_of_bytes(address->bytes);

	return address->family == IPV4 ? (struct key){key.high & (uint64_t)UINT32_MAX << 32, 0} : key;
}

/* A cache line of ranges, of which each has one most specific node; lines.c says how they are found.
 * A leaf's node[0] holds from where the line begins, node[i + 1] from start[i] on; those left over repeat the last. only is
 * the number of the node's single grant in prefixes.only; 0: it has more, or look there.
 * Above leaves: fence[i] is where the line child + i + 1 begins. */
enum { LEAF4 = 9, INNER4 = 25, LEAF6 = 5, INNER6 = 8 };
union line {
	struct { uint16_t start[LEAF4 - 1]; uint32_t node[LEAF4]; uint8_t only[LEAF4]; } leaf4;
	struct { uint16_t fence[INNER4 - 1]; uint32_t child; } inner4;
	struct { uint64_t start[LEAF6 - 1]; uint32_t node[LEAF6]; uint8_t only[LEAF6]; } leaf6;
	struct { uint64_t fence[INNER6 - 1]; uint32_t child; } inner6;
	struct { uint8_t others[63], children; } any; /* children == 0: it is a leaf */
} __attribute__((aligned(64)));
_Static_assert(sizeof(union line) == 64, "a line is a cache line");

/* The lower halves of what a line has of IPv6. */
struct low {
	uint64_t of[INNER6 - 1];
};

/* A slot cut into steps of equal width, each with a line of its own. */
struct steps {
	uint64_t first;      /* the upper half of an address from which they are counted */
	uint32_t line, last; /* of the first step; the number of the last */
	uint32_t shift;      /* a step's width, in bits */
};

enum { ONLY_MOST = 256 };

/* lines.c says how it works. */
struct prefixes {
	enum family family;
	struct nodes nodes;
	uint64_t *busy;     /* a bit for each slot: not set, no prefix touches it; NULL: no prefixes */
	uint32_t *slot;     /* by the first 16 bits */
	union line *line;   /* [0] is unused */
	struct low *low;    /* of each line; NULL: all are 0 */
	struct steps *steps;
	uint32_t lines, cuts; /* how many of line, and of steps */
	struct grant only[ONLY_MOST]; /* block and ports; line == 0: unused, as [0] is */
};

/* What an address leads to. */
struct hit {
	uint32_t node; /* the most specific that holds it, or NODE_NONE */
	uint32_t only; /* its only grant, in prefixes.only; 0: look at the node */
};

/* Ranges that don't overlap, in rising order: from start[i] on, node[i] is the most specific. */
struct ranges {
	struct key *start;
	uint32_t *node;
	uint32_t count;
};

/* One line for a table, before it is built. */
struct prefix_item {
	struct key key;
	struct grant grant;
	uint8_t length;
};

struct name_item {
	uint32_t text; /* in the arena of the names */
	struct grant grant;
};

struct name_slot {
	uint32_t hash, node; /* node == NODE_NONE: free */
};

/* names.c says how it works. */
struct names {
	struct nodes nodes; /* their texts: "meet.example.com", or ".example.com" for the domain and all below it */
	struct name_slot *slot;
	uint32_t mask;   /* the number of slots, less one */
	uint64_t seed;
	uint64_t lengths[2][4]; /* a bit for each length that a host, and a domain, of the list has */
};

/* ---- The category ---- */

struct service {
	char name[SERVICE_NAME_SIZE];
	char *title;     /* "" where none was given */
	uint16_t file;   /* the first that names it */
	enum service_state state;
	size_t addresses, names;
};

/* The lines below one `source` of one file. */
struct block {
	uint16_t service;
	uint16_t file;
	char *source;
	size_t addresses, names;
	char date[11], expires[11];
	int32_t expiry; /* INT32_MAX: never */
};

struct file {
	char *path;
	const char *base;     /* in path */
	uint64_t hash;        /* of the content in force */
	bool refused;         /* its present content isn't in force */
};

/* A set of services that a client line names; NULL: everywhere. */
struct client_set {
	uint16_t count;
	char (*service)[SERVICE_NAME_SIZE];
	const char **names; /* the same, ended by NULL */
};

struct category {
	struct service *service;
	struct block *block;
	struct file *file;
	struct ports *ports;
	struct client_set *client_set; /* [0] is everywhere */
	uint16_t services, blocks, files, port_sets, client_sets;
	size_t refused_files;
	uint64_t signature; /* of the folders, just before they were read */
	uint64_t serial;    /* live.c counts them */
	struct prefixes address[2], client[2]; /* [0] IPv4, [1] IPv6 */
	struct names names;
};

enum table { TABLE_ADDRESS4, TABLE_ADDRESS6, TABLE_NAMES, TABLE_CLIENT4, TABLE_CLIENT6 };

struct builder;

/* ---- keep.c ---- */

/* Adds the last good content of a file, from previous (which may be NULL). Returns false if memory has run out; kept tells
 * whether there was any. */
bool keep_file(struct builder *builder, const struct category *previous, uint16_t file, bool *kept) MUST_CHECK;

/* ---- load.c ---- */

bool is_category_file(const char *base); /* *.service, not hidden, or clients */

/* A number that changes with the files' names, sizes and times. */
uint64_t folders_signature(const char *const *folders, size_t count);

/* ---- prefixes.c ---- */

struct prefix prefixes_prefix(const struct prefixes *prefixes, uint32_t node);

/* Sorts items, and makes the table of them. rank orders the grants of one node. Returns false if memory has run out. */
bool prefixes_build(struct prefixes *prefixes, enum family family, struct prefix_item *items, size_t count,
    const uint16_t *rank) MUST_CHECK;
void prefixes_free(struct prefixes *prefixes);

size_t prefixes_bytes(const struct prefixes *prefixes);

/* ---- lines.c ---- */

/* Makes the lines of prefixes, whose nodes are complete. Returns false if memory has run out. */
bool lines_build(struct prefixes *prefixes, const struct ranges *ranges) MUST_CHECK;
void lines_free(struct prefixes *prefixes);

/* ---- names.c ---- */

/* Sorts items, whose texts are in arena, and makes the table of them. */
bool names_build(struct names *names, const char *arena, struct name_item *items, size_t count, const uint16_t *rank)
    MUST_CHECK;
void names_free(struct names *names);
uint32_t names_lookup(const struct names *names, const char *name, size_t length);
size_t names_bytes(const struct names *names);

/* ---- builder.c: what the files gave, before the tables are made ---- */

struct items {
	struct prefix_item *list;
	size_t count, room;
};

struct builder {
	struct service *service; /* in the order of their first mention */
	struct block *block;
	struct file *file;
	struct ports *ports;
	struct client_set *client_set;
	size_t services, service_room, blocks, block_room, files, file_room, port_sets, port_room, client_sets, client_room;
	struct items address[2], client[2];
	struct name_item *name;
	size_t names, name_room;
	char *arena;
	size_t arena_length, arena_room;
	struct problems *problems;
	bool out_of_memory;
};

/* Each returns an index, or -1 if memory or the numbers have run out (out_of_memory tells which). */
int builder_service(struct builder *builder, const char *name, uint16_t file);
int builder_block(struct builder *builder, uint16_t service, uint16_t file, struct text source);
int builder_ports(struct builder *builder, const struct ports *ports);
int builder_client_set(struct builder *builder, const struct client_set *set); /* takes ownership of what is in set */
int builder_file(struct builder *builder, const char *path);
bool builder_prefix(struct builder *builder, struct items items[2], const struct prefix *prefix,
    const struct grant *grant) MUST_CHECK;
bool builder_name(struct builder *builder, const char *name, bool below, const struct grant *grant) MUST_CHECK;
void builder_free(struct builder *builder);

/* ---- service_file.c ---- */

/* Reads the text of one file into the builder. Returns false if it has errors, all of which are then in problems; what it
 * added to the builder has to be taken back by whom calls. An empty file only makes its service known. */
bool service_file_parse(struct builder *builder, uint16_t file, const char *content, size_t length) MUST_CHECK;
bool clients_file_parse(struct builder *builder, uint16_t file, const char *content, size_t length) MUST_CHECK;

#endif
