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
 *	address space and page tables existed in advance.
 *
 * What is set aside
 *
 *	A type with a reserve has, besides its objects,
 *
 *	ready slabs	complete with pages, set up, in no list: N of them
 *	slots		addresses for more, one slab each, in runs obtained
 *			from kmem_alloc_nofault(), which makes their page
 *			tables, too.  A slot becomes a slab with 32 times
 *			vm_page_alloc(NULL, ..) and pmap_kenter(): no map lock,
 *			no map entry, no pv entry, no page-table page, nothing
 *			that blocks or comes back here.  If a page is missing,
 *			those already had are given back at once.
 *
 * Where a slab comes from, in this order (kmalloc_obj_getslab())
 *
 *	1. A ready slab.  The last one, the floor, only for those who must get
 *	   on: the page-out thread, the maintainer, callers with M_RNOWAIT and
 *	   M_USE_INTERRUPT_RESERVE (M_INTNOWAIT), and recursions (see below).
 *	   At every slab taken, another slot is populated at once from
 *	   VM_ALLOC_SYSTEM pages, without blocking, or else the maintainer
 *	   thread is woken.
 *	2. A slot populated on the spot, with pages as deep as the caller's
 *	   flags reach: M_USE_INTERRUPT_RESERVE means down to the last.
 *	3. M_RNOWAIT callers: NULL.  They never reach kmem_slab_alloc().
 *	4. Others: kmem_slab_alloc(.., M_WAITOK), which blocks.
 *
 * The argument
 *
 *	Page-out calls with M_INTNOWAIT, so no step it takes can block; it
 *	either gets an object or goes on without.  As long as it gets them it
 *	frees pages, 1 to 3 are replenished from those by page-out's own
 *	allocations, and the maintainer, which has nothing to do with page-out
 *	and holds nothing that page-out wants (ext->lock is never taken to
 *	allocate), tops up the rest.  So the guarantee holds while the N slabs
 *	last from the moment memory runs out until the first pages come free;
 *	each holds the metadata for tens of megabytes of swap.  Only past that
 *	do 32 free pages have to be there at once.  zalloc asked for one.
 *
 * Recursion: the type that map entries come from
 *
 *	kmem_slab_alloc() and kmem_alloc_nofault() need map entries.  If an
 *	M_WAITOK caller of that very type gets to step 4, the entries that
 *	kmem_slab_alloc() needs are asked of the same type by the same thread.
 *	Such threads are recorded (kmalloc_blocked) and recognised: they may
 *	take the floor and, if there is none, sleep until the maintainer or
 *	retirement adds a slab rather than call kmem_slab_alloc() again.  The
 *	maintainer makes slots long before the last is used (SLOTS_LOW) and one
 *	of them yields about a thousand entries where a new run costs one or
 *	two, so it always finds what it needs in step 1 or 2.
 *
 * Retirement
 *
 *	Slabs of slots and of boot memory must not get into the cpu's cache of
 *	free slabs or to kmem_slab_free(), which knows nothing of them.
 *	kmalloc_obj_retire() takes them out of the list, lets them fill up the
 *	reserve if it is short, and otherwise frees the pages and keeps the
 *	slot.  The reserve thus also fills from below when load goes.
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

#include <sys/spinlock2.h>
#include <sys/thread2.h>
#include <vm/vm_page2.h>

#define	SLAB_PAGES	(KMALLOC_SLAB_SIZE / PAGE_SIZE)
#define	SLOTS_BATCH	8	/* slots a new run has */
#define	SLOTS_LOW	4	/* fewer free ones: time for a new run */
#define	REFILL_CLASS	(VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM)

/*
 * Address space of nslots slabs; a set bit in map[] is a free slot.
 */
struct kmalloc_run {
	struct kmalloc_run *next;
	vm_offset_t	base;
	long		nslots;
	long		hint;		/* no free slot in words below */
	uint64_t	map[];
};

/*
 * A thread inside kmem_slab_alloc() for a type, on its stack.
 */
struct kmalloc_blocked {
	struct kmalloc_blocked *next;
	struct thread	*td;
};

