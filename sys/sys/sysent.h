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

sy_call_t sys_read, sys_write, sys_writev, sys_open, sys_openat, sys_close;
sy_call_t sys_stat, sys_fstat, sys_newfstatat, sys_lseek, sys_ioctl;
sy_call_t sys_mmap, sys_mprotect, sys_munmap, sys_brk, sys_madvise;
sy_call_t sys_getpid, sys_zero, sys_set_tid_address, sys_arch_prctl;
sy_call_t sys_exit, sys_nanosleep, sys_clock_nanosleep, sys_clock_gettime;
sy_call_t sys_gettimeofday, sys_uname, sys_sched_yield, sys_getrandom;
sy_call_t sys_reboot, sys_sysinfo, sys_kmobj_sysctl, sys_tkill;

#endif
