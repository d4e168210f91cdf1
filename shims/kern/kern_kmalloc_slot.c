/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Copyright (c) 2026 The kmobj authors.
 */

/*
 * Slots: address space set aside for slabs, and how pages get into it.
 *
 * A slot is one slab's worth of addresses, aligned like a slab, with its page
 * tables in place.  Slots come in runs, each one allocation of
 * kmem_alloc_nofault().  That may block and needs a map entry, page tables and
 * memory, which is why it is done in advance.  Making a slab in a slot needs
 * none of it: pages from vm_page_alloc(NULL, ..), which refuses rather than
 * blocks, and pmap_qenter(), which tells the other cpus once, not a page at a
 * time.  If a page is missing, those already had are given back at once.
 *
 * Slabs of fewer pages
 *
 *	A slab is the first 1, 2, 4 .. 32 pages of a slot, with nothing mapped
 *	behind it.  kfree_obj() finds the header by masking the object's
 *	address, as ever, and the header says where objects begin and how many
 *	there are.  Types of few objects begin with small slabs
 *	(kern_kmalloc_reserve.c).
 *
 *	A mini slab is one page, for a type that cannot get a whole slab now.
 *	Its header says so, as its objects are treated differently
 *	(kern_kmalloc_slab.c).  The header is large for one page, as it has a
 *	bit for each of the most objects that a slab can hold
 *	(KMALLOC_SLAB_MAXOBJS): some 350 of 4096 bytes.  There is room for 11
 *	objects of 320 bytes, 18 of 192 or 27 of 128.  A type whose objects do
 *	not fit has no mini slabs.
 *
 * Slots are protected by ext->spin, which is never held across a call into the
 * VM.  What is in a slot belongs to who took it.
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
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>
#include <vm/pmap.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>
#include <vm/vm_page2.h>

/*
 * Slots of a type that grows, which only the privileged may take; see `how
 * many' in kern_kmalloc_reserve.c.
 */
#define	SLOTS_FLOOR	8

/*
 * Address space of nslots slabs; a set bit in map[] is a free slot.
 */
struct kmalloc_run {
	SLIST_ENTRY(kmalloc_run) link;
	vm_offset_t	base;
	long		nslots;
	long		hint;		/* no free slot in words below */
	uint64_t	map[];
};

size_t
kmalloc_mini_count(const struct malloc_type *type)
{
	size_t offset;

	return (kmalloc_slab_layout(type, PAGE_SIZE, &offset));
}

long
kmalloc_slot_floor(const struct kmalloc_ext *ext, int privileged)
{
	return (!privileged && ext->grows && ext->nslabs != 0 ?
	    SLOTS_FLOOR : 0);
}

/*
 * Take a free slot.  Returns its run and, in *vap, its address.
 */
