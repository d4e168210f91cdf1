/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Copyright (c) 2026 The kmobj authors.
 */

/*
 * What goes back, and when.
 *
 * The allocator's own poller does not see the slabs of a type with a control
 * block, nor do the cpus' caches of free slabs.  Where a slab came from decides
 * where it goes:
 *
 *	boot memory		to the type's reserve, for ever
 *	a slot, whole		to the type's reserve if it is short; else its
 *				pages to the VM and the slot to the type
 *	a slot, smaller		its pages to the VM and the slot to the type
 *	kmem_slab_alloc()	to kmem_slab_free()
 *
 * So the reserve is filled from below when load goes and never drained.
 *
 * When
 *
 *	A slab is free for good when every object is free, and no reader of one
 *	can be left (kern_kmalloc_slab.c).  Mini slabs go then, as soon as none
 *	has been made for a second.  A type keeps a few of the others, or it
 *	would give back what it needs again in the next moment.  How many
 *	follows from what it has done: the least number of free slabs that it
 *	had since the last sweep were not needed in all that time, and go (the
 *	working set of Bonwick and Adams).  There is a sweep every
 *	SWEEP_SECONDS, and one a second while memory is needed, that is as soon
 *	as page-out works or ought to begin.  To wait until memory is
 *	short (vm_paging_min()) would be too late: page-out does not let it come
 *	to that, and pages out what is used as long as we keep what is not.
 *	What nobody needed for a second of that is not likely to be needed in
 *	the next: how often it was is counted (regrets).  A reserve that is
 *	short takes free slabs at any time.
 *
 *	Magazines of plain objects are emptied before, while memory is needed.
 *	Idle constructed objects stay: there are no more of them than objcache
 *	kept, and it gave none back for want of memory either, but to those who
 *	called objcache_reclaimlist().
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/spinlock.h>
#include <sys/thread.h>
#include <sys/kmalloc_ext.h>

#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_extern.h>
#include <vm/vm_kern.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>

#include <sys/spinlock2.h>
#include <vm/vm_page2.h>

#define	SWEEP_SECONDS	10		/* while there is memory */

/*
 * Does page-out work, or ought it to begin?  The latter is what this cpu last
 * knew of free pages; the former is the same for all.
 */
int
kmalloc_memory_needed(void)
{
	return (vm_pages_needed != 0 || vm_paging_start(0));
}

/*
 * ticks wraps, as all that is compared with it: what a type has not done yet
 * was at 0, which is long ago before and after.
 */
int
kmalloc_within_second(int then)
{
	return ((u_int)ticks - (u_int)then < (u_int)hz);
}

/*
 * What to do with a slab that nobody can reach.
 */
static void
slab_done(struct kmalloc_ext *ext, struct kmalloc_slab *slab)
{
	void *origin = slab->origin;

	kmalloc_debug_check(slab);
	if (origin == NULL) {
		slab->magic = 0;
		kmem_slab_free(slab, KMALLOC_SLAB_SIZE);
	} else if (!ext->dying && (origin == KMALLOC_ORIGIN_BOOT ||
	    (kmalloc_slab_bytes(slab) == KMALLOC_SLAB_SIZE &&
	    kmalloc_ext_count(ext, &ext->nready) < kmalloc_ext_target(ext)))) {
		kmalloc_slab_format(ext->type, slab, origin,
		    KMALLOC_SLAB_SIZE);
		kmalloc_ext_add_ready(ext, slab, 0);
	} else if (origin != KMALLOC_ORIGIN_BOOT) {
		kmalloc_slot_depopulate(ext, slab);
	}
}

static void
slabs_done(struct kmalloc_ext *ext, struct kmalloc_slab *base)
{
	struct kmalloc_slab *slab;

	while ((slab = base) != NULL) {
		base = slab->next;
		slab->next = NULL;
		slab_done(ext, slab);
	}
}

/*
 * Ready slabs beyond the target, as it was lowered or boot slabs came back.
 */
