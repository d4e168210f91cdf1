/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page-out daemon.
 *
 * Pages in use are on the active or the inactive queue.  The daemon looks at
 * active pages round robin; use found in their ptes makes act_count rise,
 * none makes it fall, and at zero a page is deactivated.  Inactive pages wait
 * in order: one that is used again is activated, a clean one is freed, a
 * dirty one is sent round once more and written the next time, with its
 * dirty neighbours, to swap.  Clean then, it is freed on a later visit.
 *
 * When
 *	v_free_min is derived from the size of RAM, everything else from it:
 *
 *	severe < reserved < min < wait < start < target1 < target2
 *	  4/8     4/8+7      1     2      3       4         5  (x v_free_min)
 *
 *	Allocations that sink free memory below start wake the daemon.  It
 *	works hard up to target1 and at leisure up to target2.  Page faults
 *	stall below severe, ordinary kernel allocations fail below reserved,
 *	and what is below that (v_interrupt_free_min: 1/8+7) keeps the daemon
 *	itself alive.
 *
 * Low memory: who may take what, and wait for whom
 *
 *	class of vm_page_alloc()	who, for what
 *
 *	NORMAL				page faults and file data (which also
 *	  down to v_free_reserved	stall while free pages are below
 *					severe); kernel stacks; kmalloc() and
 *					kmalloc_obj() slabs for M_WAITOK
 *	QUICK (as NORMAL)		read-ahead from swap: does without
 *	SYSTEM				all that the two daemons allocate, which
 *	  to v_interrupt_free_min	alone have TDF_SYSTHREAD;
 *					M_USE_RESERVE; what a zone's refill
 *					takes beyond its first pages
 *	INTERRUPT			page tables; the first pages of a
 *	  to the last page		ZONE_INTERRUPT zone's refill: PV ENTRY
 *					and SWAPMETA; kernel page tables (and
 *					then a stock of pages); M_INTNOWAIT
 *
 *	Nobody waits inside vm_page_alloc().  Those who are refused wait for
 *	the daemon in vm_wait() or, for a page fault, in vm_wait_pfault(), and
 *	hold meanwhile:
 *
 *	page fault		nothing: it lets go of map, objects and pages
 *	pmap_enter()		the map's lock, shared, and a busied page: so
 *				it needs class INTERRUPT, and neither lock may
 *				be waited for by the daemon, which passes busy
 *				pages by and locks no maps
 *	kmem_slab_alloc()	busied pages of kernel_object, which the
 *				daemon never looks at; tokens are lost in
 *				the sleep; kernel_map is not locked
 *	vmspace_fork()		both maps: the daemon does not lock maps
 *	vm_object_collapse()	paging in progress on an object: the daemon
 *				does not wait for that
 *	a file's write		the node's lock
 *
 *	What the daemon itself waits for, then, must come about without it:
 *
 *	object tokens		their holders lose them when they sleep
 *	map entries		it needs none
 *	a swap buffer		until a write ends: the driver has all it
 *				needs, its interrupt thread takes no lock that
 *				is held across a wait for memory, and nobody
 *				busies a page under I/O
 *	swap metadata		the one allocation it makes.  SWAPMETA is a
 *				ZONE_INTERRUPT zone: address space and page
 *				tables exist, so it takes no lock, no map entry
 *				and one page, be it the last, for a dozen
 *				swblocks: 384 pages on disk
 *
 *	So let free pages be few.  Processes stall and hold nothing that the
 *	daemon wants.  It frees clean inactive pages, which needs nothing:
 *	unmapping sets pv entries and page tables free.  If there are only
 *	dirty ones it writes.  A cluster of 16 pages needs at most one swblock,
 *	which comes from what the zone has left of its last page, or from one
 *	free page; v_interrupt_free_min keeps a few from SYSTEM and below for
 *	this, and the first clean page, the first emptied page table will do.
 *	Each page so spent returns hundreds, and the daemon goes on to target1.
 *	That is progress as long as one refill costs one page.
 *
 *	An allocator that wants more in one piece breaks it: a 128 KB slab is
 *	32 pages, map entries, and kernel_map's lock.
 *
 * The second daemon
 *	The page-out daemon may have to wait: for a swap buffer, for the token
 *	of an object, for swap metadata.  emergpager watches it.  While pages
 *	are needed and the daemon has not got on with a round for two seconds,
 *	emergpager makes rounds of its own, over the same queues with markers of
 *	its own, and deactivates a few pages each time in case all inactive ones
 *	are what the daemon waits for.  It may take what the daemon may take,
 *	and waits like it.  Killing is left to the daemon.
 *
 * Out of swap
 *	When the last swap block is used, dirty pages have nowhere to go.  If
 *	swap is full and several sweeps over all pages, for a second at least,
 *	wrote none and did not find enough to free, no waiting will help: the
 *	largest process is killed.  Short of that, never.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/proc.h>
