/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kmalloc_obj(): objects of one size, from slabs of their own type.
 *
 * A slab is KMALLOC_SLAB_SIZE bytes and as much aligned: a header with a ring
 * of pointers to the free objects, then the objects.  It belongs to one type
 * for as long as it holds objects of it, and longer than any reader that might
 * still look at a freed one (exis_freeable()), so the memory of an object is
 * type-stable.
 *
 * Slabs wander
 *
 *	global partial or full -> active -> alternate -> global empty
 *
 * where active and alternate are a cpu's own, used in a critical section and
 * without locks, and the three lists are the type's, under ks_mgt.spin.  An
 * object is freed into its slab wherever that is; nobody moves it at once.
 * malloc_mgt_poll_empty_locked() later finds out which slabs on the empty list
 * no longer are.  Full slabs beyond KMALLOC_MAXFREEMAGS are retired: to the
 * cpu's cache of free slabs, which serves all types, or back to the VM.
 *
 * What this allocator does not do, and its callers have to live with:
 *
 *	A new slab is always had with M_WAITOK, whatever the caller's flags.
 *	It needs KVA, a map entry and 32 pages, and waits for them.
 *
 *	A type at its limit panics, unless M_NULLOK is set.
 *
 *	It does not work before malloc_init(), and fresh objects are not
 *	zeroed.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/slaballoc.h>
#include <sys/spinlock.h>
#include <sys/lock.h>
#include <sys/thread.h>
#include <sys/globaldata.h>
#include <sys/sysctl.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>
#include <sys/exislock2.h>

#include <vm/vm_lastpage.h>

static int kzone_cache = KMGD_MAXFREESLABS;
SYSCTL_INT(_kern, OID_AUTO, kzone_cache, CTLFLAG_RW, &kzone_cache, 0,
    "free slabs a cpu keeps for all types");
static int kzone_bretire = 4;
SYSCTL_INT(_kern, OID_AUTO, kzone_bretire, CTLFLAG_RW, &kzone_bretire, 0,
    "slabs retired at a time");

#define	POLL_SLABS	16	/* looked at in a list at a time */

/* Stands in for `no slab': it has no objects and never gets any. */
static struct kmalloc_slab kslab_dummy;

static void malloc_slab_destroy(struct malloc_type *type,
	    struct kmalloc_slab **slabp);

#define	SLAB_NFREE(slab)	slab_nfree(slab)
#define	ASSERT_SLAB_ALIGNED(slab)					\
	KASSERT(((uintptr_t)(slab) & KMALLOC_SLAB_MASK) == 0,		\
	    ("kmalloc_obj: slab %p is not aligned", (slab)))

/*
 * findex is read before aindex: never too many, whatever other cpus do between.
 */
static __inline size_t
slab_nfree(const volatile struct kmalloc_slab *slab)
{
	size_t findex = slab->findex;

	return (findex - slab->aindex);
}

/*
 * Put a list of slabs into the free-slab caches of the cpus they came from,
 * as far as there is room; the rest of the list is returned.  Other cpus only
 * ever push onto remote_free_slabs or take all of it.
 */
static __noinline struct kmalloc_slab *
gslab_cache(struct kmalloc_slab *slab)
{
	struct kmalloc_slab *rest = NULL;
	struct kmalloc_slab **restp = &rest;
	struct kmalloc_slab *next, *head;
	KMGlobalData *kmgd;

	for (; slab != NULL; slab = next) {
		next = slab->next;
		ASSERT_SLAB_ALIGNED(slab);

		kmgd = &globaldata_find(slab->orig_cpuid)->gd_kmslab;
		if (kmgd->free_count >= (size_t)kzone_cache) {
			*restp = slab;
			restp = &slab->next;
			continue;
		}

		/* Count first: gslab_alloc() must not see less than there is. */
		slab->type = NULL;
		atomic_add_long(&kmgd->free_count, 1);
		head = kmgd->remote_free_slabs;
		do {
			slab->next = head;
		} while (!atomic_fcmpset_ptr(&kmgd->remote_free_slabs, &head,
		    slab));
	}
	*restp = NULL;
	return (rest);
}

