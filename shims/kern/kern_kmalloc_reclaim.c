/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What kmalloc_obj gives back, and to whom.
 *
 * The allocator's poller retires slabs of which every object is free, beyond
 * a few that each type keeps.  Left alone, it puts them into a per-cpu cache of
 * free slabs that serves all types and takes megabytes before it is full, and
 * gives the rest to kmem_slab_free().  Three things are different here.
 *
 * Where a slab came from (unused01) decides where it goes
 *
 *	kmem_slab_alloc()	as before
 *	boot memory		to the type's reserve, for ever
 *	a slot, whole		to the type's reserve if it is short; else its
 *				pages to the VM and the slot to the type
 *	a slot, mini		its page to the VM and the slot to the type
 *
 *	kmalloc_obj_retire() takes all but the first out of the list before it
 *	gets near the cache or kmem_slab_free(), which would take 128 KB for
 *	granted.  So the reserve is filled from below when load goes, never
 *	drained by retirement, and the cache holds nothing but slabs that the
 *	VM can take back.
 *
 * Mini slabs do not wait for the poller
 *
 *	It looks at one type a second and leaves four free slabs alone.  The
 *	maintainer thread looks for mini slabs of which every object is free
 *	itself, in all three lists of the type, as long as there are any.
 *
 * In a shortage (vm_paging_min()) nothing is kept but the reserve
 *
 *	The maintainer then retires every free slab, and empties the caches of
 *	free slabs: all that other cpus have put there and what this cpu has
 *	taken out.  Another cpu's own chain is only its own to touch; it hands
 *	those out before it asks for a new slab.
 *
 * When a slab is free for good is the allocator's own rule (malloc_mgt_poll()):
 * it has been put on the full list, exis_terminate() was called then, every
 * kfree_obj() has stored its object, and no reader of a freed object is left.
 * Lists and counts are changed under the type's mgt spinlock; slabs that were
 * taken off are nobody else's.  A slab that a cpu holds active or alternate is
 * in no list and stays.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/spinlock.h>
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

#include <sys/exislock2.h>
#include <sys/spinlock2.h>
#include <sys/thread2.h>
#include <vm/vm_page2.h>

/*
 * What to do with a retired slab that is not of kmem_slab_alloc().
 */
static void
slab_keep(struct kmalloc_ext *ext, struct malloc_type *type,
    struct kmalloc_slab *slab)
{
	void *origin = slab->unused01;

	if (ext->dying || kmalloc_slab_is_mini(slab) ||
	    (origin != KMALLOC_ORIGIN_BOOT &&
	    kmalloc_ext_count(ext, &ext->nready) >= kmalloc_ext_target(ext))) {
		if (origin != KMALLOC_ORIGIN_BOOT)
			kmalloc_slot_depopulate(ext, slab);
	} else {
		kmalloc_slab_format(type, slab, origin, KMALLOC_SLAB_SIZE);
		kmalloc_ext_add_ready(ext, slab, 0);
	}
}

