/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The spinlock itself; operations are in <sys/spinlock2.h>.
 */
#ifndef _SYS_SPINLOCK_H_
#define	_SYS_SPINLOCK_H_

#include <sys/types.h>

struct thread;

struct spinlock {
	volatile u_int	lock;		/* 0 or 1 */
	u_int		update;		/* spin_lock_update() generation */
	struct thread	*owner;		/* holder, for reports */
	const char	*descr;
};

#define	SPINLOCK_INITIALIZER(head, d)	{ 0, 0, NULL, d }

#endif
