/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does a machine that has nothing left still live?
 *
 * No process can tell, as it might not get the page that it needs to look.
 * kern.pulse=N in the kernel environment has the kernel look itself: from the
 * first time that free pages are fewer than v_free_min it prints a line a
 * second,
 *
 *	pulse: second 3: 14 calls, 4 pages in, 70 free, fewest 63
 *
 * with the system calls completed and the pages read from swap in that second,
 * the pages free at its end and the fewest that were free at a clock tick.
 * After N of these the boot ends.  It has passed if test=mapbomb was asked for,
 * whose process does not come back to say so: what the lines mean is for others
 * to say (boot-tests/pulse).  Any other test would be cut off, and has failed.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/kernel.h>
#include <sys/sysent.h>
#include <sys/thread2.h>
#include <sys/vmmeter.h>
#include <vm/vm.h>
#include <vm/vm_extern.h>
#include <vm/vm_lastpage.h>
#include <vm/vm_page.h>
#include <vm/vm_page2.h>
#include <machine/cpu.h>
#include <machine/smp.h>

static int pulse_seconds;
TUNABLE_INT("kern.pulse", &pulse_seconds);

static struct callout pulse_callout;
static int pulse_ticks;			/* since memory is short */
static u_long pulse_calls, pulse_in;	/* when the second began */
static long pulse_fewest;

static void
pulse_begin(void)
{
	pulse_calls = syscalls_done;
	pulse_in = vm_meter_sum(offsetof(struct vmmeter, v_swappgsin));
	pulse_fewest = vmstats.v_free_count;
}

static void
pulse_print(void)
{
	const u_long calls = pulse_calls, in = pulse_in;
	const long fewest = pulse_fewest;

	pulse_begin();
	kprintf("pulse: second %d: %lu calls, %lu pages in, %ld free, fewest "
	    "%ld\n", pulse_ticks / hz, pulse_calls - calls, pulse_in - in,
	    (long)vmstats.v_free_count, fewest);
}

static void
pulse_end(void)
{
	const char *test = kgetenv("test");
	const int pass = (test != NULL && strcmp(test, "mapbomb") == 0);

	crit_enter();
	stop_cpus();
	vm_lastpage_report();
	if (pass)
		kprintf("KMOBJ: PASS %s\n", test);
	else
		kprintf("KMOBJ: FAIL %s: kern.pulse ended it; expected "
		    "test=mapbomb\n", test != NULL ? test : "paging");
	cpu_exit_qemu(pass);
}

static void
pulse_tick(void *dummy)
{
	if (pulse_ticks != 0 || vm_paging_min()) {
		if (pulse_ticks++ == 0)
			pulse_begin();
		pulse_fewest = lmin(pulse_fewest, vmstats.v_free_count);
		if (pulse_ticks % hz == 0)
			pulse_print();
		if (pulse_ticks == pulse_seconds * hz)
			pulse_end();
	}
	callout_reset(&pulse_callout, 1, pulse_tick, NULL);
}

static void
pulse_start(void *dummy)
{
	if (pulse_seconds <= 0)
		return;
	callout_init_mp(&pulse_callout);
	callout_reset(&pulse_callout, 1, pulse_tick, NULL);
}
SYSINIT(pulse, SI_BOOT2_POST_SMP, SI_ORDER_ANY, pulse_start, NULL);
