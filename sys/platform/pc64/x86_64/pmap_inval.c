/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stale TLB entries on other processors.
 *
 * Whoever has changed page tables calls pmap_inval_smp().  It tells every
 * processor that may have cached something of the pmap, by its own request
 * slot and an interrupt, and spins until each has obeyed.  Kernel mappings
 * are everybody's; a user pmap's concern those in its pm_active.
 *
 * Two shortcuts spare interrupts.  A processor that waits for one, idle, uses
 * no mapping until it takes it: it is only marked in inval_wanted, and drops
 * everything first thing then.  And clearing X86_PG_A must reach the others
 * some time, not now: pmap_inval_later() leaves it to their next clock tick.
 *
 * No invalidation is lost to an idle processor: it leaves inval_idle before it
 * looks at inval_wanted, we mark it before we look whether it has left.  None
 * is lost to a processor which just loads the pmap: it sets
 * its bit in pm_active first and walks the tables after, we change the tables
 * first and read pm_active after.
 *
 * Who waits spins a little and then halts till the last one who obeys tells
 * him: where there are fewer real processors than virtual ones, the one he
 * waits for may need the one he would spin on.
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
#include <machine/psl.h>
#include <machine/segments.h>
#include <machine/smp.h>
#include <machine/specialreg.h>
#include <machine/vmparam.h>

#define	INVAL_MAXPAGES	32		/* more: everything at once */
#define	INVAL_SPINS	200		/* before halting */

static struct inval_request {
	volatile cpumask_t pending;	/* who has yet to obey */
	volatile int	halted;		/* tell us when it is empty */
	vm_offset_t	sva;
	vm_offset_t	eva;
} __cachealign inval_requests[MAXCPU];

static volatile cpumask_t inval_idle;	/* halted, or about to be */
static volatile cpumask_t inval_wanted;	/* shall drop everything */

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

/*
 * Everything, if it was asked for.  Interrupts are off.
 */
void
pmap_inval_pending(void)
{
	int me = mycpuid;

	if (CPUMASK_TESTBIT(inval_wanted, me) &&
	    ATOMIC_CPUMASK_TESTANDCLR(inval_wanted, me))
		inval_local(0, VM_MAX_KERNEL_ADDRESS);
}

/*
 * Around the wait of an idle processor: before it, interrupts off, and in
 * the interrupt that ends it.
 */
void
pmap_inval_idle_enter(struct globaldata *gd)
{
	gd->gd_idleinvl = 1;
	ATOMIC_CPUMASK_ORBIT(inval_idle, gd->gd_cpuid);
}

void
pmap_inval_idle_leave(struct globaldata *gd)
{
	gd->gd_idleinvl = 0;
	ATOMIC_CPUMASK_NANDBIT(inval_idle, gd->gd_cpuid);
	pmap_inval_pending();
}

/*
 * Those of mask that have to be interrupted.
 */
static cpumask_t
inval_skip_idle(cpumask_t mask)
{
	cpumask_t idle = inval_idle;

	CPUMASK_ANDMASK(idle, mask);
	if (CPUMASK_TESTNZERO(idle)) {
		atomic_set_64(&inval_wanted.ary[0], idle.ary[0]);
		CPUMASK_ANDMASK(idle, inval_idle);
		CPUMASK_NANDMASK(mask, idle);
	}
	return (mask);
}

void
pmap_inval_later(struct pmap *pmap, vm_offset_t va)
{
	cpumask_t mask;
	int me;

	crit_enter();
	me = mycpuid;
	mask = pmap->pm_active;
	if (CPUMASK_TESTBIT(mask, me)) {
		cpu_invlpg((void *)va);
		CPUMASK_NANDBIT(mask, me);
	}
	if (CPUMASK_TESTNZERO(mask))
		atomic_set_64(&inval_wanted.ary[0], mask.ary[0]);
	crit_exit();
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
			if (req->halted && CPUMASK_TESTZERO(req->pending))
				cpu_send_ipiq(globaldata_find(cpu));
		}
	}
	intr_restore(rf);
}

/*
 * Till everybody has obeyed.  In a critical section.
 */
static void
inval_wait(struct inval_request *req)
{
	int spins;

	for (spins = 0; CPUMASK_TESTNZERO(req->pending); ++spins) {
		pmap_inval_intr();
		if (spins < INVAL_SPINS || (read_rflags() & PSL_I) == 0) {
			cpu_pause();
			continue;
		}
		req->halted = 1;
		cpu_disable_intr();
		cpu_mfence();
		if (CPUMASK_TESTNZERO(req->pending))
			cpu_sti_hlt();
		cpu_enable_intr();
		req->halted = 0;
	}
}

void
pmap_inval_smp(struct pmap *pmap, vm_offset_t sva, vm_offset_t eva)
{
	cpu_mfence();
	pmap_inval_mask(pmap == kernel_pmap ? smp_active_mask :
	    pmap->pm_active, sva, eva);
}

void
pmap_inval_mask(cpumask_t mask, vm_offset_t sva, vm_offset_t eva)
{
	struct globaldata *gd;
	struct inval_request *req;
	cpumask_t left;
	register_t rf;
	int cpu;

	crit_enter();
	gd = mycpu;
	if (CPUMASK_TESTBIT(mask, gd->gd_cpuid)) {
		rf = intr_disable();
		inval_local(sva, eva);
		intr_restore(rf);
		CPUMASK_NANDBIT(mask, gd->gd_cpuid);
	}
	mask = inval_skip_idle(mask);
	if (CPUMASK_TESTNZERO(mask) && panicstr == NULL) {
		++gd->gd_cnt.v_shootdown;
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
		inval_wait(req);
	}
	crit_exit();
}
