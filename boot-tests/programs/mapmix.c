/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * mapmix: a child makes and unmakes map entries, over and over, while its
 * parent dirties and verifies more memory than that leaves.
 *
 * Kernel arguments: splits (60000), mib (24), passes (3), seed (1).
 */
#include "support.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char test[] = "mapmix";

static _Noreturn void
child(unsigned long splits)
{
	for (unsigned long round = 1;; ++round) {
		munmap(map_split(splits), 2 * splits * PAGE_BYTES);
		printf("mapmix: %lu rounds of %lu splits\n", round, splits);
	}
}

int
main(void)
{
	unsigned long splits = option_range("splits", 60000, 1, 100000000);
	unsigned long mib = option_range("mib", 24, 1, 1000000);
	unsigned long passes = option_range("passes", 3, 1, 1000000);
	unsigned long seed = option_number("seed", 1);
	struct region r;
	uint64_t wrong = 0;
	int status;
	pid_t pid;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if ((pid = fork()) < 0)
		test_fail(test, "fork: %s", strerror(errno));
	if (pid == 0)
		child(splits);
	region_map(&r, test, mib * MIB, seed);
	for (unsigned long pass = 1; pass <= passes; ++pass) {
		region_dirty(&r);
		wrong += region_verify(&r);
		printf("mapmix: pass %lu, %ld pages out\n", pass,
		    kvar("vm.stats.v_swappgsout"));
	}
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		test_fail(test, "wait: %s", strerror(errno));
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		test_fail(test, "the child ended with %#x", status);
	if (wrong != 0)
		test_fail(test, "%ju words wrong", (uintmax_t)wrong);
	test_pass(test);
}
