/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * forks: a storm.  As many children at once as the kernel allows, again and
 * again until there were `total'; each must be reaped once, with its own
 * status.  The kernel must say EAGAIN, and afterwards have its memory back.
 *
 * Kernel arguments: total (2000).
 */
#include "support.h"

#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char test[] = "forks";

static unsigned char seen[30000];

static unsigned long
wave(unsigned long total, unsigned long *refused)
{
	int hold[2];
	char c = 0;
	unsigned long n = 0, reaped = 0;

	if (pipe(hold) != 0)
		test_fail(test, "pipe: %s", strerror(errno));
	while (n < total) {
		pid_t pid = fork();

		if (pid == 0) {
			/* Stay until the parent closes its end. */
			close(hold[1]);
			if (read(hold[0], &c, 1) != 0)
				_exit(255);
			_exit(getpid() % 200);
		}
		if (pid < 0) {
			if (errno != EAGAIN)
				test_fail(test, "fork: %s", strerror(errno));
			++*refused;
			break;
		}
		seen[pid] = 1;
		++n;
	}
	close(hold[0]);
	close(hold[1]);
	for (;;) {
		int status;
		pid_t pid = wait(&status);

		if (pid < 0)
			break;
		if (!seen[pid])
			test_fail(test, "pid %d was not a child", pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != pid % 200)
			test_fail(test, "pid %d: status %#x", pid, status);
		seen[pid] = 0;
		++reaped;
	}
	if (errno != ECHILD || reaped != n)
		test_fail(test, "%lu forked, %lu reaped: %s", n, reaped,
		    strerror(errno));
	return n;
}

int
main(void)
{
	unsigned long total = option_range("total", 2000, 1, 10000000);
	unsigned long done = 0, refused = 0, waves = 0;
	long nprocs;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (done < total) {
		done += wave(total - done, &refused);
		++waves;
	}
	kvar_print_paging();
	nprocs = kvar("kern.nprocs");
	printf("forks: %lu children in %lu waves, %lu times EAGAIN\n", done,
	    waves, refused);
	if (nprocs != 1)
		test_fail(test, "%ld processes are left, expected 1", nprocs);
	test_pass(test);
}
