/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lockmgr: sleeping locks, shared or exclusive, which survive a sleep of
 * their holder.  Every operation may block unless LK_NOWAIT is given.
 */
#ifndef _SYS_LOCK_H_
#define	_SYS_LOCK_H_

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/spinlock.h>
#include <machine/lock.h>

struct thread;

struct lock {
	struct spinlock	lk_spin;	/* protects what follows */
	u_int		lk_flags;	/* LK_EXTFLG_MASK bits of lockinit() */
	int		lk_timo;	/* longest sleep, ticks; 0: for ever */
	int		lk_xcount;	/* exclusive holds, with recursion */
	int		lk_scount;	/* shared holds */
	int		lk_waiters;	/* threads asleep on it */
	int		lk_xwaiters;	/* of which for exclusive use */
	const char	*lk_wmesg;
	struct thread	*lk_lockholder;	/* exclusive holder */
	TAILQ_ENTRY(lock) lk_link;	/* on the list of held locks */
};

#define	LK_TYPE_MASK	0x0000000f
#define	LK_SHARED	0x00000001
#define	LK_EXCLUSIVE	0x00000002
#define	LK_UPGRADE	0x00000003	/* shared to exclusive; may lose it */
#define	LK_EXCLUPGRADE	0x00000004	/* same, EBUSY if not the first */
#define	LK_DOWNGRADE	0x00000005
#define	LK_RELEASE	0x00000006

#define	LK_EXTFLG_MASK	0x070000f0
#define	LK_NOWAIT	0x00000010	/* EBUSY instead of sleeping */
#define	LK_SLEEPFAIL	0x00000020	/* ENOLCK after having slept */
#define	LK_CANRECURSE	0x00000040	/* holder may take it again */
#define	LK_NOCOLLSTATS	0x00000080
#define	LK_TIMELOCK	0x02000000	/* obey lk_timo */
#define	LK_PCATCH	0x04000000

#define	ENOLCK		37		/* lockmgr(LK_SLEEPFAIL) slept */


#define	LOCK_INITIALIZER(wmesg, timo, flags) {				\
	.lk_spin = SPINLOCK_INITIALIZER(, wmesg),			\
	.lk_flags = (flags) & LK_EXTFLG_MASK,				\
	.lk_timo = (timo),						\
	.lk_wmesg = (wmesg)						\
}

void	lockinit(struct lock *, const char *wmesg, int timo, int flags);
void	lockuninit(struct lock *);
int	lockmgr(struct lock *, u_int flags);
int	lockowned(struct lock *);
int	lockinuse(struct lock *);
void	lockmgr_report(void);

#endif
