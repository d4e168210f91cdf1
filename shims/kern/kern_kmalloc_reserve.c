/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reserve of kmalloc_obj: why paging cannot deadlock on its own metadata.
 *
 * The problem
 *
 *	Page-out frees memory by writing dirty pages to swap, and must record
 *	where.  If the record needs memory and the allocator waits for some,
 *	page-out waits for itself.  A slab needs 32 pages, address space, a map
 *	entry, kernel_map's lock and perhaps a page-table page; each may need
 *	memory in turn, and the lock may be held by somebody who waits for
 *	page-out.  zalloc avoided all that for its ZONE_INTERRUPT zones, whose
 *	address space and page tables existed in advance: zget() needed one page
 *	for the next dozen items, and vm_page_alloc(.., VM_ALLOC_INTERRUPT) gives
 *	it the very last one.
 *
 * What is set aside
 *
 *	A type with a reserve has, besides its objects,
 *
 *	ready slabs	complete with pages, set up, in no list: N of them
 *	slots		addresses for more, with their page tables, one slab
 *			each: see kern_kmalloc_slot.c.  To make a slab in one
 *			takes pages and nothing else: no map lock, no map entry,
 *			no pv entry, no page-table page, nothing that blocks or
 *			comes back here.  32 pages make a full slab, and one
 *			page makes a mini slab.
 *
 * Where a slab comes from, in this order (kmalloc_obj_getslab())
 *
 *	1. A ready slab.  The last one, the floor, only for those who must get
 *	   on: the page daemons, the maintainer, callers with M_RNOWAIT and
 *	   M_USE_INTERRUPT_RESERVE (M_INTNOWAIT), and recursions (see below).
 *	   At every slab taken, another slot is populated at once, without
 *	   blocking, or else the maintainer thread is woken.
 *	2. A full slab in a slot, made on the spot.  It is not worth the last
 *	   pages there are, so VM_ALLOC_SYSTEM is as deep as this goes.
 *	3. A slab of the type into which objects were freed, if there is one, and
 *	   else a mini slab in a slot, with a page as deep as the caller may
 *	   reach.
 *	4. M_RNOWAIT callers: NULL.  They never reach kmem_slab_alloc().
 *	5. Others wait for a page in vm_wait(), or for slots if only the floor of
 *	   these is left, holding nothing of ours, and begin again at 1: one
 *	   page that they may have ends the wait, as in zget().
 *	6. kmem_slab_alloc(.., M_WAITOK), which collects 32 pages for as long as
 *	   that takes, is left to types that have run out of slots for good or
 *	   have no mini slabs, and to threads which preempt.
 *
 * Whose pages
 *
 *	A caller gets no deeper than his old allocator went, or whoever maps much
 *	could take the pages that page-out lives on.  How deep that is belongs to
 *	the type, not to the flags of a call (ext->pages):
 *
 *	an interrupt zone	NORMAL and SYSTEM for a full slab, INTERRUPT for
 *				a page: as zget() had them, the last one included
 *	any other zone		NORMAL, the special one too: zget() filled these
 *				by kmem_alloc3()
 *	a cache			as the caller's flags say: objcache passed them to
 *				kmalloc(), and that to kmem_slab_alloc()
 *
 *	and to the thread:
 *
 *	page daemons, and	may have the last page for a mini slab of any type
 *	recursions
 *	who preempts		SYSTEM in place of NORMAL, as in kmem_slab_alloc():
 *				NORMAL might have to wait for who holds a page
 *	the maintainer		SYSTEM, for what only they or interrupt zones can
 *				get: it fills these zones' reserve and everybody
 *				else's floor.  That is a bounded number of pages,
 *				those between v_free_reserved and
 *				v_interrupt_free_min, which zinit() took for a
 *				zone of its own, too.  Slabs that an ordinary
 *				caller may take it makes of NORMAL pages, or he
 *				had, through the maintainer, what he may not have.
 *
 *	Who refills after he took a slab does so from what he may have himself, but
 *	for the last pages.
 *
 * The argument
 *
 *	Claim: while at least one page is free when page-out asks, page-out gets
 *	on.  Step by step, for the thread that writes a page to swap:
 *
 *	(a) It allocates from what was an interrupt zone, or is recognised as
 *	    pagethread or emergpager.  _kmalloc_obj() takes the type's mgt
 *	    spinlock to look for a slab and to add one, and not in between;
 *	    steps 1 to 4 take ext->spin, the spinlocks of vm_page and
 *	    pmap_qenter(), those of poke and wakeup(), one after the other.  For
 *	    a NORMAL page vm_page_alloc() may take one that caches a file: it
 *	    tries that object's lock, without waiting for it, and unmaps the
 *	    page.  zget() asked it for the same, in the same place.  Nobody
 *	    sleeps with a spinlock held.  So every step ends, and what is in the
 *	    way is never a lock.
 *	(b) If a ready slab is left, step 1 serves, and needs no page.
 *	(c) If none is left, step 3 serves if there is a slot and one page, down
 *	    to the last.  So page-out fails only if there
 *	    is no slot or not one page.
 *	(d) Not one page: swp_pager_meta_build() waits for any page to be freed,
 *	    as it did with zalloc.  This is not ours to cure; zalloc could not.
 *	    It only comes to that when the ready slabs are used up, as with
 *	    zalloc the pages that zinit() had taken in advance; with
 *	    kern.kmalloc_reserve=0 that is from the beginning.
 *	(e) No slot: see `how many' below.
 *	(f) One page holds the swap metadata of some hundred pages; writing
 *	    those frees more than the one.  So memory grows from then on, until
 *	    step 2 and the maintainer succeed again and the reserve is full.
 *
 *	Nothing in (a) to (f) needs the maintainer or the poller to run: they
 *	may block, on kernel_map's lock or for memory, and page-out need not
 *	wait for them.  They may hold ext->lock when they give slabs back, which
 *	is never taken to allocate or to free an object; more addresses are got
 *	without it, so that what waits for memory does not hold up what frees
 *	some.
 *
 *	Who waits in step 5 is in nobody's way either.  He holds no lock of
 *	ours; what else he holds he would have held asleep in zalloc() or in
 *	kmem_slab_alloc().  vm_wait() ends with the shortage or after a tenth of
 *	a second, and he begins again: he needs no wakeup that could be lost,
 *	and keeps no page meanwhile.  Step 6 does keep what it has collected,
 *	which is why nobody goes there for whom a page would do.
 *
 *	The pv entries that page-out and page faults need are served in the
 *	same way, and map entries by what follows.
 *
 * How many slots
 *
 *	A ZONE_INTERRUPT zone had addresses for all of its n items, and so has
 *	a type with nobjs != 0, in full slabs.  On top there are slots for mini
 *	slabs: for all objects if that is little, else one for 64 pages of RAM
 *	(their page tables take a page in 1024).  With SWAPMETA's mini slabs
 *	that is metadata for five times as much swap as there is RAM, used up
 *	only if memory is short by the last 32 pages from beginning to end of
 *	that; and mini slabs are given back as soon as they are free.
 *	Other types get SLOTS_MINI in advance, and more by the maintainer, when
 *	memory is not short: more slots need page tables.  The last few, the
 *	floor, are for those who may take the last ready slab.  If no other is
 *	left the maintainer makes more in a shortage, too; it is the only thread
 *	that does, so a few are enough.
 *
 * Recursion: the type that map entries come from
 *
 *	kmem_slab_alloc() and kmem_alloc_nofault() need map entries, and reserve
 *	them before they take kernel_map's lock.  If an M_WAITOK caller of that
 *	very type gets to step 6, the entries that kmem_slab_alloc() needs are
 *	asked of the same type by the same thread.  Such threads are recorded
 *	(kmalloc_blocked) and recognised: they may take the floor and the last
 *	page and, if there is neither, go to sleep and try again rather than
 *	call kmem_slab_alloc() again.  zalloc needed no page there, as
 *	kmem_alloc3(.., KM_KRESERVE) had entries set aside.  They hold no lock of
 *	the VM then, so page-out goes on, by the claim, and one page ends their
 *	wait.
 *	The maintainer makes slots before the floor is used, and one of them
 *	yields a dozen entries at the least where a new run costs one or two, so
 *	it finds what it needs in steps 1 to 3.  All others wait for it rather
 *	than call kmem_slab_alloc(): if each came to ask for entries that it
 *	needs to make some, there would soon be none left to make any.
 *
 *	Who asks for map entries waits, with M_WAITOK and for NORMAL pages, as he
 *	did in zalloc().  That is safe because vm_map_entry_reserve() stocks the
 *	cpu before any map is locked, and what is done with a map locked, on
 *	kernel_map too, takes its entries from that stock and allocates nothing:
 *	so he who waits holds no lock that page-out, or he who makes slots, might
 *	want.  The maintainer makes slots with entries of its own, from the floor.
 *
 * What goes back, and when, is the subject of kern_kmalloc_reclaim.c.
 *
 * Locks, in order: ext->lock, then either ext->spin or a type's mgt spinlock,
 * never both.  ext->spin is never held across a call into the VM.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/kthread.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/proc.h>
#include <sys/spinlock.h>
#include <sys/sysctl.h>
#include <sys/thread.h>
#include <sys/vmmeter.h>
#include <sys/kmalloc_obj.h>

#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_extern.h>
#include <vm/vm_kern.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>
#include <vm/pmap.h>

#include <sys/exislock2.h>
#include <sys/spinlock2.h>
#include <sys/thread2.h>
#include <vm/vm_page2.h>

#define	SLOTS_BATCH	8	/* slots a new run has */
#define	SLOTS_LOW	4	/* fewer free ones: time for a new run */
#define	SLOTS_MINI	64	/* slots for mini slabs, of types with a reserve */
#define	SLOTS_MINI_PAGES 64	/* or one for so many pages of RAM */

/* What the maintainer may take; see ext_refill_one(). */
#define	MAINTAINER_CLASS (VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM)

/*
 * A thread inside kmem_slab_alloc() for a type, on its stack.
 */
struct kmalloc_blocked {
	struct kmalloc_blocked *next;
	struct thread	*td;
};

static struct thread *kmalloc_maintainer;
static int kmalloc_poked = 1;
static struct spinlock kmalloc_poke_spin =
    SPINLOCK_INITIALIZER(&kmalloc_poke_spin, "kmpoke");

static int kmalloc_reserve = -1;
TUNABLE_INT("kern.kmalloc_reserve", &kmalloc_reserve);

static int kmalloc_mini = 1;
TUNABLE_INT("kern.kmalloc_mini", &kmalloc_mini);
SYSCTL_INT(_kern, OID_AUTO, kmalloc_mini, CTLFLAG_RW, &kmalloc_mini, 0,
    "make slabs of one page when there are not enough for a whole one");

long
kmalloc_ext_target(const struct kmalloc_ext *ext)
{
	if (ext->nslabs == 0 || kmalloc_reserve < 0)
		return (ext->nslabs);
	return (kmalloc_reserve);
}

long
kmalloc_ext_count(struct kmalloc_ext *ext, const long *count)
{
	long n;

	spin_lock(&ext->spin);
	n = *count;
	spin_unlock(&ext->spin);
	return (n);
}

void
kmalloc_ext_poke(void)
{
	/* It looks at everything when it starts. */
	if (kmalloc_maintainer == NULL)
		return;
	spin_lock(&kmalloc_poke_spin);
	kmalloc_poked = 1;
	spin_unlock(&kmalloc_poke_spin);
	wakeup(&kmalloc_poked);
}

int
kmalloc_ext_add_ready(struct kmalloc_ext *ext, struct kmalloc_slab *slab,
    int floor)
{
	int waiting;

	KASSERT(!kmalloc_slab_is_mini(slab),
	    ("kmalloc_obj: mini slab %p made ready", slab));
	KASSERT(slab->type == ext->type && slab->unused01 != NULL &&
	    kmalloc_slab_all_free(slab),
	    ("kmalloc_obj: slab %p made ready in use", slab));
	kmalloc_debug_check(slab);
	kmalloc_debug_poison(slab);
	spin_lock(&ext->spin);
	if (floor && ext->nready != 0) {
		spin_unlock(&ext->spin);
		return (0);
	}
	slab->next = ext->ready;
	ext->ready = slab;
	++ext->nready;
	waiting = ext->waiting;
	spin_unlock(&ext->spin);
	if (waiting)
		wakeup(&ext->ready);
	return (1);
}

/*
 * Is there a free slot that the caller may have?
 */
static int
ext_has_slot(struct kmalloc_ext *ext, int privileged)
{
	return (kmalloc_ext_count(ext, &ext->nfreeslots) >
	    kmalloc_slot_floor(ext, privileged));
}

/*
 * Is there a ready slab that the caller may have?
 */
static int
ext_has_ready(const struct kmalloc_ext *ext, int privileged)
{
	return (ext->nready > (privileged || kmalloc_ext_target(ext) == 0 ? 0 :
	    1));
}

struct kmalloc_slab *
kmalloc_ext_take_ready(struct kmalloc_ext *ext, int privileged)
{
	struct kmalloc_slab *slab = NULL;

	spin_lock(&ext->spin);
	if (ext_has_ready(ext, privileged)) {
		slab = ext->ready;
		ext->ready = slab->next;
		slab->next = NULL;
		--ext->nready;
		++ext->eaten;
		ext->lowwater = lmin(ext->lowwater, ext->nready);
	}
	KASSERT(ext->nready >= 0 && (ext->nready == 0) == (ext->ready == NULL),
	    ("kmalloc_obj: %ld slabs ready, the first is %p", ext->nready,
	    ext->ready));
	spin_unlock(&ext->spin);
	if (slab != NULL) {
		KASSERT(slab->magic == KMALLOC_SLAB_MAGIC &&
		    kmalloc_slab_all_free(slab),
		    ("kmalloc_obj: ready slab %p was used", slab));
		kmalloc_debug_unpoison(slab);
	}
	return (slab);
}

/*
 * The class of pages that the calling thread may make slabs of: see `whose
 * pages' above.
 */
