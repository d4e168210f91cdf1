/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page tables.
 *
 * The kernel's half
 *	Boot made a level 4 table with the kernel's image and the direct map
 *	of all RAM; pmap_bootstrap() adopts it.  Every user pmap copies its
 *	upper half, which never changes again: the level 3 tables are there
 *	from the start, and pmap_growkernel() adds what is below them as
 *	kernel_map is used.  Page tables are read and written through the
 *	direct map.  Kernel mappings are unmanaged: whoever makes them knows
 *	where they are.
 *
 * A user's half
 *	Everything is found by pv_entry.  A page table page has one in its
 *	pmap's tree (pm_pvroot) under an index which encodes level and
 *	address, and so has each mapped page, which also lists it (md.pv_list)
 *	so that all its mappings can be found from the page.  A page table
 *	page's wire_count is one more than its valid entries; when the last
 *	entry goes the page goes too, and so on upwards.
 *
 * Where pv_entries come from
 *	PV ENTRY, a ZONE_INTERRUPT zone: zalloc() never blocks, and one free
 *	page yields many.  Its first items, one a page, come from kmem_alloc()
 *	at boot because nothing else works then.
 *
 * Locking
 *	pmap_spin protects the tables of all user pmaps, all pv_entries, and
 *	PG_MAPPED and PG_WRITEABLE, which are cleared only when no TLB has the
 *	mapping any more: whoever sees them clear needs no lock to know that
 *	the page cannot be accessed.  Nothing is allocated or freed under it:
 *	pmap_enter() allocates first and looks again, and what a removal sets
 *	free is collected and freed after.  Kernel tables only ever grow, under
 *	kernel_map's lock, and each pte has one owner.
 *
 * Stale TLB entries
 *	Whoever changes a valid pte tells all processors that may have cached
 *	it, see pmap_inval.c, before the page is used for anything else, and
 *	waits for them with pmap_spin held.  A user pmap is cached by those in
 *	its pm_active: a processor enters itself before it loads the tables
 *	and leaves when it has loaded others.  What a removal unmapped is
 *	invalidated in one go.  A pte that was not valid is in no TLB.
 *
 *	Processors set bits in ptes (X86_PG_A) as we change them, so valid
 *	ptes are changed atomically.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/proc.h>
#include <sys/globaldata.h>
#include <sys/vmmeter.h>
#include <sys/spinlock2.h>
#include <machine/cpufunc.h>
#include <machine/pmap.h>
#include <machine/smp.h>
#include <machine/vmparam.h>
#include <vm/vm.h>
#include <vm/vm_extern.h>
#include <vm/vm_kern.h>
#include <vm/vm_map.h>
#include <vm/vm_lastpage.h>
#include <vm/vm_page.h>
#include <vm/vm_page2.h>
#include <vm/vm_pageout.h>
#include <vm/vm_zone.h>

#define	MINPV	2048			/* PV ENTRYs made at boot, at least */
#define	KPT_STOCK	8			/* pages for page tables */
#define	PV_COLLECT	64		/* pages unmapped for want of PV ENTRYs */

vm_offset_t virtual_start, virtual_end;
vm_offset_t kernel_vm_end;
uint64_t KPML4phys;

static struct pmap kernel_pmap_store;
struct pmap *kernel_pmap = &kernel_pmap_store;

static vm_page_t kpt_stock[KPT_STOCK];	/* under kernel_map's lock */
static int kpt_stocked;

static struct vm_zone pvzone_store;
static vm_zone_t pvzone;
static u_long pv_next;			/* page pmap_collect() looks at next */
static struct pv_entry *pvinit;

static struct spinlock pmap_spin = SPINLOCK_INITIALIZER(pmap_spin, "pmap");

TAILQ_HEAD(pv_list, pv_entry);

RB_GENERATE2(pv_entry_rb_tree, pv_entry, pv_entry, pv_entry_compare,
    vm_pindex_t, pv_pindex);

