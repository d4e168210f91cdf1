/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Physical pages.
 *
 * Every page of usable RAM has a struct vm_page in vm_page_array, for ever:
 * a stale pointer to one is never a wild pointer, its owner must merely be
 * checked again.  A page is free, or belongs to an object at a pindex, or to
 * whoever allocated it without an object.
 *
 * Who may touch a page
 *	The hard-busy bit (PBUSY_LOCKED) is a sleeping lock on the page.  Its
 *	holder alone changes object, pindex, valid, dirty, queue and whether
 *	the page is wired.  Pages under a disk write are soft-busy: they may
 *	be read but everyone who might change them waits (also_m_busy).
 *	Changing object or pindex also takes the object's token.  A queue's
 *	list takes the queue's spinlock, and is also the home of its count.
 *
 * How deep allocations may reach
 *	vm_page_alloc() never blocks; it refuses.  Ordinary callers
 *	(VM_ALLOC_NORMAL) are refused below v_free_reserved, those who free
 *	memory (VM_ALLOC_SYSTEM, implied by TDF_SYSTHREAD, which only the two
 *	page daemons have) at v_interrupt_free_min, and VM_ALLOC_INTERRUPT gets
 *	even the last page.  vm_lastpage.c keeps a record of who went so deep.
 *	What lies between is there for the page-out daemon: to free memory it
 *	needs a little.  A daemon which needs more than a little, or needs it
 *	after others took it, waits in vm_wait() for a page that only it could
 *	free.
 *
 * Waiting
 *	vm_wait() is for kernel allocations that are bound to be retried,
 *	vm_wait_pfault() for page faults, which stall while memory is severely
 *	short.  Both sleep on v_free_count; vm_page_free_wakeup() ends that.
 *	The daemons themselves sleep on vm_pageout_pages_needed.  All sleeps
 *	have a time limit, as callers test again anyway.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/signal.h>
#include <sys/thread.h>
#include <sys/globaldata.h>
#include <sys/vmmeter.h>
#include <sys/spinlock2.h>
#include <vm/vm.h>
#include <vm/vm_extern.h>
#include <vm/vm_inject.h>
#include <vm/vm_lastpage.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_page2.h>
#include <vm/vm_pageout.h>

struct vmstats vmstats;
struct vpgqueues vm_page_queues[PQ_COUNT];
struct vm_page *vm_page_array;
vm_pindex_t vm_page_array_size;
vm_pindex_t first_page;

static int vm_pages_waiting;		/* someone sleeps on v_free_count */
static int vm_pageout_pages_needed;	/* a page daemon itself waits */

#define	VM_PAGE_FREE_HYSTERESIS	16	/* pages above v_free_min to wake at */

RB_GENERATE2(vm_page_rb_tree, vm_page, rb_entry, rb_vm_page_compare,
    vm_pindex_t, pindex);

int
rb_vm_page_compare(struct vm_page *a, struct vm_page *b)
{
	if (a->pindex < b->pindex)
		return (-1);
	return (a->pindex > b->pindex);
}

static __inline void
vm_stat_add(long *count, long n)
{
	atomic_add_long((u_long *)count, n);
}

/*
 * Puts m, which is on no queue, on one.
 */
static void
vm_page_enqueue(vm_page_t m, int queue)
{
	struct vpgqueues *pq = &vm_page_queues[queue];

	KKASSERT(m->queue == PQ_NONE);
	spin_lock(&pq->spin);
	m->queue = queue;
	TAILQ_INSERT_TAIL(&pq->pl, m, pageq);
	vm_stat_add(pq->cnt, 1);
	spin_unlock(&pq->spin);
}

/*
 * Takes the busied page m off its queue.
 */
void
vm_page_unqueue(vm_page_t m)
{
	struct vpgqueues *pq;

	KKASSERT(m->busy_count & PBUSY_LOCKED);
	if (m->queue == PQ_NONE)
		return;
	pq = &vm_page_queues[m->queue];
	spin_lock(&pq->spin);
	TAILQ_REMOVE(&pq->pl, m, pageq);
	m->queue = PQ_NONE;
	vm_stat_add(pq->cnt, -1);
	spin_unlock(&pq->spin);
}

