/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * oom: a small process keeps a known pattern; a greedy child dirties memory
 * without end.  When memory and swap are used up the child must be killed,
 * nobody else, and the swap must come back; `rounds' times.
 *
 * Kernel arguments: rounds (3), seed (1).
 */
#include "support.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char test[] = "oom";

static _Noreturn void
greedy(void)
{
	for (;;) {
		char *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			_exit(1);
		for (size_t i = 0; i < MIB; i += PAGE_BYTES)
			p[i] = 1;
	}
}

int
main(void)
{
	struct region r;
	unsigned long rounds = option_range("rounds", 3, 1, 1000000);
	uint64_t wrong = 0;
	long before, after;

	setvbuf(stdout, NULL, _IOLBF, 0);
	region_map(&r, test, 4 * MIB, option_number("seed", 1));
	region_dirty(&r);
	before = kvar("vm.swap_free");
	for (unsigned long round = 1; round <= rounds; ++round) {
		int status;
		pid_t pid = fork();

		if (pid < 0)
			test_fail(test, "fork: %s", strerror(errno));
		if (pid == 0)
			greedy();
		if (waitpid(pid, &status, 0) != pid)
			test_fail(test, "wait: %s", strerror(errno));
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			test_fail(test, "status %#x, expected SIGKILL",
			    status);
		wrong += region_verify(&r);
		printf("%s: round %lu of %lu\n", test, round, rounds);
	}
	after = kvar("vm.swap_free");
	kvar_print_paging();
	printf("oom: %ld of %ld swap blocks are back\n", after, before);
	if (before - after > (long)(16 * MIB / PAGE_BYTES))
		test_fail(test, "%ld swap blocks did not come back",
		    before - after);
	if (wrong != 0)
		test_fail(test, "%ju words wrong", (uintmax_t)wrong);
	test_pass(test);
}