int
pv_entry_compare(struct pv_entry *a, struct pv_entry *b)
{
	if (a->pv_pindex < b->pv_pindex)
		return (-1);
	return (a->pv_pindex > b->pv_pindex);
}

/*
 * Levels count from 0, a mapped page, to 3, what a level 4 entry points to.
 * A pv_entry's index is its level and its number within that level.
 */
#define	PV_LEVELS	4
#define	PV_INDEX(level, va) \
	((vm_pindex_t)(level) << 56 | \
	(va) >> (PAGE_SHIFT + (level) * NPTE_SHIFT))
#define	PV_LEVEL(pv)	((int)((pv)->pv_pindex >> 56))
#define	PV_VA(pv)	(((pv)->pv_pindex & ((1UL << 56) - 1)) << \
	(PAGE_SHIFT + PV_LEVEL(pv) * NPTE_SHIFT))

#define	PTE_INDEX(level, va) \
	((va) >> (PAGE_SHIFT + (level) * NPTE_SHIFT) & (NPTEPG - 1))

static pt_entry_t *
pmap_table(vm_paddr_t pa)
{
	return ((pt_entry_t *)PHYS_TO_DMAP(pa & X86_PG_FRAME));
}

static void
pmap_inval(pmap_t pmap, vm_offset_t va)
{
	pmap_inval_smp(pmap, va, va + PAGE_SIZE);
}

void
pmap_invalidate_range(pmap_t pmap, vm_offset_t sva, vm_offset_t eva)
{
	if (sva < eva)
		pmap_inval_smp(pmap, sva, eva);
}

/*
 * Start-up.
 */
void
pmap_bootstrap(void)
{
	KPML4phys = rcr3() & X86_PG_FRAME;
	kernel_pmap->pm_pml4 = pmap_table(KPML4phys);
	KKASSERT(kernel_pmap->pm_pml4[KPML4I] & X86_PG_V);
	KKASSERT(kernel_pmap->pm_pml4[DMPML4I] & X86_PG_V);
	virtual_start = VM_MIN_KERNEL_ADDRESS;
	virtual_end = VM_MAX_KERNEL_ADDRESS;
	kernel_vm_end = VM_MIN_KERNEL_ADDRESS;
	mycpu->gd_pmap = kernel_pmap;
	ATOMIC_CPUMASK_ORBIT(smp_active_mask, mycpuid);
}

void
pmap_init(void)
{
	vm_pindex_t initial_pvs;

	/*
	 * Address space for twice the RAM has its page tables from the
	 * start: later there may be no page to make them from.
	 */
	pmap_growkernel(virtual_start,
	    virtual_start + 2 * ptoa(vmstats.v_page_count));

	initial_pvs = vm_page_array_size;
	if (initial_pvs < MINPV)
		initial_pvs = MINPV;
	pvzone = &pvzone_store;
	pvinit = (void *)kmem_alloc(kernel_map,
	    initial_pvs * sizeof(struct pv_entry), VM_SUBSYS_PVENTRY);
	zbootinit(pvzone, "PV ENTRY", sizeof(struct pv_entry), pvinit,
	    initial_pvs);
}

void
pmap_init2(void)
{
	long entry_max;

	entry_max = vm_page_array_size * 2;
	TUNABLE_LONG_FETCH("vm.pmap.pv_entries", &entry_max);
	if (entry_max < MINPV)
		entry_max = MINPV;
	zinitna(pvzone, NULL, 0, entry_max, ZONE_INTERRUPT);
}

/*
 * Kernel mappings.
 */
static pt_entry_t *
pmap_kpte(vm_offset_t va)
{
	pt_entry_t *table = kernel_pmap->pm_pml4;
	pt_entry_t *ptep;
	int level;

	for (level = 3;; --level) {
		ptep = &table[PTE_INDEX(level, va)];
		if (level == 0)
			return (ptep);
		if ((*ptep & X86_PG_V) == 0)
			return (NULL);
		KASSERT((*ptep & X86_PG_PS) == 0,
		    ("pmap_kpte: %lx is in a large page", va));
		table = pmap_table(*ptep);
	}
}

