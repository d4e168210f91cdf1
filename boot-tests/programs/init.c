/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * init: what a boot without a word runs.  Becomes the test that the kernel
 * environment asks for, test=NAME, or paging.
 *
 * The directory /tests holds the initrd's tests.  A program knows which words
 * it reads (see support.h); of a script it is seen here: it says
 * ${NAME:-default}.
 */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define	TESTS		"/tests"
#define	SCRIPT_BYTES	(64 * 1024)

static const char *test;

static _Noreturn void
fail(const char *why, ...)
{
	va_list ap;

	printf("KMOBJ: FAIL %s: ", test);
	va_start(ap, why);
	vprintf(why, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	exit(1);
}

/* Names of tests from a to z, after what is in list. */
static void
list_tests(char *list, size_t size)
{
	struct dirent **entries;
	int n = scandir(TESTS, &entries, NULL, alphasort);

	for (int i = 0; i < n; ++i) {
		if (entries[i]->d_name[0] == '.')
			continue;
		strlcat(list, " ", size);
		strlcat(list, entries[i]->d_name, size);
	}
}

static void
check_words(const char *script)
{
	char pattern[128];

	for (char **word = environ; *word != NULL; ++word) {
		int len = (int)strcspn(*word, "=");

		if (strncmp(*word, "test=", 5) == 0)
			continue;
		if (snprintf(pattern, sizeof(pattern), "${%.*s:-", len,
		    *word) >= (int)sizeof(pattern) ||
		    strstr(script, pattern) == NULL)
			fail("kernel environment: nobody reads %.*s", len,
			    *word);
	}
}

int
main(void)
{
	static char names[4096], path[4096], script[SCRIPT_BYTES + 1];
	FILE *f;

	test = getenv("test");
	if (test == NULL)
		test = "paging";
	if (*test == '\0' || *test == '.' || strchr(test, '/') != NULL ||
	    snprintf(path, sizeof(path), TESTS "/%s", test) >=
	    (int)sizeof(path) || access(path, X_OK) != 0) {
		list_tests(names, sizeof(names));
		fail("no test %s; this initrd has%s", test, names);
	}
	f = fopen(path, "r");
	if (f == NULL || fread(script, 1, SCRIPT_BYTES, f) < 2)
		fail("%s: %s", path, strerror(errno));
	fclose(f);
	if (script[0] == '#' && script[1] == '!')
		check_words(script);
	execv(path, (char *[]){ path, NULL });
	fail("%s: %s", path, strerror(errno));
}
