/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that runs out at any place while loading: no category comes of it, nothing leaks, and previous is unhurt. */
#include <config.h>

#include "tests/category/fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The linker puts these in place of the C library's (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
char *__real_strdup(const char *string);
char *__real_strndup(const char *string, size_t length);
void __real_free(void *memory);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
char *__wrap_strdup(const char *string);
char *__wrap_strndup(const char *string, size_t length);
void __wrap_free(void *memory);

static long countdown = -1; /* which allocation from now on fails; -1: none */
static long balance;
static bool failed;

static bool fails(void)
{
	if (countdown < 0) {
		return false;
	}
	if (countdown-- > 0) {
		return false;
	}
	failed = true;
	return true;
}

static void *counted(void *memory)
{
	balance += memory != NULL;
	return memory;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
	void *new = fails() ? NULL : __real_realloc(old, size);

	balance += old == NULL && new != NULL;
	return new;
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	void *new = fails() ? NULL : __real_reallocarray(old, count, size);

	balance += old == NULL && new != NULL;
	return new;
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
	int error = fails() ? ENOMEM : __real_posix_memalign(memory, alignment, size);

	balance += error == 0;
	return error;
}

char *__wrap_strdup(const char *string)
{
	return fails() ? NULL : counted(__real_strdup(string));
}

char *__wrap_strndup(const char *string, size_t length)
{
	return fails() ? NULL : counted(__real_strndup(string, length));
}

void __wrap_free(void *memory)
{
	balance -= memory != NULL;
	__real_free(memory);
}

static const char *const x_service =
    "service x\ntitle X\naddress 192.0.2.0/24\naddress 2001:db8::/32 tcp 443\nname .x.example\nsource A\n"
    "name a.x.example udp 1\n";
static const char *const y_service = "service y\nsource B\nexpires 2027-01-01\nports tcp 1-5\naddress 192.0.2.0/24\n";
static const char *const clients =
    "client 10.0.0.0/8\nclient 11.0.0.0/8 x y\nclient 12.0.0.0/8 y\nclient fd00:1::/32 x y\n";

/* Loads with each allocation failing in turn, until none has, and asserts that nothing is lost. Returns how many. */
static unsigned fail_each(const char *folder, const struct category *previous, const char *entries)
{
	const char *expected = previous == NULL ? NULL : __real_strdup(entries_of(previous));
	unsigned turns = 0;

	for (bool done = false; !done; turns++) {
		struct problems problems = {NULL, 0, 0, 0};
		long before = balance;

		failed = false;
		countdown = (long)turns;
		struct category *category = category_load(&folder, 1, previous, &problems);
		countdown = -1;
		done = !failed;
		assert_true(category != NULL || failed);
		if (done) {
			assert_string_equal(entries_of(category), entries);
		}
		category_free(category);
		problems_free(&problems);
		assert_int_equal(balance, before);
		if (previous != NULL) {
			assert_string_equal(entries_of(previous), expected);
		}
	}
	__real_free((void *)(uintptr_t)expected);
	return turns;
}

static void loading(void **state)
{
	const char *folder = *state;

	put(folder, "x.service", x_service);
	put(folder, "y.service", y_service);
	put(folder, "clients", clients);
	struct category *category = load_good(folder);
	char *entries = strdup(entries_of(category));
	category_free(category);
	assert_true(fail_each(folder, NULL, entries) > 50);
	free(entries);
}

static void loading_with_mistakes(void **state)
{
	const char *folder = *state;

	put(folder, "x.service", x_service);
	put(folder, "y.service", "service y\naddress 192.0.2.1\nbogus\nbogus\nname x\n");
	put(folder, "z.service", "");
	put(folder, "clients", "client 10.0.0.0/8 x\nclient 10.0.0.0/8 x Y\nclient z\n");
	put(folder, "w.service/in-the-way", "");
	static char said[SAID_SIZE];
	struct category *category = load_folder(folder, NULL, said);
	char *entries = strdup(entries_of(category));
	category_free(category);
	assert_true(fail_each(folder, NULL, entries) > 40);
	free(entries);
}

static void keeping_what_was_good(void **state)
{
	const char *folder = *state;

	put(folder, "x.service", x_service);
	put(folder, "y.service", y_service);
	put(folder, "clients", clients);
	struct category *category = load_good(folder);
	char *entries = strdup(entries_of(category));
	put(folder, "x.service", "service x\ntitle Broken\naddress 192.0.2.1\nbogus\n");
	put(folder, "y.service", "bogus");
	put(folder, "clients", "client 10.0.0.0/8 x\nclient y\n");
	assert_true(fail_each(folder, category, entries) > 50);
	free(entries);
	category_free(category);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(loading, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(loading_with_mistakes, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(keeping_what_was_good, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
