/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_TIME_H_
#define	_SYS_TIME_H_

#include <sys/types.h>

struct timespec {
	time_t	tv_sec;
	long	tv_nsec;
};

struct timeval {
	time_t	tv_sec;
	long	tv_usec;
};

extern volatile time_t time_uptime;	/* whole seconds since boot */
extern uint64_t user_ticks;		/* clock ticks that hit user mode */

void	getnanouptime(struct timespec *);
void	getmicrouptime(struct timeval *);
int	tstohz_high(const struct timespec *);

#endif
