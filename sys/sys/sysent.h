/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls: x86-64 Linux numbers and conventions, and one of our own.
 */
#ifndef _SYS_SYSENT_H_
#define	_SYS_SYSENT_H_

#include <sys/types.h>

struct proc;

/*
 * a: the six arguments; *res: the result, 0 if not set.  Returns an errno,
 * or EJUSTRETURN if the trap frame is already as it shall be.
 */
typedef int sy_call_t(struct proc *p, const register_t *a, register_t *res);

#define	SYS_KMOBJ_SYSCTL	1000

extern uint64_t syscalls_done;		/* for the watchdog */

sy_call_t sys_read, sys_write, sys_open, sys_close, sys_stat, sys_fstat;
sy_call_t sys_lstat, sys_poll, sys_lseek, sys_mmap, sys_mprotect, sys_munmap;
sy_call_t sys_brk, sys_rt_sigaction, sys_rt_sigprocmask, sys_rt_sigreturn;
sy_call_t sys_ioctl, sys_pread64, sys_pwrite64, sys_readv, sys_writev;
sy_call_t sys_access, sys_pipe, sys_sched_yield, sys_sched_setaffinity;
sy_call_t sys_sched_getaffinity, sys_madvise, sys_dup;
sy_call_t sys_dup2, sys_pause, sys_nanosleep, sys_getpid, sys_clone;
sy_call_t sys_fork, sys_vfork, sys_execve, sys_exit, sys_wait4, sys_kill;
sy_call_t sys_uname, sys_fcntl, sys_truncate, sys_ftruncate, sys_getcwd;
sy_call_t sys_chdir, sys_fchdir, sys_rename, sys_mkdir, sys_rmdir, sys_creat;
sy_call_t sys_link, sys_unlink, sys_symlink, sys_readlink, sys_chmod;
sy_call_t sys_fchmod, sys_zero, sys_umask, sys_gettimeofday, sys_getrlimit;
sy_call_t sys_getrusage, sys_sysinfo, sys_times, sys_setpgid, sys_getppid;
sy_call_t sys_getpgrp, sys_setsid, sys_getpgid, sys_getsid;
sy_call_t sys_rt_sigpending, sys_rt_sigsuspend, sys_sigaltstack, sys_mknod;
sy_call_t sys_arch_prctl, sys_reboot, sys_tkill, sys_time, sys_getdents64;
sy_call_t sys_set_tid_address, sys_clock_gettime, sys_clock_getres;
sy_call_t sys_clock_nanosleep, sys_tgkill, sys_openat, sys_mkdirat;
sy_call_t sys_newfstatat, sys_unlinkat, sys_renameat, sys_linkat;
sy_call_t sys_symlinkat, sys_readlinkat, sys_fchmodat, sys_faccessat;
sy_call_t sys_ppoll, sys_utimensat, sys_dup3, sys_pipe2, sys_prlimit64;
sy_call_t sys_renameat2, sys_getrandom, sys_kmobj_sysctl;
sy_call_t sys_socket, sys_connect, sys_accept, sys_accept4, sys_sendto;
sy_call_t sys_recvfrom, sys_sendmsg, sys_recvmsg, sys_shutdown, sys_bind;
sy_call_t sys_listen, sys_getsockname, sys_getpeername, sys_socketpair;
sy_call_t sys_setsockopt, sys_getsockopt, sys_getitimer, sys_setitimer;
sy_call_t sys_alarm, sys_epoll_create, sys_epoll_create1, sys_epoll_ctl;
sy_call_t sys_epoll_wait;

#endif
