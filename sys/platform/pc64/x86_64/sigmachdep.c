/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame a signal handler starts with, and the way back.
 *
 * Layout and numbers are those of x86-64 Linux, since handlers look into the
 * ucontext.  From high to low addresses: the 128 bytes below the stack
 * pointer that a function may use unannounced, the FPU's state, the frame.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/proc.h>
#include <sys/sysent.h>
#include <sys/thread2.h>

#include <machine/frame.h>
#include <machine/md_var.h>
#include <machine/psl.h>
#include <machine/segments.h>
#include <machine/vmparam.h>

#define	RED_ZONE	128

/* Flags a program may change by itself. */
#define	PSL_USERCHANGE	(0xcd5 | PSL_T | PSL_NT | PSL_AC)

#define	SV_MXCSR	24		/* offset in the FXSAVE image */
#define	MXCSR_VALID	0xffff

struct sigcontext {
	uint64_t	sc_r8, sc_r9, sc_r10, sc_r11;
	uint64_t	sc_r12, sc_r13, sc_r14, sc_r15;
	uint64_t	sc_rdi, sc_rsi, sc_rbp, sc_rbx;
	uint64_t	sc_rdx, sc_rax, sc_rcx, sc_rsp;
	uint64_t	sc_rip, sc_rflags;
	uint16_t	sc_cs, sc_gs, sc_fs, sc_ss;
	uint64_t	sc_err, sc_trapno, sc_oldmask, sc_cr2;
	uint64_t	sc_fpstate;
	uint64_t	sc_reserved[8];
};

struct ucontext {
	uint64_t	uc_flags;
	uint64_t	uc_link;
	struct sigaltstack uc_stack;
	struct sigcontext uc_mcontext;
	sigset_t	uc_sigmask;
};

struct siginfo {
	int		si_signo;
	int		si_errno;
	int		si_code;
	int		si_pad[29];
};

struct rt_sigframe {
	uint64_t	sf_return;
	struct ucontext	sf_uc;
	struct siginfo	sf_info;
};

static void
sigcontext_save(struct sigcontext *sc, const struct trapframe *tf)
{
	sc->sc_r8 = tf->tf_r8;
	sc->sc_r9 = tf->tf_r9;
	sc->sc_r10 = tf->tf_r10;
	sc->sc_r11 = tf->tf_r11;
	sc->sc_r12 = tf->tf_r12;
	sc->sc_r13 = tf->tf_r13;
	sc->sc_r14 = tf->tf_r14;
	sc->sc_r15 = tf->tf_r15;
	sc->sc_rdi = tf->tf_rdi;
	sc->sc_rsi = tf->tf_rsi;
	sc->sc_rbp = tf->tf_rbp;
	sc->sc_rbx = tf->tf_rbx;
	sc->sc_rdx = tf->tf_rdx;
	sc->sc_rax = tf->tf_rax;
	sc->sc_rcx = tf->tf_rcx;
	sc->sc_rsp = tf->tf_rsp;
	sc->sc_rip = tf->tf_rip;
	sc->sc_rflags = tf->tf_rflags;
	sc->sc_cs = UCSEL;
	sc->sc_ss = UDSEL;
	sc->sc_err = tf->tf_err;
	sc->sc_trapno = tf->tf_trapno;
}

static void
sigcontext_restore(const struct sigcontext *sc, struct trapframe *tf)
{
	tf->tf_r8 = sc->sc_r8;
	tf->tf_r9 = sc->sc_r9;
	tf->tf_r10 = sc->sc_r10;
	tf->tf_r11 = sc->sc_r11;
	tf->tf_r12 = sc->sc_r12;
	tf->tf_r13 = sc->sc_r13;
	tf->tf_r14 = sc->sc_r14;
	tf->tf_r15 = sc->sc_r15;
	tf->tf_rdi = sc->sc_rdi;
	tf->tf_rsi = sc->sc_rsi;
	tf->tf_rbp = sc->sc_rbp;
	tf->tf_rbx = sc->sc_rbx;
	tf->tf_rdx = sc->sc_rdx;
	tf->tf_rax = sc->sc_rax;
	tf->tf_rcx = sc->sc_rcx;
	tf->tf_rsp = sc->sc_rsp;
	tf->tf_rip = sc->sc_rip;
	tf->tf_rflags = (sc->sc_rflags & PSL_USERCHANGE) | PSL_USER;
}

