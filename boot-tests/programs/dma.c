/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * dma: what a device sees of the kernel's mbufs and clusters.
 *
 * The kernel lends its test of DMA (kern_dmatest.c): it has a device move whole
 * buffers by their physical address, there and back, and counts what comes out
 * wrong.  As long as a buffer lies in a page nothing can.  One that does not is
 * still right if the second page happens to be physically the next one, so free
 * memory is torn to pieces first: most of it is dirtied, then every other page
 * given back, in an order that has nothing to do with addresses.
 *
 * First of all, buffers that cross a page on purpose show whether that worked,
 * and whether the device shows it: exactly those that lie in two scattered
 * pages must be wrong.
 *
 * Kernel arguments: mbufs (4000), clusters (1000).
 */
#include "support.h"

#include <sys/mman.h>

#include <stdio.h>
#include <string.h>
#include <errno.h>

#define	CROSSING	500

static const char test[] = "dma";

struct counts {
	long	buffers, crossed, scattered, unaligned, sent, received, bytes;
};

static struct counts
move(const char *what, const char *variable, long n)
{
	struct counts c;

	kvar_set(variable, n);
	c.buffers = kvar("debug.dma.buffers");
	c.crossed = kvar("debug.dma.crossed");
	c.scattered = kvar("debug.dma.scattered");
	c.unaligned = kvar("debug.dma.unaligned");
	c.sent = kvar("debug.dma.sent_wrong");
	c.received = kvar("debug.dma.received_wrong");
	c.bytes = kvar("debug.dma.wrong_bytes");
	printf("dma: %s: %ld sent, %ld not aligned, %ld cross a page, "
	    "%ld into a scattered one, %ld came back wrong, %ld bytes\n", what,
	    c.buffers, c.unaligned, c.crossed, c.scattered, c.sent, c.bytes);
	if (c.buffers != n)
		test_fail(test, "%s: %ld of %ld were sent", what, c.buffers,
		    n);
	return c;
}

static void
tear_free_memory(void)
{
	size_t pages = kvar("vm.stats.v_free_count") * 3 / 4, i, at;
	struct region r;
	char *base;

	region_map(&r, "torn", pages * PAGE_BYTES, 1);
	region_dirty(&r);
	base = (char *)r.words;
	for (i = 0; i < pages / 2; ++i) {
		/* 7919 is a prime which pages / 2 is no multiple of. */
		at = i * 7919 % (pages / 2) * 2;
		if (madvise(base + at * PAGE_BYTES, PAGE_BYTES,
		    MADV_DONTNEED) != 0)
			test_fail(test, "madvise: %s", strerror(errno));
	}
}

int
main(void)
{
	const struct {
		const char	*what, *variable;
		long		n;
	} kinds[] = {
		{ "cluster", "debug.dma.cluster", option_number("clusters", 1000) },
		{ "mbufcl", "debug.dma.mbufcl", option_number("clusters", 1000) },
		{ "mbuf", "debug.dma.mbuf", option_number("mbufs", 4000) },
	};
	char why[512] = "";
	struct counts c;
	size_t at = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	kvar_set("kern.ipc.nmbufs", kvar("kern.ipc.nmbufs") + kinds[2].n);
	kvar_set("kern.ipc.nmbclusters", kvar("kern.ipc.nmbclusters") +
	    kinds[0].n);
	tear_free_memory();

	c = move("control", "debug.dma.crossing", CROSSING);
	if (c.crossed != CROSSING || c.scattered < CROSSING / 2)
		test_fail(test, "control: %ld of %ld cross into a scattered "
		    "page, expected half at least: free memory is not in "
		    "pieces", c.scattered, c.buffers);
	if (c.sent != c.scattered)
		test_fail(test, "control: %ld came back wrong, expected the "
		    "%ld that cross into a scattered page", c.sent,
		    c.scattered);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); ++i) {
		c = move(kinds[i].what, kinds[i].variable, kinds[i].n);
		if (c.received != 0)
			test_fail(test, "%s: %ld of %ld did not get what the "
			    "device sent", kinds[i].what, c.received,
			    c.buffers);
		if (c.crossed != 0 || c.unaligned != 0 || c.sent != 0)
			at += snprintf(why + at, sizeof(why) - at,
			    "%s%s: of %ld, %ld are not aligned, %ld cross a "
			    "page, %ld came back wrong", at > 0 ? "; " : "",
			    kinds[i].what, c.buffers, c.unaligned, c.crossed,
			    c.sent);
	}
	if (at > 0)
		test_fail(test, "%s", why);
	test_pass(test);
}
