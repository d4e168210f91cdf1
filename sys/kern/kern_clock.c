/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time: hz clock interrupts a second are all the kernel knows of it.  Every
 * processor has its own, for time slices; the boot processor's also tell the
 * time, and nobody else changes that.
 *
 * Pseudo ticks, see <sys/exislock.h>: one passes when every processor has had
 * a clock interrupt outside of exis_hold() since the one before.  A processor
 * may be seen outside and go in before the tick passes, but not before the
 * next one: so an object given up is out of everybody's sight two ticks later.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/callout.h>
#include <sys/exislock.h>
#include <sys/globaldata.h>
#include <sys/kinfo.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <sys/thread.h>
#include <sys/time.h>

#include <machine/md_var.h>
#include <machine/smp.h>

int hz = 100;
int ustick = 1000000 / 100;
volatile int ticks;
volatile sbintime_t sbticks;
volatile time_t time_uptime;
int lbolt;
uint64_t user_ticks;
long pseudo_ticks = 2;

struct kinfo_cputime cputime_percpu[MAXCPU];

static struct callout lbolt_callout;
static volatile cpumask_t exis_outside;	/* seen outside of exis_hold() */

SYSCTL_INT(_kern, OID_AUTO, hz, CTLFLAG_RD, &hz, 0, "Clock ticks a second");

/*
 * What the processor was doing when the tick came.
 */
static void
statclock(struct globaldata *gd, int usermode)
{
	struct kinfo_cputime *cp = &cputime_percpu[gd->gd_cpuid];
	struct thread *td = gd->gd_curthread;

	if (usermode)
		++cp->cp_user;
	else if (td == &gd->gd_idlethread)
		++cp->cp_idle;
	else if (td->td_flags & TDF_INTTHREAD)
		++cp->cp_intr;
	else
		++cp->cp_sys;
}

/*
 * The boot processor's part of a tick.
 */
static void
hardclock_time(void)
{
	++ticks;
	++sbticks;
	if (sbticks % hz == 0)
		++time_uptime;
	if (sbticks % 10 == 0 &&
	    bitcount64(exis_outside.ary[0]) == (u_int)ncpus) {
		CPUMASK_ASSZERO(exis_outside);
		++pseudo_ticks;
	}
	softclock_tick();
}

/*
 * Clock interrupt, interrupts off.
 */
void
hardclock(int usermode)
{
	struct globaldata *gd = mycpu;
	struct proc *p;

	++gd->gd_cnt.v_timer;
	pmap_inval_pending();
	if (usermode)
		atomic_add_long(&user_ticks, 1);
	statclock(gd, usermode);
	if ((p = gd->gd_curthread->td_proc) != NULL) {
		if (usermode)
			++p->p_uticks;
		else
			++p->p_sticks;
	}
	if (gd->gd_exislockcnt == 0)
		ATOMIC_CPUMASK_ORBIT(exis_outside, gd->gd_cpuid);
	if (gd->gd_cpuid == 0)
		hardclock_time();
	gd->gd_time_seconds = time_uptime;
	lwkt_schedulerclock(gd->gd_curthread);
}

void
getnanouptime(struct timespec *ts)
{
	sbintime_t t = sbticks;

	ts->tv_sec = t / hz;
	ts->tv_nsec = (t % hz) * (1000000000L / hz);
}

void
getmicrouptime(struct timeval *tv)
{
	sbintime_t t = sbticks;

	tv->tv_sec = t / hz;
	tv->tv_usec = (t % hz) * ustick;
}

/*
 * Ticks that last at least ts; at least one.
 */
int
tstohz_high(const struct timespec *ts)
{
	long nstick = 1000000000L / hz;

	if (ts->tv_sec >= INT_MAX / hz - 2)
		return (INT_MAX / 2);
	return (ts->tv_sec * hz + (ts->tv_nsec + nstick - 1) / nstick + 1);
}

static void
lbolt_tick(void *dummy)
{
	wakeup(&lbolt);
	callout_reset(&lbolt_callout, hz, lbolt_tick, NULL);
}

static void
lbolt_start(void *dummy)
{
	callout_init_mp(&lbolt_callout);
	callout_reset(&lbolt_callout, hz, lbolt_tick, NULL);
}
SYSINIT(lbolt, SI_BOOT2_CLOCKS, SI_ORDER_SECOND, lbolt_start, NULL);