static int
page_class(const struct kmalloc_ext *ext, int flags)
{
	int vmflags = 0;

	switch (ext->pages) {
	case KMALLOC_PAGES_INTERRUPT:
		vmflags = VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM |
		    VM_ALLOC_INTERRUPT;
		break;
	case KMALLOC_PAGES_NORMAL:
		vmflags = VM_ALLOC_NORMAL;
		break;
	default:
		if (flags & M_USE_RESERVE)
			vmflags |= VM_ALLOC_SYSTEM;
		if (flags & M_USE_INTERRUPT_RESERVE)
			vmflags |= VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT;
		if ((flags & M_RNOWAIT) == 0 || vmflags == 0)
			vmflags |= VM_ALLOC_NORMAL;
	}
	if (curthread->td_preempted != NULL) {
		vmflags &= ~VM_ALLOC_NORMAL;
		vmflags |= VM_ALLOC_SYSTEM;
	}
	return (vmflags);
}

/*
 * Is what that thread makes with pages of that class worth more than the
 * ordinary callers of the type could have had?
 */
static int
ext_is_deep(const struct kmalloc_ext *ext, int vmflags)
{
	/* vm_page_alloc() adds SYSTEM for system threads. */
	return (ext->pages != KMALLOC_PAGES_INTERRUPT &&
	    ((vmflags & VM_ALLOC_SYSTEM) != 0 ||
	    (curthread->td_flags & TDF_SYSTHREAD) != 0));
}

