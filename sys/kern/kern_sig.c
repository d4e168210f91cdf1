/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals.
 *
 * A signal is a bit in p_siglist, set by anybody who holds proc_token.  The
 * process itself looks for unblocked ones whenever it is about to return to
 * user mode (userret()), which it does at the latest with the next clock
 * interrupt, and in sleeps which PCATCH allows to end early.  It then ends, or
 * goes on in the handler, on a frame sendsig() builds on the user's stack and
 * rt_sigreturn() undoes.
 *
 * A signal that would be ignored is not even recorded.  There is no job
 * control: what would stop a process is ignored.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/proc.h>
#include <sys/sysent.h>
#include <sys/thread2.h>
#include <sys/time.h>
#include <sys/wait.h>

#define	SIGIGNDFL	(sigmask(SIGCHLD) | sigmask(SIGURG) |		\
	sigmask(SIGWINCH) | sigmask(SIGCONT) | sigmask(SIGSTOP) |	\
	sigmask(SIGTSTP) | sigmask(SIGTTIN) | sigmask(SIGTTOU))

static boolean_t
sig_ignored(struct proc *p, int sig)
{
	uint64_t handler = p->p_sigact[sig].sa_handler;

	return (handler == SIG_IGN ||
	    (handler == SIG_DFL && (sigmask(sig) & SIGIGNDFL)));
}

void
psignal(struct proc *p, int sig)
{
	struct thread *td;

	KKASSERT(p == curproc || LWKT_TOKEN_HELD_ANY(&proc_token));
	if (sig_ignored(p, sig) && (p->p_sigmask & sigmask(sig)) == 0)
		return;
	atomic_set_64(&p->p_siglist, sigmask(sig));
	cpu_mfence();
	td = p->p_thread;
	if (td != NULL)
		tsleep_signal(td);
}

/*
 * To all of a group; pgid 0: to everybody but process 1.  ESRCH if that is
 * nobody.
 */
int
pgsignal(pid_t pgid, int sig)
{
	struct proc *p;
	int error = ESRCH;

	lwkt_gettoken(&proc_token);
	LIST_FOREACH(p, &allproc, p_list) {
		if (p->p_stat != SACTIVE ||
		    (pgid == 0 ? p == initproc : p->p_pgid != pgid))
			continue;
		error = 0;
		if (sig != 0)
			psignal(p, sig);
	}
	lwkt_reltoken(&proc_token);
	return (error);
}

/*
 * TDF_SINTR is set before we look for signals, and they before psignal() looks
 * for TDF_SINTR: one of both finds the other.
 */
int
tsleep_catch(const volatile void *ident, int flags, const char *wmesg,
    int timo)
{
	struct thread *td = curthread;
	struct proc *p = td->td_proc;
	int error = 0, sig;

	flags &= ~PCATCH;
	if (p == NULL)
		return (tsleep(ident, flags, wmesg, timo));
	atomic_set_int(&td->td_flags, TDF_SINTR);
	if ((flags & PINTERLOCKED) == 0)
		tsleep_interlock(ident, flags);
	cpu_mfence();
	if (CURSIG(p) == 0)
		error = tsleep(ident, flags | PINTERLOCKED, wmesg, timo);
	else
		tsleep_remove(td);
	atomic_clear_int(&td->td_flags, TDF_SINTR);
	if (CURSIG(p) == 0)
		return (error);
	sig = ffsl(CURSIG(p));
	return ((p->p_sigact[sig].sa_flags & SA_RESTART) ? ERESTART : EINTR);
}

/*
 * The program starts anew: no handlers, as they are gone.
 */
void
execsigs(struct proc *p)
{
	int sig;

	for (sig = 1; sig <= NSIG; ++sig) {
		if (p->p_sigact[sig].sa_handler != SIG_IGN)
			bzero(&p->p_sigact[sig], sizeof(p->p_sigact[sig]));
	}
	bzero(&p->p_sigstk, sizeof(p->p_sigstk));
	p->p_sigstk.ss_flags = SS_DISABLE;
}

boolean_t
curproc_killed(void)
{
	struct proc *p = curproc;

	return (p != NULL && (p->p_siglist & sigmask(SIGKILL)) != 0);
}

static void __dead2
sigexit(struct proc *p, int sig)
{
	exit1(W_EXITCODE(0, sig));
}

/*
 * Do what p wants done about sig.  TRUE if that changed the frame.
 */
static boolean_t
postsig(struct proc *p, int sig, struct trapframe *tf)
{
	struct sigaction *sa = &p->p_sigact[sig];
	sigset_t mask;

	if (sig_ignored(p, sig))
		return (FALSE);
	if (sa->sa_handler == SIG_DFL)
		sigexit(p, sig);
	mask = p->p_sigmask;
	if (p->p_flags & P_OLDMASK) {
		p->p_flags &= ~P_OLDMASK;
		mask = p->p_oldsigmask;
	}
	if (sendsig(p, tf, sig, sa, mask) != 0)
		sigexit(p, SIGSEGV);
	p->p_sigmask |= sa->sa_mask;
	if ((sa->sa_flags & SA_NODEFER) == 0)
		p->p_sigmask |= sigmask(sig);
	p->p_sigmask &= ~SIGCANTMASK;
	if (sa->sa_flags & SA_RESETHAND)
		sa->sa_handler = SIG_DFL;
	return (TRUE);
}