static struct thread *kmalloc_maintainer;
static int kmalloc_poked;
static struct spinlock kmalloc_poke_spin =
    SPINLOCK_INITIALIZER(&kmalloc_poke_spin, "kmpoke");

static int kmalloc_reserve = -1;
TUNABLE_INT("kern.kmalloc_reserve", &kmalloc_reserve);

/*
 * Ready slabs that ext should have.
 */
static long
ext_target(const struct kmalloc_ext *ext)
{
	if (ext->nslabs == 0 || kmalloc_reserve < 0)
		return (ext->nslabs);
	return (kmalloc_reserve);
}

void
kmalloc_ext_poke(void)
{
	spin_lock(&kmalloc_poke_spin);
	kmalloc_poked = 1;
	spin_unlock(&kmalloc_poke_spin);
	wakeup(&kmalloc_poked);
}

static void
ext_add_ready(struct kmalloc_ext *ext, struct kmalloc_slab *slab)
{
	int waiting;

	spin_lock(&ext->spin);
	slab->next = ext->ready;
	ext->ready = slab;
	++ext->nready;
	waiting = ext->waiting;
	spin_unlock(&ext->spin);
	if (waiting)
		wakeup(&ext->ready);
}

static struct kmalloc_slab *
ext_take_ready(struct kmalloc_ext *ext, int privileged)
{
	struct kmalloc_slab *slab = NULL;

	spin_lock(&ext->spin);
	if (ext->nready > (privileged || ext_target(ext) == 0 ? 0 : 1)) {
		slab = ext->ready;
		ext->ready = slab->next;
		slab->next = NULL;
		--ext->nready;
		++ext->eaten;
		ext->lowwater = lmin(ext->lowwater, ext->nready);
	}
	spin_unlock(&ext->spin);
	return (slab);
}

/*
 * Take a free slot.  Returns its run and, in *vap, its address.
 */
static struct kmalloc_run *
slot_take(struct kmalloc_ext *ext, vm_offset_t *vap)
{
	struct kmalloc_run *run;
	long words, i;
	int bit;

	spin_lock(&ext->spin);
	for (run = ext->runs; run != NULL; run = run->next) {
		words = howmany(run->nslots, 64);
		for (i = run->hint; i < words && run->map[i] == 0; ++i)
			;
		run->hint = i;
		if (i == words)
			continue;
		bit = __builtin_ctzl(run->map[i]);
		run->map[i] &= ~((uint64_t)1 << bit);
		--ext->nfreeslots;
		*vap = run->base + (i * 64 + bit) * KMALLOC_SLAB_SIZE;
		break;
	}
	spin_unlock(&ext->spin);
	return (run);
}

static void
slot_give(struct kmalloc_ext *ext, struct kmalloc_run *run, vm_offset_t va)
{
	long i = (va - run->base) / KMALLOC_SLAB_SIZE;

	spin_lock(&ext->spin);
	run->map[i / 64] |= (uint64_t)1 << (i % 64);
	run->hint = lmin(run->hint, i / 64);
	++ext->nfreeslots;
	spin_unlock(&ext->spin);
}

/*
 * Make a slab in a free slot, with pages of the class vmflags.  Never blocks.
 */
static struct kmalloc_slab *
slot_populate(struct kmalloc_ext *ext, struct malloc_type *type, int vmflags)
{
	vm_page_t pgs[SLAB_PAGES];
	struct kmalloc_run *run;
	struct kmalloc_slab *slab;
	vm_offset_t va;
	size_t i;

	if ((run = slot_take(ext, &va)) == NULL)
		return (NULL);

	for (i = 0; i < SLAB_PAGES; ++i) {
		pgs[i] = vm_page_alloc(NULL, mycpu->gd_rand_incr++, vmflags);
		if (pgs[i] == NULL)
			break;
	}
	if (i < SLAB_PAGES) {
		while (i > 0)
			vm_page_free(pgs[--i]);
		slot_give(ext, run, va);
		spin_lock(&ext->spin);
		++ext->refill_failures;
		spin_unlock(&ext->spin);
		return (NULL);
	}
	for (i = 0; i < SLAB_PAGES; ++i) {
		pgs[i]->valid = VM_PAGE_BITS_ALL;
		vm_page_wire(pgs[i]);
		vm_page_wakeup(pgs[i]);
		pmap_kenter(va + i * PAGE_SIZE, VM_PAGE_TO_PHYS(pgs[i]));
	}
	slab = (struct kmalloc_slab *)va;
	kmalloc_slab_format(type, slab, run);
	return (slab);
}

