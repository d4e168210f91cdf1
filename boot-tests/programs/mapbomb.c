/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * mapbomb: a process splits a mapping into as many map entries as it may have,
 * and more than there is memory for.
 *
 * It does not end by itself: the machine has to live on as well as it can, and
 * whether it does the kernel must say, with kern.pulse=.  See
 * sys/kern/subr_pulse.c.
 *
 * Kernel arguments: splits (1000000).
 */
#include "support.h"

#include <stdio.h>

static const char test[] = "mapbomb";

int
main(void)
{
	unsigned long splits = option_range("splits", 1000000, 1, 100000000);

	setvbuf(stdout, NULL, _IOLBF, 0);
	map_split(splits);
	test_fail(test, "%lu splits, and there was memory for all", splits);
}