/*
 * Take a slab from this cpu's cache.  Critical section.
 */
static __inline struct kmalloc_slab *
gslab_alloc(globaldata_t gd)
{
	KMGlobalData *kmgd = &gd->gd_kmslab;
	struct kmalloc_slab *slab;

	if (kmgd->free_slabs == NULL) {
		kmgd->free_slabs = atomic_swap_ptr(
		    (volatile void **)&kmgd->remote_free_slabs, NULL);
	}
	if ((slab = kmgd->free_slabs) != NULL) {
		ASSERT_SLAB_ALIGNED(slab);
		kmgd->free_slabs = slab->next;
		slab->next = NULL;
		atomic_add_long(&kmgd->free_count, -1);
	}
	return (slab);
}

/*
 * Set up mgt for objects of size bytes, a multiple of the cache line.
 */
void
malloc_mgt_init(struct malloc_type *type, struct kmalloc_mgt *mgt, size_t size)
{
	size_t count, offset;

	bzero(mgt, sizeof(*mgt));
	spin_init(&mgt->spin, "kmmgt");
	mgt->active = &kslab_dummy;
	mgt->alternate = &kslab_dummy;
	mgt->empty_tailp = &mgt->empty;

	/* As many as fit together with their ring, once aligned. */
	count = (KMALLOC_SLAB_SIZE - __offsetof(struct kmalloc_slab, fobjs)) /
	    (size + sizeof(void *));
	for (;; --count) {
		offset = __VM_CACHELINE_ALIGN(
		    __offsetof(struct kmalloc_slab, fobjs[count]));
		if (offset + count * size <= KMALLOC_SLAB_SIZE)
			break;
	}
	KASSERT(count > 0, ("malloc_mgt_init: %s: %zu bytes do not fit a slab",
	    type->ks_shortdesc, size));
	mgt->slab_offset = offset;
	mgt->slab_count = count;
}

/*
 * dst is a copy of src at another address.
 */
void
malloc_mgt_relocate(struct kmalloc_mgt *src, struct kmalloc_mgt *dst)
{
	struct kmalloc_slab **tailp;

	spin_init(&dst->spin, "kmmgt");
	tailp = &dst->empty;
	while (*tailp != NULL)
		tailp = &(*tailp)->next;
	dst->empty_tailp = tailp;
}

/*
 * Free all slabs of mgt, and leave it without any.  It has to be initialised
 * before anything is allocated from it again.
 */
void
malloc_mgt_uninit(struct malloc_type *type, struct kmalloc_mgt *mgt)
{
	struct kmalloc_slab **lists[] = { &mgt->active, &mgt->alternate,
	    &mgt->partial, &mgt->full, &mgt->empty };

	for (int i = 0; i < NELEM(lists); ++i) {
		if (*lists[i] != &kslab_dummy)
			malloc_slab_destroy(type, lists[i]);
	}
	spin_uninit(&mgt->spin);
	mgt->active = mgt->alternate = NULL;
	mgt->nempty = mgt->nfull = mgt->npartial = 0;
	mgt->empty_tailp = &mgt->empty;
}

/*
 * Free the slabs of a list.  Those with objects still out stay on it and are
 * reported.
 */
static void
malloc_slab_destroy(struct malloc_type *type, struct kmalloc_slab **slabp)
{
	struct kmalloc_slab *slab;
	struct kmalloc_slab *base = NULL;
	struct kmalloc_slab **basep = &base;

	while ((slab = *slabp) != NULL) {
		ASSERT_SLAB_ALIGNED(slab);
		if (SLAB_NFREE(slab) != slab->ncount) {
			kprintf("%s: slab %p: %zu objects are still in use\n",
			    type->ks_shortdesc, slab,
			    slab->ncount - SLAB_NFREE(slab));
			slabp = &slab->next;
			continue;
		}
		*slabp = slab->next;
		*basep = slab;
		basep = &slab->next;
	}
	*basep = NULL;
	if (base == NULL)
		return;

	base = gslab_cache(base);
	while ((slab = base) != NULL) {
		base = slab->next;
		slab->next = NULL;
		kmem_slab_free(slab, KMALLOC_SLAB_SIZE);
	}
}