/*
 * Make one more ready slab, if there is no other of pages as deep as vmflags
 * says, which is the floor then.  Else anybody may take it, so that it must be
 * of pages that anybody may take.  Returns whether there is one more.
 */
static int
ext_refill_one(struct kmalloc_ext *ext, struct malloc_type *type, int vmflags)
{
	struct kmalloc_slab *slab;

	vmflags &= ~VM_ALLOC_INTERRUPT;
	if (ext_is_deep(ext, vmflags) &&
	    kmalloc_ext_count(ext, &ext->nready) != 0) {
		vmflags &= ~VM_ALLOC_SYSTEM;
		if (vmflags == 0 || ext_is_deep(ext, vmflags))
			return (0);
	}
	slab = kmalloc_slot_populate(ext, type, vmflags, 0);
	if (slab == NULL)
		return (0);
	if (!kmalloc_ext_add_ready(ext, slab, ext_is_deep(ext, vmflags))) {
		kmalloc_slot_depopulate(ext, slab);
		return (0);
	}
	spin_lock(&ext->spin);
	++ext->refills;
	spin_unlock(&ext->spin);
	return (1);
}

/*
 * Bring the reserve up to its target as far as slots go, and pages that the
 * caller may have.  Returns whether pages were missing.  Never blocks.
 */