int
sendsig(struct proc *p, struct trapframe *tf, int sig,
    const struct sigaction *sa, sigset_t mask)
{
	struct sigaltstack *ss = &p->p_sigstk;
	struct rt_sigframe sf;
	struct savefpu fpu;
	uint64_t sp = tf->tf_rsp, fp;
	int error;

	if ((sa->sa_flags & SA_RESTORER) == 0 ||
	    sa->sa_handler >= VM_MAX_USER_ADDRESS)
		return (EFAULT);
	bzero(&sf, sizeof(sf));
	sf.sf_uc.uc_stack = *ss;
	if ((sa->sa_flags & SA_ONSTACK) && (ss->ss_flags & SS_DISABLE) == 0 &&
	    sp - ss->ss_sp >= ss->ss_size)
		sp = ss->ss_sp + ss->ss_size;
	else
		sp -= RED_ZONE;
	fp = rounddown2(sp - sizeof(fpu), 64);
	sp = rounddown2(fp - sizeof(sf), 16) - sizeof(uint64_t);

	sf.sf_return = sa->sa_restorer;
	sigcontext_save(&sf.sf_uc.uc_mcontext, tf);
	sf.sf_uc.uc_mcontext.sc_oldmask = mask;
	sf.sf_uc.uc_mcontext.sc_fpstate = fp;
	sf.sf_uc.uc_sigmask = mask;
	sf.sf_info.si_signo = sig;
	sf.sf_info.si_code = SI_USER;
	cpu_get_fpu(&fpu);
	error = copyout(&fpu, (void *)fp, sizeof(fpu));
	if (error == 0)
		error = copyout(&sf, (void *)sp, sizeof(sf));
	if (error)
		return (error);
	tf->tf_rdi = sig;
	tf->tf_rsi = sp + offsetof(struct rt_sigframe, sf_info);
	tf->tf_rdx = sp + offsetof(struct rt_sigframe, sf_uc);
	tf->tf_rax = 0;
	tf->tf_rsp = sp;
	tf->tf_rip = sa->sa_handler;
	tf->tf_rflags &= ~(PSL_T | PSL_D | PSL_AC);
	return (0);
}

/*
 * The return address is off the stack already.
 */
int
sys_rt_sigreturn(struct proc *p, const register_t *a, register_t *res)
{
	struct trapframe *tf = proc_regs(p);
	struct ucontext uc;
	struct savefpu fpu;
	int error;

	error = copyin((const void *)tf->tf_rsp, &uc, sizeof(uc));
	if (error == 0 && uc.uc_mcontext.sc_fpstate != 0)
		error = copyin((const void *)uc.uc_mcontext.sc_fpstate, &fpu,
		    sizeof(fpu));
	if (error || uc.uc_mcontext.sc_rip >= VM_MAX_USER_ADDRESS) {
		trapsignal(p, SIGSEGV, "bad signal frame", tf->tf_rsp,
		    tf->tf_rip);
		return (EFAULT);
	}
	if (uc.uc_mcontext.sc_fpstate != 0) {
		*(uint32_t *)&fpu.sv_env[SV_MXCSR] &= MXCSR_VALID;
		cpu_set_fpu(&fpu);
	}
	sigcontext_restore(&uc.uc_mcontext, tf);
	p->p_sigmask = uc.uc_sigmask & ~SIGCANTMASK;
	return (EJUSTRETURN);
}
