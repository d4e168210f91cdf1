/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Copyright (c) 2026 The kmobj authors.
 */

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
 *	for the next dozen items, and vm_page_alloc(.., VM_ALLOC_INTERRUPT)
 *	gives it the very last one.
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
 * Where an object comes from, in this order (kmalloc_ext_get())
 *
 *	0. A slab that has a free one: a whole one, else a mini slab.
 *	1. A ready slab.  The last one, the floor, only for those who must get
 *	   on: the page daemons, our own threads, callers with M_RNOWAIT and
 *	   M_USE_INTERRUPT_RESERVE (M_INTNOWAIT), and recursions (see below).
 *	   At every slab taken, another slot is populated at once, without
 *	   blocking, or else the maintainer thread is woken.
 *	   An ordinary caller of what was an ordinary zone leaves the ready
 *	   slabs alone at first when memory is short, and goes to 2: see `the
 *	   last ordinary pages'.
 *	2. A slab in a slot, made on the spot.  It is not worth the last pages
 *	   there are: VM_ALLOC_SYSTEM is as deep as this goes, unless the type
 *	   has no mini slabs.
 *	3. A mini slab in a slot, with a page as deep as the caller may reach.
 *	4. M_RNOWAIT callers: NULL.  They do not reach kmem_slab_alloc(), but
 *	   for caches without a free slot, whose objects it always gave them.
 *	5. Others wait for a page in vm_wait(), or for slots if only the floor
 *	   of these is left, holding nothing of ours, and begin again at 0: one
 *	   page that they may have ends the wait, as in zget().
 *	6. kmem_slab_alloc(.., M_WAITOK), which collects 32 pages for as long as
 *	   that takes, is left to types that have no mini slabs; to types that
 *	   are out of slots, unless they have a reserve and get more; and to
 *	   threads which preempt.
 *
 *	Who makes a slab has the first object of it before others see the slab.
 *
 * Whose pages
 *
 *	A caller gets no deeper than his old allocator went, or whoever maps
 *	much could take the pages that page-out lives on.  How deep that is
 *	belongs to the type, not to the flags of a call (ext->pages):
 *
 *	an interrupt zone	NORMAL and SYSTEM for a full slab, INTERRUPT for
 *				a page: as zget() had them, the last one
 *				included
 *	any other zone		NORMAL, the special one too: zget() filled these
 *				by kmem_alloc3()
 *	a cache			as the caller's flags say: objcache passed them
 *				to kmalloc(), and that to kmem_slab_alloc()
 *
 *	and to the thread:
 *
 *	page daemons, and	may have the last page for a mini slab of any
 *	recursions		type
 *	who preempts		SYSTEM in place of NORMAL, as in
 *				kmem_slab_alloc(): NORMAL might have to wait for
 *				who holds a page
 *	maintainer and grower	SYSTEM, for what only they or interrupt zones
 *				can get: it fills these zones' reserve and
 *				everybody else's floor.  That is a bounded
 *				number of pages, those between v_free_reserved
 *				and v_interrupt_free_min, which zinit() took for
 *				a zone of its own, too.  Slabs that an ordinary
 *				caller may take it makes of NORMAL pages, or he
 *				had, through the maintainer, what he may not
 *				have.
 *
 *	Who refills after he took a slab does so from what he may have himself,
 *	but for the last pages.
 *
 * The last ordinary pages
 *
 *	A process that makes map entries without end has wired all memory at
 *	last, and lives on the few pages between v_free_reserved and where
 *	page-out has nothing left to free.  While there are five of these,
 *	processes make a system call now and then, paging for each; with less
 *	they do not get through one.  zalloc() wanted 32 pages or none, so it
 *	could be refused with some left, and have items for minutes.  Who makes
 *	slabs of one page is only refused when his own page faults find nothing,
 *	either, and until then he runs so fast that page-out does not touch him.
 *	So as soon as memory is short an ordinary caller of what was an ordinary
 *	zone makes slabs first, as long as FAULT_PAGES stay; waits for memory
 *	once; takes a ready slab, which costs no page; and the last ordinary
 *	pages come last.  Nothing is kept from him that he could have, it is
 *	only the order that is another.
 *
 * The argument
 *
 *	Claim: while at least one page is free when page-out asks, page-out gets
 *	on.  Step by step, for the thread that writes a page to swap:
 *
 *	(a) It allocates from what was an interrupt zone, or is recognised as
 *	    pagethread or emergpager.  Steps 0 to 4 take ext->spin, the
 *	    spinlocks of vm_page and pmap_qenter(), and those of
 *	    kmalloc_ext_poke() and wakeup(), one after the other.  For a NORMAL
 *	    page vm_page_alloc() may take one that caches a file: it tries that
 *	    object's lock, without waiting for it, and unmaps the page.  zget()
 *	    asked it for the same, in the same place.  Nobody sleeps with a
 *	    spinlock held.  So every step ends, and what is in the way is never
 *	    a lock.
 *	(b) If a ready slab is left, step 1 serves, and needs no page.
 *	(c) If none is left, step 3 serves if there is a slot and one page, down
 *	    to the last.  So page-out fails only if there is no slot or not one
 *	    page.
 *	(d) Not one page: swp_pager_meta_build() waits for any page to be freed,
 *	    as it did with zalloc, which had no cure for it either.  It only
 *	    comes to that when the ready slabs are used up, as with zalloc the
 *	    pages that zinit() had taken in advance; with
 *	    kern.kmalloc_reserve=0 that is from the beginning.
 *	(e) No slot: see `how many' below.
 *	(f) One page holds the swap metadata of some hundred pages; writing
 *	    those frees more than the one.  So memory grows from then on, until
 *	    step 2 and the maintainer succeed again and the reserve is full.
 *
 *	Nothing in (a) to (f) needs the maintainer or the grower
 *	(kern_kmalloc_maint.c) to run: they may block, on kernel_map's lock or
 *	for memory, and page-out need not wait for them.  The maintainer holds
 *	ext->lock when it gives slabs back, which is never taken to allocate or
 *	to free an object; more addresses are got without it, so that what waits
 *	for memory does not hold up what frees some.
 *
 *	Who waits in step 5 is in nobody's way either.  He holds no lock of
 *	ours; what else he holds he would have held asleep in zalloc() or in
 *	kmem_slab_alloc().  vm_wait() ends with the shortage or after a second
 *	at the most, and he begins again: he needs no wakeup that could be lost,
 *	and keeps no page meanwhile.  Step 6 does keep what it has collected,
 *	which is why nobody goes there for whom a page would do.
 *
 *	The pv entries that page-out and page faults need are served in the
 *	same way, and map entries by what follows.
 *
 * How many slots
 *
 *	A ZONE_INTERRUPT zone had addresses for all of its n items, and so has
 *	a type with nobjs != 0, in whole slabs, and for those that magazines
 *	may hold.  On top there are slots for mini
 *	slabs: for all objects if that is little, else one for 64 pages of RAM
 *	(their page tables take a page in 1024).  With SWAPMETA's mini slabs
 *	that is metadata for five times as much swap as there is RAM, used up
 *	only if memory is short by the last 32 pages from beginning to end of
 *	that; and mini slabs are given back as soon as they are free.
 *	Other types get SLOTS_BATCH in advance, SLOTS_MINI besides if they have
 *	a reserve, and more by the grower, when memory is not short: more slots
 *	need page tables.  With a reserve the last few, the floor, are for those
 *	who may take the last ready slab.  If no other is left the grower makes
 *	more in a shortage, too; it is the only thread that does, so a few are
 *	enough.
 *
 * Types of few objects
 *
 *	Most types that were caches have a few dozen objects, for which 128 KB
 *	are too much.  A type without ready slabs that was no interrupt zone
 *	begins with a slab of as many pages as four objects need.  Each new one
 *	has room for as many objects as all before it, so that about half is
 *	empty at the most, and the seventh at the latest is a whole one.  What
 *	is made of the last pages is not one of these: it is a mini slab.
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
 *	kmem_alloc3(.., KM_KRESERVE) had entries set aside.  They hold no lock
 *	of the VM then, so page-out goes on, by the claim, and one page ends
 *	their wait.
 *	The grower makes slots before the floor is used, and one of them
 *	yields a dozen entries at the least where a new run costs one or two, so
 *	it finds what it needs in steps 1 to 3.  All others wait for it rather
 *	than call kmem_slab_alloc(): if each came to ask for entries that it
 *	needs to make some, there would soon be none left to make any.
 *
 *	Who asks for map entries waits, with M_WAITOK and for NORMAL pages, as
 *	he did in zalloc().  That is safe because vm_map_entry_reserve() stocks
 *	the cpu before any map is locked, and what is done with a map locked, on
 *	kernel_map too, takes its entries from that stock and allocates nothing:
 *	so he who waits holds no lock that page-out, or he who makes slots,
 *	might want.  The grower makes slots with entries of its own, from the
 *	floor.
 *
 * What goes back, and when, is the subject of kern_kmalloc_reclaim.c.
 *
 * Locks, in order: ext->lock, then ext->spin, which is never held across a call
 * into the VM.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/proc.h>
