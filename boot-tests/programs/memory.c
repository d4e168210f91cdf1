/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * memory: what the kernel holds, for boot-tests/memory to tabulate.
 *
 * Pages wired after boot; after a load of every processor with processes,
 * sockets, pipes and map entries; and after rest, when the memory was wanted
 * for something else and is free again.
 *
 * Kernel arguments: rounds (40) of the load on each processor, mib (twice the
 * RAM), seed (1).
 */
#include "support.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define	MESSAGES	30
#define	SPLITS		100

static const char test[] = "memory";

static void
wait_for(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		test_fail(test, "a child: %s", strerror(errno));
}

static void
load_round(void)
{
	int pair[2], ends[2];
	char bytes[MESSAGES] = "";
	void *split;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0 || pipe(ends) != 0)
		test_fail(test, "socketpair, pipe: %s", strerror(errno));
	for (int i = 0; i < MESSAGES; ++i)
		(void)send(pair[0], "", 1, MSG_DONTWAIT);
	if (write(ends[1], bytes, sizeof(bytes)) != sizeof(bytes))
		test_fail(test, "write: %s", strerror(errno));
	split = map_split(SPLITS);
	if ((pid = fork()) == 0)
		_exit(0);
	wait_for(pid);
	if (munmap(split, 2 * SPLITS * PAGE_BYTES) != 0)
		test_fail(test, "munmap: %s", strerror(errno));
	close(pair[0]);
	close(pair[1]);
	close(ends[0]);
	close(ends[1]);
}

static void
load(long cpus, unsigned long rounds)
{
	pid_t pid;

	for (int cpu = 0; cpu < cpus; ++cpu) {
		if ((pid = fork()) == 0) {
			run_on(cpu);
			for (unsigned long i = 0; i < rounds; ++i)
				load_round();
			_exit(0);
		}
		wait_for(pid);
	}
}

int
main(void)
{
	unsigned long rounds = option_range("rounds", 40, 1, 1000000);
	unsigned long mib = option_range("mib", 2 * machine_ram() / MIB, 1,
	    1000000);
	unsigned long seed = option_number("seed", 1);
	long cpus = kvar("hw.ncpu");
	long boot, loaded;
	struct region r;
	uint64_t wrong;

	setvbuf(stdout, NULL, _IOLBF, 0);
	boot = kvar("vm.stats.v_wire_count");
	load(cpus, rounds);
	loaded = kvar("vm.stats.v_wire_count");
	region_map(&r, test, mib * MIB, seed);
	region_dirty(&r);
	wrong = region_verify(&r);
	if (munmap(r.words, r.bytes) != 0)
		test_fail(test, "munmap: %s", strerror(errno));
	printf("memory: %ld cpus, wired pages: %ld after boot, %ld after load, "
	    "%ld after rest\n", cpus, boot, loaded,
	    kvar("vm.stats.v_wire_count"));
	kvar_print_text("kern.kmalloc_ext");
	if (wrong != 0)
		test_fail(test, "%ju words wrong", (uintmax_t)wrong);
	test_pass(test);
}