static __inline void
mgt_append_empty(struct kmalloc_mgt *ggm, struct kmalloc_slab *slab)
{
	slab->next = NULL;
	*ggm->empty_tailp = slab;
	ggm->empty_tailp = &slab->next;
	++ggm->nempty;
}

/*
 * Look at up to count slabs of the empty list.  Those that objects were freed
 * into move to partial or full, the rest rotates to the tail.  Returns whether
 * any moved.  ggm->spin is held.
 */
static int
malloc_mgt_poll_empty_locked(struct kmalloc_mgt *ggm, int count)
{
	struct kmalloc_slab *slab;
	size_t nfree;
	int moved = 0;

	if ((size_t)count > ggm->nempty)
		count = ggm->nempty;
	while (count-- > 0) {
		slab = ggm->empty;
		ggm->empty = slab->next;
		if (ggm->empty == NULL)
			ggm->empty_tailp = &ggm->empty;
		--ggm->nempty;

		nfree = SLAB_NFREE(slab);
		if (nfree == 0) {
			mgt_append_empty(ggm, slab);
		} else if (nfree == slab->ncount) {
			exis_terminate(&slab->exis);
			slab->next = ggm->full;
			ggm->full = slab;
			++ggm->nfull;
			moved = 1;
		} else {
			slab->next = ggm->partial;
			ggm->partial = slab;
			++ggm->npartial;
			moved = 1;
		}
	}
	return (moved);
}

/*
 * Retire some of a type's full slabs, of those beyond KMALLOC_MAXFREEMAGS.
 * Called by the poller, which keeps the type from being destroyed.  Returns
 * whether the poller may go on to the next type: when there are no slabs
 * beyond, or it has seen the end of the list.  A type whose full slabs cannot
 * be retired keeps it for as long as that is so.
 *
 * A slab is free for good once every kfree_obj() into it has also stored its
 * object (xindex has caught up with findex) and no reader of a freed object
 * can be left.
 */
int
malloc_mgt_poll(struct malloc_type *type)
{
	struct kmalloc_mgt *ggm = &type->ks_mgt;
	struct kmalloc_slab *slab;
	struct kmalloc_slab **slabp;
	struct kmalloc_slab *base = NULL;
	struct kmalloc_slab **basep = &base;
	size_t look;
	int retired = 0, next = 1;

	if ((type->ks_flags & KSF_OBJSIZE) == 0)
		return (1);

	spin_lock(&ggm->spin);
	malloc_mgt_poll_empty_locked(ggm, POLL_SLABS);
	if (ggm->nfull > KMALLOC_MAXFREEMAGS) {
		look = lmin(ggm->nfull - KMALLOC_MAXFREEMAGS, POLL_SLABS);
		slabp = &ggm->full;
		for (; look > 0 && retired < kzone_bretire &&
		    (slab = *slabp) != NULL; --look) {
			if (SLAB_NFREE(slab) != slab->ncount ||
			    slab->xindex != slab->findex ||
			    !exis_freeable(&slab->exis)) {
				slabp = &slab->next;
				continue;
			}
			*slabp = slab->next;
			*basep = slab;
			basep = &slab->next;
			--ggm->nfull;
			++ggm->gcache_count;
			++retired;
		}
		*basep = NULL;
		next = (*slabp == NULL);
	}
	spin_unlock(&ggm->spin);

	if (retired != 0) {
		base = gslab_cache(base);
		while ((slab = base) != NULL) {
			base = slab->next;
			slab->next = NULL;
			kmem_slab_free(slab, KMALLOC_SLAB_SIZE);
		}
	}
	return (next);
}

#ifdef KMALLOC_CHECK_DOUBLE_FREE

static __inline uint64_t
bmap_mask(struct kmalloc_slab *slab, void *obj, uint64_t **wordp)
{
	size_t off = ((uintptr_t)obj & KMALLOC_SLAB_MASK) - slab->offset;
	size_t i = off / slab->objsize;

	KASSERT(i < slab->ncount && off % slab->objsize == 0,
	    ("kmalloc_obj: %p is not an object of slab %p", obj, slab));
	*wordp = &slab->bmap[i / 64];
	return ((uint64_t)1 << (i % 64));
}

