/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System call dispatch.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/proc.h>
#include <sys/sysent.h>

#include <machine/md_var.h>

uint64_t syscalls_done;

static sy_call_t *const sysent[] = {
	[0] = sys_read,
	[1] = sys_write,
	[2] = sys_open,
	[3] = sys_close,
	[4] = sys_stat,
	[5] = sys_fstat,
	[6] = sys_stat,			/* lstat: there are no links */
	[8] = sys_lseek,
	[9] = sys_mmap,
	[10] = sys_mprotect,
	[11] = sys_munmap,
	[12] = sys_brk,
	[13] = sys_zero,		/* rt_sigaction */
	[14] = sys_zero,		/* rt_sigprocmask */
	[16] = sys_ioctl,
	[20] = sys_writev,
	[24] = sys_sched_yield,
	[28] = sys_madvise,
	[35] = sys_nanosleep,
	[39] = sys_getpid,
	[60] = sys_exit,
	[63] = sys_uname,
	[96] = sys_gettimeofday,
	[99] = sys_sysinfo,
	[102] = sys_zero,		/* getuid */
	[104] = sys_zero,		/* getgid */
	[107] = sys_zero,		/* geteuid */
	[108] = sys_zero,		/* getegid */
	[158] = sys_arch_prctl,
	[169] = sys_reboot,
	[186] = sys_getpid,		/* gettid */
	[200] = sys_tkill,
	[218] = sys_set_tid_address,
	[228] = sys_clock_gettime,
	[230] = sys_clock_nanosleep,
	[231] = sys_exit,		/* exit_group */
	[257] = sys_openat,
	[262] = sys_newfstatat,
	[318] = sys_getrandom,
	[SYS_KMOBJ_SYSCTL] = sys_kmobj_sysctl,
};

static void
report_unknown(struct proc *p, register_t code)
{
	static u_char seen[512 / NBBY];

	if (code >= 0 && code < (register_t)sizeof(seen) * NBBY) {
		if (isset(seen, code))
			return;
		setbit(seen, code);
	}
	kprintf("pid %d (%s): system call %ld is not implemented\n",
	    p->p_pid, p->p_comm, code);
}

/*
 * From Xfast_syscall, interrupts on.
 */
void
syscall2(struct trapframe *tf)
{
	struct thread *td = curthread;
	struct proc *p = td->td_proc;
	register_t code = tf->tf_rax;
	register_t res = 0;
	int error;

	++mycpu->gd_cnt.v_syscall;
	if (code < 0 || code >= (register_t)NELEM(sysent) ||
	    sysent[code] == NULL) {
		report_unknown(p, code);
		error = ENOSYS;
	} else {
		error = sysent[code](p, &tf->tf_rdi, &res);
	}
	if (error != EJUSTRETURN)
		tf->tf_rax = error != 0 ? -error : res;
	atomic_add_long(&syscalls_done, 1);
	KASSERT(td->td_critcount == 0 && TD_TOKS_NOT_HELD(td) &&
	    td->td_locks == 0,
	    ("system call %ld returns with %d critical sections, %d locks, "
	    "%ld tokens", code, td->td_critcount, td->td_locks,
	    td->td_toks_stop - &td->td_toks_base));
	lwkt_user_rebalance();
}