static int
ext_refill(struct kmalloc_ext *ext, struct malloc_type *type, int vmflags)
{
	while (kmalloc_ext_count(ext, &ext->nready) < kmalloc_ext_target(ext)) {
		if (!ext_refill_one(ext, type, vmflags))
			return (ext_has_slot(ext, 0));
	}
	return (0);
}

/*
 * Slots for the first run of a type.
 */
static long
ext_slots_wanted(const struct kmalloc_ext *ext, const struct malloc_type *type,
    size_t nobjs)
{
	const size_t percount = kmalloc_mini_count(type);
	size_t offset;
	const size_t perslab = kmalloc_slab_layout(type, KMALLOC_SLAB_SIZE,
	    &offset);
	long minis = 0;
	long nslots;

	if (nobjs == 0) {
		nslots = lmax(SLOTS_BATCH, kmalloc_ext_target(ext) + SLOTS_LOW);
		if (ext->nslabs != 0)
			minis = SLOTS_MINI;
	} else {
		/* A cpu may sit on two slabs that are partly used. */
		nslots = howmany(nobjs, perslab) +
		    kmalloc_ext_target(ext) + 2 * ncpus;
		if (ext->nslabs != 0 && percount != 0) {
			minis = lmin(howmany(nobjs, percount),
			    lmax(SLOTS_MINI, vmstats.v_page_count /
			    SLOTS_MINI_PAGES));
		}
	}
	return (nslots + minis);
}

