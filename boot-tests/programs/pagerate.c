/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * pagerate: how fast paging is, beside what the swap disk does by itself.
 *
 * The disk first: as many pages as are paged later are written and read
 * through its driver.  Then paging: memory of one and a half times the RAM is
 * dirtied, a word a page, and after it, measured, memory of twice the RAM, each
 * page of which pushes another one out.  Last it is read in order, twice, the
 * second time measured: pages come in while clean ones go.  Time is the
 * kernel's clock ticks.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define	CLUSTER		16		/* pages in a request */

static const char test[] = "pagerate";

/* Hundredths of a second. */
static long
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 100 + ts.tv_nsec / 10000000;
}

static uint64_t
touch(const struct region *r, int dirty)
{
	uint64_t sum = 0;

	for (size_t at = 0; at < r->bytes / sizeof(*r->words);
	    at += PAGE_BYTES / sizeof(*r->words)) {
		if (dirty)
			r->words[at] = at;
		else
			sum += r->words[at] != at;
	}
	return sum;
}

static void
report(const char *what, long pages, long csec, long raw_pages, long raw_csec)
{
	double rate = 100.0 * pages / csec, raw = 100.0 * raw_pages / raw_csec;

	printf("%s: %s: %.1f MiB/s, the disk by itself %.1f MiB/s, ratio "
	    "%.2f\n", test, what, rate * PAGE_BYTES / MIB,
	    raw * PAGE_BYTES / MIB, rate / raw);
}

int
main(void)
{
	long ram = (long)machine_ram(), raw = ram / 2 / (long)PAGE_BYTES * 4;
	struct region fill, work;
	long hz100, pages, start, out, in;
	uint64_t wrong;

	setvbuf(stdout, NULL, _IOLBF, 0);
	raw -= raw % CLUSTER;
	if (kvar_set_long("vm.swap_raw.pages", raw) != 0)
		test_fail(test, "vm.swap_raw.pages=%ld: %s", raw,
		    strerror(errno));
	hz100 = kvar("kern.hz") / 100;

	region_map(&fill, "fill", (size_t)ram * 3 / 2, 1);
	region_map(&work, "work", (size_t)ram * 2, 2);
	touch(&fill, 1);
	pages = kvar("vm.stats.v_swappgsout");
	start = now();
	touch(&work, 1);
	out = now() - start;
	pages = kvar("vm.stats.v_swappgsout") - pages;
	report("out", pages, out, raw, kvar("vm.swap_raw.write_ticks") / hz100);

	wrong = touch(&work, 0);
	pages = kvar("vm.stats.v_swappgsin");
	start = now();
	wrong += touch(&work, 0);
	in = now() - start;
	pages = kvar("vm.stats.v_swappgsin") - pages;
	report("in", pages, in, raw, kvar("vm.swap_raw.read_ticks") / hz100);
	kvar_print("vm.stats.v_swapout");
	kvar_print("vm.stats.v_swappgsout");
	kvar_print("vm.stats.v_swapin");
	kvar_print("vm.stats.v_swappgsin");
	kvar_print("vm.stats.v_vm_faults");
	kvar_print("vm.stats.v_swtch");
	kvar_print("vm.stats.v_ipiq");
	kvar_print("vm.stats.v_shootdown");
	kvar_print("vm.stats.v_pdwakeups");
	if (wrong != 0)
		test_fail(test, "%ju words wrong", (uintmax_t)wrong);
	test_pass(test);
}