/*
 * The reverse, for a slab with every object free.
 */
static void
slot_depopulate(struct kmalloc_ext *ext, struct kmalloc_slab *slab)
{
	struct kmalloc_run *run = slab->unused01;
	vm_offset_t va = (vm_offset_t)slab;
	vm_page_t m;
	size_t i;

	KASSERT(run != NULL && slab->unused01 != KMALLOC_ORIGIN_BOOT,
	    ("kmalloc_obj: slab %p is not in a slot", slab));
	for (i = 0; i < SLAB_PAGES; ++i) {
		m = PHYS_TO_VM_PAGE(pmap_kextract(va + i * PAGE_SIZE));
		pmap_kremove(va + i * PAGE_SIZE);
		vm_page_busy_wait(m, FALSE, "kmslot");
		vm_page_unwire(m, 0);
		vm_page_free(m);
	}
	slot_give(ext, run, va);
}

/*
 * Bring the reserve up to its target as far as pages of that class and slots
 * go.  Returns whether pages were missing.  Never blocks.
 */
static int
ext_refill(struct kmalloc_ext *ext, struct malloc_type *type, int vmflags)
{
	struct kmalloc_slab *slab;
	u_long failures;

	while (ext->nready < ext_target(ext)) {
		failures = ext->refill_failures;
		slab = slot_populate(ext, type, vmflags);
		if (slab == NULL)
			return (ext->refill_failures != failures);
		ext_add_ready(ext, slab);
		spin_lock(&ext->spin);
		++ext->refills;
		spin_unlock(&ext->spin);
	}
	return (0);
}

/*
 * Set aside address space for nslots more slabs.  May block.  Returns 0 if
 * there is no more.
 */
static int
ext_grow(struct kmalloc_ext *ext, long nslots)
{
	struct kmalloc_run *run;
	long words = howmany(nslots, 64);
	long i;

	run = kmalloc(__offsetof(struct kmalloc_run, map[words]),
	    M_KMALLOC_EXT, M_WAITOK | M_ZERO);
	run->base = kmem_alloc_nofault(kernel_map, nslots * KMALLOC_SLAB_SIZE,
	    VM_SUBSYS_KMALLOC, KMALLOC_SLAB_SIZE);
	if (run->base == 0) {
		kfree(run, M_KMALLOC_EXT);
		return (0);
	}
	run->nslots = nslots;
	for (i = 0; i < nslots; ++i)
		run->map[i / 64] |= (uint64_t)1 << (i % 64);

	spin_lock(&ext->spin);
	run->next = ext->runs;
	ext->runs = run;
	ext->nslots += nslots;
	ext->nfreeslots += nslots;
	spin_unlock(&ext->spin);
	return (1);
}