struct kmalloc_slab *
kmalloc_obj_retire(struct malloc_type *type, struct kmalloc_slab *base)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);
	struct kmalloc_slab *rest = NULL;
	struct kmalloc_slab **restp = &rest;
	struct kmalloc_slab *slab;

	for (slab = base; slab != NULL; slab = slab->next) {
		KASSERT(slab->type == type && kmalloc_slab_settled(slab),
		    ("%s: slab %p is retired in use", type->ks_shortdesc,
		    slab));
		kmalloc_debug_check(slab);
	}
	if (ext == NULL)
		return (base);

	lockmgr(&ext->lock, LK_EXCLUSIVE);
	while ((slab = base) != NULL) {
		base = slab->next;
		slab->next = NULL;
		if (slab->unused01 == NULL) {
			*restp = slab;
			restp = &slab->next;
		} else if (ext->type == type) {
			/* A dying type's block may be another's by now. */
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
	while ((slab = kmalloc_ext_take_ready(ext, 1)) != NULL)
		slab_keep(ext, type, slab);
	KASSERT(ext->nready == 0, ("%s: %ld ready slabs are lost",
	    type->ks_shortdesc, ext->nready));
	lockmgr(&ext->lock, LK_RELEASE);
	kmalloc_ext_poke();
}

/*
 * The block of a type that is gone can be used again when every slot is free;
 * if objects are still out (malloc_uninit() has said so) that is never.
 */
void
kmalloc_ext_bury(struct kmalloc_ext *ext)
{
	if (ext->type != NULL &&
	    kmalloc_ext_count(ext, &ext->nfreeslots) == ext->nslots) {
		kmalloc_slots_free(ext);
		kmalloc_ext_recycle(ext);
	}
}

/*
 * Move slabs of a list to the full list, if every object of theirs is free and
 * we want them.  Returns how many.  The mgt spinlock is held.
 */
static size_t
mgt_find_full(struct kmalloc_mgt *ggm, struct kmalloc_slab **slabp, int all)
{
	struct kmalloc_slab *slab;
	size_t moved = 0;

	while ((slab = *slabp) != NULL) {
		if (!kmalloc_slab_all_free(slab) ||
		    (!all && !kmalloc_slab_is_mini(slab))) {
			slabp = &slab->next;
			continue;
		}
		*slabp = slab->next;
		exis_terminate(&slab->exis);
		slab->next = ggm->full;
		ggm->full = slab;
		++ggm->nfull;
		++moved;
	}
	return (moved);
}

/*
 * Take slabs that are free for good off the full list: mini slabs, or all.  The
 * mgt spinlock is held.
 */
static struct kmalloc_slab *
mgt_take_full(struct kmalloc_mgt *ggm, int all)
{
	struct kmalloc_slab *base = NULL;
	struct kmalloc_slab **slabp = &ggm->full;
	struct kmalloc_slab *slab;

	while ((slab = *slabp) != NULL) {
		if (!kmalloc_slab_settled(slab) ||
		    !exis_freeable(&slab->exis) ||
		    (!all && !kmalloc_slab_is_mini(slab))) {
			slabp = &slab->next;
			continue;
		}
		*slabp = slab->next;
		--ggm->nfull;
		++ggm->gcache_count;
		slab->next = base;
		base = slab;
	}
	return (base);
}

/*
 * Ready slabs beyond the target, as it was lowered.
 */
static void
ext_trim_ready(struct kmalloc_ext *ext)
{
	struct kmalloc_slab *slab, **slabp;

	for (;;) {
		spin_lock(&ext->spin);
		slab = NULL;
		if (ext->nready > kmalloc_ext_target(ext)) {
			slabp = &ext->ready;
			while ((slab = *slabp) != NULL &&
			    slab->unused01 == KMALLOC_ORIGIN_BOOT)
				slabp = &slab->next;
			if (slab != NULL) {
				*slabp = slab->next;
				--ext->nready;
			}
		}
		spin_unlock(&ext->spin);
		if (slab == NULL)
			return;
		kmalloc_slot_depopulate(ext, slab);
	}
}

void
kmalloc_ext_reclaim(struct kmalloc_ext *ext, int all)
{
	struct malloc_type *type = ext->type;
	struct kmalloc_mgt *ggm = &type->ks_mgt;
	struct kmalloc_slab *base, *slab;

	ext_trim_ready(ext);
	if (kmalloc_ext_count(ext, &ext->minis) == 0 && !all)
		return;

	spin_lock(&ggm->spin);
	ggm->npartial -= mgt_find_full(ggm, &ggm->partial, all);
	ggm->nempty -= mgt_find_full(ggm, &ggm->empty, all);
	ggm->empty_tailp = &ggm->empty;
	while (*ggm->empty_tailp != NULL)
		ggm->empty_tailp = &(*ggm->empty_tailp)->next;
	base = mgt_take_full(ggm, all);
	spin_unlock(&ggm->spin);

	while ((slab = base) != NULL) {
		base = slab->next;
		slab->next = NULL;
		kmalloc_debug_check(slab);
		if (slab->unused01 != NULL)
			slab_keep(ext, type, slab);
		else
			kmem_slab_free(slab, KMALLOC_SLAB_SIZE);
	}
}

/*
 * Free a chain of slabs from a cpu's cache.
 */
static void
cache_free(KMGlobalData *kmgd, struct kmalloc_slab *base)
{
	struct kmalloc_slab *slab;

	while ((slab = base) != NULL) {
		base = slab->next;
		atomic_add_long(&kmgd->free_count, -1);
		kmem_slab_free(slab, KMALLOC_SLAB_SIZE);
	}
}

void
kmalloc_cache_reclaim(void)
{
	struct kmalloc_slab *base;
	KMGlobalData *kmgd;
	int n;

	for (n = 0; n < ncpus; ++n) {
		kmgd = &globaldata_find(n)->gd_kmslab;
		base = atomic_swap_ptr(
		    (volatile void **)&kmgd->remote_free_slabs, NULL);
		cache_free(kmgd, base);
	}
	crit_enter();
	kmgd = &mycpu->gd_kmslab;
	base = kmgd->free_slabs;
	kmgd->free_slabs = NULL;
	crit_exit();
	cache_free(kmgd, base);
}