static void
ext_trim_ready(struct kmalloc_ext *ext)
{
	struct kmalloc_slab *slab;

	for (;;) {
		spin_lock(&ext->spin);
		slab = NULL;
		if (ext->nready > kmalloc_ext_target(ext) &&
		    (slab = ext->ready) != NULL) {
			ext->ready = slab->next;
			--ext->nready;
		}
		spin_unlock(&ext->spin);
		if (slab == NULL)
			return;
		kmalloc_slot_depopulate(ext, slab);
	}
}

/*
 * How many free slabs the type can do without.  ext->spin is held.
 */
static long
ext_surplus(struct kmalloc_ext *ext, int needed)
{
	const u_int interval = needed ? hz : SWEEP_SECONDS * hz;
	long surplus = 0;

	if ((u_int)ticks - (u_int)ext->swept >= interval) {
		surplus = ext->whole.least;
		ext->whole.least = ext->whole.nfull;
		ext->swept = ticks;
	}
	if (ext->nready < kmalloc_ext_target(ext)) {
		surplus = lmax(surplus, lmin(ext->whole.nfull,
		    kmalloc_ext_target(ext) - ext->nready));
	}
	return (surplus);
}

void
kmalloc_ext_reclaim(struct kmalloc_ext *ext, int needed)
{
	struct kmalloc_slab *whole, *minis;

	ext_trim_ready(ext);

	spin_lock(&ext->spin);
	kmalloc_slabs_sort(&ext->mini);
	kmalloc_slabs_sort(&ext->whole);
	minis = kmalloc_slabs_retire(ext, &ext->mini,
	    kmalloc_within_second(ext->mini_made) ? 0 : ext->mini.nfull);
	whole = kmalloc_slabs_retire(ext, &ext->whole,
	    ext_surplus(ext, needed));
	spin_unlock(&ext->spin);

	slabs_done(ext, minis);
	slabs_done(ext, whole);
}

/*
 * Once dying is set nobody but the destroyer works on the type, and it itself
 * will not be looked at again.  ext->lock is not held while slabs are freed,
 * which may have to wait for map entries, and these for the maintainer.
 */
void
kmalloc_obj_detach(struct malloc_type *type)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);
	struct kmalloc_slab *slab, *minis;

	if (ext == NULL)
		return;
	_kmalloc_obj_unctor(type);
	lockmgr(&ext->lock, LK_EXCLUSIVE);
	ext->dying = KMALLOC_DYING;
	ext->nslabs = 0;
	lockmgr(&ext->lock, LK_RELEASE);

	kmalloc_mags_destroy(ext);
	while ((slab = kmalloc_ext_take_ready(ext, 1)) != NULL)
		slab_done(ext, slab);
	KASSERT(ext->nready == 0, ("%s: %ld ready slabs are lost",
	    type->ks_shortdesc, ext->nready));
	spin_lock(&ext->spin);
	minis = kmalloc_slabs_purge(ext, &ext->mini);
	slab = kmalloc_slabs_purge(ext, &ext->whole);
	spin_unlock(&ext->spin);
	slabs_done(ext, minis);
	slabs_done(ext, slab);
	if (ext->nobjs != 0)
		kprintf("%s: slabs with %ld objects are still in use\n",
		    type->ks_shortdesc, ext->nobjs);

	lockmgr(&ext->lock, LK_EXCLUSIVE);
	type->ks_ext = NULL;
	ext->dying = KMALLOC_DEAD;
	lockmgr(&ext->lock, LK_RELEASE);
	kmalloc_ext_poke();
}

/*
 * The block can be used again when every slab has gone; if objects are still
 * out that is never.
 */
void
kmalloc_ext_bury(struct kmalloc_ext *ext)
{
	if (ext->dying == KMALLOC_DEAD && ext->nobjs == 0) {
		kmalloc_slots_free(ext);
		kmalloc_ext_recycle(ext);
	}
}
