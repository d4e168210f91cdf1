/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stale TLB entries on other processors.
 *
 * Whoever has changed page tables calls pmap_inval_smp().  It tells every
 * processor that may have cached something of the pmap, by its own request
 * slot and an interrupt, and spins until each has obeyed.  Kernel mappings
 * are everybody's; a user pmap's concern those in its pm_active.
 *
 * No invalidation is lost to a processor which just loads the pmap: it sets
 * its bit in pm_active first and walks the tables after, we change the tables
 * first and read pm_active after.
 *
 * Locking: a slot belongs to its processor, in a critical section, and is
 * unused while nothing is pending in it.  Waiting works with pmap_spin held
 * because spinlocks are taken with interrupts on, and a loop that waits with
 * interrupts off (this one, spin_contested()) looks into the slots itself.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/thread2.h>

#include <vm/vm.h>
#include <vm/pmap.h>

#include <machine/lapic.h>
#include <machine/pmap.h>
#include <machine/segments.h>
#include <machine/smp.h>
#include <machine/specialreg.h>
#include <machine/vmparam.h>

#define	INVAL_MAXPAGES	32		/* more: everything at once */

static struct inval_request {
	volatile cpumask_t pending;	/* who has yet to obey */
	vm_offset_t	sva;
	vm_offset_t	eva;
} __cachealign inval_requests[MAXCPU];

/*
 * On this processor.  Switching global pages off and on drops those too,
 * which loading %cr3 does not.
 */
static void
inval_local(vm_offset_t sva, vm_offset_t eva)
{
	u_long cr4;

	if (eva - sva <= INVAL_MAXPAGES * PAGE_SIZE) {
		for (; sva < eva; sva += PAGE_SIZE)
			cpu_invlpg((void *)sva);
	} else if (eva > VM_MAX_USER_ADDRESS) {
		cr4 = rcr4();
		load_cr4(cr4 & ~CR4_PGE);
		load_cr4(cr4);
	} else {
		cpu_invltlb();
	}
}

void
pmap_inval_intr(void)
{
	int me = mycpuid, cpu;
	struct inval_request *req;
	register_t rf;

	rf = intr_disable();
	for (cpu = 0; cpu < MAXCPU; ++cpu) {
		req = &inval_requests[cpu];
		if (CPUMASK_TESTBIT(req->pending, me)) {
			cpu_lfence();
			inval_local(req->sva, req->eva);
			ATOMIC_CPUMASK_NANDBIT(req->pending, me);
		}
	}
	intr_restore(rf);
}

void
pmap_inval_smp(struct pmap *pmap, vm_offset_t sva, vm_offset_t eva)
{
	struct globaldata *gd;
	struct inval_request *req;
	cpumask_t mask, left;
	register_t rf;
	int cpu;

	crit_enter();
	gd = mycpu;
	cpu_mfence();
	mask = pmap == kernel_pmap ? smp_active_mask : pmap->pm_active;
	if (pmap == kernel_pmap || CPUMASK_TESTBIT(mask, gd->gd_cpuid)) {
		rf = intr_disable();
		inval_local(sva, eva);
		intr_restore(rf);
		CPUMASK_NANDBIT(mask, gd->gd_cpuid);
	}
	if (CPUMASK_TESTNZERO(mask) && panicstr == NULL) {
		req = &inval_requests[gd->gd_cpuid];
		KKASSERT(CPUMASK_TESTZERO(req->pending));
		req->sva = sva;
		req->eva = eva;
		atomic_store_rel_64(&req->pending.ary[0], mask.ary[0]);
		left = mask;
		while (CPUMASK_TESTNZERO(left)) {
			cpu = BSFCPUMASK(left);
			CPUMASK_NANDBIT(left, cpu);
			lapic_ipi(globaldata_find(cpu)->gd_apicid,
			    XINVLTLB_OFFSET);
		}
		while (CPUMASK_TESTNZERO(req->pending)) {
			pmap_inval_intr();
			cpu_pause();
		}
	}
	crit_exit();
}
