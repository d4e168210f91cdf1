/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Critical sections.
 *
 * Inside one no other thread of this processor runs, unless the thread
 * itself sleeps; interrupts are taken but the threads they ready wait.  The
 * section belongs to the thread: td_critcount goes to sleep with it.
 */
#ifndef _SYS_THREAD2_H_
#define	_SYS_THREAD2_H_

#include <sys/systm.h>
#include <sys/globaldata.h>
#include <machine/cpufunc.h>
#include <machine/thread.h>

static __inline void
crit_enter_raw(thread_t td)
{
	++td->td_critcount;
	cpu_ccfence();
}

static __inline void
crit_exit_raw(thread_t td)
{
	cpu_ccfence();
	if (__predict_true(--td->td_critcount > 0))
		return;
	if (__predict_false(td->td_critcount < 0))
		crit_panic();
	if (__predict_false(td->td_gd->gd_reqflags & RQF_IDLECHECK_MASK))
		splz();
}

#define	crit_enter()		crit_enter_raw(curthread)
#define	crit_exit()		crit_exit_raw(curthread)
#define	crit_enter_gd(gd)	crit_enter_raw((gd)->gd_curthread)
#define	crit_exit_gd(gd)	crit_exit_raw((gd)->gd_curthread)
#define	crit_enter_quick(td)	crit_enter_raw(td)
#define	crit_exit_quick(td)	crit_exit_raw(td)
#define	crit_enter_id(id)	crit_enter()
#define	crit_exit_id(id)	crit_exit()
#define	crit_test(td)		((td)->td_critcount)

static __inline void
need_lwkt_resched(void)
{
	atomic_set_int(&mycpu->gd_reqflags, RQF_AST_LWKT_RESCHED);
}

static __inline void
clear_lwkt_resched(void)
{
	atomic_clear_int(&mycpu->gd_reqflags, RQF_AST_LWKT_RESCHED);
}

static __inline int
lwkt_resched_wanted(void)
{
	return (mycpu->gd_reqflags & RQF_AST_LWKT_RESCHED);
}

#endif
