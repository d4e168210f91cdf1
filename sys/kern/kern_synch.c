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
 * The queues are one hash for all processors, a spinlock to each chain.  The
 * lock of the chain that a thread is on, or enters, protects its td_wchan,
 * TDF_TSLEEPQ and TDF_TSLEEP_DESCHEDULED.  Only the thread itself sets
 * td_wchan, and only while TDF_TSLEEPQ is clear: while that is set, td_wchan
 * names the chain whose lock counts, for whoever wants to take it without
 * knowing the channel.  Clearing it gives the thread up.
 *
 * Whoever takes a thread off its queue also readies it, once, if it had given
 * its processor up; readying is a message to the thread's processor, so it
 * may come before the thread has switched away, and then keeps it from doing
 * so.
 *
 * The chain locks are leaves: wakeup() may be called with any spinlock held,
 * but not by interrupt handlers, which ready their threads directly.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/callout.h>
#include <sys/lock.h>
#include <sys/signal.h>
#include <sys/thread.h>
#include <sys/globaldata.h>
#include <sys/spinlock2.h>
#include <sys/thread2.h>

#define	TSLEEP_HASH	256		/* power of two */

struct tslpque {
	struct spinlock	spin;
	TAILQ_HEAD(, thread) queue;
} __cachealign;

static struct tslpque tsleep_hash[TSLEEP_HASH];

static void
sleep_init(void *dummy)
{
	int i;

	for (i = 0; i < TSLEEP_HASH; ++i) {
		spin_init(&tsleep_hash[i].spin, "tsleep");
		TAILQ_INIT(&tsleep_hash[i].queue);
	}
}
SYSINIT(sleep, SI_BOOT1_LOCK, SI_ORDER_FIRST, sleep_init, NULL);

static struct tslpque *
tsleep_queue(const volatile void *ident)
{
	uintptr_t i = (uintptr_t)ident;

	return (&tsleep_hash[(i >> 4 ^ i >> 12) & (TSLEEP_HASH - 1)]);
}

/*
 * td's queue, locked; NULL if it is on none.
 */
static struct tslpque *
tsleep_queue_lock(struct thread *td)
{
	const volatile void *ident;
	struct tslpque *q;

	while (td->td_flags & TDF_TSLEEPQ) {
		ident = td->td_wchan;
		q = tsleep_queue(ident);
		spin_lock(&q->spin);
		if ((td->td_flags & TDF_TSLEEPQ) && td->td_wchan == ident)
			return (q);
		spin_unlock(&q->spin);
	}
	return (NULL);
}

/*
 * Off the queue and, if really asleep, ready to run.  q is locked.
 */
static void
tsleep_resume(struct tslpque *q, struct thread *td)
{
	u_int flags = td->td_flags;

	TAILQ_REMOVE(&q->queue, td, td_sleepq);
	atomic_clear_int(&td->td_flags, TDF_TSLEEPQ | TDF_TSLEEP_DESCHEDULED);
	if (flags & TDF_TSLEEP_DESCHEDULED)
		lwkt_schedule(td);
}

/*
 * Take td off its queue, if it is on one.
 */
void
tsleep_remove(struct thread *td)
{
	struct tslpque *q;

	if ((q = tsleep_queue_lock(td)) != NULL) {
		tsleep_resume(q, td);
		spin_unlock(&q->spin);
	}
}

/*
 * End td's sleep if it is one that signals may end.
 */
void
tsleep_signal(struct thread *td)
{
	struct tslpque *q;

	if ((q = tsleep_queue_lock(td)) != NULL) {
		if (td->td_flags & TDF_SINTR)
			tsleep_resume(q, td);
		spin_unlock(&q->spin);
	}
}

/*
 * From here on a wakeup of ident is noticed by the tsleep(PINTERLOCKED) that
 * follows.
 */
void
tsleep_interlock(const volatile void *ident, int flags)
{
	struct tslpque *q = tsleep_queue(ident);
	struct thread *td = curthread;

	tsleep_remove(td);
	spin_lock(&q->spin);
	td->td_wchan = ident;
	atomic_set_int(&td->td_flags, TDF_TSLEEPQ);
	TAILQ_INSERT_TAIL(&q->queue, td, td_sleepq);
	spin_unlock(&q->spin);
}

static void
endtsleep(void *arg)
{
	struct thread *td = arg;
	struct tslpque *q;

	if ((q = tsleep_queue_lock(td)) != NULL) {
		atomic_set_int(&td->td_flags, TDF_TIMEOUT);
		tsleep_resume(q, td);
		spin_unlock(&q->spin);
	}
}

/*
 * Give the processor up at the next switch, unless woken already.
 */
static boolean_t
tsleep_deschedule(struct thread *td)
{
	struct tslpque *q;

	if ((q = tsleep_queue_lock(td)) == NULL)
		return (FALSE);
	atomic_set_int(&td->td_flags, TDF_TSLEEP_DESCHEDULED);
	lwkt_deschedule_self(td);
	spin_unlock(&q->spin);
	return (TRUE);
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
	if (td->td_flags & TDF_TSLEEPQ) {
		atomic_clear_int(&td->td_flags, TDF_TIMEOUT);
		td->td_wmesg = wmesg;
		if (timo != 0) {
			callout_init_mp(&co);
			callout_reset(&co, timo, endtsleep, td);
		}
		if (tsleep_deschedule(td))
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
wakeup_queue(const volatile void *ident, boolean_t one)
{
	struct tslpque *q = tsleep_queue(ident);
	struct thread *td, *next;

	spin_lock(&q->spin);
	TAILQ_FOREACH_MUTABLE(td, &q->queue, td_sleepq, next) {
		if (td->td_wchan != ident)
			continue;
		tsleep_resume(q, td);
		if (one)
			break;
	}
	spin_unlock(&q->spin);
}

void
wakeup(const volatile void *ident)
{
	wakeup_queue(ident, FALSE);
}

/*
 * The thread which has slept longest.
 */
void
wakeup_one(const volatile void *ident)
{
	wakeup_queue(ident, TRUE);
}

