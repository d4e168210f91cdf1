/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Spinlocks: short exclusion among processors.
 *
 * The holder is in a critical section, so nothing preempts it, and may
 * neither sleep nor switch: gd_spinlocks counts what this processor holds
 * and the scheduler asserts that it is zero.  The lock word is taken by an
 * atomic exchange.  Interrupt handlers take no spinlocks.  A lock found taken
 * by oneself, or by anybody on a single processor, is a mistake;
 * spin_contested() says so instead of spinning on.
 */
#ifndef _SYS_SPINLOCK2_H_
#define	_SYS_SPINLOCK2_H_

#include <sys/systm.h>
#include <sys/spinlock.h>
#include <sys/thread2.h>
#include <sys/globaldata.h>

void	spin_contested(struct spinlock *spin, const char *ident);

#define	spin_lock(spin)			_spin_lock(spin, __func__)
#define	spin_lock_quick(gd, spin)	_spin_lock(spin, __func__)
#define	spin_unlock_quick(gd, spin)	spin_unlock(spin)
#define	spin_lock_shared(spin)		_spin_lock(spin, __func__)
#define	spin_unlock_shared(spin)	spin_unlock(spin)

static __inline void
spin_init(struct spinlock *spin, const char *descr)
{
	spin->lock = 0;
	spin->update = 0;
	spin->owner = NULL;
	spin->descr = descr;
}

static __inline void
spin_uninit(struct spinlock *spin)
{
	KKASSERT(spin->lock == 0);
}

static __inline void
_spin_lock(struct spinlock *spin, const char *ident)
{
	thread_t td = curthread;

	crit_enter_raw(td);
	++mycpu->gd_spinlocks;
	if (__predict_false(atomic_swap_int(&spin->lock, 1) != 0))
		spin_contested(spin, ident);
	spin->owner = td;
}

static __inline boolean_t
spin_trylock(struct spinlock *spin)
{
	thread_t td = curthread;

	crit_enter_raw(td);
	++mycpu->gd_spinlocks;
	if (atomic_swap_int(&spin->lock, 1) != 0) {
		--mycpu->gd_spinlocks;
		crit_exit_raw(td);
		return (FALSE);
	}
	spin->owner = td;
	return (TRUE);
}

static __inline void
spin_unlock(struct spinlock *spin)
{
	KASSERT(spin->lock != 0 && mycpu->gd_spinlocks > 0,
	    ("spin_unlock: \"%s\" is not held", spin->descr));
	spin->owner = NULL;
	atomic_store_rel_int(&spin->lock, 0);
	--mycpu->gd_spinlocks;
	crit_exit_raw(curthread);
}

static __inline int
spin_held(struct spinlock *spin)
{
	return (spin->lock != 0);
}

#endif