void
_kmalloc_obj_reserve(struct malloc_type *type, long nslabs, size_t nobjs)
{
	struct kmalloc_ext *ext;
	long nslots;

	if (type->ks_limit == 0)
		panic("%s: kmalloc_obj_reserve before malloc_init",
		    type->ks_shortdesc);
	ext = kmalloc_ext_create(type);

	lockmgr(&ext->lock, LK_EXCLUSIVE);
	ext->nslabs = nslabs;
	if (ext->runs == NULL) {
		if (nobjs != 0) {
			/* A cpu may sit on two slabs that are partly used. */
			nslots = howmany(nobjs, type->ks_mgt.slab_count) +
			    ext_target(ext) + 2 * ncpus;
		} else {
			nslots = lmax(SLOTS_BATCH,
			    ext_target(ext) + SLOTS_LOW);
			ext->grows = 1;
		}
		if (ext_grow(ext, nslots) == 0)
			panic("%s: no address space for %ld slabs",
			    type->ks_shortdesc, nslots);
	}
	/* Before there is a page-out thread, nobody would free any. */
	while (ext_refill(ext, type, REFILL_CLASS) && pagethread != NULL)
		vm_wait(hz);
	ext->lowwater = ext->nready;
	lockmgr(&ext->lock, LK_RELEASE);
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
 * kmem_slab_alloc() for an M_WAITOK caller.
 */
static struct kmalloc_slab *
ext_slab_wait(struct kmalloc_ext *ext, int flags)
{
	struct kmalloc_blocked self, **bp;
	struct kmalloc_slab *slab;

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
 * A recursion that found nothing: sleep until somebody adds a slab.
 */
static void
ext_wait_ready(struct kmalloc_ext *ext)
{
	kmalloc_ext_poke();
	spin_lock(&ext->spin);
	++ext->waiting;
	while (ext->nready == 0)
		ssleep(&ext->ready, &ext->spin, 0, "kmresv", 0);
	--ext->waiting;
	spin_unlock(&ext->spin);
}

static int
page_class(int flags)
{
	int vmflags = VM_ALLOC_NORMAL;

	if (flags & M_USE_RESERVE)
		vmflags |= VM_ALLOC_SYSTEM;
	if (flags & M_USE_INTERRUPT_RESERVE)
		vmflags |= VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT;
	return (vmflags);
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
	int recursing, privileged;

	flags &= M_RNOWAIT | M_WAITOK | M_NULLOK | M_USE_RESERVE |
	    M_USE_INTERRUPT_RESERVE;
	if (ext == NULL) {
		return (slab_raw(kmem_slab_alloc(KMALLOC_SLAB_SIZE,
		    KMALLOC_SLAB_SIZE, flags)));
	}

	for (;;) {
		recursing = ext_recursing(ext);
		privileged = (flags & intnowait) == intnowait || recursing ||
		    curthread == pagethread || curthread == kmalloc_maintainer;
		slab = ext_take_ready(ext, privileged);
		if (slab != NULL) {
			if (ext_refill(ext, type, REFILL_CLASS) ||
			    ext->nfreeslots < SLOTS_LOW)
				kmalloc_ext_poke();
			return (slab);
		}
		slab = slot_populate(ext, type, page_class(flags));
		if (slab != NULL) {
			spin_lock(&ext->spin);
			++ext->eaten;
			spin_unlock(&ext->spin);
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
		if (!recursing)
			return (slab_raw(ext_slab_wait(ext, flags)));
		ext_wait_ready(ext);
	}
}

/*
 * What to do with a retired slab that is not of kmem_slab_alloc().
 */
static void
slab_keep(struct kmalloc_ext *ext, struct malloc_type *type,
    struct kmalloc_slab *slab)
{
	void *origin = slab->unused01;

	if (ext->dying) {
		if (origin != KMALLOC_ORIGIN_BOOT)
			slot_depopulate(ext, slab);
	} else if (origin == KMALLOC_ORIGIN_BOOT ||
	    ext->nready < ext_target(ext)) {
		kmalloc_slab_format(type, slab, origin);
		ext_add_ready(ext, slab);
	} else {
		slot_depopulate(ext, slab);
	}
}

struct kmalloc_slab *
kmalloc_obj_retire(struct malloc_type *type, struct kmalloc_slab *base)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);
	struct kmalloc_slab *rest = NULL;
	struct kmalloc_slab **restp = &rest;
	struct kmalloc_slab *slab;

	if (ext == NULL)
		return (base);

	lockmgr(&ext->lock, LK_EXCLUSIVE);
	while ((slab = base) != NULL) {
		base = slab->next;
		slab->next = NULL;
		/* A dying type's block may be another's by now. */
		if (ext->type == type)
			kmalloc_slab_destruct(ext, slab);
		if (slab->unused01 == NULL) {
			*restp = slab;
			restp = &slab->next;
		} else if (ext->type == type) {
			slab_keep(ext, type, slab);
		}
	}
	if (ext->dying)
		kmalloc_ext_poke();
	lockmgr(&ext->lock, LK_RELEASE);
	return (rest);
}

/*
 * Once dying is set nobody but the destroyer works on the type: the maintainer
 * tops nothing up, and every slab that retires goes.  The type itself will not
 * be looked at again, but by kmalloc_obj_retire() for malloc_uninit().
 */
void
kmalloc_obj_detach(struct malloc_type *type)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);
	struct kmalloc_slab *slab;

	if (ext == NULL)
		return;
	_kmalloc_obj_unctor(type);
	lockmgr(&ext->lock, LK_EXCLUSIVE);
	ext->dying = 1;
	ext->nslabs = 0;
	while ((slab = ext_take_ready(ext, 1)) != NULL)
		slab_keep(ext, type, slab);
	lockmgr(&ext->lock, LK_RELEASE);
	kmalloc_ext_poke();
}

