/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * churn: an address space of `regions' regions which cannot be merged, taken
 * apart and made again in `rounds' rounds; what is mapped keeps its contents,
 * what is not is not there.
 *
 * Kernel arguments: regions (100000), rounds (2), stride (16): every
 * stride'th region is written to.
 */
#include "support.h"

#include <sys/mman.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char test[] = "churn";

static uint64_t **at;

static void
map(unsigned long i)
{
	int prot = PROT_READ | ((i & 1) ? 0 : PROT_WRITE);

	at[i] = mmap(NULL, PAGE_BYTES, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	    0);
	if (at[i] == MAP_FAILED)
		test_fail(test, "mmap of region %lu: %s", i, strerror(errno));
}

static void
unmap(unsigned long i)
{
	if (munmap(at[i], PAGE_BYTES) != 0)
		test_fail(test, "munmap of region %lu: %s", i,
		    strerror(errno));
}

int
main(void)
{
	unsigned long n = option_range("regions", 100000, 1, 10000000);
	unsigned long rounds = option_range("rounds", 2, 1, 1000000);
	unsigned long stride = option_range("stride", 16, 2, 1000000) & ~1UL;
	unsigned long wrong = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	at = calloc(n, sizeof(*at));
	if (at == NULL)
		test_fail(test, "no memory for %lu pointers", n);
	for (unsigned long i = 0; i < n; ++i)
		map(i);
	kvar_print_text("vm.zone");
	for (unsigned long round = 1; round <= rounds; ++round) {
		for (unsigned long i = 0; i < n; i += stride)
			*at[i] = i * round;
		for (unsigned long i = 1; i < n; i += 2)
			unmap(i);
		for (unsigned long i = 1; i < n; i += 2)
			map(i);
		for (unsigned long i = 0; i < n; i += stride)
			wrong += *at[i] != i * round;
		for (unsigned long i = 1; i < n; i += stride)
			wrong += *at[i] != 0;
		printf("%s: round %lu of %lu\n", test, round, rounds);
	}
	for (unsigned long i = 0; i < n; ++i)
		unmap(i);
	kvar_print_text("vm.zone");
	printf("churn: %lu regions\n", n);
	if (wrong != 0)
		test_fail(test, "%lu words wrong", wrong);
	test_pass(test);
}
