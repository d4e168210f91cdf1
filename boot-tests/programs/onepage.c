/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * onepage: paging when the kernel finds one free page at a time, no more.
 *
 * 45 % of RAM is dirtied.  The objects and the reserves of the three types
 * that paging depends on are taken away, to the last one.  Then, with exactly
 * one page free for as long as it lasts, another 30 % of RAM is dirtied and a
 * thousand mappings are made: swap metadata, pv entries and map entries are
 * needed for that, and have one page at a time to come from.  Every word is
 * read back under the same conditions.  In the end what was made of single
 * pages has to go back to the VM when it is not needed any more.
 *
 * On a kernel with the old zones there is nothing to drain.
 *
 * The program stays on one processor, as it would need memory of the kernel on
 * each that it comes to; the kernel's threads are where they are.
 *
 * Kernel arguments: seed (1), maps (1000).
 */
#include "support.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define	SYS_KMOBJ_SYSCTL	1000
#define	PIECES			64	/* of what is dirtied, a look at each */
#define	MAPS_MAX		4000
#define	LOOKS			1000	/* for pages to go back, 20 ms apart */

static const char test[] = "onepage";
static const char *const types[] = { "SWAPMETA", "PV ENTRY", "MAP ENTRY" };
#define	NTYPES	(sizeof(types) / sizeof(types[0]))

static int
drain(const char *type)
{
	return (int)syscall(SYS_KMOBJ_SYSCTL, "vm.inject.drain", NULL, NULL,
	    type, strlen(type));
}

/*
 * A number of a type's line in kern.kmalloc_ext.
 */
static long
statistic(const char *type, const char *what)
{
	static char text[8192];
	char line[32], word[32];
	size_t len = sizeof(text) - 1;
	char *at, *end;

	if (syscall(SYS_KMOBJ_SYSCTL, "kern.kmalloc_ext", text, &len, NULL,
	    0L) != 0)
		test_fail(test, "kern.kmalloc_ext: %s", strerror(errno));
	text[len] = '\0';
	snprintf(line, sizeof(line), "%s ", type);
	for (at = line; (at = strchr(at, ' ')) != NULL && at[1] != '\0'; )
		*at = '_';
	snprintf(word, sizeof(word), " %s=", what);
	if ((at = strstr(text, line)) == NULL)
		test_fail(test, "kern.kmalloc_ext: no type %s", type);
	end = at + strcspn(at, "\n");
	if ((at = strstr(at, word)) == NULL || at > end)
		test_fail(test, "kern.kmalloc_ext: %s: no %s", type, what);
	return strtol(at + strlen(word), NULL, 10);
}

/*
 * A processor may sit on two slabs; the VM keeps 512 map entries for itself.
 */
static int
too_many_left(const char *type, long made, long cpus)
{
	long returned = statistic(type, "minis_returned");

	return made - returned > 2 * cpus && 4 * returned < made;
}

static long most_free;

static void
look(void)
{
	long n = kvar("vm.stats.v_free_count");

	if (n > most_free)
		most_free = n;
}

/* Neighbours differ in protection, or they would be one map entry. */
static void
map_many(void **maps, size_t count)
{
	for (size_t i = 0; i < count; ++i) {
		maps[i] = mmap(NULL, PAGE_BYTES, i % 2 ? PROT_READ :
		    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (maps[i] == MAP_FAILED)
			test_fail(test, "mmap %zu: %s", i, strerror(errno));
		look();
	}
}

int
main(void)
{
	static void *maps[MAPS_MAX];
	static struct region base, more[PIECES];
	unsigned long seed = option_number("seed", 1);
	size_t count = option_range("maps", 1000, 1, MAPS_MAX);
	unsigned long ram = machine_ram();
	cpu_set_t home;
	uint64_t wrong;
	long before, cpus, minis = 0;
	int drained = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (sched_getaffinity(0, sizeof(home), &home) != 0)
		test_fail(test, "sched_getaffinity: %s", strerror(errno));
	cpus = CPU_COUNT(&home);
	CPU_ZERO(&home);
	CPU_SET(0, &home);
	if (sched_setaffinity(0, sizeof(home), &home) != 0)
		test_fail(test, "sched_setaffinity: %s", strerror(errno));
	region_map(&base, "base", ram / 100 * 45, seed);
	for (size_t i = 0; i < PIECES; ++i)
		region_map(&more[i], "more", ram / 100 * 30 / PIECES,
		    seed + 1 + i);
	region_dirty(&base);
	printf("%s: ram %lu MiB, %ld pages free, seed %lu\n", test, ram / MIB,
	    kvar("vm.stats.v_free_count"), seed);

	/* What the kernel itself wants for this, it has to have before. */
	kvar_print_paging();
	kvar_set("vm.inject.hold_free", 1);
	for (size_t i = 0; i < NTYPES; ++i) {
		if (drain(types[i]) == 0) {
			++drained;
			printf("%s: %s drained, ready slabs %ld\n", test,
			    types[i], statistic(types[i], "ready"));
		} else if (errno == ENOENT) {
			printf("%s: %s is a zone, not drained\n", test,
			    types[i]);
		} else {
			test_fail(test, "vm.inject.drain=%s: %s", types[i],
			    strerror(errno));
		}
	}
	before = kvar("vm.stats.v_swappgsout");
	printf("%s: one page free from here on\n", test);

	map_many(maps, count);
	printf("%s: %zu mappings made\n", test, count);
	for (size_t i = 0; i < PIECES; ++i) {
		region_dirty(&more[i]);
		look();
	}
	printf("%s: %zu pages dirtied\n", test,
	    PIECES * more[0].bytes / PAGE_BYTES);
	wrong = region_verify(&base);
	for (size_t i = 0; i < PIECES; ++i) {
		wrong += region_verify(&more[i]);
		look();
	}
	printf("%s: read back, at most %ld pages were free\n", test, most_free);
	printf("%s: %ld pages out\n", test,
	    kvar("vm.stats.v_swappgsout") - before);
	kvar_print_paging();
	if (most_free > 1)
		test_fail(test, "%ld pages were free", most_free);
	if (wrong != 0)
		test_fail(test, "%ju words wrong", (uintmax_t)wrong);
	for (size_t i = 0; drained != 0 && i < NTYPES; ++i) {
		if (statistic(types[i], "ready") != 0)
			test_fail(test, "%s has a reserve again", types[i]);
		minis += statistic(types[i], "minis_made");
	}
	if (drained != 0 && minis == 0)
		test_fail(test, "nothing was ever made of a single page");

	kvar_set("vm.inject.hold_free", -1);
	for (size_t i = 0; i < count; ++i)
		munmap(maps[i], PAGE_BYTES);
	munmap(base.words, base.bytes);
	for (size_t i = 0; i < PIECES; ++i)
		munmap(more[i].words, more[i].bytes);
	if (drained != 0 && drain("") != 0)
		test_fail(test, "vm.inject.drain=: %s", strerror(errno));
	for (size_t i = 0; drained != 0 && i < NTYPES; ++i) {
		long made = statistic(types[i], "minis_made");
		struct timespec tick = { 0, 20 * 1000 * 1000 };

		for (int n = 0; n < LOOKS &&
		    too_many_left(types[i], made, cpus); ++n)
			nanosleep(&tick, NULL);
		printf("%s: %s: %ld single pages used, %ld given back\n", test,
		    types[i], made, statistic(types[i], "minis_returned"));
		if (too_many_left(types[i], made, cpus))
			test_fail(test, "%s: %ld single pages are not free",
			    types[i], statistic(types[i], "minis"));
	}
	test_pass(test);
}
