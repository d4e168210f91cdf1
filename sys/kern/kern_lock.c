/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lockmgr: shared and exclusive locks whose holders may sleep.
 *
 * lk_spin protects a lock's fields.  Who has to wait sleeps on the lock and
 * tries again.  Exclusive waiters have precedence over new shared holders,
 * except for a thread that holds a lockmgr lock already, which must not be
 * made to wait for a waiter that may be waiting for it.
 *
 * Exclusively held locks are on lockmgr_list, for the reports of the
 * watchdog.
 *
 * Order of spinlocks: lk_spin, then lockmgr_spin or a sleep queue's.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/lock.h>
#include <sys/thread.h>
#include <sys/spinlock2.h>

static TAILQ_HEAD(, lock) lockmgr_list = TAILQ_HEAD_INITIALIZER(lockmgr_list);
static struct spinlock lockmgr_spin = SPINLOCK_INITIALIZER(, "lockmgr_list");

void
lockinit(struct lock *lkp, const char *wmesg, int timo, int flags)
{
	bzero(lkp, sizeof(*lkp));
	spin_init(&lkp->lk_spin, wmesg);
	lkp->lk_flags = flags & LK_EXTFLG_MASK;
	lkp->lk_timo = timo;
	lkp->lk_wmesg = wmesg;
}

void
lockuninit(struct lock *lkp)
{
	KASSERT(!lockinuse(lkp), ("lockuninit: %s is in use", lkp->lk_wmesg));
}

static void
lock_set_holder(struct lock *lkp, struct thread *td)
{
	spin_lock(&lockmgr_spin);
	if (lkp->lk_lockholder == NULL && td != NULL)
		TAILQ_INSERT_TAIL(&lockmgr_list, lkp, lk_link);
	if (lkp->lk_lockholder != NULL && td == NULL)
		TAILQ_REMOVE(&lockmgr_list, lkp, lk_link);
	lkp->lk_lockholder = td;
	spin_unlock(&lockmgr_spin);
}

/*
 * One attempt.  0, EBUSY (would have to wait), EDEADLK (never possible);
 * *wakep is set if sleepers should look again.  lk_spin is held.
 */
static int
lock_attempt(struct lock *lkp, u_int type, u_int flags, struct thread *td,
    boolean_t *wakep)
{
	boolean_t mine = lkp->lk_xcount != 0 && lkp->lk_lockholder == td;

	switch (type) {
	case LK_SHARED:
		if (mine) {
			/* A shared request under one's own exclusive lock. */
			++lkp->lk_xcount;
			return (0);
		}
		if (lkp->lk_xcount != 0)
			return (EBUSY);
		if (lkp->lk_xwaiters != 0 && td->td_locks == 0)
			return (EBUSY);
		++lkp->lk_scount;
		++td->td_locks;
		return (0);
	case LK_EXCLUSIVE:
		if (mine) {
			if (((flags | lkp->lk_flags) & LK_CANRECURSE) == 0)
				return (EDEADLK);
			++lkp->lk_xcount;
			return (0);
		}
		if (lkp->lk_xcount != 0 || lkp->lk_scount != 0)
			return (EBUSY);
		lkp->lk_xcount = 1;
		lock_set_holder(lkp, td);
		++td->td_locks;
		return (0);
	case LK_UPGRADE:
	case LK_EXCLUPGRADE:
		if (mine)
			return (0);
		if (lkp->lk_scount == 0)
			panic("lockmgr: upgrade of %s, which is not held",
			    lkp->lk_wmesg);
		if (lkp->lk_scount != 1)
			return (EBUSY);
		lkp->lk_scount = 0;
		lkp->lk_xcount = 1;
		lock_set_holder(lkp, td);
		return (0);
	case LK_DOWNGRADE:
		if (!mine || lkp->lk_xcount != 1)
			panic("lockmgr: downgrade of %s, not held exclusively",
			    lkp->lk_wmesg);
		lkp->lk_xcount = 0;
		lock_set_holder(lkp, NULL);
		lkp->lk_scount = 1;
		*wakep = TRUE;
		return (0);
	case LK_RELEASE:
		if (lkp->lk_xcount != 0) {
			if (!mine)
				panic("lockmgr: %s released by %s, held by %s",
				    lkp->lk_wmesg, td->td_comm,
				    lkp->lk_lockholder->td_comm);
			if (--lkp->lk_xcount != 0)
				return (0);
			--td->td_locks;
			lock_set_holder(lkp, NULL);
		} else if (lkp->lk_scount != 0) {
			--td->td_locks;
			if (--lkp->lk_scount != 0 && lkp->lk_scount != 1)
				return (0);
		} else {
			panic("lockmgr: %s released but not held",
			    lkp->lk_wmesg);
		}
		*wakep = TRUE;
		return (0);
	default:
		panic("lockmgr: %s: unknown request %u", lkp->lk_wmesg, type);
	}
}