/*
 * A page for a kernel page table, the last ones from the stock.
 */
static vm_page_t
pmap_kpt_alloc(vm_pindex_t pindex)
{
	VM_PAGE_FOR("page table");
	vm_page_t m;

	m = vm_page_alloc(NULL, pindex, VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM |
	    VM_ALLOC_INTERRUPT);
	if (m != NULL) {
		vm_page_wire(m);
		vm_page_wakeup(m);
	} else if (kpt_stocked > 0) {
		m = kpt_stock[--kpt_stocked];
	} else {
		panic("pmap_growkernel: no memory to grow kernel");
	}
	pmap_zero_page(VM_PAGE_TO_PHYS(m));
	return (m);
}

static void
pmap_kpt_restock(void)
{
	vm_page_t m;

	while (kpt_stocked < KPT_STOCK &&
	    (m = vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL)) != NULL) {
		vm_page_wire(m);
		vm_page_wakeup(m);
		kpt_stock[kpt_stocked++] = m;
	}
}

/*
 * Make page tables for [kstart, kend) of kernel_map, whose lock is held (but
 * at boot).  Never blocks; it is too late to fail, hence the stock.
 */
void
pmap_growkernel(vm_offset_t kstart, vm_offset_t kend)
{
	pt_entry_t *table, *ptep;
	vm_offset_t va;
	vm_page_t m;
	int level;

	for (va = rounddown2(kstart, NBPDR); va < kend; va += NBPDR) {
		table = kernel_pmap->pm_pml4;
		for (level = 3; level > 0; --level) {
			ptep = &table[PTE_INDEX(level, va)];
			if ((*ptep & X86_PG_V) == 0) {
				KKASSERT(level < 3);
				m = pmap_kpt_alloc(atop(va));
				*ptep = VM_PAGE_TO_PHYS(m) | X86_PG_V |
				    X86_PG_RW | X86_PG_A | X86_PG_M;
			}
			table = pmap_table(*ptep);
		}
	}
	if (kernel_vm_end < va)
		kernel_vm_end = va;
	pmap_kpt_restock();
}

int
pmap_kenter_noinval(vm_offset_t va, vm_paddr_t pa)
{
	pt_entry_t *ptep, old;

	ptep = pmap_kpte(va);
	KASSERT(ptep != NULL, ("pmap_kenter: no page table for %lx", va));
	old = atomic_swap_64(ptep, pa | X86_PG_V | X86_PG_RW | X86_PG_A |
	    X86_PG_M | X86_PG_G);
	return ((old & X86_PG_V) != 0);
}

void
pmap_kenter(vm_offset_t va, vm_paddr_t pa)
{
	if (pmap_kenter_noinval(va, pa))
		pmap_inval(kernel_pmap, va);
}

void
pmap_qenter(vm_offset_t va, vm_page_t *m, int count)
{
	int i, valid = 0;

	for (i = 0; i < count; ++i)
		valid |= pmap_kenter_noinval(va + ptoa(i),
		    VM_PAGE_TO_PHYS(m[i]));
	if (valid)
		pmap_invalidate_range(kernel_pmap, va, va + ptoa(count));
}

void
pmap_kremove_noinval(vm_offset_t va)
{
	pt_entry_t *ptep;

	if ((ptep = pmap_kpte(va)) != NULL)
		*ptep = 0;
}

void
pmap_qremove_noinval(vm_offset_t va, int count)
{
	for (; count > 0; --count, va += PAGE_SIZE)
		pmap_kremove_noinval(va);
}

void
pmap_qremove(vm_offset_t va, int count)
{
	pmap_qremove_noinval(va, count);
	pmap_invalidate_range(kernel_pmap, va, va + ptoa(count));
}

/*
 * The physical address of a kernel address, 0 if it has none.
 */
