/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine's part of threads: first stack frame, user state.
 *
 * The kernel itself never touches the FPU (-mgeneral-regs-only), so its
 * registers stay with the last user thread that ran: gd_npxthread.  They are
 * exchanged only when a different user thread is switched to, and with them
 * everything else that user mode depends on; or when the thread leaves for
 * another processor.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/proc.h>
#include <sys/globaldata.h>

#include <vm/vm.h>
#include <vm/pmap.h>

#include <machine/md_var.h>
#include <machine/psl.h>
#include <machine/segments.h>
#include <machine/specialreg.h>

#define	NPX_CONTROL_WORD	0x037f		/* all exceptions masked */
#define	NPX_MXCSR		0x1f80

/*
 * Make the first switch to td call func(arg), on an aligned stack.
 */
void
cpu_set_thread_handler(struct thread *td, void (*func)(void *), void *arg)
{
	uint64_t *sp = (uint64_t *)(td->td_kstack + td->td_kstack_size);

	*--sp = 0;
	*--sp = 0;
	*--sp = (uint64_t)cpu_lwkt_start;
	*--sp = 0;			/* rbp */
	*--sp = 0;			/* rbx */
	*--sp = (uint64_t)func;		/* r12 */
	*--sp = (uint64_t)arg;		/* r13 */
	*--sp = 0;			/* r14 */
	*--sp = 0;			/* r15 */
	td->td_sp = (char *)sp;
}

/*
 * The same for a thread that returns to user mode after func(arg), with the
 * trap frame at the top of its stack.
 */
void
cpu_set_thread_user_handler(struct thread *td, void (*func)(void *), void *arg)
{
	uint64_t *sp = (uint64_t *)((struct trapframe *)(td->td_kstack +
	    td->td_kstack_size) - 1);

	*--sp = (uint64_t)cpu_user_start;
	*--sp = 0;			/* rbp */
	*--sp = 0;			/* rbx */
	*--sp = (uint64_t)func;		/* r12 */
	*--sp = (uint64_t)arg;		/* r13 */
	*--sp = 0;			/* r14 */
	*--sp = 0;			/* r15 */
	td->td_sp = (char *)sp;
}

/*
 * Registers a program starts with.
 */
void
cpu_set_user_start(struct trapframe *tf, vm_offset_t pc, vm_offset_t sp)
{
	bzero(tf, sizeof(*tf));
	tf->tf_rip = pc;
	tf->tf_cs = UCSEL;
	tf->tf_rflags = PSL_USER;
	tf->tf_rsp = sp;
	tf->tf_ss = UDSEL;
}

/*
 * The current thread's FPU registers, which are in the FPU.
 */
void
cpu_get_fpu(struct savefpu *fpu)
{
	register_t rf;

	rf = intr_disable();
	KKASSERT(mycpu->gd_npxthread == curthread);
	__asm __volatile("fxsave64 %0" : "=m" (*fpu));
	intr_restore(rf);
}

void
cpu_set_fpu(const struct savefpu *fpu)
{
	register_t rf;

	rf = intr_disable();
	KKASSERT(mycpu->gd_npxthread == curthread);
	__asm __volatile("fxrstor64 %0" :: "m" (*fpu));
	intr_restore(rf);
}

static void
cpu_init_fpu(struct savefpu *fpu)
{
	bzero(fpu, sizeof(*fpu));
	*(uint16_t *)&fpu->sv_env[0] = NPX_CONTROL_WORD;
	*(uint32_t *)&fpu->sv_env[24] = NPX_MXCSR;
}

/*
 * Give p2's new thread the user state of p1, the current process, which sees
 * 0 as the result; p1 NULL: no user state so far.
 */
void
cpu_fork(struct proc *p1, struct proc *p2)
{
	struct thread *td2 = p2->p_thread;
	struct trapframe *tf2 = proc_regs(p2);

	bzero(tf2, sizeof(*tf2));
	bzero(td2->td_pcb, sizeof(*td2->td_pcb));
	if (p1 != NULL) {
		bcopy(proc_regs(p1), tf2, sizeof(*tf2));
		tf2->tf_rax = 0;
		cpu_get_fpu(&td2->td_pcb->pcb_save);
		td2->td_pcb->pcb_fsbase = p1->p_thread->td_pcb->pcb_fsbase;
	} else {
		cpu_init_fpu(&td2->td_pcb->pcb_save);
	}
}

/*
 * Initial user state of the current thread: as after a processor reset, but
 * with no FPU exceptions.
 */
void
cpu_reset_user(struct thread *td)
{
	struct pcb *pcb = td->td_pcb;
	register_t rf;

	KKASSERT(td == curthread);
	rf = intr_disable();
	bzero(pcb, sizeof(*pcb));
	cpu_init_fpu(&pcb->pcb_save);
	cpu_switch_user(td);
	__asm __volatile("fxrstor64 %0" :: "m" (pcb->pcb_save));
	wrmsr(MSR_FSBASE, 0);
	intr_restore(rf);
}

void
cpu_set_fsbase(struct thread *td, uint64_t base)
{
	KKASSERT(td == curthread);
	td->td_pcb->pcb_fsbase = base;
	wrmsr(MSR_FSBASE, base);
}

/*
 * The current thread is about to leave this processor, which shall remember
 * nothing of it.  In a critical section.
 */
void
cpu_thread_leave(struct thread *td)
{
	struct globaldata *gd = mycpu;
	register_t rf;

	rf = intr_disable();
	if (gd->gd_npxthread == td) {
		__asm __volatile("fxsave64 %0" : "=m" (td->td_pcb->pcb_save));
		gd->gd_npxthread = NULL;
		pmap_activate(NULL);
	}
	intr_restore(rf);
}

/*
 * The thread ends: its user state is not to be saved any more.
 */
void
cpu_thread_exit(struct thread *td)
{
	if (mycpu->gd_npxthread == td)
		mycpu->gd_npxthread = NULL;
}

/*
 * About to run ntd, which has a process.  Interrupts are off.
 */
void
cpu_switch_user(struct thread *ntd)
{
	struct globaldata *gd = mycpu;
	struct thread *otd = gd->gd_npxthread;

	if (otd == ntd)
		return;
	if (otd != NULL)
		__asm __volatile("fxsave64 %0" : "=m" (otd->td_pcb->pcb_save));
	__asm __volatile("fxrstor64 %0" :: "m" (ntd->td_pcb->pcb_save));
	gd->gd_npxthread = ntd;
	wrmsr(MSR_FSBASE, ntd->td_pcb->pcb_fsbase);
	cpu_set_rsp0(gd, (uint64_t)(ntd->td_kstack + ntd->td_kstack_size));
	if (ntd->td_proc->p_vmspace != NULL)
		pmap_activate(ntd->td_proc->p_vmspace);
}