static struct kmalloc_run *
slot_take(struct kmalloc_ext *ext, int privileged, vm_offset_t *vap)
{
	struct kmalloc_run *run;
	long words, i;
	int bit;

	*vap = 0;
	spin_lock(&ext->spin);
	if (ext->nfreeslots <= kmalloc_slot_floor(ext, privileged)) {
		spin_unlock(&ext->spin);
		return (NULL);
	}
	SLIST_FOREACH(run, &ext->runs, link) {
		words = howmany(run->nslots, 64);
		for (i = run->hint; i < words && run->map[i] == 0; ++i)
			;
		run->hint = i;
		if (i == words)
			continue;
		bit = __builtin_ctzl(run->map[i]);
		run->map[i] &= ~((uint64_t)1 << bit);
		--ext->nfreeslots;
		KASSERT(ext->nfreeslots >= 0,
		    ("kmalloc_obj: %ld free slots", ext->nfreeslots));
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

	KASSERT(va >= run->base && i < run->nslots,
	    ("kmalloc_obj: slot %#lx is not of run %p", (u_long)va, run));
	spin_lock(&ext->spin);
	KASSERT((run->map[i / 64] & (uint64_t)1 << (i % 64)) == 0,
	    ("kmalloc_obj: slot %#lx is free already", (u_long)va));
	run->map[i / 64] |= (uint64_t)1 << (i % 64);
	run->hint = lmin(run->hint, i / 64);
	++ext->nfreeslots;
	spin_unlock(&ext->spin);
}

/*
 * Make a slab of so many pages in a free slot.
 */
static struct kmalloc_slab *
slot_populate(struct kmalloc_ext *ext, struct malloc_type *type, size_t npages,
    int vmflags, int privileged)
{
	vm_page_t pgs[KMALLOC_SLAB_PAGES];
	struct kmalloc_run *run;
	struct kmalloc_slab *slab;
	vm_offset_t va;
	size_t i;

	if ((run = slot_take(ext, privileged, &va)) == NULL)
		return (NULL);

	for (i = 0; i < npages; ++i) {
		pgs[i] = vm_page_alloc(NULL, mycpu->gd_rand_incr++, vmflags);
		if (pgs[i] == NULL)
			break;
	}
	if (i < npages) {
		while (i > 0)
			vm_page_free(pgs[--i]);
		slot_give(ext, run, va);
		spin_lock(&ext->spin);
		++ext->refill_failures;
		spin_unlock(&ext->spin);
		return (NULL);
	}
	for (i = 0; i < npages; ++i) {
		pgs[i]->valid = VM_PAGE_BITS_ALL;
		vm_page_wire(pgs[i]);
		vm_page_wakeup(pgs[i]);
	}
	pmap_qenter(va, pgs, npages);
	slab = (struct kmalloc_slab *)va;
	kmalloc_slab_format(type, slab, run, npages * PAGE_SIZE);
	spin_lock(&ext->spin);
	if (ext->returned != 0 && kmalloc_within_second(ext->returned_at))
		++ext->regrets;
	spin_unlock(&ext->spin);
	return (slab);
}

struct kmalloc_slab *
kmalloc_slot_populate(struct kmalloc_ext *ext, struct malloc_type *type,
    size_t npages, int vmflags, int privileged)
{
	return (slot_populate(ext, type, npages, vmflags, privileged));
}

struct kmalloc_slab *
kmalloc_slot_populate_mini(struct kmalloc_ext *ext, struct malloc_type *type,
    int vmflags, int privileged)
{
	struct kmalloc_slab *slab;

	slab = slot_populate(ext, type, 1, vmflags, privileged);
	if (slab != NULL) {
		slab->magic = KMALLOC_XMINI_MAGIC;
		spin_lock(&ext->spin);
		++ext->minis;
		++ext->minis_made;
		ext->mini_made = ticks;
		spin_unlock(&ext->spin);
	}
	return (slab);
}

void
kmalloc_slot_depopulate(struct kmalloc_ext *ext, struct kmalloc_slab *slab)
{
	struct kmalloc_run *run = slab->origin;
	vm_offset_t va = (vm_offset_t)slab;
	vm_page_t pgs[KMALLOC_SLAB_PAGES];
	size_t npages = kmalloc_slab_bytes(slab) / PAGE_SIZE;
	size_t i;

	KASSERT(run != NULL && slab->origin != KMALLOC_ORIGIN_BOOT,
	    ("kmalloc_obj: slab %p is not in a slot", slab));
	KASSERT(kmalloc_slab_all_free(slab),
	    ("kmalloc_obj: slab %p is given back in use", slab));
	spin_lock(&ext->spin);
	if (kmalloc_slab_is_mini(slab)) {
		--ext->minis;
		++ext->minis_returned;
		KASSERT(ext->minis >= 0,
		    ("kmalloc_obj: %ld mini slabs", ext->minis));
	} else {
		++ext->returned;
		ext->returned_at = ticks;
	}
	spin_unlock(&ext->spin);
	for (i = 0; i < npages; ++i)
		pgs[i] = PHYS_TO_VM_PAGE(pmap_kextract(va + i * PAGE_SIZE));
	pmap_qremove(va, npages);
	for (i = 0; i < npages; ++i) {
		vm_page_busy_wait(pgs[i], FALSE, "kmslot");
		vm_page_unwire(pgs[i], 0);
		vm_page_free(pgs[i]);
	}
	slot_give(ext, run, va);
}

struct kmalloc_run *
kmalloc_run_create(long nslots)
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
		return (NULL);
	}
	run->nslots = nslots;
	for (i = 0; i < nslots; ++i)
		run->map[i / 64] |= (uint64_t)1 << (i % 64);
	return (run);
}

void
kmalloc_run_add(struct kmalloc_ext *ext, struct kmalloc_run *run)
{
	int waiting;

	spin_lock(&ext->spin);
	SLIST_INSERT_HEAD(&ext->runs, run, link);
	ext->nslots += run->nslots;
	ext->nfreeslots += run->nslots;
	waiting = ext->waiting;
	spin_unlock(&ext->spin);
	if (waiting)
		wakeup(&ext->ready);
}

void
kmalloc_run_destroy(struct kmalloc_run *run)
{
	kmem_free(kernel_map, run->base, run->nslots * KMALLOC_SLAB_SIZE);
	kfree(run, M_KMALLOC_EXT);
}

void
kmalloc_slots_free(struct kmalloc_ext *ext)
{
	struct kmalloc_run *run;

	KASSERT(ext->nfreeslots == ext->nslots && ext->minis == 0,
	    ("kmalloc_obj: %ld of %ld slots are in use",
	    ext->nslots - ext->nfreeslots, ext->nslots));
	while ((run = SLIST_FIRST(&ext->runs)) != NULL) {
		SLIST_REMOVE_HEAD(&ext->runs, link);
		ext->nslots -= run->nslots;
		ext->nfreeslots -= run->nslots;
		kmalloc_run_destroy(run);
	}
	KASSERT(ext->nslots == 0, ("kmalloc_obj: %ld slots in no run",
	    ext->nslots));
}
