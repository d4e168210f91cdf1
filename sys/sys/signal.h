/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals: numbers and structures of the x86-64 Linux interface.  The theory
 * is in kern/kern_sig.c.
 */
#ifndef _SYS_SIGNAL_H_
#define	_SYS_SIGNAL_H_

#include <sys/types.h>

#define	NSIG		64

#define	SIGINT		2
#define	SIGILL		4
#define	SIGTRAP		5
#define	SIGBUS		7
#define	SIGFPE		8
#define	SIGKILL		9
#define	SIGSEGV		11
#define	SIGPIPE		13
#define	SIGALRM		14
#define	SIGCHLD		17
#define	SIGCONT		18
#define	SIGSTOP		19
#define	SIGTSTP		20
#define	SIGTTIN		21
#define	SIGTTOU		22
#define	SIGURG		23
#define	SIGWINCH	28

#define	SIG_DFL		0UL
#define	SIG_IGN		1UL

#define	SA_SIGINFO	0x00000004UL
#define	SA_RESTORER	0x04000000UL
#define	SA_ONSTACK	0x08000000UL
#define	SA_RESTART	0x10000000UL
#define	SA_NODEFER	0x40000000UL
#define	SA_RESETHAND	0x80000000UL

#define	SIG_BLOCK	0
#define	SIG_UNBLOCK	1
#define	SIG_SETMASK	2

#define	SI_USER		0		/* si_code: by kill() */
#define	SI_KERNEL	0x80

#define	SS_ONSTACK	1
#define	SS_DISABLE	2

typedef uint64_t sigset_t;

#define	sigmask(sig)	(1UL << ((sig) - 1))
#define	SIGCANTMASK	(sigmask(SIGKILL) | sigmask(SIGSTOP))

struct sigaction {
	uint64_t	sa_handler;
	uint64_t	sa_flags;
	uint64_t	sa_restorer;
	sigset_t	sa_mask;
};

struct sigaltstack {
	uint64_t	ss_sp;
	int		ss_flags;
	int		ss_pad;
	uint64_t	ss_size;
};

#ifdef _KERNEL

struct proc;
struct trapframe;

#define	CURSIG(p)	((p)->p_siglist & ~(p)->p_sigmask)

/*
 * Send a signal.  The process must not go away meanwhile: it is the caller,
 * or proc_token is held.
 */
void	psignal(struct proc *p, int sig);
int	pgsignal(pid_t pgid, int sig);

/* The current process did something it may catch, or else dies of. */
void	trapsignal(struct proc *p, int sig, const char *what, vm_offset_t va,
	    vm_offset_t pc);

/* Before the return to user mode; TRUE if the frame was changed. */
boolean_t userret(struct proc *p, struct trapframe *tf);

void	execsigs(struct proc *p);

/* The current process is to be killed: it should not wait for memory. */
boolean_t curproc_killed(void);

/* tsleep(PCATCH): EINTR or ERESTART if a signal came. */
int	tsleep_catch(const volatile void *ident, int flags, const char *wmesg,
	    int timo);

/* platform: the handler's frame on the user's stack; errno */
int	sendsig(struct proc *p, struct trapframe *tf, int sig,
	    const struct sigaction *sa, sigset_t mask);

#endif

#endif