static __inline void
bmap_set(struct kmalloc_slab *slab, void *obj)
{
	uint64_t *word;
	uint64_t mask = bmap_mask(slab, obj, &word);

	KASSERT((*word & mask) == 0,
	    ("kmalloc_obj: %p of slab %p is in use already", obj, slab));
	atomic_set_64(word, mask);
}

static __inline void
bmap_clr(struct kmalloc_slab *slab, void *obj)
{
	uint64_t *word;
	uint64_t mask = bmap_mask(slab, obj, &word);

	KASSERT((*word & mask) != 0,
	    ("kfree_obj: %p of slab %p is free already", obj, slab));
	atomic_clear_64(word, mask);
}

#else
#define	bmap_set(slab, obj)
#define	bmap_clr(slab, obj)
#endif

/*
 * Take an object from a slab of this cpu.  NULL if it has none, or none that
 * kfree_obj() has finished storing.
 */
static __always_inline void *
slab_take(struct kmalloc_slab *slab)
{
	void **slot;
	void *obj;

	if (SLAB_NFREE(slab) == 0)
		return (NULL);
	slot = &slab->fobjs[slab->aindex % slab->ncount];
	if ((obj = *slot) != NULL) {
		*slot = NULL;
		++slab->aindex;
		bmap_set(slab, obj);
	}
	return (obj);
}

/*
 * Make slab this cpu's active one.  ggm->spin is held.
 */
static __inline void
mgt_rotate_in(struct kmalloc_mgt *ggm, struct kmalloc_mgt *mgt,
    struct kmalloc_slab *slab)
{
	if (mgt->alternate != &kslab_dummy)
		mgt_append_empty(ggm, mgt->alternate);
	mgt->alternate = mgt->active;
	slab->next = NULL;
	mgt->active = slab;
}

static int
malloc_obj_over_limit(struct malloc_type *type)
{
	ssize_t ttl = 0;
	int n;

	for (n = 0; n < ncpus; ++n)
		ttl += type->ks_use[n].memuse;
	if (ttl < 0)
		ttl = 0;
	type->ks_loosememuse = ttl;
	return ((size_t)ttl >= type->ks_limit);
}

/*
 * One more object of this cpu.  The type as a whole learns of it late: only
 * the limit cares, and not exactly.  Critical section.
 */
static __inline void
use_charge(struct malloc_type *type, struct kmalloc_use *use, size_t size)
{
	use->calls += 1;
	use->inuse += 1;
	use->memuse += size;

	size += use->loosememuse;
	if (__predict_false(size >= KMALLOC_LOOSE_SIZE)) {
		atomic_add_long(&type->ks_loosememuse, size);
		size = 0;
	}
	use->loosememuse = size;
}

/*
 * With SLAB_DEBUG the place of the call comes along, but is kept nowhere: the
 * slabs are all of one type.
 */
#ifndef SLAB_DEBUG
void *
_kmalloc_obj(unsigned long size, struct malloc_type *type, int flags)
#else
void *
_kmalloc_obj_debug(unsigned long size, struct malloc_type *type, int flags,
    const char *file, int line)