#include <sys/spinlock.h>
#include <sys/sysctl.h>
#include <sys/thread.h>
#include <sys/vmmeter.h>
#include <sys/kmalloc_ext.h>

#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_extern.h>
#include <vm/vm_kern.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>
#include <vm/pmap.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>
#include <vm/vm_page2.h>

#define	SLOTS_BATCH	8	/* slots a new run has */
#define	SLOTS_LOW	4	/* fewer free ones: time for a new run */
#define	SLOTS_MINI	64	/* slots for mini slabs, with a reserve */
#define	SLOTS_MINI_PAGES 64	/* or one for so many pages of RAM */
#define	FEW_OBJECTS	4	/* that the first slab of a type has */
#define	FAULT_PAGES	8	/* ordinary ones, left while slabs are ready */

/*
 * A thread inside kmem_slab_alloc() for a type, on its stack.
 */
struct kmalloc_blocked {
	LIST_ENTRY(kmalloc_blocked) link;
	struct thread	*td;
};

/*
 * Slabs to keep ready for each type with a reserve; -1: as many as it asked
 * for.  This and the next are there so that a test can do without either: with
 * 0 and 0 page-out stands still when there are no 32 pages for a slab.
 */
int kmalloc_reserve = -1;
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

int
kmalloc_ext_add_ready(struct kmalloc_ext *ext, struct kmalloc_slab *slab,
    int floor)
{
	struct kmalloc_slab **slabp;
	int waiting;

	KASSERT(!kmalloc_slab_is_mini(slab),
	    ("kmalloc_obj: mini slab %p made ready", slab));
	KASSERT(slab->type == ext->type && slab->origin != NULL &&
	    kmalloc_slab_all_free(slab),
	    ("kmalloc_obj: slab %p made ready in use", slab));
	kmalloc_debug_check(slab);
	kmalloc_debug_poison(slab);
	spin_lock(&ext->spin);
	if (floor && ext->nready != 0) {
		spin_unlock(&ext->spin);
		return (0);
	}
	slabp = slab->origin == KMALLOC_ORIGIN_BOOT ? &ext->bootready :
	    &ext->ready;
	slab->next = *slabp;
	*slabp = slab;
	++ext->nready;
	waiting = ext->waiting;
	spin_unlock(&ext->spin);
	if (waiting)
		wakeup(&ext->ready);
	return (1);
}

