/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * giveback: does memory that the kernel took for a burst come back while the
 * machine pages?
 *
 * On one processor children send datagrams that nobody receives, an mbuf each,
 * and throw them away.  Another one then dirties more memory than there is.
 * The number of wired pages says what the burst left behind.  Nobody uses an
 * mbuf meanwhile, and with retire=0 the poller retires nothing.
 *
 * Kernel arguments: processes (7), mib (twice the RAM), passes (5), most (pages
 * left; 800), retire (4), seed (1).
 */
#include "support.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define	NMBUFS		100000

static const char test[] = "giveback";
static long during;			/* pages wired at its height */

/*
 * Fill socket after socket, as many as a process may have, then wait for the
 * parent to close its end.
 */
static _Noreturn void
child(int done, int end)
{
	unsigned long sent = 0;
	int pair[2];
	char byte;

	while (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0) {
		while (send(pair[0], "", 1, MSG_DONTWAIT) == 1)
			++sent;
	}
	if (write(done, &sent, sizeof(sent)) != sizeof(sent))
		test_fail(test, "write: %s", strerror(errno));
	_exit(read(end, &byte, 1) != 0);
}

static void
burst(unsigned long processes)
{
	unsigned long sum = 0, sent;
	int done[2], end[2], status;

	if (pipe(done) != 0 || pipe(end) != 0)
		test_fail(test, "pipe: %s", strerror(errno));
	for (unsigned long i = 0; i < processes; ++i) {
		pid_t pid = fork();

		if (pid < 0)
			test_fail(test, "fork: %s", strerror(errno));
		if (pid == 0) {
			close(end[1]);
			child(done[1], end[0]);
		}
		if (read(done[0], &sent, sizeof(sent)) != sizeof(sent))
			test_fail(test, "read: %s", strerror(errno));
		sum += sent;
	}
	during = kvar("vm.stats.v_wire_count");
	close(end[1]);
	while (wait(&status) > 0) {
		if (status != 0)
			test_fail(test, "a child ended with %#x", status);
	}
	printf("giveback: %lu messages\n", sum);
}

int
main(void)
{
	unsigned long processes = option_range("processes", 7, 1, 100);
	unsigned long mib = option_range("mib", 2 * machine_ram() / MIB, 1,
	    1000000);
	unsigned long passes = option_range("passes", 5, 1, 1000000);
	long most = (long)option_range("most", 800, 0, 1000000);
	unsigned long seed = option_number("seed", 1);
	long before, after, left;
	struct region r;
	uint64_t wrong = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	kvar_set("kern.kzone_bretire", (long)option_range("retire", 4, 0, 100));
	region_map(&r, test, mib * MIB, seed);
	/* More than are kept once they are idle: that does not follow. */
	kvar_set("kern.ipc.nmbufs", NMBUFS);
	run_on(1);
	before = kvar("vm.stats.v_wire_count");
	burst(processes);
	after = kvar("vm.stats.v_wire_count");
	run_on(0);
	for (unsigned long pass = 0; pass < passes; ++pass) {
		region_dirty(&r);
		wrong += region_verify(&r);
	}
	left = kvar("vm.stats.v_wire_count");
	printf("giveback: wired pages: %ld by the burst, %ld after it, %ld left; "
	    "%ld pages out\n", during - before, after - before, left - before,
	    kvar("vm.stats.v_swappgsout"));
	kvar_print_text("kern.kmalloc_ext");
	kvar_print_text("kern.objcache.stats");
	if (left - before > most)
		test_fail(test, "%ld pages did not come back, expected at most "
		    "%ld", left - before, most);
	if (wrong != 0)
		test_fail(test, "%ju words wrong", (uintmax_t)wrong);
	test_pass(test);
}
