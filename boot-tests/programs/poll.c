/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * poll: the poller of kmalloc_obj() comes round to every type.
 *
 * A type's objects are all freed; the slabs that it does not need any more have
 * to go back to the VM.  See sys/kern/kern_polltest.c.
 *
 * Kernel arguments: objects (20000).
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define	KEPT	4		/* KMALLOC_MAXFREEMAGS */
#define	LOOKS	1000		/* 20 ms apart */
#define	VISITS	100		/* of the poller, a second */

static const char test[] = "poll";

int
main(void)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	long objects = (long)option_number("objects", 20000);
	long before, left;

	setvbuf(stdout, NULL, _IOLBF, 0);
	kvar_set("kern.kzone_pollfreq", VISITS);
	kvar_set("kern.polltest", objects);
	left = before = kvar("kern.polltest");
	printf("%s: %ld slabs without an object\n", test, before);
	if (before <= 2 * KEPT)
		test_fail(test, "%ld objects make %ld slabs; expected more than "
		    "%d", objects, before, 2 * KEPT);
	for (int look = 0; look < LOOKS && left > KEPT; ++look) {
		if (nanosleep(&pause, NULL) != 0)
			test_fail(test, "nanosleep: %s", strerror(errno));
		left = kvar("kern.polltest");
	}
	printf("%s: %ld of them are left\n", test, left);
	kvar_print_text("kern.malloc");
	if (left > KEPT) {
		char *type = kvar_text("kern.kzone_polled");

		test_fail(test, "%ld slabs did not go back: the poller stays "
		    "with %s", left, type != NULL ? type : "?");
	}
	test_pass(test);
}