vm_paddr_t
pmap_kextract(vm_offset_t va)
{
	pt_entry_t *table, pte;
	vm_offset_t mask;
	int level;

	if (va >= DMAP_MIN_ADDRESS && va < DMAP_MAX_ADDRESS)
		return (DMAP_TO_PHYS(va));
	table = kernel_pmap->pm_pml4;
	for (level = 3;; --level) {
		pte = table[PTE_INDEX(level, va)];
		if ((pte & X86_PG_V) == 0)
			return (0);
		if (level == 0 || (pte & X86_PG_PS))
			break;
		table = pmap_table(pte);
	}
	mask = (1UL << (PAGE_SHIFT + level * NPTE_SHIFT)) - 1;
	return ((pte & X86_PG_FRAME & ~mask) | (va & mask));
}

struct vm_page *
pmap_kvtom(vm_offset_t va)
{
	vm_paddr_t pa;

	pa = pmap_kextract(va);
	return (pa == 0 ? NULL : PHYS_TO_VM_PAGE(pa));
}

void
pmap_zero_page(vm_paddr_t pa)
{
	bzero((void *)PHYS_TO_DMAP(pa), PAGE_SIZE);
}

void
pmap_copy_page(vm_paddr_t src, vm_paddr_t dst)
{
	bcopy((void *)PHYS_TO_DMAP(src), (void *)PHYS_TO_DMAP(dst), PAGE_SIZE);
}

/*
 * User pmaps.
 */

/*
 * PV ENTRYs are limited.  When none is left, mappings go: they come back with
 * a page fault.  Pages are looked at in turn, and the busied ones, such as
 * those which callers are about to map, are left alone.  A page that is
 * mapped is not free, and cannot become free while we look: taking its
 * mappings away needs pmap_spin.  Returns how many pages lost their mappings.
 */
static int
pmap_collect(void)
{
	vm_page_t m, mc[PV_COLLECT];
	vm_pindex_t seen;
	int count = 0, i;

	for (seen = 0; seen < vm_page_array_size && count < PV_COLLECT;
	    ++seen) {
		m = &vm_page_array[atomic_fetchadd_long(&pv_next, 1) %
		    vm_page_array_size];
		if ((m->flags & PG_MAPPED) == 0)
			continue;
		spin_lock(&pmap_spin);
		if ((m->flags & PG_MAPPED) && vm_page_busy_try(m, TRUE) == 0)
			mc[count++] = m;
		spin_unlock(&pmap_spin);
	}
	pmap_unmap_pages(mc, count);
	for (i = 0; i < count; ++i)
		vm_page_wakeup(mc[i]);
	return (count);
}

/*
 * May block.
 */
static pv_entry_t
pmap_alloc_pv(void)
{
	pv_entry_t pv;

	while ((pv = zalloc(pvzone)) == NULL) {
		if (vm_paging_min())
			vm_wait(0);
		else if (pmap_collect() == 0)
			tsleep(&pv_next, 0, "pvwait", 1);
	}
	return (pv);
}

/*
 * A pv_entry and a zeroed, wired page table page.  May block.
 */
static pv_entry_t
pmap_alloc_table(vm_pindex_t pindex)
{
	VM_PAGE_FOR("page table");
	pv_entry_t pv;
	vm_page_t m;

	pv = pmap_alloc_pv();
	while ((m = vm_page_alloc(NULL, pindex, VM_ALLOC_NORMAL |
	    VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT)) == NULL)
		vm_wait(0);
	vm_page_wire(m);
	vm_page_wakeup(m);
	pmap_zero_page(VM_PAGE_TO_PHYS(m));
	pv->pv_pindex = pindex;
	pv->pv_m = m;
	return (pv);
}

static void
pmap_free_table(pv_entry_t pv)
{
	vm_page_busy_wait(pv->pv_m, TRUE, "pmpfre");
	vm_page_unwire(pv->pv_m, FALSE);
	vm_page_free(pv->pv_m);
	zfree(pvzone, pv);
}

/*
 * Load pmap on this processor.  In a critical section.
 */