/*
 * Free slots below which a type that grows needs a new run.
 */
static long
ext_slots_low(const struct kmalloc_ext *ext)
{
	return (ext->nslabs != 0 ? SLOTS_MINI / 2 : SLOTS_LOW);
}

/*
 * The first run of a type.  Where there are not so many addresses, two thirds
 * of the objects will do, and so on, as for those who tried zinit() again and
 * again.  Returns for how many there are.  May wait for the maintainer, who takes
 * ext->lock.
 */
static size_t
ext_first_run(struct kmalloc_ext *ext, struct malloc_type *type, size_t nobjs)
{
	const size_t wanted = nobjs;
	struct kmalloc_run *run;

	for (;;) {
		run = kmalloc_run_create(ext_slots_wanted(ext, type, nobjs));
		if (run != NULL)
			break;
		if (nobjs <= 1)
			panic("%s: no address space for slabs",
			    type->ks_shortdesc);
		nobjs -= (nobjs + 2) / 3;
	}
	if (nobjs != wanted)
		kprintf("%s: address space for %zu objects, not for %zu\n",
		    type->ks_shortdesc, nobjs, wanted);

	lockmgr(&ext->lock, LK_EXCLUSIVE);
	ext->grows = (nobjs == 0);
	kmalloc_run_add(ext, run);
	lockmgr(&ext->lock, LK_RELEASE);
	return (nobjs);
}

/*
 * Memory that is not there now is left to the maintainer: the caller may be the
 * page-out thread, without which there will be none.
 */
void
_kmalloc_obj_reserve(struct malloc_type *type, long nslabs, size_t nobjs)
{
	struct kmalloc_ext *ext;

	if (type->ks_limit == 0)
		panic("%s: kmalloc_obj_reserve before malloc_init",
		    type->ks_shortdesc);
	ext = kmalloc_ext_create(type);

	lockmgr(&ext->lock, LK_EXCLUSIVE);
	ext->nslabs = nslabs;
	ext->pages = nobjs != 0 ? KMALLOC_PAGES_INTERRUPT :
	    KMALLOC_PAGES_NORMAL;
	lockmgr(&ext->lock, LK_RELEASE);
	if (ext->runs == NULL)
		nobjs = ext_first_run(ext, type, nobjs);
	if (nobjs != 0) {
		kmalloc_raise_limit(type,
		    (nobjs + ext->bootobjs) * type->ks_objsize);
	}

	lockmgr(&ext->lock, LK_EXCLUSIVE);
	if (ext_refill(ext, type, page_class(ext, M_WAITOK)))
		kmalloc_ext_poke();
	ext->lowwater = ext->nready;
	lockmgr(&ext->lock, LK_RELEASE);
}

static int
has_minis(const struct malloc_type *type)
{
	return (kmalloc_mini != 0 && kmalloc_mini_count(type) != 0);
}

static int
ext_recursing(struct kmalloc_ext *ext)
{
	struct kmalloc_blocked *b;

	spin_lock(&ext->spin);
	for (b = ext->blocked; b != NULL && b->td != curthread; b = b->next)
		;
	spin_unlock(&ext->spin);
	return (b != NULL);
}

/*
 * kmem_slab_alloc() for a caller who waits, as deep as page_class() goes.
 */
static struct kmalloc_slab *
ext_slab_wait(struct kmalloc_ext *ext, int flags)
{
	struct kmalloc_blocked self, **bp;
	struct kmalloc_slab *slab;

	if (ext->pages == KMALLOC_PAGES_FLAGS)
		flags &= M_USE_RESERVE | M_USE_INTERRUPT_RESERVE;
	else
		flags = 0;
	flags |= M_WAITOK;

	KASSERT(!ext_recursing(ext),
	    ("kmalloc_obj: kmem_slab_alloc is called by itself"));
	self.td = curthread;
	spin_lock(&ext->spin);
	self.next = ext->blocked;
	ext->blocked = &self;
	++ext->blocking;
	spin_unlock(&ext->spin);

	slab = kmem_slab_alloc(KMALLOC_SLAB_SIZE, KMALLOC_SLAB_SIZE, flags);

	spin_lock(&ext->spin);
	for (bp = &ext->blocked; *bp != &self; bp = &(*bp)->next)
		;
	*bp = self.next;
	++ext->eaten;
	spin_unlock(&ext->spin);
	return (slab);
}

