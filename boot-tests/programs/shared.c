/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * shared: `processes' processes share `mib' MiB of anonymous memory.  Each
 * writes its share of every page, waits for the others, and reads all of it:
 * every page has a mapping in every process.
 *
 * Kernel arguments: processes (64), mib (16), seed (1).
 */
#include "support.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char test[] = "shared";

#define	PAGE_WORDS	(PAGE_BYTES / sizeof(uint64_t))

static uint64_t
value(uint64_t seed, size_t page, size_t word)
{
	uint64_t z = seed + page * PAGE_WORDS + word;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	return z ^ (z >> 27);
}

/* Writes the words that are his, then reads everybody's. */
static int
member(uint64_t *words, size_t pages, unsigned long me, unsigned long n,
    uint64_t seed, int done, int go)
{
	char c = 0;
	size_t wrong = 0;

	for (size_t p = 0; p < pages; ++p)
		for (size_t w = me; w < PAGE_WORDS; w += n)
			words[p * PAGE_WORDS + w] = value(seed, p, w);
	if (write(done, &c, 1) != 1 || read(go, &c, 1) != 0)
		return 2;
	for (size_t p = 0; p < pages; ++p)
		for (size_t w = 0; w < PAGE_WORDS; ++w)
			wrong += words[p * PAGE_WORDS + w] != value(seed, p, w);
	return wrong != 0;
}

int
main(void)
{
	unsigned long n = option_range("processes", 64, 1, 1000);
	size_t bytes = option_range("mib", 16, 1, 1000000) * MIB;
	uint64_t seed = option_number("seed", 1);
	uint64_t *words;
	int done[2], go[2], status, bad = 0;
	char c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	words = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (words == MAP_FAILED || pipe(done) != 0 || pipe(go) != 0)
		test_fail(test, "set-up: %s", strerror(errno));
	for (unsigned long i = 0; i < n; ++i) {
		pid_t pid = fork();

		if (pid < 0)
			test_fail(test, "fork: %s", strerror(errno));
		if (pid == 0) {
			close(go[1]);
			_exit(member(words, bytes / PAGE_BYTES, i, n, seed,
			    done[1], go[0]));
		}
	}
	for (unsigned long i = 0; i < n; ++i)
		if (read(done[0], &c, 1) != 1)
			test_fail(test, "pipe: %s", strerror(errno));
	close(go[1]);
	for (unsigned long i = 0; i < n; ++i) {
		if (wait(&status) < 0)
			test_fail(test, "wait: %s", strerror(errno));
		bad += status != 0;
	}
	kvar_print_paging();
	printf("shared: %lu processes, %zu pages each\n", n,
	    bytes / PAGE_BYTES);
	if (bad != 0)
		test_fail(test, "%d processes read wrong words", bad);
	test_pass(test);
}