/*
 * Sets up the page array in the largest piece of free memory, and frees what
 * phys_avail lists.  Runs once, before anything can allocate.
 */
void
vm_page_startup(void)
{
	vm_phystable_t *seg, *big;
	vm_paddr_t low, high, pa;
	vm_size_t bytes;
	vm_page_t m;
	int i;

	vm_page_queues[PQ_FREE].cnt = &vmstats.v_free_count;
	vm_page_queues[PQ_INACTIVE].cnt = &vmstats.v_inactive_count;
	vm_page_queues[PQ_ACTIVE].cnt = &vmstats.v_active_count;
	for (i = 0; i < PQ_COUNT; ++i) {
		spin_init(&vm_page_queues[i].spin, "vm_page_queue");
		TAILQ_INIT(&vm_page_queues[i].pl);
	}

	big = phys_avail;
	low = phys_avail[0].phys_beg;
	high = 0;
	for (seg = phys_avail; seg->phys_end != 0; ++seg) {
		if (seg->phys_end - seg->phys_beg >
		    big->phys_end - big->phys_beg)
			big = seg;
		low = ulmin(low, seg->phys_beg);
		high = ulmax(high, seg->phys_end);
	}
	first_page = atop(low);
	vm_page_array_size = atop(high) - first_page;
	bytes = round_page(vm_page_array_size * sizeof(struct vm_page));
	if (big->phys_end - big->phys_beg <= bytes)
		panic("vm_page_startup: no room for %lu pages' structures",
		    vm_page_array_size);
	big->phys_end -= bytes;
	vm_page_array = (void *)PHYS_TO_DMAP(big->phys_end);
	bzero(vm_page_array, bytes);

	vmstats.v_page_size = PAGE_SIZE;
	for (i = 0; i < vm_page_array_size; ++i) {
		m = &vm_page_array[i];
		m->phys_addr = ptoa(first_page + i);
		m->busy_count = PBUSY_LOCKED;
		pmap_page_init(m);
	}
	for (seg = phys_avail; seg->phys_end != 0; ++seg) {
		for (pa = seg->phys_beg; pa < seg->phys_end; pa += PAGE_SIZE) {
			m = PHYS_TO_VM_PAGE(pa);
			m->busy_count = 0;
			vm_page_enqueue(m, PQ_FREE);
			++vmstats.v_page_count;
		}
	}
}

/*
 * Busying.
 */

/* TRUE on failure, as in DragonFly. */
int
vm_page_busy_try(vm_page_t m, int also_m_busy)
{
	uint32_t count;

	for (;;) {
		count = m->busy_count;
		cpu_ccfence();
		if (count & PBUSY_LOCKED)
			return (TRUE);
		if (also_m_busy && (count & PBUSY_MASK))
			return (TRUE);
		if (atomic_cmpset_int(&m->busy_count, count,
		    count | PBUSY_LOCKED))
			return (FALSE);
	}
}

/*
 * Sleeps until the page's busy state has changed, if it is busy.
 */
void
vm_page_sleep_busy(vm_page_t m, int also_m_busy, const char *wmesg)
{
	uint32_t count;

	for (;;) {
		count = m->busy_count;
		cpu_ccfence();
		if ((count & PBUSY_LOCKED) == 0 &&
		    (also_m_busy == 0 || (count & PBUSY_MASK) == 0))
			return;
		tsleep_interlock(m, 0);
		if (atomic_cmpset_int(&m->busy_count, count,
		    count | PBUSY_WANTED)) {
			tsleep(m, PINTERLOCKED, wmesg, 0);
			return;
		}
	}
}

void
vm_page_busy_wait(vm_page_t m, int also_m_busy, const char *wmesg)
{
	while (vm_page_busy_try(m, also_m_busy))
		vm_page_sleep_busy(m, also_m_busy, wmesg);
}

/*
 * Drop bits (or one soft-busy count) and wake those who wait.
 */
static void
vm_page_busy_release(vm_page_t m, uint32_t drop)
{
	uint32_t count;

	do {
		count = m->busy_count;
		cpu_ccfence();
	} while (!atomic_cmpset_int(&m->busy_count, count,
	    (count - drop) & ~PBUSY_WANTED));
	if (count & PBUSY_WANTED)
		wakeup(m);
}