/*
 * Is a page all that is missing?  Who finds the slot taken meanwhile comes here
 * again.
 */
static int
ext_page_would_do(struct kmalloc_ext *ext, const struct malloc_type *type,
    int privileged)
{
	return (has_minis(type) && ext_has_slot(ext, privileged) &&
	    curthread->td_preempted == NULL);
}

/*
 * Will the maintainer make more slots?  It has the last ones for itself.
 */
static int
ext_slots_will_come(const struct kmalloc_ext *ext)
{
	return (kmalloc_slot_floor(ext, 0) != 0 && kmalloc_maintainer != NULL &&
	    curthread != kmalloc_maintainer && curthread->td_preempted == NULL);
}

/*
 * Sleep until somebody adds a slab or slots, or there may be a page.
 */
static void
ext_wait_ready(struct kmalloc_ext *ext, int privileged)
{
	kmalloc_ext_poke();
	spin_lock(&ext->spin);
	if (!ext_has_ready(ext, privileged)) {
		++ext->waiting;
		ssleep(&ext->ready, &ext->spin, 0, "kmresv", hz / 10 + 1);
		--ext->waiting;
	}
	spin_unlock(&ext->spin);
}

/*
 * _kmalloc_obj() has looked at a few slabs of the empty list only.  Objects may
 * have been freed into any other: he who would have to take one of the last
 * pages, to wait or to go without looks at all of them.
 */
static struct kmalloc_slab *
mgt_find_slab(struct kmalloc_mgt *ggm)
{
	struct kmalloc_slab *slab, **slabp;

	spin_lock(&ggm->spin);
	if ((slab = ggm->partial) != NULL) {
		ggm->partial = slab->next;
		--ggm->npartial;
	} else if ((slab = ggm->full) != NULL) {
		ggm->full = slab->next;
		--ggm->nfull;
		exis_setlive(&slab->exis);
	} else {
		for (slabp = &ggm->empty; (slab = *slabp) != NULL;
		    slabp = &slab->next) {
			if (kmalloc_slab_has_objects(slab))
				break;
		}
		if (slab != NULL) {
			*slabp = slab->next;
			if (*slabp == NULL)
				ggm->empty_tailp = slabp;
			--ggm->nempty;
		}
	}
	if (slab != NULL)
		slab->next = NULL;
	spin_unlock(&ggm->spin);
	return (slab);
}

/*
 * A slab in a free slot, a whole one if there is memory; else one with a free
 * object that there is already, else a mini slab.
 */
static struct kmalloc_slab *
ext_populate(struct kmalloc_ext *ext, struct malloc_type *type, int vmflags,
    int privileged)
{
	const int whole = has_minis(type) ? vmflags & ~VM_ALLOC_INTERRUPT :
	    vmflags;
	struct kmalloc_slab *slab;

	slab = kmalloc_slot_populate(ext, type, whole, privileged);
	if (slab == NULL) {
		if ((slab = mgt_find_slab(&type->ks_mgt)) != NULL)
			return (slab);
		if (has_minis(type)) {
			slab = kmalloc_slot_populate_mini(ext, type, vmflags,
			    privileged);
		}
	}
	if (slab != NULL) {
		spin_lock(&ext->spin);
		++ext->eaten;
		spin_unlock(&ext->spin);
	}
	return (slab);
}

/*
 * Raw memory is told from slabs that are set up by its magic.
 */
static struct kmalloc_slab *
slab_raw(void *mem)
{
	struct kmalloc_slab *slab = mem;

	if (slab != NULL)
		slab->magic = 0;
	return (slab);
}

