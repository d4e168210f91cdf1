/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How busy the machine is.
 */
#ifndef _SYS_KINFO_H_
#define	_SYS_KINFO_H_

#include <sys/types.h>

/* Clock ticks a processor has spent; only it writes them. */
struct kinfo_cputime {
	uint64_t	cp_user;
	uint64_t	cp_sys;
	uint64_t	cp_intr;	/* interrupt threads */
	uint64_t	cp_idle;
};

extern struct kinfo_cputime cputime_percpu[];

/* Threads ready or running over the last 1, 5 and 15 minutes, times fscale. */
struct loadavg {
	u_long	ldavg[3];
	long	fscale;
};

extern struct loadavg averunnable;

int	runnable_threads(void);		/* at this moment */

#endif