void
vm_page_wakeup(vm_page_t m)
{
	KASSERT(m->busy_count & PBUSY_LOCKED,
	    ("vm_page_wakeup: page %p is not busy", m));
	vm_page_busy_release(m, PBUSY_LOCKED);
}

void
vm_page_io_start(vm_page_t m)
{
	KKASSERT(m->busy_count & PBUSY_LOCKED);
	atomic_add_int(&m->busy_count, 1);
}

void
vm_page_io_finish(vm_page_t m)
{
	KKASSERT(m->busy_count & PBUSY_MASK);
	vm_page_busy_release(m, 1);
}

/*
 * Objects' pages.
 */

/* FALSE if pindex is taken.  The object must be held, the page busied. */
int
vm_page_insert(vm_page_t m, vm_object_t object, vm_pindex_t pindex)
{
	ASSERT_LWKT_TOKEN_HELD(&object->token);
	KKASSERT(m->object == NULL && (m->busy_count & PBUSY_LOCKED));
	m->pindex = pindex;
	if (RB_INSERT(vm_page_rb_tree, &object->rb_memq, m) != NULL)
		return (FALSE);
	m->object = object;
	++object->resident_page_count;
	return (TRUE);
}

/* May block for the object's token. */
void
vm_page_remove(vm_page_t m)
{
	vm_object_t object = m->object;

	KKASSERT(m->busy_count & PBUSY_LOCKED);
	if (object == NULL)
		return;
	vm_object_hold(object);
	RB_REMOVE(vm_page_rb_tree, &object->rb_memq, m);
	--object->resident_page_count;
	m->object = NULL;
	vm_object_drop(object);
}

vm_page_t
vm_page_lookup(vm_object_t object, vm_pindex_t pindex)
{
	ASSERT_LWKT_TOKEN_HELD(&object->token);
	return (RB_LOOKUP(vm_page_rb_tree, &object->rb_memq, pindex));
}

/*
 * The page, busied; or NULL.  With *errorp set the page is returned too, but
 * it is someone else's.
 */
vm_page_t
vm_page_lookup_busy_try(vm_object_t object, vm_pindex_t pindex,
    int also_m_busy, int *errorp)
{
	vm_page_t m;

	m = vm_page_lookup(object, pindex);
	*errorp = (m != NULL && vm_page_busy_try(m, also_m_busy));
	return (m);
}

vm_page_t
vm_page_lookup_busy_wait(vm_object_t object, vm_pindex_t pindex,
    int also_m_busy, const char *wmesg)
{
	vm_page_t m;
	int error;

	for (;;) {
		m = vm_page_lookup_busy_try(object, pindex, also_m_busy,
		    &error);
		if (error == 0)
			return (m);
		vm_page_sleep_busy(m, also_m_busy, wmesg);
	}
}

/*
 * Allocation.
 */

/*
 * The next page of the free queue, which is locked and not empty: busied.
 */
vm_page_t
vm_page_free_get(void)
{
	struct vpgqueues *pq = &vm_page_queues[PQ_FREE];
	vm_page_t m;

	m = TAILQ_FIRST(&pq->pl);
	TAILQ_REMOVE(&pq->pl, m, pageq);
	vm_stat_add(&vmstats.v_free_count, -1);
	m->queue = PQ_NONE;
	m->busy_count = PBUSY_LOCKED;
	return (m);
}

/*
 * Back to the free queue, which is locked.
 */
void
vm_page_free_put(vm_page_t m)
{
	struct vpgqueues *pq = &vm_page_queues[PQ_FREE];

	KKASSERT(m->busy_count == 0);
	m->queue = PQ_FREE;
	TAILQ_INSERT_HEAD(&pq->pl, m, pageq);
	vm_stat_add(&vmstats.v_free_count, 1);
}

/*
 * A free page for a request, if it may have one.
 */