static void
pmap_load(pmap_t pmap)
{
	struct globaldata *gd = mycpu;
	pmap_t opmap;
	register_t rf;

	rf = intr_disable();
	if ((opmap = gd->gd_pmap) != pmap) {
		ATOMIC_CPUMASK_ORBIT(pmap->pm_active, gd->gd_cpuid);
		gd->gd_pmap = pmap;
		load_cr3(DMAP_TO_PHYS(pmap->pm_pml4));
		ATOMIC_CPUMASK_NANDBIT(opmap->pm_active, gd->gd_cpuid);
	}
	intr_restore(rf);
}

void
pmap_activate(struct vmspace *vm)
{
	pmap_load(vm == NULL ? kernel_pmap : vmspace_pmap(vm));
}

static void
pmap_unload_local(void *pmap)
{
	if (mycpu->gd_pmap == pmap)
		pmap_load(kernel_pmap);
}

/*
 * A pmap that no thread runs on can still be loaded where one ran last.
 */
static void
pmap_unload(pmap_t pmap)
{
	lwkt_send_ipiq_mask(pmap->pm_active, pmap_unload_local, pmap);
	while (CPUMASK_TESTNZERO(pmap->pm_active))
		cpu_pause();
}

/*
 * The root table is kept when pmap rests in a cached vmspace.
 */
void
pmap_pinit(pmap_t pmap)
{
	if (pmap->pm_pml4 == NULL) {
		pmap->pm_pmlpv = pmap_alloc_table(PV_INDEX(PV_LEVELS, 0UL));
		pmap->pm_pml4 =
		    pmap_table(VM_PAGE_TO_PHYS(pmap->pm_pmlpv->pv_m));
		pmap->pm_pml4[KPML4I] = kernel_pmap->pm_pml4[KPML4I];
		pmap->pm_pml4[DMPML4I] = kernel_pmap->pm_pml4[DMPML4I];
		RB_INIT(&pmap->pm_pvroot);
	}
	KKASSERT(RB_EMPTY(&pmap->pm_pvroot));
	bzero(&pmap->pm_stats, sizeof(pmap->pm_stats));
}

void
pmap_puninit(pmap_t pmap)
{
	if (pmap->pm_pml4 == NULL)
		return;
	KKASSERT(RB_EMPTY(&pmap->pm_pvroot));
	pmap_unload(pmap);
	KASSERT(CPUMASK_TESTZERO(pmap->pm_active),
	    ("pmap_puninit: pmap %p is loaded", pmap));
	pmap_free_table(pmap->pm_pmlpv);
	pmap->pm_pml4 = NULL;
	pmap->pm_pmlpv = NULL;
}

void
pmap_replacevm(struct proc *p, struct vmspace *newvm, int adjrefs)
{
	struct vmspace *oldvm = p->p_vmspace;

	if (oldvm == newvm)
		return;
	if (adjrefs && newvm != NULL)
		vmspace_ref(newvm);
	lwkt_gettoken(&proc_token);
	crit_enter();
	p->p_vmspace = newvm;
	if (p == curproc)
		pmap_activate(newvm);
	crit_exit();
	lwkt_reltoken(&proc_token);
	if (adjrefs && oldvm != NULL)
		vmspace_rel(oldvm);
}

/*
 * The table page of the given level that covers va, made if need be.  May
 * block.  The table can go away again until pmap_spin is held and a look
 * shows that it has not.
 */
static void
pmap_alloc_path(pmap_t pmap, vm_offset_t va, int level)
{
	vm_pindex_t pindex = PV_INDEX(level, va);
	pv_entry_t pv, parent;
	pt_entry_t *table;

	spin_lock(&pmap_spin);
	pv = RB_LOOKUP(pv_entry_rb_tree, &pmap->pm_pvroot, pindex);
	spin_unlock(&pmap_spin);
	if (pv != NULL)
		return;

	pv = pmap_alloc_table(pindex);
	pv->pv_pmap = pmap;
	for (;;) {
		if (level < PV_LEVELS - 1)
			pmap_alloc_path(pmap, va, level + 1);
		spin_lock(&pmap_spin);
		parent = (level == PV_LEVELS - 1) ? pmap->pm_pmlpv :
		    RB_LOOKUP(pv_entry_rb_tree, &pmap->pm_pvroot,
		    PV_INDEX(level + 1, va));
		if (parent != NULL)
			break;
		spin_unlock(&pmap_spin);
	}
	if (RB_INSERT(pv_entry_rb_tree, &pmap->pm_pvroot, pv) != NULL) {
		spin_unlock(&pmap_spin);
		pmap_free_table(pv);
		return;
	}
	table = pmap_table(VM_PAGE_TO_PHYS(parent->pv_m));
	table[PTE_INDEX(level, va)] = VM_PAGE_TO_PHYS(pv->pv_m) |
	    X86_PG_V | X86_PG_RW | X86_PG_U | X86_PG_A | X86_PG_M;
	++parent->pv_m->wire_count;
	++pmap->pm_stats.wired_count;
	spin_unlock(&pmap_spin);
}

