/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes.
 */
#ifndef _SYS_PROC_H_
#define	_SYS_PROC_H_

#include <sys/param.h>
#include <sys/thread.h>
#include <sys/globaldata.h>
#include <sys/initrd.h>
#include <machine/proc.h>

struct vmspace;

struct filedesc {
	int		fd_kind;	/* FD_* */
	struct initrd_file fd_file;	/* FD_FILE */
	off_t		fd_offset;
};

#define	FD_NONE		0
#define	FD_CONSOLE	1
#define	FD_FILE		2

struct proc {
	struct vmspace	*p_vmspace;	/* address space */
	struct thread	*p_thread;
	pid_t		p_pid;
	int		p_flags;
	int		p_xstat;	/* exit status */
	char		p_comm[MAXCOMLEN + 1];
	struct filedesc	p_fd[NOFILE];
};

#define	curproc		(curthread->td_proc)

extern struct proc proc0;		/* the kernel itself */
extern struct proc *initproc;		/* process 1 */
extern struct thread thread0;

int	kern_execve(struct proc *p, const char *path, char *const *argv,
	    char *const *envv);
void	exit1(int status) __dead2;
void	sigsegv_exit(struct proc *p, const char *what, vm_offset_t va,
	    vm_offset_t pc) __dead2;

#endif
