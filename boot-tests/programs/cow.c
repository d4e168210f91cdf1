/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * cow: a parent dirties memory, `children' children each check that copy,
 * write their own over it and check that; then the parent's must be what it
 * was, also after children of children, and in rounds, so that copies of
 * copies come and go.  All of it is `percent' of the RAM for each process:
 * together several times the RAM.
 *
 * Kernel arguments: children (4), rounds (3), percent (60), seed (1).
 */
#include "support.h"

#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char test[] = "cow";

/* What a child does with its copy; its exit status. */
static int
child(struct region r, uint64_t seed, int depth)
{
	uint64_t wrong = region_verify(&r);
	struct region low = r;
	int status;

	low.bytes = r.bytes / 2 & ~(PAGE_BYTES - 1);
	low.seed = seed;
	region_dirty(&low);
	if (depth > 0) {
		pid_t pid = fork();

		if (pid < 0)
			return 2;
		if (pid == 0)
			_exit(child(low, seed * 31 + 7, depth - 1));
		if (waitpid(pid, &status, 0) != pid || status != 0)
			return 3;
	}
	wrong += region_verify(&low);
	return wrong != 0;
}

static void
round_of(const struct region *r, unsigned long round, unsigned long children)
{
	for (unsigned long i = 0; i < children; ++i) {
		pid_t pid = fork();

		if (pid < 0)
			test_fail(test, "fork: %s", strerror(errno));
		if (pid == 0)
			_exit(child(*r, round * 1000 + i + 17, i % 2));
	}
	for (unsigned long i = 0; i < children; ++i) {
		int status;
		pid_t pid = wait(&status);

		if (pid < 0)
			test_fail(test, "wait: %s", strerror(errno));
		if (status != 0)
			test_fail(test, "pid %d ended with status %#x", pid,
			    status);
	}
}

int
main(void)
{
	struct region r;
	unsigned long children = option_range("children", 4, 1, 1000);
	unsigned long rounds = option_range("rounds", 3, 1, 1000000);
	unsigned long percent = option_range("percent", 60, 1, 100);
	unsigned long seed = option_number("seed", 1);
	uint64_t wrong = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	region_map(&r, test, machine_ram() / 100 * percent, seed);
	printf("%s: %zu pages, %lu children, seed %lu\n", test,
	    r.bytes / PAGE_BYTES, children, seed);
	region_dirty(&r);
	for (unsigned long round = 1; round <= rounds; ++round) {
		round_of(&r, round, children);
		wrong += region_verify(&r);
		r.seed = seed + round;
		region_dirty(&r);
		printf("%s: round %lu of %lu\n", test, round, rounds);
	}
	kvar_print_paging();
	kvar_print("vm.stats.v_cow_faults");
	printf("stat words_wrong %ju\n", (uintmax_t)wrong);
	if (wrong != 0)
		test_fail(test, "%ju words wrong", (uintmax_t)wrong);
	test_pass(test);
}
