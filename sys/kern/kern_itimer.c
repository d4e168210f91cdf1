/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interval timers: setitimer(ITIMER_REAL) and alarm().
 *
 * A process has at most one, made when it first asks for it, so there are
 * never more than processes.  The zone holds exactly as many: to be out of
 * timers is a mistake of ours, and panics.
 *
 * Only the process itself sets its timer.  The callout may use it until
 * callout_stop() has returned; as it takes proc_token, who stops it must not
 * hold that.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/kernel.h>
#include <sys/proc.h>
#include <sys/sysent.h>
#include <sys/time.h>

#include <vm/vm_zone.h>

#define	ITIMER_REAL	0
#define	ITIMER_MAXSECS	(INT_MAX / 2 / hz)

struct itimerval {
	struct timeval	it_interval;
	struct timeval	it_value;
};

struct itimer {
	struct callout	it_callout;
	struct proc	*it_proc;
	int		it_interval;	/* ticks, 0: once */
};

static vm_zone_t itimer_zone;

static void
itimer_init(void *dummy)
{
	itimer_zone = zinit("ITIMER", sizeof(struct itimer), maxproc,
	    ZONE_INTERRUPT | ZONE_PANICFAIL);
	if (itimer_zone == NULL)
		panic("itimer_init: no address space for %d timers", maxproc);
}
SYSINIT(itimer, SI_SUB_PRE_DRIVERS, SI_ORDER_ANY, itimer_init, NULL);

/*
 * Soft clock.
 */
static void
itimer_expire(void *arg)
{
	struct itimer *it = arg;

	lwkt_gettoken(&proc_token);
	psignal(it->it_proc, SIGALRM);
	lwkt_reltoken(&proc_token);
	if (it->it_interval != 0)
		callout_reset(&it->it_callout, it->it_interval, itimer_expire,
		    it);
}

static int
timeval_to_ticks(const struct timeval *tv)
{
	time_t secs = MIN(tv->tv_sec, ITIMER_MAXSECS);

	return (secs * hz + howmany(tv->tv_usec, ustick));
}

static void
timeval_of_ticks(int t, struct timeval *tv)
{
	tv->tv_sec = t / hz;
	tv->tv_usec = t % hz * ustick;
}

/*
 * Ticks until p's timer expires, 0: it will not.
 */
static int
itimer_left(struct proc *p)
{
	struct itimer *it = p->p_itimer;

	if (it == NULL || !callout_pending(&it->it_callout))
		return (0);
	return (imax(it->it_callout.c_time - ticks, 1));
}

/*
 * Let it expire in value ticks, then each interval ticks; 0: never.
 */
static void
itimer_set(struct proc *p, int value, int interval)
{
	struct itimer *it = p->p_itimer;

	if (it == NULL) {
		if (value == 0)
			return;
		it = zalloc(itimer_zone);
		callout_init_mp(&it->it_callout);
		it->it_proc = p;
		p->p_itimer = it;
	}
	callout_stop(&it->it_callout);
	it->it_interval = interval;
	if (value != 0)
		callout_reset(&it->it_callout, value, itimer_expire, it);
}

/*
 * The process exits.
 */
void
itimer_exit(struct proc *p)
{
	struct itimer *it = p->p_itimer;

	if (it == NULL)
		return;
	it->it_interval = 0;
	callout_stop(&it->it_callout);
	p->p_itimer = NULL;
	zfree(itimer_zone, it);
}

static int
copyout_itimer(struct proc *p, int left, register_t uaddr)
{
	struct itimerval itv;

	if (uaddr == 0)
		return (0);
	timeval_of_ticks(left, &itv.it_value);
	timeval_of_ticks(p->p_itimer != NULL ? p->p_itimer->it_interval : 0,
	    &itv.it_interval);
	return (copyout(&itv, (void *)uaddr, sizeof(itv)));
}

int
sys_getitimer(struct proc *p, const register_t *a, register_t *res)
{
	if (a[0] != ITIMER_REAL)
		return (EINVAL);
	return (copyout_itimer(p, itimer_left(p), a[1]));
}

static boolean_t
timeval_valid(const struct timeval *tv)
{
	return (tv->tv_sec >= 0 && tv->tv_usec >= 0 && tv->tv_usec < 1000000);
}

int
sys_setitimer(struct proc *p, const register_t *a, register_t *res)
{
	struct itimerval itv;
	int error;

	if (a[0] != ITIMER_REAL)
		return (EINVAL);
	error = copyin((const void *)a[1], &itv, sizeof(itv));
	if (error == 0 && (!timeval_valid(&itv.it_value) ||
	    !timeval_valid(&itv.it_interval)))
		error = EINVAL;
	if (error == 0)
		error = copyout_itimer(p, itimer_left(p), a[2]);
	if (error == 0)
		itimer_set(p, timeval_to_ticks(&itv.it_value),
		    timeval_to_ticks(&itv.it_interval));
	return (error);
}

int
sys_alarm(struct proc *p, const register_t *a, register_t *res)
{
	struct timeval tv = { (uint32_t)a[0], 0 };

	*res = howmany(itimer_left(p), hz);
	itimer_set(p, timeval_to_ticks(&tv), 0);
	return (0);
}
