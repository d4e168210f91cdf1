/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Callouts, in a list ordered by due time.
 *
 * The clock interrupt compares the first due time, callout_next, with the
 * time and readies the soft clock thread, on the same processor; that one
 * calls the functions, each in a critical section.  When callout_stop()
 * returns the function neither runs nor will, unless it is the function that
 * calls it: it waits for callout_running to be something else, so its caller
 * must hold no spinlock that the function takes.
 *
 * callout_spin protects the list, all callouts and callout_running.  The
 * interrupt reads callout_any and callout_next without; a change it misses
 * it sees at the next tick.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/callout.h>
#include <sys/thread.h>
#include <sys/spinlock2.h>
#include <sys/thread2.h>

static TAILQ_HEAD(, callout) callouts = TAILQ_HEAD_INITIALIZER(callouts);
static volatile int callout_next;	/* due time of the first */
static volatile int callout_any;	/* there is a first */
static struct thread *softclock_td;
static struct callout *volatile callout_running;
static struct spinlock callout_spin =
    SPINLOCK_INITIALIZER(&callout_spin, "callout");

static void
callout_first(void)
{
	struct callout *c = TAILQ_FIRST(&callouts);

	callout_any = 0;
	cpu_ccfence();
	if (c != NULL) {
		callout_next = c->c_time;
		cpu_ccfence();
		callout_any = 1;
	}
}

void
callout_init(struct callout *c)
{
	bzero(c, sizeof(*c));
}

void
callout_init_mp(struct callout *c)
{
	callout_init(c);
}

static int
callout_remove(struct callout *c)
{
	int pending = c->c_flags & CALLOUT_PENDING;

	if (pending) {
		TAILQ_REMOVE(&callouts, c, c_link);
		c->c_flags &= ~CALLOUT_PENDING;
		callout_first();
	}
	return (pending);
}

/*
 * Call func(arg) to_ticks from now, at least one; a pending call is
 * replaced.
 */
void
callout_reset(struct callout *c, int to_ticks, void (*func)(void *), void *arg)
{
	struct callout *scan;

	spin_lock(&callout_spin);
	callout_remove(c);
	c->c_time = ticks + MAX(to_ticks, 1);
	c->c_func = func;
	c->c_arg = arg;
	c->c_flags |= CALLOUT_PENDING;
	TAILQ_FOREACH(scan, &callouts, c_link) {
		if (scan->c_time - c->c_time > 0)
			break;
	}
	if (scan != NULL)
		TAILQ_INSERT_BEFORE(scan, c, c_link);
	else
		TAILQ_INSERT_TAIL(&callouts, c, c_link);
	callout_first();
	spin_unlock(&callout_spin);
}

/*
 * Returns true if the call was pending.
 */
int
callout_stop(struct callout *c)
{
	int pending;

	spin_lock(&callout_spin);
	while (callout_running == c && curthread != softclock_td) {
		spin_unlock(&callout_spin);
		cpu_pause();
		spin_lock(&callout_spin);
	}
	pending = callout_remove(c);
	spin_unlock(&callout_spin);
	return (pending);
}

static void
softclock_thread(void *dummy)
{
	void (*func)(void *);
	struct callout *c;
	void *arg;

	lwkt_setpri_self(TDPRI_SOFT_TIMER);
	crit_enter();
	for (;;) {
		spin_lock(&callout_spin);
		c = TAILQ_FIRST(&callouts);
		if (c == NULL || c->c_time - ticks > 0) {
			spin_unlock(&callout_spin);
			lwkt_deschedule_self(curthread);
			lwkt_switch();
			continue;
		}
		callout_remove(c);
		func = c->c_func;
		arg = c->c_arg;
		callout_running = c;
		spin_unlock(&callout_spin);
		func(arg);
		callout_running = NULL;
	}
}

/*
 * Clock interrupt.
 */
void
softclock_tick(void)
{
	if (callout_any && callout_next - ticks <= 0 && softclock_td != NULL)
		lwkt_schedule(softclock_td);
}

static void
softclock_init(void *dummy)
{
	lwkt_create(softclock_thread, NULL, &softclock_td, NULL,
	    TDF_INTTHREAD, 0, "softclock");
}
SYSINIT(softclock, SI_BOOT2_SOFTCLOCK, SI_ORDER_FIRST, softclock_init, NULL);