#include <sys/globaldata.h>
#include <sys/sysctl.h>
#include <sys/spinlock2.h>
#include <sys/thread2.h>
#include <sys/vmmeter.h>
#include <vm/vm.h>
#include <vm/vm_inject.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_page2.h>
#include <vm/vm_pageout.h>
#include <vm/swap_pager.h>

#define	MAXSCAN_DIVIDER	10		/* a scan covers 1/10 of a queue */
#define	PAGEOUT_CLUSTER	SWB_NPAGES	/* pages written at once */

#define	EMERG_LAUNDER	100	/* pages emergpager deactivates a round */
#define	EMERG_PATIENCE	2	/* seconds it lets the daemon stand still */

struct thread *pagethread;
struct thread *emergpager;
int vm_pages_needed;
u_int vm_pageout_deficit;

#define	OOM_ROUNDS	(4 * MAXSCAN_DIVIDER)	/* in vain, before a kill */

static int vm_max_launder;		/* pages written in one scan */
static u_int vm_pageout_work;		/* pages pagethread acted upon */
static volatile int vm_pageout_ready;	/* the daemon has set all up */
static volatile u_int vm_pagedaemon_uptime; /* when it last got on */

static u_long vm_emerg_rounds;
SYSCTL_ULONG(_vm, OID_AUTO, emerg_rounds, CTLFLAG_RD, &vm_emerg_rounds, 0,
    "rounds of the emergency page-out daemon");

static void
vm_pageout_free_page_calc(long count)
{
	vmstats.v_free_min = 64 + count / 200;
	vmstats.v_free_reserved = vmstats.v_free_min * 4 / 8 + 7;
	vmstats.v_free_severe = vmstats.v_free_min * 4 / 8;
	vmstats.v_pageout_free_min = vmstats.v_free_min * 2 / 8 + 7;
	vmstats.v_interrupt_free_min = vmstats.v_free_min * 1 / 8 + 7;
	vmstats.v_free_target = vmstats.v_free_min * 2;
	vmstats.v_paging_wait = vmstats.v_free_min * 2;
	vmstats.v_paging_start = vmstats.v_free_min * 3;
	vmstats.v_paging_target1 = vmstats.v_free_min * 4;
	vmstats.v_paging_target2 = vmstats.v_free_min * 5;
	vmstats.v_inactive_target = vmstats.v_free_count / 16;
}

void
pagedaemon_wakeup(void)
{
	if (!vm_paging_start(0) || curthread == pagethread)
		return;
	if (vm_pages_needed <= 1) {
		vm_pages_needed = 1;
		wakeup(&vm_pages_needed);
	} else if (vm_paging_min()) {
		++vm_pages_needed;
	}
}

/*
 * Writing.
 */

/*
 * Write pages of one object with adjacent indexes, all busied.  Returns how
 * many are being written or are done with.
 */
