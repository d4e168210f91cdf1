/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Load averages: every LOAD_PERIOD seconds the number of threads that want a
 * processor goes into three averages, in which older numbers fade away
 * exponentially.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/globaldata.h>
#include <sys/kernel.h>
#include <sys/kinfo.h>

#define	FSHIFT		11
#define	FSCALE		(1 << FSHIFT)
#define	LOAD_PERIOD	5		/* seconds */

struct loadavg averunnable = { .fscale = FSCALE };

/* exp(-5 s / 1, 5 and 15 minutes) * FSCALE */
static const u_long load_fade[3] = { 1884, 2014, 2037 };

static struct callout load_callout;

int
runnable_threads(void)
{
	struct globaldata *gd;
	int cpu, n = 0;

	for (cpu = 0; cpu < ncpus; ++cpu) {
		gd = globaldata_find(cpu);
		n += gd->gd_tdrunqcount;
		if (gd->gd_curthread != &gd->gd_idlethread)
			++n;
	}
	return (n);
}

static void
load_tick(void *dummy)
{
	u_long n = runnable_threads();
	int i;

	for (i = 0; i < NELEM(load_fade); ++i)
		averunnable.ldavg[i] = (averunnable.ldavg[i] * load_fade[i] +
		    n * FSCALE * (FSCALE - load_fade[i])) >> FSHIFT;
	callout_reset(&load_callout, LOAD_PERIOD * hz, load_tick, NULL);
}

static void
load_start(void *dummy)
{
	callout_init_mp(&load_callout);
	callout_reset(&load_callout, LOAD_PERIOD * hz, load_tick, NULL);
}
SYSINIT(loadavg, SI_BOOT2_CLOCKS, SI_ORDER_ANY, load_start, NULL);
