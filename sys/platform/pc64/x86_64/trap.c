/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exceptions and interrupts, from the common entry in exception.S.
 *
 * Interrupts are off here.  Device interrupts only ready a thread; if that
 * is more urgent than the one interrupted and nothing forbids it, the switch
 * happens right before returning.  A page fault turns interrupts on again if
 * the faulting code had them on, then asks the VM; what the VM cannot
 * resolve goes to pcb_onfault, kills the process, or panics.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/proc.h>
#include <sys/globaldata.h>
#include <sys/thread2.h>

#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_map.h>
#include <vm/vm_extern.h>
#include <vm/vm_kern.h>

#include <machine/cpu.h>
#include <machine/md_var.h>
#include <machine/segments.h>
#include <machine/smp.h>
#include <machine/trap.h>

static const char *const trap_msg[] = {
	[IDT_DE] = "divide error",
	[IDT_DB] = "debug exception",
	[IDT_NMI] = "non-maskable interrupt",
	[IDT_BP] = "breakpoint",
	[IDT_UD] = "invalid opcode",
	[IDT_NM] = "FPU not available",
	[IDT_DF] = "double fault",
	[IDT_TS] = "invalid TSS",
	[IDT_NP] = "segment not present",
	[IDT_SS] = "stack segment fault",
	[IDT_GP] = "general protection fault",
	[IDT_PF] = "page fault",
	[IDT_MF] = "FPU error",
	[IDT_AC] = "alignment check",
	[IDT_MC] = "machine check",
	[IDT_XF] = "SIMD error",
};

static const char *
trap_name(u_int trapno)
{
	if (trapno < NELEM(trap_msg) && trap_msg[trapno] != NULL)
		return (trap_msg[trapno]);
	return ("unknown trap");
}

static int
trap_signal(u_int trapno)
{
	switch (trapno) {
	case IDT_DE:
	case IDT_MF:
	case IDT_XF:
		return (SIGFPE);
	case IDT_DB:
	case IDT_BP:
		return (SIGTRAP);
	case IDT_UD:
		return (SIGILL);
	case IDT_AC:
		return (SIGBUS);
	default:
		return (SIGSEGV);
	}
}

static void
trap_fatal(struct trapframe *tf, vm_offset_t va)
{
	kprintf("rip %#lx rsp %#lx rflags %#lx error %#lx\n",
	    tf->tf_rip, tf->tf_rsp, tf->tf_rflags, tf->tf_err);
	kprintf("rax %#lx rbx %#lx rcx %#lx rdx %#lx rsi %#lx rdi %#lx\n",
	    tf->tf_rax, tf->tf_rbx, tf->tf_rcx, tf->tf_rdx, tf->tf_rsi,
	    tf->tf_rdi);
	if (tf->tf_trapno == IDT_PF)
		panic("page fault at %#lx, code %#lx, pc %#lx, thread %s",
		    va, tf->tf_err, tf->tf_rip, curthread->td_comm);
	panic("%s at pc %#lx, thread %s", trap_name(tf->tf_trapno),
	    tf->tf_rip, curthread->td_comm);
}

/*
 * Returns true if the access can be done again.
 */
static boolean_t
trap_pfault(struct trapframe *tf, vm_offset_t va, boolean_t usermode)
{
	struct thread *td = curthread;
	struct vm_map *map;
	vm_prot_t ftype;
	int flags, rv;

	if (va >= VM_MIN_KERNEL_ADDRESS) {
		if (usermode)
			return (FALSE);
		map = kernel_map;
	} else {
		if (td->td_proc == NULL || va >= VM_MAX_USER_ADDRESS)
			return (FALSE);
		if (!usermode && td->td_pcb->pcb_onfault == 0)
			return (FALSE);
		map = &td->td_proc->p_vmspace->vm_map;
	}
	if (map == NULL || td->td_gd->gd_spinlocks != 0 ||
	    td->td_gd->gd_intr_nesting_level != 0 ||
	    (td->td_flags & TDF_NOFAULT))
		return (FALSE);

	if (tf->tf_err & PGEX_W)
		ftype = VM_PROT_WRITE;
	else if (tf->tf_err & PGEX_I)
		ftype = VM_PROT_EXECUTE;
	else
		ftype = VM_PROT_READ;
	flags = usermode ? VM_FAULT_USERMODE : 0;
	flags |= ftype == VM_PROT_WRITE ? VM_FAULT_DIRTY : VM_FAULT_NORMAL;
	rv = vm_fault(map, trunc_page(va), ftype, flags);
	return (rv == KERN_SUCCESS);
}

void
trap(struct trapframe *tf)
{
	struct thread *td = curthread;
	struct pcb *pcb = td->td_pcb;
	boolean_t usermode = CLKF_USERMODE(tf);
	vm_offset_t va = 0;
	uint64_t onfault;

	++mycpu->gd_cnt.v_trap;
	if (tf->tf_trapno == IDT_PF)
		va = rcr2();
	if (tf->tf_rflags & PSL_I)
		cpu_enable_intr();

	if (tf->tf_trapno == IDT_PF) {
		onfault = pcb->pcb_onfault;
		if (trap_pfault(tf, va, usermode)) {
			pcb->pcb_onfault = onfault;
			return;
		}
		if (!usermode && onfault != 0) {
			tf->tf_rip = onfault;
			return;
		}
	}
	if (usermode && td->td_proc != NULL) {
		if (curproc_killed())
			return;
		trapsignal(td->td_proc, trap_signal(tf->tf_trapno),
		    tf->tf_trapno == IDT_PF ? "segmentation fault" :
		    trap_name(tf->tf_trapno), va, tf->tf_rip);
		return;
	}
	trap_fatal(tf, va);
}

void
trap_entry(struct trapframe *tf)
{
	struct globaldata *gd = mycpu;
	int irq = tf->tf_trapno - IDT_OFFSET;
	struct proc *p;

	if (irq < 0) {
		trap(tf);
		goto out;
	}
	if (gd->gd_idleinvl)
		pmap_inval_idle_leave(gd);
	++gd->gd_intr_nesting_level;
	if (irq == 0) {
		i8259_eoi(irq);
		hardclock(CLKF_USERMODE(tf));
	} else if (tf->tf_trapno >= XTIMER_OFFSET) {
		ipi_dispatch(tf->tf_trapno, CLKF_USERMODE(tf));
	} else {
		intr_dispatch(irq);
	}
	--gd->gd_intr_nesting_level;
	lwkt_preempt_return();
out:
	if (!CLKF_USERMODE(tf))
		return;
	lwkt_user_rebalance();
	if ((p = curproc) != NULL && CURSIG(p) != 0) {
		cpu_enable_intr();
		userret(p, tf);
	}
}