/*
 * An upgrade that cannot be had gives the shared lock up and asks for an
 * exclusive one, so that two upgrades cannot wait for each other.
 */
static void
lock_upgrade_lost(struct lock *lkp, struct thread *td)
{
	--lkp->lk_scount;
	--td->td_locks;
	wakeup(lkp);
}

/*
 * 0, EBUSY (LK_NOWAIT), ENOLCK (LK_SLEEPFAIL: slept and did not take it),
 * EWOULDBLOCK (LK_TIMELOCK: lk_timo passed).
 */
int
lockmgr(struct lock *lkp, u_int flags)
{
	struct thread *td = curthread;
	u_int type = flags & LK_TYPE_MASK;
	boolean_t wake = FALSE;
	boolean_t excl;
	int error;

	spin_lock(&lkp->lk_spin);
	for (;;) {
		error = lock_attempt(lkp, type, flags, td, &wake);
		if (error != EBUSY)
			break;
		if (flags & LK_NOWAIT)
			break;
		if (type == LK_EXCLUPGRADE || type == LK_UPGRADE) {
			lock_upgrade_lost(lkp, td);
			if (type == LK_EXCLUPGRADE)
				break;
			type = LK_EXCLUSIVE;
			continue;
		}
		excl = type == LK_EXCLUSIVE;
		++lkp->lk_waiters;
		lkp->lk_xwaiters += excl;
		error = ssleep(lkp, &lkp->lk_spin, 0, lkp->lk_wmesg,
		    ((flags | lkp->lk_flags) & LK_TIMELOCK) ? lkp->lk_timo : 0);
		--lkp->lk_waiters;
		lkp->lk_xwaiters -= excl;
		if (error != 0)
			break;
		if ((flags | lkp->lk_flags) & LK_SLEEPFAIL) {
			error = ENOLCK;
			break;
		}
	}
	wake = wake && lkp->lk_waiters != 0;
	spin_unlock(&lkp->lk_spin);
	if (error == EDEADLK)
		panic("lockmgr: %s: locking %s against itself", td->td_comm,
		    lkp->lk_wmesg);
	if (wake)
		wakeup(lkp);
	return (error);
}

int
lockowned(struct lock *lkp)
{
	return (lkp->lk_xcount != 0 ? lkp->lk_lockholder == curthread :
	    lkp->lk_scount != 0);
}

int
lockinuse(struct lock *lkp)
{
	return (lkp->lk_xcount != 0 || lkp->lk_scount != 0);
}

/*
 * Exclusively held locks, for the watchdog.
 */
void
lockmgr_report(void)
{
	struct lock *lkp;

	TAILQ_FOREACH(lkp, &lockmgr_list, lk_link) {
		kprintf("  lock %s held by %s, %d waiting\n", lkp->lk_wmesg,
		    lkp->lk_lockholder->td_comm, lkp->lk_waiters);
	}
}