/*
 * The block of a type that is gone can be used again when every slot is free;
 * if objects are still out (malloc_uninit() has said so) that is never.
 */
static void
ext_bury(struct kmalloc_ext *ext)
{
	struct kmalloc_run *run;

	if (ext->nfreeslots != ext->nslots)
		return;
	while ((run = ext->runs) != NULL) {
		ext->runs = run->next;
		kmem_free(kernel_map, run->base,
		    run->nslots * KMALLOC_SLAB_SIZE);
		kfree(run, M_KMALLOC_EXT);
	}
	kmalloc_ext_recycle(ext);
}

/*
 * Top up every type: slabs first, which does not block, then addresses, which
 * may.  Returns whether pages were missing.
 */
static int
kmalloc_maintain(void)
{
	struct kmalloc_ext *ext;
	int pass, missing = 0;

	for (pass = 0; pass < 2; ++pass) {
		for (ext = kmalloc_exts; ext != NULL; ext = ext->next) {
			if (ext->type == NULL)
				continue;
			lockmgr(&ext->lock, LK_EXCLUSIVE);
			if (ext->type == NULL || ext->dying) {
				if (ext->type != NULL)
					ext_bury(ext);
				lockmgr(&ext->lock, LK_RELEASE);
				continue;
			}
			if (pass == 1 && ext->grows &&
			    ext->nfreeslots < SLOTS_LOW)
				ext_grow(ext, SLOTS_BATCH);
			missing |= ext_refill(ext, ext->type, REFILL_CLASS);
			lockmgr(&ext->lock, LK_RELEASE);
		}
	}
	return (missing);
}

static void
kmalloc_maintainer_thread(void)
{
	for (;;) {
		spin_lock(&kmalloc_poke_spin);
		while (kmalloc_poked == 0) {
			ssleep(&kmalloc_poked, &kmalloc_poke_spin, 0,
			    "kmidle", 0);
		}
		kmalloc_poked = 0;
		spin_unlock(&kmalloc_poke_spin);

		while (kmalloc_maintain())
			vm_wait(hz);
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
	char name[32], low[24], line[320];
	size_t i;
	int error = 0;

	for (ext = kmalloc_exts; ext != NULL && error == 0; ext = ext->next) {
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
		    "refill_failures=%lu refusals=%lu blocking=%lu "
		    "constructed=%ld out=%ld limit=%ld limit_sleeps=%lu "
		    "foreign=%lu\n",
		    name, ext->nready, low, ext_target(ext),
		    ext->nfreeslots, ext->nslots, ext->eaten, ext->refills,
		    ext->refill_failures, ext->refusals, ext->blocking,
		    ext->constructed, ext->out, ext->limit, ext->limit_sleeps,
		    ext->foreign);
		lockmgr(&ext->lock, LK_RELEASE);
		error = SYSCTL_OUT(req, line, strlen(line));
	}
	if (error == 0)
		error = SYSCTL_OUT(req, "", 1);
	return (error);
}
SYSCTL_PROC(_kern, OID_AUTO, kmalloc_ext, CTLTYPE_STRING | CTLFLAG_RD, NULL, 0,
    sysctl_kmalloc_ext, "A", "reserves and constructed objects of kmalloc_obj");
