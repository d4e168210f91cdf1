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
 * Initial user state of the current thread: as after a processor reset, but
 * with no FPU exceptions.
 */
void
cpu_reset_user(struct thread *td)
{
	struct pcb *pcb = td->td_pcb;
	register_t rf;

	KKASSERT(td == curthread);
	bzero(pcb, sizeof(*pcb));
	*(uint16_t *)&pcb->pcb_save.sv_env[0] = NPX_CONTROL_WORD;
	*(uint32_t *)&pcb->pcb_save.sv_env[24] = NPX_MXCSR;

	rf = intr_disable();
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