/*
 * The pte for va, or NULL if there is no page table; *ptpvp is that table's
 * pv_entry.  Under pmap_spin.
 */
static pt_entry_t *
pmap_pte(pmap_t pmap, vm_offset_t va, pv_entry_t *ptpvp)
{
	pv_entry_t ptpv;

	ptpv = RB_LOOKUP(pv_entry_rb_tree, &pmap->pm_pvroot, PV_INDEX(1, va));
	if (ptpvp != NULL)
		*ptpvp = ptpv;
	if (ptpv == NULL)
		return (NULL);
	return (&pmap_table(VM_PAGE_TO_PHYS(ptpv->pv_m))[PTE_INDEX(0, va)]);
}

/*
 * Take pv's entry out of the table above it and pv out of the pmap, and any
 * table that this empties too.  All of them go to the list, for
 * pmap_inval_list().  Under pmap_spin.
 */
static void
pmap_remove_pv(pv_entry_t pv, struct pv_list *freed)
{
	pmap_t pmap = pv->pv_pmap;
	vm_offset_t va = PV_VA(pv);
	int level = PV_LEVEL(pv);
	pv_entry_t parent;

	for (; level < PV_LEVELS; ++level, pv = parent) {
		parent = (level == PV_LEVELS - 1) ? pmap->pm_pmlpv :
		    RB_LOOKUP(pv_entry_rb_tree, &pmap->pm_pvroot,
		    PV_INDEX(level + 1, va));
		KKASSERT(parent != NULL);
		atomic_swap_64(&pmap_table(VM_PAGE_TO_PHYS(parent->pv_m))
		    [PTE_INDEX(level, va)], 0);
		RB_REMOVE(pv_entry_rb_tree, &pmap->pm_pvroot, pv);
		if (level == 0) {
			TAILQ_REMOVE(&pv->pv_m->md.pv_list, pv, pv_list);
			--pmap->pm_stats.resident_count;
		} else {
			--pmap->pm_stats.wired_count;
		}
		TAILQ_INSERT_TAIL(freed, pv, pv_list);
		if (--parent->pv_m->wire_count > 1 || level == PV_LEVELS - 1)
			break;
	}
}

/*
 * The TLBs' part of a removal: [sva, eva) of pmap goes from all of them, and
 * then the pages on the list are not mapped any more.  Under pmap_spin.
 */
static void
pmap_inval_list(pmap_t pmap, vm_offset_t sva, vm_offset_t eva,
    struct pv_list *freed)
{
	pv_entry_t pv;

	if (TAILQ_EMPTY(freed))
		return;
	pmap_inval_smp(pmap, sva, eva);
	TAILQ_FOREACH(pv, freed, pv_list) {
		if (PV_LEVEL(pv) == 0 && TAILQ_EMPTY(&pv->pv_m->md.pv_list))
			vm_page_flag_clear(pv->pv_m, PG_MAPPED | PG_WRITEABLE);
	}
}

static void
pmap_free_list(struct pv_list *freed)
{
	pv_entry_t pv;

	while ((pv = TAILQ_FIRST(freed)) != NULL) {
		TAILQ_REMOVE(freed, pv, pv_list);
		if (PV_LEVEL(pv) > 0)
			pmap_free_table(pv);
		else
			zfree(pvzone, pv);
	}
}

