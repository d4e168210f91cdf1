/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a process used.
 */
#ifndef _SYS_RESOURCE_H_
#define	_SYS_RESOURCE_H_

#include <sys/types.h>
#include <sys/time.h>

struct rusage {
	struct timeval	ru_utime;
	struct timeval	ru_stime;
	long		ru_unused[14];
};

#define	RUSAGE_CHILDREN	(-1)

#define	RLIMIT_STACK	3
#define	RLIMIT_NOFILE	7

/* From clock ticks. */
void	calcru(struct rusage *ru, u_long uticks, u_long sticks);

#endif