static int
vm_pageout_flush(vm_page_t *mc, int count)
{
	vm_object_t object = mc[0]->object;
	int status[PAGEOUT_CLUSTER];
	int done, i;

	/*
	 * The object must not end before the writes; while a page is busied
	 * it cannot.  Soft-busy, then no longer writable, then free for
	 * readers: no page changes between here and the end of the write.
	 */
	vm_object_pip_add(object, count);
	for (i = 0; i < count; ++i) {
		KKASSERT(mc[i]->valid == VM_PAGE_BITS_ALL);
		vm_page_io_start(mc[i]);
	}
	pmap_unmap_pages(mc, count);
	for (i = 0; i < count; ++i)
		vm_page_wakeup(mc[i]);
	swap_pager_putpages(object, mc, count, status);
	done = 0;
	for (i = 0; i < count; ++i) {
		if (status[i] == VM_PAGER_PEND) {
			++done;
			continue;
		}
		vm_page_io_finish(mc[i]);
		vm_object_pip_wakeup(object);
	}
	return (done);
}

/*
 * May the page at pindex join a cluster?  If so it is busied.
 */
static vm_page_t
vm_pageout_neighbour(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;
	int error;

	m = vm_page_lookup_busy_try(object, pindex, TRUE, &error);
	if (m == NULL || error)
		return (NULL);
	if (m->queue != PQ_INACTIVE || m->dirty == 0 || m->wire_count != 0) {
		vm_page_wakeup(m);
		return (NULL);
	}
	return (m);
}

/*
 * Write m, busied, and the dirty inactive pages around it, at most an aligned
 * cluster of them.
 */
static int
vm_pageout_clean(vm_page_t m)
{
	vm_page_t mc[PAGEOUT_CLUSTER];
	vm_object_t object = m->object;
	vm_pindex_t base;
	int first, last, at;

	at = m->pindex % PAGEOUT_CLUSTER;
	base = m->pindex - at;
	mc[at] = m;
	vm_object_hold(object);
	for (first = at; first > 0; --first) {
		mc[first - 1] = vm_pageout_neighbour(object, base + first - 1);
		if (mc[first - 1] == NULL)
			break;
	}
	for (last = at; last + 1 < PAGEOUT_CLUSTER; ++last) {
		mc[last + 1] = vm_pageout_neighbour(object, base + last + 1);
		if (mc[last + 1] == NULL)
			break;
	}
	vm_object_drop(object);
	return (vm_pageout_flush(&mc[first], last - first + 1));
}

/*
 * Freeing.  Clean pages are collected, busied, so that a batch of them costs
 * the other processors one interruption.  Nobody may wait for memory with
 * pages in a batch.
 */
struct vm_pageout_batch {
	int		count;
	vm_page_t	m[PAGEOUT_CLUSTER];
};

static void
vm_pageout_free(struct vm_pageout_batch *batch)
{
	int i;

	pmap_unmap_pages(batch->m, batch->count);
	for (i = 0; i < batch->count; ++i)
		vm_page_free(batch->m[i]);
	mycpu->gd_cnt.v_dfree += batch->count;
	batch->count = 0;
}

/*
 * Scanning.
 */

static __inline void
vm_pageout_worked(int count)
{
	if (curthread == pagethread)
		vm_pageout_work += count;
}

/*
 * Decide about one inactive page, which is busied.  Returns the number of
 * pages that are free or will be, when the batch is freed or once written.
 */
static int
vm_pageout_page(vm_page_t m, int pass, long *max_launder,
    struct vm_pageout_batch *batch)
{
	int actcount, count;

	if (m->wire_count != 0) {
		vm_page_unqueue(m);
		vm_page_wakeup(m);
		return (0);
	}
	KKASSERT(m->object != NULL);
	actcount = pmap_ts_referenced(m);
	if (m->flags & PG_REFERENCED) {
		vm_page_flag_clear(m, PG_REFERENCED);
		++actcount;
	}
	if (actcount != 0) {
		vm_page_activate(m);
		m->act_count = imin(m->act_count + actcount + ACT_ADVANCE,
		    ACT_MAX);
		mycpu->gd_cnt.v_reactivated++;
		vm_pageout_worked(1);
		vm_page_wakeup(m);
		return (0);
	}
	if (m->valid == 0 || m->dirty == 0) {
		batch->m[batch->count++] = m;
		if (batch->count == PAGEOUT_CLUSTER)
			vm_pageout_free(batch);
		vm_pageout_worked(1);
		return (1);
	}
	if ((m->flags & PG_WINATCFLS) == 0 && pass == 0) {
		vm_page_flag_set(m, PG_WINATCFLS);
		vm_page_requeue(m);
		vm_pageout_worked(1);
		vm_page_wakeup(m);
		return (0);
	}
	if (*max_launder <= 0 || (m->object->flags & OBJ_DEAD)) {
		vm_page_wakeup(m);
		return (0);
	}
	vm_pageout_free(batch);
	count = vm_pageout_clean(m);
	*max_launder -= count;
	vm_pageout_worked(count);
	return (count);
}

