/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * crowd: many processes make mappings while memory is short and stays so.
 *
 * 45 % of RAM is dirtied.  Then, with `hold' pages kept free from beginning to
 * end, `processes' children make `maps' mappings each, which cannot be merged,
 * and keep them.  Map entries are wanted by all of them at once, and whoever
 * makes room for more map entries needs some.
 *
 * Kernel arguments: processes (32), maps (2500), hold (100), seed (1).
 */
#include "support.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char test[] = "crowd";

/* Pipes: the children start, and end, when the parent closes its end. */
static int start[2], done[2], end[2];

static void
wait_for(int fd, ssize_t bytes)
{
	char byte;

	if (read(fd, &byte, 1) != bytes)
		test_fail(test, "read: %s", strerror(errno));
}

static _Noreturn void
child(unsigned long maps)
{
	close(start[1]);
	close(end[1]);
	wait_for(start[0], 0);
	for (unsigned long i = 0; i < maps; ++i) {
		int prot = PROT_READ | (i % 2 != 0 ? 0 : PROT_WRITE);

		if (mmap(NULL, PAGE_BYTES, prot, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0) == MAP_FAILED)
			test_fail(test, "mapping %lu: %s", i, strerror(errno));
	}
	if (write(done[1], "", 1) != 1)
		test_fail(test, "write: %s", strerror(errno));
	wait_for(end[0], 0);
	_exit(0);
}

int
main(void)
{
	unsigned long processes = option_range("processes", 32, 1, 1000);
	unsigned long maps = option_range("maps", 2500, 1, 1000000);
	unsigned long seed = option_number("seed", 1);
	long hold_free = (long)option_range("hold", 100, 0, 1000000);
	struct region base;
	uint64_t wrong;
	int status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	region_map(&base, "base", machine_ram() / 100 * 45, seed);
	region_dirty(&base);
	if (pipe(start) != 0 || pipe(done) != 0 || pipe(end) != 0)
		test_fail(test, "pipe: %s", strerror(errno));
	for (unsigned long i = 0; i < processes; ++i) {
		pid_t pid = fork();

		if (pid < 0)
			test_fail(test, "fork: %s", strerror(errno));
		if (pid == 0)
			child(maps);
	}
	kvar_set("vm.inject.hold_free", hold_free);
	close(start[1]);
	for (unsigned long i = 0; i < processes; ++i)
		wait_for(done[0], 1);
	kvar_set("vm.inject.hold_free", -1);
	printf("crowd: %lu processes, %lu mappings each\n", processes, maps);
	close(end[1]);
	while (wait(&status) > 0) {
		if (status != 0)
			test_fail(test, "a child ended with %#x", status);
	}
	wrong = region_verify(&base);
	kvar_print_paging();
	if (wrong != 0)
		test_fail(test, "%ju words wrong", (uintmax_t)wrong);
	test_pass(test);
}
