/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of a process.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/proc.h>

#include <vm/vm.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_extern.h>

#include <machine/cpu.h>

/*
 * The current process ends with the given status, 0 to 127.
 */
void
exit1(int status)
{
	struct proc *p = curproc;
	struct vmspace *vm = p->p_vmspace;

	p->p_xstat = status;
	pmap_replacevm(p, NULL, 0);
	vmspace_rel(vm);
	if (p == initproc)
		cpu_exit_qemu(status);
	lwkt_exit();
}

/*
 * The current process did something it cannot go on from.
 */
void
sigsegv_exit(struct proc *p, const char *what, vm_offset_t va, vm_offset_t pc)
{
	kprintf("pid %d (%s): %s at %#lx, pc %#lx\n", p->p_pid, p->p_comm,
	    what, va, pc);
	if (p == initproc)
		verdict_fail("pid %d: %s at %#lx, pc %#lx", p->p_pid, what,
		    va, pc);
	exit1(127);
}