/*
 * Busy the page behind marker and step over it.  Called and returns with the
 * queue locked; NULL at the end of the queue or after *maxscan pages.
 */
static vm_page_t
vm_pageout_next(struct vpgqueues *pq, struct vm_page *marker, long *maxscan)
{
	vm_page_t m;

	while ((m = TAILQ_NEXT(marker, pageq)) != NULL && (*maxscan)-- > 0) {
		TAILQ_REMOVE(&pq->pl, marker, pageq);
		TAILQ_INSERT_AFTER(&pq->pl, m, marker, pageq);
		if ((m->flags & PG_MARKER) == 0 &&
		    vm_page_busy_try(m, TRUE) == 0)
			break;
	}
	return (*maxscan < 0 ? NULL : m);
}

static void
vm_pageout_marker_init(struct vm_page *marker, int queue)
{
	bzero(marker, sizeof(*marker));
	marker->flags = PG_MARKER;
	marker->busy_count = PBUSY_LOCKED;
	marker->queue = queue;
	marker->wire_count = 1;
}

static long
vm_pageout_scan_inactive(int pass, long shortage)
{
	struct vpgqueues *pq = &vm_page_queues[PQ_INACTIVE];
	struct vm_pageout_batch batch = { .count = 0 };
	struct vm_page marker;
	long delta, max_launder, maxscan;
	vm_page_t m;

	max_launder = vm_max_launder;
	if (pass != 0)
		max_launder *= 2;
	delta = 0;
	vm_pageout_marker_init(&marker, PQ_INACTIVE);
	spin_lock(&pq->spin);
	TAILQ_INSERT_HEAD(&pq->pl, &marker, pageq);
	maxscan = vmstats.v_inactive_count / MAXSCAN_DIVIDER + 1;
	while (delta < shortage &&
	    (m = vm_pageout_next(pq, &marker, &maxscan)) != NULL) {
		spin_unlock(&pq->spin);
		mycpu->gd_cnt.v_pdpages++;
		delta += vm_pageout_page(m, pass, &max_launder, &batch);
		lwkt_yield();
		spin_lock(&pq->spin);
		if (!vm_paging_target2()) {
			delta = lmax(delta, shortage);
			break;
		}
	}
	TAILQ_REMOVE(&pq->pl, &marker, pageq);
	spin_unlock(&pq->spin);
	vm_pageout_free(&batch);
	return (delta);
}

/*
 * The marker stays on the queue between scans.
 */
static long
vm_pageout_scan_active(int pass, long avail_shortage, long inactive_shortage,
    struct vm_page *marker)
{
	struct vpgqueues *pq = &vm_page_queues[PQ_ACTIVE];
	long delta, maxscan;
	vm_page_t m;
	int actcount;

