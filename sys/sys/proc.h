/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes.
 *
 * A process has one thread.  proc_token protects the list of all processes,
 * their family (p_pptr, p_children), groups, p_stat, p_xstat, and a process
 * from being reaped.  p_thread and p_vmspace are changed by the process itself
 * with proc_token held, before the old one is given up: others may look at
 * them as long as they hold it.  Everything else belongs to the process
 * itself, but for p_siglist, which changes with atomic operations.
 */
#ifndef _SYS_PROC_H_
#define	_SYS_PROC_H_

#include <sys/param.h>
#include <sys/queue.h>
#include <sys/thread.h>
#include <sys/globaldata.h>
#include <sys/file.h>
#include <sys/signal.h>
#include <machine/proc.h>

struct tmpfs_node;
struct exec_args;
struct itimer;
struct vmspace;

/*
 * What a program was called with, each argument with its NUL.  Parent and child
 * share it; ar_ref and p_args change with proc_token held.
 */
struct pargs {
	u_int	ar_ref;
	u_int	ar_length;		/* bytes */
	char	ar_args[];
};

struct proc {
	LIST_ENTRY(proc) p_list;	/* all processes */
	LIST_ENTRY(proc) p_sibling;	/* p_pptr's children */
	LIST_HEAD(, proc) p_children;
	struct proc	*p_pptr;
	struct vmspace	*p_vmspace;	/* address space */
	struct thread	*p_thread;	/* NULL: a zombie */
	pid_t		p_pid;
	pid_t		p_pgid;		/* process group */
	pid_t		p_sid;		/* session */
	int		p_flags;	/* P_* */
	int		p_stat;		/* S* */
	int		p_xstat;	/* as wait4() reports it */
	int		p_exitsig;	/* what the parent gets */
	mode_t		p_umask;
	uint64_t	p_settid;	/* where the child stores its id, or 0 */
	sigset_t	p_siglist;	/* pending */
	sigset_t	p_sigmask;	/* blocked */
	sigset_t	p_oldsigmask;	/* P_OLDMASK: to be restored */
	struct sigaltstack p_sigstk;
	struct sigaction p_sigact[NSIG + 1];
	struct itimer	*p_itimer;	/* NULL: never set */
	u_long		p_uticks;	/* clock ticks in user mode */
	u_long		p_sticks;	/* and in the kernel */
	u_long		p_cuticks;	/* the same of reaped children */
	u_long		p_csticks;
	sbintime_t	p_start;	/* clock ticks, since boot */
	struct pargs	*p_args;	/* NULL: none yet */
	struct tmpfs_node *p_cwd;
	char		p_comm[MAXCOMLEN + 1];
	struct fdnode	p_fd[NOFILE];
};

#define	P_PPWAIT	0x0010		/* parent waits for exec or exit */
#define	P_WEXIT		0x2000		/* exiting */
#define	P_OLDMASK	0x4000		/* p_oldsigmask is set */

#define	SIDL		1		/* being created */
#define	SACTIVE		2
#define	SZOMB		3		/* waits to be reaped */

#define	RFMEM		0x0020		/* fork1: common address space */
#define	RFPPWAIT	0x0080		/* fork1: wait for exec or exit */

#define	curproc		(curthread->td_proc)

/* User registers, as the kernel's entry saved them. */
#define	proc_regs(p)							\
	((struct trapframe *)((p)->p_thread->td_kstack +		\
	    (p)->p_thread->td_kstack_size) - 1)

LIST_HEAD(proclist, proc);

extern struct lwkt_token proc_token;
extern struct proclist allproc;
extern int nprocs;
extern long forks_done;
extern int maxproc;
extern struct proc proc0;		/* the kernel itself */
extern struct proc *initproc;		/* process 1 */
extern struct thread thread0;

/*
 * A child of p1 (NULL: process 1, without an address space), not running yet
 * and only known to the caller till proc_start().  EAGAIN: too many.
 */
int	fork1(struct proc *p1, int flags, struct proc **p2p);
void	proc_start(struct proc *p2);
void	proc_free(struct proc *p);	/* proc_token held */
struct proc *pfind(pid_t pid);		/* proc_token held */

int	kern_execve(struct proc *p, struct exec_args *args);
struct pargs *pargs_ref(struct pargs *pa);	/* proc_token held */
void	pargs_rele(struct pargs *pa);		/* the same; may be NULL */
void	exit1(int status) __dead2;
void	itimer_exit(struct proc *p);

/* Memory and swap are used up: end the process that uses most of them. */
void	oom_kill(void);

#endif