struct kmalloc_slab *
kmalloc_obj_getslab(struct malloc_type *type, int flags)
{
	const int intnowait = M_RNOWAIT | M_USE_INTERRUPT_RESERVE;
	struct kmalloc_ext *ext = kmalloc_ext(type);
	struct kmalloc_slab *slab;
	int daemon, recursing, privileged, class, page;
	int waits = 0;

	if (ext == NULL) {
		/* As ever, whatever the caller says. */
		return (slab_raw(kmem_slab_alloc(KMALLOC_SLAB_SIZE,
		    KMALLOC_SLAB_SIZE, M_WAITOK)));
	}

	daemon = (curthread == pagethread || curthread == emergpager);
	for (;;) {
		class = page_class(ext, flags);
		recursing = ext_recursing(ext);
		privileged = (flags & intnowait) == intnowait || recursing ||
		    daemon || curthread == kmalloc_maintainer;
		slab = kmalloc_ext_take_ready(ext, privileged);
		if (slab != NULL) {
			if (ext_refill(ext, type, class) ||
			    kmalloc_ext_count(ext, &ext->nfreeslots) <
			    ext_slots_low(ext))
				kmalloc_ext_poke();
			return (slab);
		}
		if (curthread == kmalloc_maintainer)
			class |= MAINTAINER_CLASS;
		if (daemon || recursing)
			class |= VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT;
		slab = ext_populate(ext, type, class, privileged);
		if (slab != NULL) {
			kmalloc_ext_poke();
			return (slab);
		}
		if (flags & M_RNOWAIT) {
			spin_lock(&ext->spin);
			++ext->refusals;
			spin_unlock(&ext->spin);
			kmalloc_ext_poke();
			return (NULL);
		}
		if (recursing) {
			ext_wait_ready(ext, 1);
			continue;
		}
		page = ext_page_would_do(ext, type, privileged);
		if (!page && !ext_slots_will_come(ext))
			return (slab_raw(ext_slab_wait(ext, flags)));
		if (waits++ == 0) {
			spin_lock(&ext->spin);
			++ext->blocking;
			spin_unlock(&ext->spin);
			kmalloc_ext_poke();
		}
		if (page)
			vm_wait(hz / 10 + 1);
		else
			ext_wait_ready(ext, privileged);
	}
}

/* ext->lock is held. */
static int
ext_needs_slots(struct kmalloc_ext *ext)
{
	return (ext->type != NULL && !ext->dying && ext->grows &&
	    kmalloc_ext_count(ext, &ext->nfreeslots) < ext_slots_low(ext));
}

/*
 * Page tables for more slots would be the last straw in a shortage, and the
 * kernel panics if there is no page for one.  But if only the floor is left,
 * others wait for us.
 */
static int
ext_may_grow(struct kmalloc_ext *ext)
{
	if (!vm_paging_min())
		return (1);
	return (!ext_has_slot(ext, 0) &&
	    vmstats.v_free_count >= vmstats.v_interrupt_free_min);
}

/*
 * More slots for a type that needs them.  What blocks is done without
 * ext->lock, or retirement would wait for memory that it could free.
 */
static void
ext_grow(struct kmalloc_ext *ext)
{
	struct kmalloc_run *run;
	int needed;

	lockmgr(&ext->lock, LK_EXCLUSIVE);
	needed = ext_needs_slots(ext);
	lockmgr(&ext->lock, LK_RELEASE);
	if (!needed || !ext_may_grow(ext))
		return;
	run = kmalloc_run_create(ext->nslabs != 0 ? SLOTS_MINI : SLOTS_BATCH);
	if (run == NULL)
		return;
	lockmgr(&ext->lock, LK_EXCLUSIVE);
	if (ext_needs_slots(ext)) {
		kmalloc_run_add(ext, run);
		run = NULL;
	}
	lockmgr(&ext->lock, LK_RELEASE);
	if (run != NULL)
		kmalloc_run_destroy(run);
}

/*
 * Look after every type: what can be had without blocking first, then
 * addresses.  Returns whether pages were missing.
 */
static int
kmalloc_maintain(void)
{
	struct kmalloc_ext *ext;
	int pass, missing = 0;

	for (pass = 0; pass < 2; ++pass) {
		for (ext = kmalloc_ext_next(NULL); ext != NULL;
		    ext = kmalloc_ext_next(ext)) {
			if (pass == 1)
				ext_grow(ext);
			lockmgr(&ext->lock, LK_EXCLUSIVE);
			if (ext->type == NULL || ext->dying) {
				kmalloc_ext_bury(ext);
			} else {
				if (pass == 0) {
					kmalloc_ext_reclaim(ext,
					    vm_paging_min());
				}
				missing |= ext_refill(ext, ext->type,
				    MAINTAINER_CLASS);
			}
			lockmgr(&ext->lock, LK_RELEASE);
		}
	}
	if (vm_paging_min())
		kmalloc_cache_reclaim();
	return (missing);
}

