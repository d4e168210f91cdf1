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

#define	SYSCALL_INSN_SIZE	2	/* bytes */

uint64_t syscalls_done;

static sy_call_t *const sysent[] = {
	[0] = sys_read,
	[1] = sys_write,
	[2] = sys_open,
	[3] = sys_close,
	[4] = sys_stat,
	[5] = sys_fstat,
	[6] = sys_lstat,
	[7] = sys_poll,
	[8] = sys_lseek,
	[9] = sys_mmap,
	[10] = sys_mprotect,
	[11] = sys_munmap,
	[12] = sys_brk,
	[13] = sys_rt_sigaction,
	[14] = sys_rt_sigprocmask,
	[15] = sys_rt_sigreturn,
	[16] = sys_ioctl,
	[17] = sys_pread64,
	[18] = sys_pwrite64,
	[19] = sys_readv,
	[20] = sys_writev,
	[21] = sys_access,
	[22] = sys_pipe,
	[24] = sys_sched_yield,
	[28] = sys_madvise,
	[32] = sys_dup,
	[33] = sys_dup2,
	[34] = sys_pause,
	[35] = sys_nanosleep,
	[36] = sys_getitimer,
	[37] = sys_alarm,
	[38] = sys_setitimer,
	[39] = sys_getpid,
	[41] = sys_socket,
	[42] = sys_connect,
	[43] = sys_accept,
	[44] = sys_sendto,
	[45] = sys_recvfrom,
	[46] = sys_sendmsg,
	[47] = sys_recvmsg,
	[48] = sys_shutdown,
	[49] = sys_bind,
	[50] = sys_listen,
	[51] = sys_getsockname,
	[52] = sys_getpeername,
	[53] = sys_socketpair,
	[54] = sys_setsockopt,
	[55] = sys_getsockopt,
	[56] = sys_clone,
	[57] = sys_fork,
	[58] = sys_vfork,
	[59] = sys_execve,
	[60] = sys_exit,
	[61] = sys_wait4,
	[62] = sys_kill,
	[63] = sys_uname,
	[72] = sys_fcntl,
	[76] = sys_truncate,
	[77] = sys_ftruncate,
	[79] = sys_getcwd,
	[80] = sys_chdir,
	[81] = sys_fchdir,
	[82] = sys_rename,
	[83] = sys_mkdir,
	[84] = sys_rmdir,
	[85] = sys_creat,
	[86] = sys_link,
	[87] = sys_unlink,
	[88] = sys_symlink,
	[89] = sys_readlink,
	[90] = sys_chmod,
	[91] = sys_fchmod,
	[92] = sys_zero,	/* chown */
	[93] = sys_zero,	/* fchown */
	[94] = sys_zero,	/* lchown */
	[95] = sys_umask,
	[96] = sys_gettimeofday,
	[97] = sys_getrlimit,
	[98] = sys_getrusage,
	[99] = sys_sysinfo,
	[100] = sys_times,
	[102] = sys_zero,	/* getuid */
	[104] = sys_zero,	/* getgid */
	[105] = sys_zero,	/* setuid */
	[106] = sys_zero,	/* setgid */
	[107] = sys_zero,	/* geteuid */
	[108] = sys_zero,	/* getegid */
	[109] = sys_setpgid,
	[110] = sys_getppid,
	[111] = sys_getpgrp,
	[112] = sys_setsid,
	[115] = sys_zero,	/* getgroups */
	[121] = sys_getpgid,
	[124] = sys_getsid,
	[127] = sys_rt_sigpending,
	[130] = sys_rt_sigsuspend,
	[131] = sys_sigaltstack,
	[133] = sys_mknod,
	[158] = sys_arch_prctl,
	[162] = sys_zero,	/* sync */
	[169] = sys_reboot,
	[186] = sys_getpid,	/* gettid */
	[200] = sys_tkill,
	[201] = sys_time,
	[203] = sys_sched_setaffinity,
	[204] = sys_sched_getaffinity,
	[213] = sys_epoll_create,
	[217] = sys_getdents64,
	[218] = sys_set_tid_address,
	[228] = sys_clock_gettime,
	[229] = sys_clock_getres,
	[230] = sys_clock_nanosleep,
	[231] = sys_exit,	/* exit_group */
	[232] = sys_epoll_wait,
	[233] = sys_epoll_ctl,
	[234] = sys_tgkill,
	[257] = sys_openat,
	[258] = sys_mkdirat,
	[260] = sys_zero,	/* fchownat */
	[262] = sys_newfstatat,
	[263] = sys_unlinkat,
	[264] = sys_renameat,
	[265] = sys_linkat,
	[266] = sys_symlinkat,
	[267] = sys_readlinkat,
	[268] = sys_fchmodat,
	[269] = sys_faccessat,
	[271] = sys_ppoll,
	[273] = sys_zero,	/* set_robust_list */
	[280] = sys_utimensat,
	[281] = sys_epoll_wait,	/* epoll_pwait */
	[288] = sys_accept4,
	[291] = sys_epoll_create1,
	[292] = sys_dup3,
	[293] = sys_pipe2,
	[302] = sys_prlimit64,
	[316] = sys_renameat2,
	[318] = sys_getrandom,
	[439] = sys_faccessat,	/* faccessat2 */
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
 * From Xfast_syscall, interrupts on.  Nonzero if all of the frame is to be
 * restored.
 */
int
syscall2(struct trapframe *tf)
{
	struct thread *td = curthread;
	struct proc *p = td->td_proc;
	register_t code = tf->tf_rax;
	register_t res = 0;
	int error, full;

	++mycpu->gd_cnt.v_syscall;
	if (code < 0 || code >= (register_t)NELEM(sysent) ||
	    sysent[code] == NULL) {
		report_unknown(p, code);
		error = ENOSYS;
	} else {
		error = sysent[code](p, &tf->tf_rdi, &res);
	}
	full = (error == EJUSTRETURN || error == ERESTART);
	if (error == ERESTART)
		tf->tf_rip -= SYSCALL_INSN_SIZE;
	else if (error != EJUSTRETURN)
		tf->tf_rax = error != 0 ? -error : res;
	atomic_add_long(&syscalls_done, 1);
	KASSERT(td->td_critcount == 0 && TD_TOKS_NOT_HELD(td) &&
	    td->td_locks == 0,
	    ("system call %ld returns with %d critical sections, %d locks, "
	    "%ld tokens", code, td->td_critcount, td->td_locks,
	    td->td_toks_stop - &td->td_toks_base));
	lwkt_user_rebalance();
	if (CURSIG(p) != 0 || (p->p_flags & P_OLDMASK))
		full |= userret(p, tf);
	return (full);
}
