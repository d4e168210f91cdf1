/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * panic(), and the ways to stop the machine.  The first processor to panic
 * stops the others, which may hold any lock: nothing on the way out waits for
 * one.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/thread.h>
#include <sys/thread2.h>

#include <vm/vm_lastpage.h>

#include <machine/cpu.h>
#include <machine/smp.h>
#include <machine/vmparam.h>

#define	BACKTRACE_DEPTH	16

const char *panicstr;

extern char kernel_start[], etext[];

/*
 * Return addresses up the chain of frame pointers; count -1 means some.
 */
void
print_backtrace(int count)
{
	uintptr_t *fp = __builtin_frame_address(0);
	struct thread *td = curthread;
	uintptr_t lo = (uintptr_t)td->td_kstack;
	uintptr_t hi = lo + td->td_kstack_size;

	if (count < 0)
		count = BACKTRACE_DEPTH;
	kprintf("backtrace:");
	while (count-- > 0 && (uintptr_t)fp >= lo &&
	    (uintptr_t)fp + 2 * sizeof(*fp) <= hi &&
	    ((uintptr_t)fp & (sizeof(*fp) - 1)) == 0) {
		if (fp[1] < (uintptr_t)kernel_start ||
		    fp[1] >= (uintptr_t)etext)
			break;
		kprintf(" %#lx", fp[1]);
		fp = (uintptr_t *)fp[0];
	}
	kprintf("\n");
}

/*
 * Print the verdict line which ends a failed run, and stop.
 */
void
verdict_fail(const char *fmt, ...)
{
	const char *test;
	__va_list va;

	crit_enter();
	stop_cpus();
	test = kgetenv("test");
	vm_lastpage_report();
	kprintf("KMOBJ: FAIL %s: ", test != NULL ? test : "boot");
	__va_start(va, fmt);
	kvprintf(fmt, va);
	__va_end(va);
	kprintf("\n");
	cpu_exit_qemu(FALSE);
}

void
panic(const char *fmt, ...)
{
	static volatile u_int panic_cpu;	/* and one */
	static char buf[256];
	__va_list va;

	cpu_disable_intr();
	if (!atomic_cmpset_int(&panic_cpu, 0, mycpuid + 1)) {
		if (panic_cpu != (u_int)mycpuid + 1)
			cpu_halt();
		kprintf("panic: while panicking: %s\n", fmt);
		cpu_exit_qemu(FALSE);
	}
	__va_start(va, fmt);
	kvsnprintf(buf, sizeof(buf), fmt, va);
	__va_end(va);
	panicstr = buf;
	stop_cpus();
	kprintf("panic: %s\n", buf);
	kprintf("thread %s, cpu %d, uptime %u s\n", curthread->td_comm,
	    mycpuid, mycpu->gd_time_seconds);
	print_backtrace(-1);
	verdict_fail("panic: %s", buf);
}