/*
 * One of the threads that others may wait for.
 */
static int
is_ours(const struct thread *td)
{
	return (td == kmalloc_maintainer || td == kmalloc_grower);
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
 * How many ready slabs the caller leaves there: the last is the floor.
 */
static long
ext_ready_floor(const struct kmalloc_ext *ext, int privileged)
{
	return (privileged || kmalloc_ext_target(ext) == 0 ? 0 : 1);
}

struct kmalloc_slab *
kmalloc_ext_take_ready(struct kmalloc_ext *ext, int privileged)
{
	struct kmalloc_slab *slab = NULL, **slabp;

	spin_lock(&ext->spin);
	if (ext->nready > ext_ready_floor(ext, privileged)) {
		/* The others can be given back. */
		slabp = ext->bootready != NULL ? &ext->bootready : &ext->ready;
		slab = *slabp;
		*slabp = slab->next;
		slab->next = NULL;
		--ext->nready;
		++ext->eaten;
		ext->lowwater = lmin(ext->lowwater, ext->nready);
	}
	KASSERT(ext->nready >= 0 && (ext->nready == 0) ==
	    (ext->ready == NULL && ext->bootready == NULL),
	    ("kmalloc_obj: %ld slabs ready, the first are %p and %p",
	    ext->nready, ext->ready, ext->bootready));
	spin_unlock(&ext->spin);
	if (slab != NULL) {
		KASSERT(slab->magic == KMALLOC_XSLAB_MAGIC &&
		    kmalloc_slab_all_free(slab),
		    ("kmalloc_obj: ready slab %p was used", slab));
		kmalloc_debug_unpoison(slab);
	}
	return (slab);
}

/*
 * The class of pages that the calling thread may make slabs of: see `whose
 * pages' above.  ext->pages is one word, and changes only while the type is set
 * up, which may be after its first allocations: either value will do for these,
 * so no lock is needed to read it.
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
	slab = kmalloc_slot_populate(ext, type, KMALLOC_SLAB_PAGES, vmflags, 0);
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

int
kmalloc_ext_refill(struct kmalloc_ext *ext, struct malloc_type *type,
    int vmflags)
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
		nslots = howmany(nobjs, perslab) +
		    howmany(2L * ncpus * kmalloc_mag_capacity(type), perslab) +
		    kmalloc_ext_target(ext);
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
 * again.  Returns for how many there are.  May wait for the maintainer, who
 * takes ext->lock.
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
size_t
kmalloc_ext_set_up(struct kmalloc_ext *ext, struct malloc_type *type,
    long nslabs, size_t nobjs, int pages)
{
	lockmgr(&ext->lock, LK_EXCLUSIVE);
	ext->nslabs = nslabs;
	ext->pages = pages;
	lockmgr(&ext->lock, LK_RELEASE);
	if (SLIST_EMPTY(&ext->runs))
		nobjs = ext_first_run(ext, type, nobjs);

	lockmgr(&ext->lock, LK_EXCLUSIVE);
	if (kmalloc_ext_refill(ext, type, page_class(ext, M_WAITOK)))
		kmalloc_ext_poke();
	ext->lowwater = ext->nready;
	lockmgr(&ext->lock, LK_RELEASE);
	return (nobjs);
}

void
_kmalloc_obj_reserve(struct malloc_type *type, long nslabs, size_t nobjs)
{
	struct kmalloc_ext *ext;

	ext = kmalloc_ext_create_late(type, "kmalloc_obj_reserve");
	nobjs = kmalloc_ext_set_up(ext, type, nslabs, nobjs, nobjs != 0 ?
	    KMALLOC_PAGES_INTERRUPT : KMALLOC_PAGES_NORMAL);
	/* A zone was limited by the number of its objects alone. */
	kmalloc_raise_limit(type, nobjs == 0 ? 0 :
	    (nobjs + ext->bootobjs) * type->ks_objsize);
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
	LIST_FOREACH(b, &ext->blocked, link) {
		if (b->td == curthread)
			break;
	}
	spin_unlock(&ext->spin);
	return (b != NULL);
}

