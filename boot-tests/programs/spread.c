/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * spread: is every processor put to work?  Twice as many children as there are
 * processors are born on the first one and do nothing but compute; in the end
 * each processor must have done some of it.
 *
 * Kernel arguments: rounds (2000) of a child; pin (0), 1 to make them stay on
 * the first processor.
 */
#include "support.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define	MAX_CPUS	64
#define	WORK		2000		/* steps of a round */

static const char test[] = "spread";

static _Noreturn void
child(atomic_ulong *done, unsigned long rounds, const cpu_set_t *where)
{
	volatile uint64_t x = 1;

	if (sched_setaffinity(0, sizeof(*where), where) != 0)
		_exit(1);
	for (unsigned long i = 0; i < rounds; ++i) {
		for (int n = 0; n < WORK; ++n)
			x = x * 6364136223846793005 + 1442695040888963407;
		atomic_fetch_add(&done[sched_getcpu()], 1);
	}
	_exit(0);
}

int
main(void)
{
	unsigned long rounds = option_range("rounds", 2000, 1, 1000000), sum = 0;
	cpu_set_t first, all;
	atomic_ulong *done;
	int cpus, status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	done = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (done == MAP_FAILED || sched_getaffinity(0, sizeof(all), &all) != 0)
		test_fail(test, "%s", strerror(errno));
	cpus = CPU_COUNT(&all);
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	for (int i = 0; i < 2 * cpus; ++i) {
		pid_t pid = fork();

		if (pid == 0)
			child(done, rounds, option_range("pin", 0, 0, 1) != 0 ?
			    &first : &all);
		if (pid < 0)
			test_fail(test, "fork: %s", strerror(errno));
	}
	for (int i = 0; i < 2 * cpus; ++i) {
		if (wait(&status) < 0 || status != 0)
			test_fail(test, "a child ended with status %x", status);
	}
	for (int i = 0; i < cpus; ++i) {
		printf("%s: processor %d did %lu rounds\n", test, i, done[i]);
		sum += done[i];
	}
	if (sum != 2 * cpus * rounds)
		test_fail(test, "%lu rounds in all, not %lu", sum,
		    2 * cpus * rounds);
	for (int i = 0; i < cpus; ++i) {
		if (done[i] == 0)
			test_fail(test, "processor %d had nothing to do", i);
	}
	test_pass(test);
}