#endif
{
	globaldata_t gd;
	struct kmalloc_use *use;
	struct kmalloc_mgt *ggm, *mgt;
	struct kmalloc_slab *slab;
	void *obj;

	if (__predict_false(type->ks_loosememuse >= type->ks_limit) &&
	    malloc_obj_over_limit(type)) {
		if (flags & M_NULLOK)
			return (NULL);
		panic("%s: malloc limit exceeded", type->ks_shortdesc);
	}
	KASSERT(size == type->ks_objsize,
	    ("kmalloc_obj: %s: size %lu is not the type's %zu",
	    type->ks_shortdesc, size, type->ks_objsize));

	crit_enter();
	gd = mycpu;
	use = &type->ks_use[gd->gd_cpuid];
	mgt = &use->mgt;
	ggm = &type->ks_mgt;

retry:
	if (__predict_true((obj = slab_take(mgt->active)) != NULL))
		goto found;
	if ((obj = slab_take(mgt->alternate)) != NULL) {
		slab = mgt->alternate;
		mgt->alternate = mgt->active;
		mgt->active = slab;
		goto found;
	}

	/* Partial slabs first: that frees others wholly. */
	spin_lock(&ggm->spin);
	if (ggm->partial == NULL && ggm->full == NULL)
		malloc_mgt_poll_empty_locked(ggm, POLL_SLABS);
	if ((slab = ggm->partial) != NULL) {
		ggm->partial = slab->next;
		--ggm->npartial;
	} else if ((slab = ggm->full) != NULL) {
		ggm->full = slab->next;
		--ggm->nfull;
		exis_setlive(&slab->exis);
	}
	if (slab != NULL) {
		mgt_rotate_in(ggm, mgt, slab);
		spin_unlock(&ggm->spin);
		goto retry;
	}
	spin_unlock(&ggm->spin);

	if (gd->gd_kmslab.free_count == 0 || (slab = gslab_alloc(gd)) == NULL) {
		VM_PAGE_FOR(type->ks_shortdesc);

		slab = kmem_slab_alloc(KMALLOC_SLAB_SIZE, KMALLOC_SLAB_SIZE,
		    M_WAITOK);
	}

	bzero(slab, sizeof(*slab));
	slab->type = type;
	slab->orig_cpuid = gd->gd_cpuid;
	slab->offset = use->mgt.slab_offset;
	slab->objsize = type->ks_objsize;
	slab->ncount = use->mgt.slab_count;
	slab->findex = slab->ncount;
	slab->xindex = slab->ncount;
	obj = (char *)slab + slab->offset;
	for (size_t i = 0; i < slab->ncount; ++i) {
		slab->fobjs[i] = obj;
		obj = (char *)obj + slab->objsize;
	}
	KASSERT((char *)obj <= (char *)slab + KMALLOC_SLAB_SIZE,
	    ("kmalloc_obj: %s: objects overrun slab %p", type->ks_shortdesc,
	    slab));
	slab->magic = KMALLOC_SLAB_MAGIC;
	spin_init(&slab->spin, "kmslb");

	spin_lock(&ggm->spin);
	mgt_rotate_in(ggm, mgt, slab);
	spin_unlock(&ggm->spin);
	goto retry;

found:
	use_charge(type, use, size);
	crit_exit();

	if (flags & M_ZERO)
		bzero(obj, size);
	return (obj);
}

/*
 * From here a slab is found by the object's address alone; what list it is on
 * is unknown and does not matter.
 */
void
_kfree_obj(void *obj, struct malloc_type *type)
{
	struct kmalloc_slab *slab;
	struct kmalloc_use *use;
	size_t i;

	if (obj == NULL)
		panic("kfree_obj: %s: NULL pointer", type->ks_shortdesc);
	slab = (void *)((uintptr_t)obj & ~KMALLOC_SLAB_MASK);
	KASSERT(slab->magic == KMALLOC_SLAB_MAGIC,
	    ("kfree_obj: %s: %p is not of kmalloc_obj", type->ks_shortdesc,
	    obj));
	KASSERT(slab->type == type, ("kfree_obj: %p is of type %s, not %s",
	    obj, slab->type != NULL ? slab->type->ks_shortdesc : "(none)",
	    type->ks_shortdesc));
	KASSERT(SLAB_NFREE(slab) != slab->ncount,
	    ("kfree_obj: %s: slab of %p has every object already",
	    type->ks_shortdesc, obj));

	crit_enter();
	use = &type->ks_use[mycpu->gd_cpuid];
	--use->inuse;
	use->memuse -= slab->objsize;

	bmap_clr(slab, obj);
	i = atomic_fetchadd_long(&slab->findex, 1) % slab->ncount;
	KASSERT(slab->fobjs[i] == NULL, ("kfree_obj: %s: slab %p: ring is full",
	    type->ks_shortdesc, slab));
	slab->fobjs[i] = obj;
	atomic_add_long(&slab->xindex, 1);
	crit_exit();
}