/*
 * Pages may be refused although memory is not short.  vm_wait() returns at
 * once then, and a kernel thread that does not sleep keeps all processes off
 * its cpu.
 */
static void
maintainer_pause(void)
{
	spin_lock(&kmalloc_poke_spin);
	ssleep(&kmalloc_poked, &kmalloc_poke_spin, 0, "kmpause", 1);
	spin_unlock(&kmalloc_poke_spin);
}

/*
 * Looks round once a second, as nobody tells it that memory is short or that
 * a mini slab is free.
 */
static void
kmalloc_maintainer_thread(void)
{
	for (;;) {
		spin_lock(&kmalloc_poke_spin);
		if (kmalloc_poked == 0) {
			ssleep(&kmalloc_poked, &kmalloc_poke_spin, 0,
			    "kmidle", hz);
		}
		kmalloc_poked = 0;
		spin_unlock(&kmalloc_poke_spin);

		while (kmalloc_maintain()) {
			if (vm_paging_min())
				vm_wait(hz / 10 + 1);
			else
				maintainer_pause();
		}
	}
}

static struct kproc_desc kmalloc_maintainer_kp = {
	"kmalloc_reserve",
	kmalloc_maintainer_thread,
	&kmalloc_maintainer
};
SYSINIT(kmalloc_reserve, SI_SUB_KTHREAD_PAGE, SI_ORDER_FIRST, kproc_start,
    &kmalloc_maintainer_kp);

static int
sysctl_kmalloc_reserve(SYSCTL_HANDLER_ARGS)
{
	int error;

	error = sysctl_handle_int(oidp, arg1, arg2, req);
	if (error == 0)
		kmalloc_ext_poke();
	return (error);
}
SYSCTL_PROC(_kern, OID_AUTO, kmalloc_reserve, CTLTYPE_INT | CTLFLAG_RW,
    &kmalloc_reserve, 0, sysctl_kmalloc_reserve, "I",
    "slabs to keep ready for each type with a reserve, -1: as it asked");

/*
 * kern.kmalloc_ext: one line a type, its name with blanks as underscores, then
 * name=value pairs; low is `-' for a type that asked for no reserve.
 */
static int
sysctl_kmalloc_ext(SYSCTL_HANDLER_ARGS)
{
	struct kmalloc_ext *ext;
	char name[32], low[24], line[512];
	size_t i;
	int error = 0;

	for (ext = kmalloc_ext_next(NULL); ext != NULL && error == 0;
	    ext = kmalloc_ext_next(ext)) {
		lockmgr(&ext->lock, LK_EXCLUSIVE);
		if (ext->type == NULL || ext->dying) {
			lockmgr(&ext->lock, LK_RELEASE);
			continue;
		}
		strlcpy(name, ext->type->ks_shortdesc, sizeof(name));
		for (i = 0; name[i] != '\0'; ++i) {
			if (name[i] == ' ')
				name[i] = '_';
		}
		strlcpy(low, "-", sizeof(low));
		if (ext->nslabs != 0)
			ksnprintf(low, sizeof(low), "%ld", ext->lowwater);
		ksnprintf(line, sizeof(line), "%-14s ready=%ld low=%s "
		    "target=%ld slots=%ld/%ld eaten=%lu refills=%lu "
		    "refill_failures=%lu minis=%ld minis_made=%lu "
		    "minis_returned=%lu refusals=%lu blocking=%lu "
		    "constructed=%ld out=%ld limit=%lu limit_sleeps=%lu "
		    "limit_refusals=%lu foreign=%lu\n",
		    name, ext->nready, low, kmalloc_ext_target(ext),
		    ext->nfreeslots, ext->nslots, ext->eaten, ext->refills,
		    ext->refill_failures, ext->minis, ext->minis_made,
		    ext->minis_returned, ext->refusals, ext->blocking,
		    ext->constructed, kmalloc_cobj_out(ext), ext->limit,
		    ext->limit_sleeps, ext->limit_refusals, ext->foreign);
		lockmgr(&ext->lock, LK_RELEASE);
		error = SYSCTL_OUT(req, line, strlen(line));
	}
	if (error == 0)
		error = SYSCTL_OUT(req, "", 1);
	return (error);
}
SYSCTL_PROC(_kern, OID_AUTO, kmalloc_ext, CTLTYPE_STRING | CTLFLAG_RD, NULL, 0,
    sysctl_kmalloc_ext, "A", "reserves and constructed objects of kmalloc_obj");