static vm_page_t
vm_page_free_select(int req)
{
	struct vpgqueues *pq = &vm_page_queues[PQ_FREE];
	vm_page_t m = NULL;
	long count;

	if (__predict_false(vm_inject_fail_class != 0) && vm_inject_fail(req))
		return (NULL);
	spin_lock(&pq->spin);
	count = vmstats.v_free_count;
	if (count > 0 && (count >= vmstats.v_free_reserved ||
	    (req & VM_ALLOC_INTERRUPT) ||
	    ((req & VM_ALLOC_SYSTEM) &&
	    count > vmstats.v_interrupt_free_min))) {
		m = vm_page_free_get();
		if (__predict_false(count < vmstats.v_free_reserved))
			vm_lastpage_taken(req, count);
		if (__predict_false(vm_inject_hold >= 0))
			vm_inject_taken();
	}
	spin_unlock(&pq->spin);
	return (m);
}

vm_page_t
vm_page_alloc(vm_object_t object, vm_pindex_t pindex, int req)
{
	vm_page_t m;

	KKASSERT(req & (VM_ALLOC_NORMAL | VM_ALLOC_QUICK |
	    VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT));
	if (curthread->td_flags & TDF_SYSTHREAD)
		req |= VM_ALLOC_SYSTEM;

	m = vm_page_free_select(req);
	if (m == NULL) {
		if ((req & VM_ALLOC_NORMAL) && curthread->td_preempted != NULL)
			vm_lastpage_preempting();
		atomic_add_int(&vm_pageout_deficit, 1);
		pagedaemon_wakeup();
		return (NULL);
	}
	KKASSERT(m->object == NULL && m->wire_count == 0 && m->dirty == 0);
	m->flags = 0;
	m->act_count = 0;
	m->valid = 0;
	m->pindex = pindex;
	if (object != NULL && vm_page_insert(m, object, pindex) == FALSE) {
		if ((req & VM_ALLOC_NULL_OK) == 0)
			panic("vm_page_alloc: page %lu of object %p exists",
			    pindex, object);
		vm_page_free(m);
		m = NULL;
	}
	pagedaemon_wakeup();
	return (m);
}

/*
 * The object's page at pindex, old or new, busied and made valid.  With
 * VM_ALLOC_RETRY waits for memory, else may return NULL.
 */
vm_page_t
vm_page_grab(vm_object_t object, vm_pindex_t pindex, int req)
{
	vm_page_t m;

	vm_object_hold(object);
	for (;;) {
		m = vm_page_lookup_busy_wait(object, pindex, TRUE, "pgrbwt");
		if (m != NULL)
			break;
		m = vm_page_alloc(object, pindex, (req & ~VM_ALLOC_RETRY) |
		    VM_ALLOC_NULL_OK);
		if (m != NULL || (req & VM_ALLOC_RETRY) == 0)
			break;
		vm_wait(0);
	}
	if (m != NULL) {
		if ((req & VM_ALLOC_FORCE_ZERO) ||
		    ((req & VM_ALLOC_ZERO) && m->valid == 0))
			vm_page_zero_fill(m);
		m->valid = VM_PAGE_BITS_ALL;
	}
	vm_object_drop(object);
	return (m);
}

/*
 * There are more free pages: is that what somebody waits for?
 */
void
vm_page_free_wakeup(void)
{
	if (vm_pageout_pages_needed &&
	    vmstats.v_free_count >= vmstats.v_pageout_free_min) {
		vm_pageout_pages_needed = 0;
		wakeup(&vm_pageout_pages_needed);
	}
	if (vm_pages_waiting &&
	    (!vm_paging_min_dnc(VM_PAGE_FREE_HYSTERESIS) ||
	    !vm_paging_target1())) {
		vm_pages_waiting = 0;
		wakeup(&vmstats.v_free_count);
	}
}

/*
 * Frees the busied page m, which must be neither wired nor mapped.  May
 * block for the object's token.
 */