	delta = 0;
	spin_lock(&pq->spin);
	maxscan = vmstats.v_active_count / MAXSCAN_DIVIDER + 1;
	while (delta < inactive_shortage || delta < avail_shortage) {
		m = vm_pageout_next(pq, marker, &maxscan);
		if (m == NULL)
			break;
		spin_unlock(&pq->spin);
		mycpu->gd_cnt.v_pdpages++;
		if (m->wire_count != 0) {
			vm_page_unqueue(m);
			vm_page_wakeup(m);
			spin_lock(&pq->spin);
			continue;
		}
		vm_pageout_worked(1);
		actcount = pmap_ts_referenced(m);
		if (m->flags & PG_REFERENCED)
			++actcount;
		vm_page_flag_clear(m, PG_REFERENCED);
		if (actcount != 0) {
			m->act_count = imin(m->act_count + ACT_ADVANCE +
			    actcount, ACT_MAX);
		} else {
			m->act_count -= imin(m->act_count, ACT_DECLINE);
			if (m->act_count < pass + 1) {
				vm_page_deactivate(m);
				++delta;
			}
		}
		vm_page_wakeup(m);
		lwkt_yield();
		spin_lock(&pq->spin);
	}
	if (TAILQ_NEXT(marker, pageq) == NULL) {
		TAILQ_REMOVE(&pq->pl, marker, pageq);
		TAILQ_INSERT_HEAD(&pq->pl, marker, pageq);
	}
	spin_unlock(&pq->spin);
	return (delta);
}

/*
 * What emergpager looks at.
 */
static void
vm_pageout_gets_on(void)
{
	if (curthread == pagethread)
		vm_pagedaemon_uptime = time_uptime;
}

/*
 * One round over both queues.  Returns how many pages are still missing.
 */
static long
vm_pageout_scan(int pass, boolean_t hard, struct vm_page *marker)
{
	long avail_shortage, inactive_shortage, use, delta;

	avail_shortage = (hard ? vm_paging_target1_count() :
	    vm_paging_target2_count()) +
	    atomic_readandclear_int(&vm_pageout_deficit);
	if (avail_shortage > 0) {
		use = avail_shortage;
		if (!hard)
			use = lmin(use, vmstats.v_inactive_target / 10 + 1);
		avail_shortage -= vm_pageout_scan_inactive(pass, use);
		vm_pageout_gets_on();
		if (!vm_paging_target2())
			avail_shortage = 0;
	}
	inactive_shortage = vmstats.v_inactive_target -
	    vmstats.v_inactive_count;
	if (avail_shortage > 0)
		inactive_shortage += lmin(avail_shortage * 2,
		    vmstats.v_inactive_target / 10);
	if (curthread == emergpager)
		inactive_shortage = lmax(inactive_shortage, EMERG_LAUNDER);
	if (inactive_shortage > 0) {
		delta = vm_pageout_scan_active(pass, avail_shortage,
		    inactive_shortage, marker);
		vm_pageout_gets_on();
		avail_shortage -= delta;
	}
	return (avail_shortage);
}

/*
 * After a round: is it time to kill?  Clean pages that are freed do not count,
 * as they are mostly those which the processes read in again at once.
 */
static void
vm_pageout_oom_check(boolean_t enough)
{
	static u_int last_written, rounds;
	static int since;
	u_int written;

	written = mycpu->gd_cnt.v_swappgsout;
	if (enough || written != last_written || !swap_pager_full ||
	    !vm_paging_min()) {
		last_written = written;
		rounds = 0;
		since = ticks;
	} else if (++rounds >= OOM_ROUNDS && ticks - since >= hz) {
		oom_kill();
		rounds = 0;
		since = ticks;
	}
}

/*
 * Would all pages together not be enough?  Then the processes must have a
 * chance between two looks at theirs, or they would never finish an
 * instruction: we are more urgent, and always find something to do.
 */
static boolean_t
vm_pageout_hopeless(void)
{
	return (vmstats.v_active_count + vmstats.v_inactive_count <
	    vm_paging_target2_count());
}

static void
vm_pageout_setup(void)
{
	vm_pageout_free_page_calc(vmstats.v_page_count);
	vm_max_launder = vmstats.v_page_count / 256 + 16;
	swap_pager_swap_init();
	vm_pageout_ready = 1;
	wakeup(__DEVOLATILE(int *, &vm_pageout_ready));
}

/*
 * The daemon's sleep.  Returns whether there is something to do.
 */