void
pmap_enter(pmap_t pmap, vm_offset_t va, struct vm_page *m, vm_prot_t prot,
    boolean_t wired, struct vm_map_entry *entry __unused)
{
	struct pv_list freed = TAILQ_HEAD_INITIALIZER(freed);
	pv_entry_t pv, old, ptpv;
	pt_entry_t *ptep, pte;

	KKASSERT(m->busy_count & PBUSY_LOCKED);
	if (wired)
		vm_page_wire(m);
	if (pmap == kernel_pmap) {
		pmap_kenter(va, VM_PAGE_TO_PHYS(m));
		return;
	}
	pte = VM_PAGE_TO_PHYS(m) | X86_PG_V | X86_PG_U | X86_PG_A |
	    X86_PG_MANAGED;
	if (prot & VM_PROT_WRITE)
		pte |= X86_PG_RW | X86_PG_M;

	pv = pmap_alloc_pv();
	for (;;) {
		pmap_alloc_path(pmap, va, 1);
		spin_lock(&pmap_spin);
		if ((ptep = pmap_pte(pmap, va, &ptpv)) == NULL) {
			spin_unlock(&pmap_spin);
			continue;
		}
		if ((*ptep & X86_PG_V) == 0)
			break;
		old = RB_LOOKUP(pv_entry_rb_tree, &pmap->pm_pvroot,
		    PV_INDEX(0, va));
		if (old->pv_m == m)
			break;
		pmap_remove_pv(old, &freed);
		pmap_inval_list(pmap, va, va + PAGE_SIZE, &freed);
		spin_unlock(&pmap_spin);
		pmap_free_list(&freed);
	}
	if (*ptep & X86_PG_V) {
		TAILQ_INSERT_TAIL(&freed, pv, pv_list);
		pv->pv_pindex = PV_INDEX(0, va);
	} else {
		pv->pv_pmap = pmap;
		pv->pv_pindex = PV_INDEX(0, va);
		pv->pv_m = m;
		RB_INSERT(pv_entry_rb_tree, &pmap->pm_pvroot, pv);
		TAILQ_INSERT_TAIL(&m->md.pv_list, pv, pv_list);
		++ptpv->pv_m->wire_count;
		++pmap->pm_stats.resident_count;
	}
	vm_page_flag_set(m, PG_MAPPED |
	    ((prot & VM_PROT_WRITE) ? PG_WRITEABLE : 0));
	if (atomic_swap_64(ptep, pte) & X86_PG_V)
		pmap_inval(pmap, va);
	spin_unlock(&pmap_spin);
	pmap_free_list(&freed);
}

/*
 * Apply prot, which does not include writing, to [sva, eva); VM_PROT_NONE
 * unmaps.  One page table at a time, so that pmap_spin is not held for long.
 */
static void
pmap_restrict(pmap_t pmap, vm_offset_t sva, vm_offset_t eva, vm_prot_t prot)
{
	struct pv_list freed = TAILQ_HEAD_INITIALIZER(freed);
	vm_offset_t va, next, start;
	pt_entry_t *ptep;
	boolean_t changed;

	for (va = sva; va < eva; va = next) {
		start = va;
		next = ulmin(rounddown2(va, NBPDR) + NBPDR, eva);
		changed = FALSE;
		spin_lock(&pmap_spin);
		for (; va < next; va += PAGE_SIZE) {
			if ((ptep = pmap_pte(pmap, va, NULL)) == NULL)
				break;
			if ((*ptep & X86_PG_V) == 0)
				continue;
			if (prot == VM_PROT_NONE) {
				pmap_remove_pv(RB_LOOKUP(pv_entry_rb_tree,
				    &pmap->pm_pvroot, PV_INDEX(0, va)),
				    &freed);
			} else {
				atomic_clear_64(ptep, X86_PG_RW | X86_PG_M);
				changed = TRUE;
			}
		}
		if (changed)
			pmap_inval_smp(pmap, start, next);
		pmap_inval_list(pmap, start, next, &freed);
		spin_unlock(&pmap_spin);
		pmap_free_list(&freed);
	}
}