void
vm_page_free_toq(vm_page_t m)
{
	struct vpgqueues *pq = &vm_page_queues[PQ_FREE];

	KASSERT((m->busy_count & (PBUSY_LOCKED | PBUSY_MASK)) == PBUSY_LOCKED,
	    ("vm_page_free: page %p: busy_count %08x", m, m->busy_count));
	KASSERT(m->queue != PQ_FREE, ("vm_page_free: page %p is free", m));
	KASSERT(m->wire_count == 0, ("vm_page_free: page %p is wired", m));
	KASSERT((m->flags & (PG_MAPPED | PG_WRITEABLE)) == 0,
	    ("vm_page_free: page %p is mapped", m));

	mycpu->gd_cnt.v_tfree++;
	vm_page_remove(m);
	vm_page_unqueue(m);
	m->valid = 0;
	m->dirty = 0;
	vm_page_wakeup(m);
	spin_lock(&pq->spin);
	if (__predict_true(vm_inject_hold < 0) || !vm_inject_keep(m))
		vm_page_free_put(m);
	spin_unlock(&pq->spin);
	vm_page_free_wakeup();
}

/*
 * Queues and wiring.  The page must be busied.
 */
void
vm_page_activate(vm_page_t m)
{
	if (m->act_count < ACT_INIT)
		m->act_count = ACT_INIT;
	if (m->queue == PQ_ACTIVE || m->wire_count != 0)
		return;
	vm_page_unqueue(m);
	vm_page_enqueue(m, PQ_ACTIVE);
}

void
vm_page_deactivate(vm_page_t m)
{
	if (m->queue == PQ_INACTIVE || m->wire_count != 0)
		return;
	vm_page_unqueue(m);
	vm_page_flag_clear(m, PG_WINATCFLS);
	vm_page_enqueue(m, PQ_INACTIVE);
}

/* To the tail of the queue it is on. */
void
vm_page_requeue(vm_page_t m)
{
	int queue = m->queue;

	if (queue == PQ_NONE)
		return;
	vm_page_unqueue(m);
	vm_page_enqueue(m, queue);
}

void
vm_page_wire(vm_page_t m)
{
	KKASSERT(m->busy_count & PBUSY_LOCKED);
	if (atomic_fetchadd_int(&m->wire_count, 1) == 0) {
		vm_page_unqueue(m);
		vm_stat_add(&vmstats.v_wire_count, 1);
	}
}

void
vm_page_unwire(vm_page_t m, int activate)
{
	KKASSERT(m->busy_count & PBUSY_LOCKED);
	KASSERT(m->wire_count != 0, ("vm_page_unwire: page %p is not wired",
	    m));
	if (atomic_fetchadd_int(&m->wire_count, -1) != 1)
		return;
	vm_stat_add(&vmstats.v_wire_count, -1);
	if (m->object == NULL || m->object == kernel_object)
		return;
	if (activate)
		vm_page_activate(m);
	else
		vm_page_deactivate(m);
}

/*
 * Waiting for memory.
 */
static void
vm_wait_wakeup_daemon(void)
{
	if (vm_pages_needed <= 1) {
		++vm_pages_needed;
		wakeup(&vm_pages_needed);
	}
}

void
vm_wait(int timo)
{
	if (timo == 0)
		timo = hz;
	if (curthread == pagethread || curthread == emergpager) {
		tsleep_interlock(&vm_pageout_pages_needed, 0);
		atomic_swap_int((u_int *)&vm_pageout_pages_needed, 1);
		if (vm_paging_min())
			tsleep(&vm_pageout_pages_needed, PINTERLOCKED,
			    "VMWait", timo);
	} else if (vm_paging_min()) {
		vm_wait_wakeup_daemon();
		tsleep_interlock(&vmstats.v_free_count, 0);
		atomic_swap_int((u_int *)&vm_pages_waiting, 1);
		if (vm_paging_min())
			tsleep(&vmstats.v_free_count, PINTERLOCKED, "vmwait",
			    timo);
	}
}

void
vm_wait_pfault(void)
{
	if (!vm_paging_min())
		return;
	do {
		vm_wait_wakeup_daemon();
		tsleep_interlock(&vmstats.v_free_count, 0);
		atomic_swap_int((u_int *)&vm_pages_waiting, 1);
		if (vm_paging_min())
			tsleep(&vmstats.v_free_count, PINTERLOCKED, "pfault",
			    hz / 10 + 1);
	} while (vm_paging_severe() && !curproc_killed());
}

