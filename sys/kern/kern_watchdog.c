/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The watchdog: turns a hang into a panic that says who waits for what.
 *
 * Once a second it adds up what only useful work moves: page faults, pages
 * to and from swap, system calls completed, clock ticks in user mode, rounds
 * of the kernel's own tests.  When the sum has stood still for watchdog=
 * seconds (kernel environment, 0 switches it off) and no process is asleep on
 * purpose, every thread, every held lock and the state of memory are printed
 * and the run ends.  The verdict names the page-out thread if that
 * sleeps anywhere but where it waits for work, else the process.
 *
 * It runs from a callout and takes no locks but the console.  Before it
 * reports it stops the other processors, so that what it walks stands still.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/callout.h>
#include <sys/globaldata.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <sys/sysent.h>
#include <sys/time.h>

#include <vm/vm.h>
#include <vm/vm_extern.h>
#include <vm/vm_pageout.h>

#include <machine/smp.h>

#define	WATCHDOG_DEFAULT	30		/* seconds */

SET_DECLARE(watchdog_set, watchdog_report_t);

static int watchdog_seconds = WATCHDOG_DEFAULT;
TUNABLE_INT("watchdog", &watchdog_seconds);
SYSCTL_INT(_kern, OID_AUTO, watchdog, CTLFLAG_RW, &watchdog_seconds, 0,
    "Seconds without progress that end the run; 0: never");

u_long watchdog_work;

static struct callout watchdog_callout;
static uint64_t watchdog_last;		/* progress when last looked at */
static int watchdog_idle;		/* seconds it has been the same */

static uint64_t
watchdog_progress(void)
{
	uint64_t sum = syscalls_done + user_ticks + watchdog_work;
	const struct vmmeter *cnt;
	int cpu;

	for (cpu = 0; cpu < ncpus; ++cpu) {
		cnt = &globaldata_find(cpu)->gd_cnt;
		sum += cnt->v_vm_faults + cnt->v_swappgsin +
		    cnt->v_swappgsout;
	}
	return (sum);
}

/*
 * Whose progress it is about.
 */
static struct thread *
watchdog_subject(void)
{
	if (initproc != NULL && initproc->p_thread->td_proc != NULL)
		return (initproc->p_thread);
	return (&thread0);
}

/*
 * Does a process sleep for a time, or wait for a person?
 */
static boolean_t
watchdog_patient(struct thread *td)
{
	const char *wmesg = td->td_wmesg;

	return (td->td_proc != NULL && wmesg != NULL &&
	    (strcmp(wmesg, "nanslp") == 0 || strcmp(wmesg, "ttyin") == 0));
}

static void
watchdog_bark(void)
{
	struct thread *td = watchdog_subject();
	watchdog_report_t **funcp;

	stop_cpus();
	kprintf("watchdog: no progress for %d s\n", watchdog_idle);
	lwkt_report();
	kprintf("locks:\n");
	lockmgr_report();
	vm_watchdog_report();
	SET_FOREACH(funcp, watchdog_set)
		(*funcp)();
	if (pagethread != NULL && pagethread->td_wmesg != NULL &&
	    pagethread->td_wchan != &vm_pages_needed)
		td = pagethread;
	verdict_fail("no progress: %s waits on %s", td->td_comm,
	    td->td_wmesg != NULL ? td->td_wmesg : "nothing");
}

static void
watchdog_tick(void *dummy)
{
	uint64_t progress = watchdog_progress();

	if (progress != watchdog_last || lwkt_any_thread(watchdog_patient)) {
		watchdog_last = progress;
		watchdog_idle = 0;
	} else if (++watchdog_idle >= watchdog_seconds &&
	    watchdog_seconds != 0) {
		watchdog_bark();
	}
	callout_reset(&watchdog_callout, hz, watchdog_tick, NULL);
}

static void
watchdog_start(void *dummy)
{
	callout_init_mp(&watchdog_callout);
	callout_reset(&watchdog_callout, hz, watchdog_tick, NULL);
}
SYSINIT(watchdog, SI_BOOT2_POST_SMP, SI_ORDER_ANY, watchdog_start, NULL);
