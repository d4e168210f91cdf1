/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * mapbomb: a process splits a mapping into as many map entries as it may have,
 * and more than there is memory for.
 *
 * It does not end by itself: the machine has to live on as well as it can, and
 * whether it does the kernel must say, with kern.pulse=.  See sys/kern/subr_pulse.c.
 *
 * Kernel arguments: splits (1000000).
 */
#include "support.h"

#include <sys/mman.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char test[] = "mapbomb";

int
main(void)
{
	unsigned long splits = option_range("splits", 1000000, 1, 100000000);
	char *p;

	setvbuf(stdout, NULL, _IOLBF, 0);
	p = mmap(NULL, 2 * splits * PAGE_BYTES, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		test_fail(test, "mmap: %s", strerror(errno));
	for (unsigned long i = 0; i < splits; ++i) {
		if (mprotect(p + 2 * i * PAGE_BYTES, PAGE_BYTES,
		    PROT_READ | PROT_WRITE) != 0)
			test_fail(test, "split %lu: %s", i, strerror(errno));
	}
	test_fail(test, "%lu splits, and there was memory for all", splits);
}