boolean_t
userret(struct proc *p, struct trapframe *tf)
{
	boolean_t changed = FALSE;
	int sig;

	while (CURSIG(p) != 0) {
		sig = ffsl(CURSIG(p));
		atomic_clear_64(&p->p_siglist, sigmask(sig));
		if (postsig(p, sig, tf))
			changed = TRUE;
	}
	if (p->p_flags & P_OLDMASK) {
		p->p_flags &= ~P_OLDMASK;
		p->p_sigmask = p->p_oldsigmask;
	}
	return (changed);
}

void
trapsignal(struct proc *p, int sig, const char *what, vm_offset_t va,
    vm_offset_t pc)
{
	if (p->p_sigact[sig].sa_handler > SIG_IGN &&
	    (p->p_sigmask & sigmask(sig)) == 0) {
		atomic_set_64(&p->p_siglist, sigmask(sig));
		return;
	}
	kprintf("pid %d (%s): %s at %#lx, pc %#lx\n", p->p_pid, p->p_comm,
	    what, va, pc);
	if (p == initproc)
		verdict_fail("pid %d: %s at %#lx, pc %#lx", p->p_pid, what,
		    va, pc);
	sigexit(p, sig);
}

/*
 * System calls.
 */
int
sys_rt_sigaction(struct proc *p, const register_t *a, register_t *res)
{
	struct sigaction sa, old;
	int sig = a[0], error;

	if (sig < 1 || sig > NSIG)
		return (EINVAL);
	old = p->p_sigact[sig];
	if (a[1] != 0) {
		if (sigmask(sig) & SIGCANTMASK)
			return (EINVAL);
		error = copyin((const void *)a[1], &sa, sizeof(sa));
		if (error)
			return (error);
		p->p_sigact[sig] = sa;
		if (sig_ignored(p, sig))
			atomic_clear_64(&p->p_siglist, sigmask(sig));
	}
	if (a[2] != 0)
		return (copyout(&old, (void *)a[2], sizeof(old)));
	return (0);
}

int
sys_rt_sigprocmask(struct proc *p, const register_t *a, register_t *res)
{
	sigset_t set, old = p->p_sigmask;
	int error;

	if (a[1] != 0) {
		error = copyin((const void *)a[1], &set, sizeof(set));
		if (error)
			return (error);
		if (a[0] == SIG_BLOCK)
			set |= old;
		else if (a[0] == SIG_UNBLOCK)
			set = old & ~set;
		else if (a[0] != SIG_SETMASK)
			return (EINVAL);
		p->p_sigmask = set & ~SIGCANTMASK;
	}
	if (a[2] != 0)
		return (copyout(&old, (void *)a[2], sizeof(old)));
	return (0);
}

int
sys_rt_sigpending(struct proc *p, const register_t *a, register_t *res)
{
	sigset_t set = p->p_siglist & p->p_sigmask;

	return (copyout(&set, (void *)a[0], sizeof(set)));
}

int
sys_rt_sigsuspend(struct proc *p, const register_t *a, register_t *res)
{
	sigset_t set;
	int error;

	error = copyin((const void *)a[0], &set, sizeof(set));
	if (error)
		return (error);
	p->p_oldsigmask = p->p_sigmask;
	p->p_flags |= P_OLDMASK;
	p->p_sigmask = set & ~SIGCANTMASK;
	while (CURSIG(p) == 0)
		tsleep(&p->p_sigmask, PCATCH, "sigsus", 0);
	return (EINTR);
}

int
sys_pause(struct proc *p, const register_t *a, register_t *res)
{
	while (CURSIG(p) == 0)
		tsleep(&p->p_sigmask, PCATCH, "pause", 0);
	return (EINTR);
}

int
sys_sigaltstack(struct proc *p, const register_t *a, register_t *res)
{
	struct sigaltstack ss, old = p->p_sigstk;
	uint64_t sp = proc_regs(p)->tf_rsp;
	int error;

	if ((old.ss_flags & SS_DISABLE) == 0 && sp - old.ss_sp < old.ss_size)
		old.ss_flags |= SS_ONSTACK;
	if (a[0] != 0) {
		error = copyin((const void *)a[0], &ss, sizeof(ss));
		if (error)
			return (error);
		if (old.ss_flags & SS_ONSTACK)
			return (EPERM);
		ss.ss_flags &= SS_DISABLE;
		p->p_sigstk = ss;
	}
	if (a[1] != 0)
		return (copyout(&old, (void *)a[1], sizeof(old)));
	return (0);
}

int
sys_kill(struct proc *p, const register_t *a, register_t *res)
{
	struct proc *target;
	pid_t pid = a[0];
	int sig = a[1], error = 0;

	if (sig < 0 || sig > NSIG)
		return (EINVAL);
	if (pid == -1)
		return (pgsignal(0, sig));
	if (pid <= 0)
		return (pgsignal(pid == 0 ? p->p_pgid : -pid, sig));
	lwkt_gettoken(&proc_token);
	target = pfind(pid);
	if (target == NULL)
		error = ESRCH;
	else if (sig != 0 && target->p_stat == SACTIVE)
		psignal(target, sig);
	lwkt_reltoken(&proc_token);
	return (error);
}

int
sys_tkill(struct proc *p, const register_t *a, register_t *res)
{
	return (a[0] <= 0 ? EINVAL : sys_kill(p, a, res));
}

int
sys_tgkill(struct proc *p, const register_t *a, register_t *res)
{
	return (sys_tkill(p, a + 1, res));
}