void
pmap_remove(pmap_t pmap, vm_offset_t sva, vm_offset_t eva)
{
	if (pmap == kernel_pmap)
		pmap_qremove(sva, atop(eva - sva));
	else
		pmap_restrict(pmap, sva, eva, VM_PROT_NONE);
}

void
pmap_protect(pmap_t pmap, vm_offset_t sva, vm_offset_t eva, vm_prot_t prot)
{
	if (pmap == kernel_pmap || (prot & VM_PROT_WRITE))
		return;
	if ((prot & VM_PROT_READ) == 0)
		prot = VM_PROT_NONE;
	pmap_restrict(pmap, sva, eva, prot);
}

/*
 * All mappings of a page.
 */
void
pmap_page_init(struct vm_page *m)
{
	TAILQ_INIT(&m->md.pv_list);
}

void
pmap_page_protect(struct vm_page *m, vm_prot_t prot)
{
	struct pv_list freed = TAILQ_HEAD_INITIALIZER(freed);
	pv_entry_t pv;

	KKASSERT(m->busy_count & PBUSY_LOCKED);
	if (prot & VM_PROT_WRITE)
		return;
	spin_lock(&pmap_spin);
	if (prot == VM_PROT_NONE) {
		while ((pv = TAILQ_FIRST(&m->md.pv_list)) != NULL) {
			pmap_remove_pv(pv, &freed);
			pmap_inval(pv->pv_pmap, PV_VA(pv));
		}
		vm_page_flag_clear(m, PG_MAPPED | PG_WRITEABLE);
	} else {
		TAILQ_FOREACH(pv, &m->md.pv_list, pv_list) {
			atomic_clear_64(pmap_pte(pv->pv_pmap, PV_VA(pv), NULL),
			    X86_PG_RW | X86_PG_M);
			pmap_inval(pv->pv_pmap, PV_VA(pv));
		}
		vm_page_flag_clear(m, PG_WRITEABLE);
	}
	spin_unlock(&pmap_spin);
	pmap_free_list(&freed);
}

/*
 * Unmap several busied pages, for one interruption of the processors that
 * had them mapped.
 */
void
pmap_unmap_pages(struct vm_page **m, int count)
{
	struct pv_list freed = TAILQ_HEAD_INITIALIZER(freed);
	cpumask_t mask;
	pv_entry_t pv;
	int i;

	CPUMASK_ASSZERO(mask);
	spin_lock(&pmap_spin);
	for (i = 0; i < count; ++i) {
		KKASSERT(m[i]->busy_count & PBUSY_LOCKED);
		while ((pv = TAILQ_FIRST(&m[i]->md.pv_list)) != NULL) {
			pmap_remove_pv(pv, &freed);
			CPUMASK_ORMASK(mask, pv->pv_pmap->pm_active);
		}
	}
	if (!TAILQ_EMPTY(&freed))
		pmap_inval_mask(mask, VM_MIN_USER_ADDRESS,
		    VM_MAX_USER_ADDRESS);
	for (i = 0; i < count; ++i)
		vm_page_flag_clear(m[i], PG_MAPPED | PG_WRITEABLE);
	spin_unlock(&pmap_spin);
	pmap_free_list(&freed);
}

/*
 * How many mappings were used since the last call.
 */
int
pmap_ts_referenced(struct vm_page *m)
{
	pt_entry_t *ptep;
	pv_entry_t pv;
	int count;

	count = 0;
	spin_lock(&pmap_spin);
	TAILQ_FOREACH(pv, &m->md.pv_list, pv_list) {
		ptep = pmap_pte(pv->pv_pmap, PV_VA(pv), NULL);
		if (*ptep & X86_PG_A) {
			atomic_clear_64(ptep, X86_PG_A);
			pmap_inval_later(pv->pv_pmap, PV_VA(pv));
			++count;
		}
	}
	spin_unlock(&pmap_spin);
	return (count);
}