/*
 * kmem_slab_alloc(), as deep as page_class() goes.  NULL only for M_RNOWAIT, or
 * without addresses, where those who can take it get that in place of a panic.
 */
static struct kmalloc_slab *
ext_kmem_alloc(struct kmalloc_ext *ext, struct malloc_type *type, int flags)
{
	struct kmalloc_blocked self;
	struct kmalloc_slab *slab;

	if (ext->pages == KMALLOC_PAGES_FLAGS)
		flags &= M_RNOWAIT | M_NULLOK | M_USE_RESERVE |
		    M_USE_INTERRUPT_RESERVE;
	else
		flags = 0;
	if ((flags & M_RNOWAIT) == 0)
		flags |= M_WAITOK;

	KASSERT(!ext_recursing(ext),
	    ("kmalloc_obj: kmem_slab_alloc is called by itself"));
	self.td = curthread;
	spin_lock(&ext->spin);
	LIST_INSERT_HEAD(&ext->blocked, &self, link);
	if (flags & M_WAITOK)
		++ext->blocking;
	spin_unlock(&ext->spin);

	slab = kmem_slab_alloc(KMALLOC_SLAB_SIZE, KMALLOC_SLAB_SIZE, flags);

	spin_lock(&ext->spin);
	LIST_REMOVE(&self, link);
	if (slab != NULL)
		++ext->eaten;
	spin_unlock(&ext->spin);
	if (slab != NULL)
		kmalloc_slab_format(type, slab, NULL, KMALLOC_SLAB_SIZE);
	return (slab);
}

/*
 * Is a page all that is missing?  Who finds the slot taken meanwhile comes here
 * again.  Who preempts must not sleep for one.
 */
static int
ext_page_would_do(struct kmalloc_ext *ext, const struct malloc_type *type,
    int privileged)
{
	return (has_minis(type) && ext_has_slot(ext, privileged) &&
	    curthread->td_preempted == NULL);
}

