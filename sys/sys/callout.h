/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Callouts: call a function after a number of ticks, in the soft clock
 * thread.  The function may use spinlocks and wakeup() but must not sleep.
 */
#ifndef _SYS_CALLOUT_H_
#define	_SYS_CALLOUT_H_

#include <sys/types.h>
#include <sys/queue.h>

struct callout {
	TAILQ_ENTRY(callout) c_link;
	int		c_time;		/* in terms of `ticks' */
	u_int		c_flags;
	void		(*c_func)(void *);
	void		*c_arg;
};

#define	CALLOUT_PENDING	0x0001

void	callout_init(struct callout *);
void	callout_init_mp(struct callout *);
void	callout_reset(struct callout *, int to_ticks, void (*)(void *), void *);
int	callout_stop(struct callout *);
void	softclock_tick(void);

#define	callout_pending(c)	((c)->c_flags & CALLOUT_PENDING)

#endif
