/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sleep and wakeup.
 *
 * A sleeper queues itself under its channel (tsleep_interlock), may then
 * look at its condition once more, and goes to sleep; wakeup() takes
 * sleepers off the queue and readies them.  A wakeup between the interlock
 * and the sleep leaves the thread off the queue, and the sleep returns at
 * once.
 *
 * The queues are per processor, gd_tsleep_hash, and touched by threads only,
 * in a critical section; interrupt handlers ready their threads directly.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/lock.h>
#include <sys/signal.h>
#include <sys/thread.h>
#include <sys/globaldata.h>
#include <sys/spinlock2.h>
#include <sys/thread2.h>

#define	TSLEEP_HASH	256		/* power of two */

TAILQ_HEAD(tslpque, thread);

static struct tslpque tsleep_hash[MAXCPU][TSLEEP_HASH];

void
sleep_gdinit(struct globaldata *gd)
{
	int i;

	gd->gd_tsleep_hash = tsleep_hash[gd->gd_cpuid];
	for (i = 0; i < TSLEEP_HASH; ++i)
		TAILQ_INIT(&gd->gd_tsleep_hash[i]);
}

static struct tslpque *
tsleep_queue(const volatile void *ident)
{
	uintptr_t i = (uintptr_t)ident;

	return (&mycpu->gd_tsleep_hash[(i >> 4 ^ i >> 12) & (TSLEEP_HASH - 1)]);
}

/*
 * Take td off its queue, if it is on one.
 */
void
tsleep_remove(struct thread *td)
{
	crit_enter();
	if (td->td_flags & TDF_TSLEEPQ) {
		TAILQ_REMOVE(tsleep_queue(td->td_wchan), td, td_sleepq);
		td->td_flags &= ~TDF_TSLEEPQ;
		td->td_wchan = NULL;
	}
	crit_exit();
}

/*
 * From here on a wakeup of ident is noticed by the tsleep(PINTERLOCKED) that
 * follows.
 */
void
tsleep_interlock(const volatile void *ident, int flags)
{
	struct thread *td = curthread;

	crit_enter();
	tsleep_remove(td);
	td->td_wchan = ident;
	td->td_wdomain = flags & PDOMAIN_MASK;
	td->td_flags |= TDF_TSLEEPQ;
	TAILQ_INSERT_TAIL(tsleep_queue(ident), td, td_sleepq);
	crit_exit();
}

/*
 * Off the queue and ready to run.  In a critical section.
 */
static void
tsleep_resume(struct thread *td)
{
	tsleep_remove(td);
	if (td->td_flags & TDF_TSLEEP_DESCHEDULED) {
		td->td_flags &= ~TDF_TSLEEP_DESCHEDULED;
		lwkt_schedule(td);
	}
}

static void
endtsleep(void *arg)
{
	struct thread *td = arg;

	crit_enter();
	if (td->td_flags & TDF_TSLEEPQ) {
		td->td_flags |= TDF_TIMEOUT;
		tsleep_resume(td);
	}
	crit_exit();
}

/*
 * Sleep on ident until wakeup(ident), or for timo ticks if timo is not 0.
 * Returns 0 or EWOULDBLOCK.
 */
int
tsleep(const volatile void *ident, int flags, const char *wmesg, int timo)
{
	struct thread *td = curthread;
	struct callout co;
	int error = 0;

	if (panicstr != NULL)
		return (0);
	if (flags & PCATCH)
		return (tsleep_catch(ident, flags, wmesg, timo));
	crit_enter();
	KASSERT(td != &mycpu->gd_idlethread,
	    ("tsleep: idle thread, %s", wmesg));
	if ((flags & PINTERLOCKED) == 0)
		tsleep_interlock(ident, flags);
	td->td_flags &= ~TDF_TIMEOUT;
	if (td->td_flags & TDF_TSLEEPQ) {
		td->td_wmesg = wmesg;
		if (timo != 0) {
			callout_init_mp(&co);
			callout_reset(&co, timo, endtsleep, td);
		}
		lwkt_deschedule_self(td);
		td->td_flags |= TDF_TSLEEP_DESCHEDULED;
		lwkt_switch();
		if (timo != 0)
			callout_stop(&co);
		td->td_wmesg = NULL;
		if (td->td_flags & TDF_TIMEOUT)
			error = EWOULDBLOCK;
	}
	crit_exit();
	return (error);
}

/*
 * tsleep() which lets go of a spinlock while asleep.
 */
int
ssleep(const volatile void *ident, struct spinlock *spin, int flags,
    const char *wmesg, int timo)
{
	int error;

	tsleep_interlock(ident, flags);
	spin_unlock(spin);
	error = tsleep(ident, flags | PINTERLOCKED, wmesg, timo);
	spin_lock(spin);
	return (error);
}

/*
 * tsleep() which lets go of an exclusive lock while asleep.
 */
int
lksleep(const volatile void *ident, struct lock *lock, int flags,
    const char *wmesg, int timo)
{
	int error;

	tsleep_interlock(ident, flags);
	lockmgr(lock, LK_RELEASE);
	error = tsleep(ident, flags | PINTERLOCKED, wmesg, timo);
	lockmgr(lock, LK_EXCLUSIVE);
	return (error);
}

static void
wakeup_queue(const volatile void *ident, int domain, boolean_t one)
{
	struct thread *td, *next;

	crit_enter();
	TAILQ_FOREACH_MUTABLE(td, tsleep_queue(ident), td_sleepq, next) {
		if (td->td_wchan != ident || td->td_wdomain != domain)
			continue;
		tsleep_resume(td);
		if (one)
			break;
	}
	crit_exit();
}

void
wakeup(const volatile void *ident)
{
	wakeup_queue(ident, 0, FALSE);
}

/*
 * The thread which has slept longest.
 */
void
wakeup_one(const volatile void *ident)
{
	wakeup_queue(ident, 0, TRUE);
}

void
wakeup_domain(const volatile void *ident, int domain)
{
	wakeup_queue(ident, domain, FALSE);
}

void
wakeup_domain_one(const volatile void *ident, int domain)
{
	wakeup_queue(ident, domain, TRUE);
}