/*
 * Will the grower make more slots?  It has the last ones for itself.
 */
static int
ext_slots_will_come(const struct kmalloc_ext *ext)
{
	return (kmalloc_slot_floor(ext, 0) != 0 && kmalloc_grower != NULL &&
	    !is_ours(curthread) && curthread->td_preempted == NULL);
}

/*
 * Somebody who may wait is about to.
 */
static void
ext_blocks(struct kmalloc_ext *ext)
{
	spin_lock(&ext->spin);
	++ext->blocking;
	spin_unlock(&ext->spin);
	kmalloc_ext_poke();
}

/*
 * Sleep until somebody adds a slab or slots, or there may be a page.
 */
static void
ext_wait_ready(struct kmalloc_ext *ext, int privileged)
{
	kmalloc_ext_poke();
	spin_lock(&ext->spin);
	if (ext->nready <= ext_ready_floor(ext, privileged)) {
		++ext->waiting;
		ssleep(&ext->ready, &ext->spin, 0, "kmresv", hz / 10 + 1);
		--ext->waiting;
	}
	spin_unlock(&ext->spin);
}

/*
 * Pages of the next slab: see `types of few objects'.
 */
static size_t
ext_slab_pages(struct kmalloc_ext *ext, const struct malloc_type *type)
{
	const long want = lmax(kmalloc_ext_count(ext, &ext->nobjs),
	    FEW_OBJECTS);
	size_t npages, offset;

	if (ext->nslabs != 0 || ext->pages == KMALLOC_PAGES_INTERRUPT)
		return (KMALLOC_SLAB_PAGES);
	for (npages = 1; npages < KMALLOC_SLAB_PAGES; npages *= 2) {
		if ((long)kmalloc_slab_layout(type, npages * PAGE_SIZE,
		    &offset) >= want)
			break;
	}
	return (npages);
}

/*
 * A free object of a slab that there is, or NULL.
 */
static void *
ext_take(struct kmalloc_ext *ext)
{
	void *obj;
	int got;

	spin_lock(&ext->spin);
	got = kmalloc_slabs_take(&ext->whole, &obj, 1);
	if (got == 0)
		got = kmalloc_slabs_take(&ext->mini, &obj, 1);
	spin_unlock(&ext->spin);
	return (got != 0 ? obj : NULL);
}

/*
 * The first object of a slab that nobody else knows yet.
 */
static void *
ext_take_first(struct kmalloc_ext *ext, struct kmalloc_slab *slab)
{
	void *obj;

	spin_lock(&ext->spin);
	kmalloc_slabs_add(ext, slab);
	kmalloc_slabs_take(kmalloc_slab_is_mini(slab) ? &ext->mini :
	    &ext->whole, &obj, 1);
	spin_unlock(&ext->spin);
	return (obj);
}

/*
 * An object of a new slab in a free slot, as large as it should be if there is
 * memory; else a free one that has come back meanwhile, else one of a mini
 * slab.
 */
static void *
ext_populate(struct kmalloc_ext *ext, struct malloc_type *type, int vmflags,
    int privileged)
{
	const int whole = has_minis(type) ? vmflags & ~VM_ALLOC_INTERRUPT :
	    vmflags;
	struct kmalloc_slab *slab;
	void *obj;

	slab = kmalloc_slot_populate(ext, type, ext_slab_pages(ext, type),
	    whole, privileged);
	if (slab == NULL) {
		if ((obj = ext_take(ext)) != NULL || !has_minis(type))
			return (obj);
		slab = kmalloc_slot_populate_mini(ext, type, vmflags,
		    privileged);
	}
	if (slab == NULL)
		return (NULL);
	spin_lock(&ext->spin);
	++ext->eaten;
	spin_unlock(&ext->spin);
	return (ext_take_first(ext, slab));
}

/*
 * Should ready slabs and the last ordinary pages wait?  See there.  Not as long
 * as there is more boot memory than the reserve asks for.
 */
static int
ext_is_saving(struct kmalloc_ext *ext)
{
	return (ext->pages == KMALLOC_PAGES_NORMAL && vm_paging_min() &&
	    kmalloc_ext_count(ext, &ext->nready) <= kmalloc_ext_target(ext));
}

static void *
ext_populate_saving(struct kmalloc_ext *ext, struct malloc_type *type,
    int vmflags)
{
	if (vmstats.v_free_count < vmstats.v_free_reserved + FAULT_PAGES)
		return (NULL);
	return (ext_populate(ext, type, vmflags, 0));
}