static boolean_t
vm_pageout_wait(void)
{
	if (vm_pages_needed != 0)
		return (TRUE);
	tsleep_interlock(&vm_pages_needed, 0);
	if (vm_pages_needed == 0)
		tsleep(&vm_pages_needed, PINTERLOCKED, "psleep", hz);
	if (vm_pages_needed == 0 && !vm_paging_start(0))
		return (FALSE);
	vm_pagedaemon_uptime = time_uptime;
	vm_pages_needed = 1;
	wakeup(__DEVOLATILE(u_int *, &vm_pagedaemon_uptime));
	return (TRUE);
}

/*
 * The same for emergpager: has the daemon too much to do?
 */
static boolean_t
vm_pageout_emerg_wait(void)
{
	tsleep(__DEVOLATILE(u_int *, &vm_pagedaemon_uptime), 0, "psleep",
	    vm_pages_needed != 0 ? hz : 10 * hz);
	return (vm_pages_needed != 0 &&
	    (int)(time_uptime - vm_pagedaemon_uptime) >= EMERG_PATIENCE);
}

/*
 * Both daemons.
 */
static void
vm_pageout_thread(void)
{
	const boolean_t isep = (curthread == emergpager);
	struct vpgqueues *pq = &vm_page_queues[PQ_ACTIVE];
	struct vm_page marker;
	boolean_t hard, wanted;
	u_int work;
	int pass;

	atomic_set_int(&curthread->td_flags, TDF_SYSTHREAD);
	if (!isep)
		vm_pageout_setup();
	while (!vm_pageout_ready)
		tsleep(__DEVOLATILE(int *, &vm_pageout_ready), 0, "pstartup",
		    hz);
	vm_pageout_marker_init(&marker, PQ_ACTIVE);
	spin_lock(&pq->spin);
	TAILQ_INSERT_HEAD(&pq->pl, &marker, pageq);
	spin_unlock(&pq->spin);

	hard = TRUE;
	pass = 0;
	for (;;) {
		wanted = (vm_pages_needed != 0);
		if (isep ? !vm_pageout_emerg_wait() : !vm_pageout_wait()) {
			pass = 0;
			continue;
		}
		while (__predict_false(vm_inject_stall >= (isep ? 2 : 1)))
			tsleep(&vm_inject_stall, 0, "stall", 0);
		if (isep)
			++vm_emerg_rounds;
		vm_pageout_gets_on();
		if (isep || !wanted)
			hard = TRUE;
		mycpu->gd_cnt.v_pdwakeups++;
		work = vm_pageout_work;
		if (vm_pageout_scan(pass / MAXSCAN_DIVIDER, hard,
		    &marker) > 0) {
			/*
			 * Not enough yet: at once again, but if there was
			 * nothing to do let what is under way finish.
			 */
			++pass;
			if (!isep)
				vm_pageout_oom_check(FALSE);
			if (!isep && (work == vm_pageout_work ||
			    (pass % MAXSCAN_DIVIDER == 0 &&
			    vm_pageout_hopeless())))
				tsleep(&vm_pages_needed, 0, "pdelay",
				    swap_pager_full ? hz / 5 : 1);
			continue;
		}
		pass = 0;
		if (!isep)
			vm_pageout_oom_check(TRUE);
		if (vm_paging_target1()) {
			hard = TRUE;
			vm_pages_needed = 2;
		} else if (vm_paging_target2()) {
			hard = FALSE;
			vm_pages_needed = 2;
		} else {
			vm_pages_needed = 0;
		}
		if (!vm_paging_wait())
			wakeup(&vmstats.v_free_count);
	}
}

static struct kproc_desc page_kp = {
	"pageout",
	vm_pageout_thread,
	&pagethread
};
SYSINIT(pagedaemon, SI_SUB_KTHREAD_PAGE, SI_ORDER_FIRST, kproc_start, &page_kp);

static struct kproc_desc emerg_kp = {
	"emergpager",
	vm_pageout_thread,
	&emergpager
};
SYSINIT(emergpager, SI_SUB_KTHREAD_PAGE, SI_ORDER_ANY, kproc_start, &emerg_kp);