/*
 * Have callers as many objects as the type's byte limit allows?  It is asked
 * when a slab is needed.
 */
static int
type_over_limit(const struct malloc_type *type)
{
	const volatile struct kmalloc_use *use = type->ks_use;
	ssize_t total = 0;
	int n;

	if (type->ks_limit == 0)
		return (0);
	for (n = 0; n < ncpus; ++n)
		total += use[n].memuse;
	return (total > 0 && (size_t)total >= type->ks_limit);
}

static void
ext_count_refusal(struct kmalloc_ext *ext)
{
	spin_lock(&ext->spin);
	++ext->refusals;
	spin_unlock(&ext->spin);
}

/*
 * As kmalloc_obj() does it; but an interrupt zone had no more and said so.
 */
static void *
ext_refuse_limit(struct kmalloc_ext *ext, const struct malloc_type *type,
    int flags)
{
	if ((flags & M_NULLOK) == 0 && ((flags & M_RNOWAIT) == 0 ||
	    ext->pages != KMALLOC_PAGES_INTERRUPT))
		panic("%s: malloc limit exceeded", type->ks_shortdesc);
	ext_count_refusal(ext);
	return (NULL);
}

void *
kmalloc_ext_get(struct kmalloc_ext *ext, struct malloc_type *type, int flags)
{
	const int intnowait = M_RNOWAIT | M_USE_INTERRUPT_RESERVE;
	const int daemon = (curthread == pagethread || curthread == emergpager);
	struct kmalloc_slab *slab;
	void *obj;
	int recursing, privileged, class, page;
	int waits = 0;

	for (;;) {
		if ((obj = ext_take(ext)) != NULL)
			return (obj);
		if (type_over_limit(type))
			return (ext_refuse_limit(ext, type, flags));
		class = page_class(ext, flags);
		recursing = ext_recursing(ext);
		privileged = (flags & intnowait) == intnowait || recursing ||
		    daemon || is_ours(curthread);
		if (!privileged && ext_is_saving(ext)) {
			obj = ext_populate_saving(ext, type, class);
			if (obj != NULL) {
				kmalloc_ext_poke();
				return (obj);
			}
			if (waits == 0 && kmalloc_ext_count(ext, &ext->nready) >
			    ext_ready_floor(ext, 0) &&
			    (flags & M_RNOWAIT) == 0 &&
			    curthread->td_preempted == NULL) {
				++waits;
				ext_blocks(ext);
				vm_wait(0);
				continue;
			}
		}
		slab = kmalloc_ext_take_ready(ext, privileged);
		if (slab != NULL) {
			obj = ext_take_first(ext, slab);
			if (kmalloc_ext_refill(ext, type, class) ||
			    kmalloc_ext_count(ext, &ext->nfreeslots) <
			    ext_slots_low(ext))
				kmalloc_ext_poke();
			return (obj);
		}
		if (is_ours(curthread))
			class |= VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM;
		if (daemon || recursing)
			class |= VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT;
		obj = ext_populate(ext, type, class, privileged);
		if (obj != NULL) {
			kmalloc_ext_poke();
			return (obj);
		}
		if (recursing && (flags & M_RNOWAIT) == 0) {
			ext_wait_ready(ext, 1);
			continue;
		}
		page = ext_page_would_do(ext, type, privileged);
		slab = NULL;
		if (flags & M_RNOWAIT) {
			/* Not for want of slots: kmalloc() needed none. */
			if (ext->pages == KMALLOC_PAGES_FLAGS && !recursing &&
			    !ext_has_slot(ext, privileged))
				slab = ext_kmem_alloc(ext, type, flags);
			if (slab != NULL)
				return (ext_take_first(ext, slab));
			ext_count_refusal(ext);
			kmalloc_ext_poke();
			return (NULL);
		}
		if (!page && !ext_slots_will_come(ext)) {
			slab = ext_kmem_alloc(ext, type, flags);
			if (slab != NULL)
				return (ext_take_first(ext, slab));
			ext_count_refusal(ext);
			return (NULL);
		}
		if (waits++ == 0)
			ext_blocks(ext);
		/*
		 * Whoever was refused a page found fewer than v_free_reserved,
		 * so that vm_wait() sleeps; if it does not there are more now.
		 */
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
void
kmalloc_ext_grow(struct kmalloc_ext *ext)
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
