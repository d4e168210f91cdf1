/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Copyright (c) 2026 The kmobj authors.
 */

/*
 * The slabs of a type with a control block.
 *
 * They are shared by all cpus: what a cpu has for itself is two magazines
 * (kern_kmalloc_mag.c), which are filled from here and emptied into here many
 * objects at a time.  So no cpu sits on a slab, a lock is taken for a batch and
 * not for an object, and since all of a slab is under ext->spin its free
 * objects are a stack, without atomic operations.  To its slab an object in a
 * magazine is in use.
 *
 * Where a slab is, once it has left the reserve
 *
 *	partial		has free objects.  They are taken from the first slab
 *			until it has none; then it is in no list
 *	(no list)	until an object is freed into it: then it becomes the
 *			first partial one
 *	full		every object is free.  A slab comes here when
 *			kmalloc_slabs_sort() finds it, not at once, and is used
 *			again only if no partial one is left
 *
 * The memory of an object is type-stable for as long as somebody may still look
 * at a freed one (exislock(9)); that is why a slab has to wait on `full' until
 * exis_freeable(), as in malloc_mgt_poll(), before kmalloc_slabs_retire() lets
 * it go.
 *
 * Mini slabs have lists of their own.  Their objects are handed out one by one
 * and never go into a magazine: in an emergency those few are what somebody
 * gets on with, and a magazine would keep them from all other cpus.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/malloc.h>
#include <sys/kmalloc_ext.h>

#include <sys/exislock2.h>
#include <sys/spinlock2.h>

static struct kmalloc_slabs *
slabs_of(struct kmalloc_ext *ext, const struct kmalloc_slab *slab)
{
	return (kmalloc_slab_is_mini(slab) ? &ext->mini : &ext->whole);
}

int
kmalloc_slabs_take(struct kmalloc_slabs *slabs, void **objs, int n)
{
	struct kmalloc_slab *slab;
	void **stack;
	size_t left;
	int got = 0;

	if ((slab = slabs->partial) == NULL) {
		if ((slab = slabs->full) == NULL)
			return (0);
		slabs->full = slab->next;
		--slabs->nfull;
		slabs->least = lmin(slabs->least, slabs->nfull);
		exis_setlive(&slab->exis);
		slab->next = NULL;
		slabs->partial = slab;
	} else if (kmalloc_slab_all_free(slab)) {
		--slabs->idle;
	}
	stack = kmalloc_slab_stack(slab);
	left = slab->findex;
	while (got < n && left != 0)
		objs[got++] = stack[--left];
	slab->findex = left;
	if (slab->findex == 0) {
		slabs->partial = slab->next;
		slab->next = NULL;
	}
	return (got);
}

/*
 * Objects that were taken together are given together, as a rule: those of one
 * slab are put on its stack at once.
 */
void
kmalloc_slabs_give(struct kmalloc_ext *ext, void *const *objs, int n)
{
	struct kmalloc_slab *slab;
	struct kmalloc_slabs *slabs;
	void **stack;
	size_t had, left;

	while (n > 0) {
		slab = kmalloc_slab_of(objs[n - 1]);
		stack = kmalloc_slab_stack(slab);
		left = had = slab->findex;
		do {
			KASSERT(slab->type == ext->type && left < slab->ncount,
			    ("kfree_obj: %s: slab %p of %p has every object "
			    "already", ext->type->ks_shortdesc, slab,
			    objs[n - 1]));
			stack[left++] = objs[--n];
		} while (n > 0 && kmalloc_slab_of(objs[n - 1]) == slab);
		slab->findex = left;
		slabs = slabs_of(ext, slab);
		if (had == 0) {
			slab->next = slabs->partial;
			slabs->partial = slab;
		}
		if (left == slab->ncount)
			++slabs->idle;
	}
}

void
kmalloc_slabs_add(struct kmalloc_ext *ext, struct kmalloc_slab *slab)
{
	struct kmalloc_slabs *slabs = slabs_of(ext, slab);

	KASSERT(slab->type == ext->type && kmalloc_slab_all_free(slab),
	    ("kmalloc_obj: slab %p is added in use", slab));
	slab->next = slabs->partial;
	slabs->partial = slab;
	++slabs->idle;
	ext->nobjs += slab->ncount;
}

void
kmalloc_slabs_sort(struct kmalloc_slabs *slabs)
{
	struct kmalloc_slab *slab, **slabp = &slabs->partial;

	while (slabs->idle != 0 && (slab = *slabp) != NULL) {
		if (!kmalloc_slab_all_free(slab)) {
			slabp = &slab->next;
			continue;
		}
		*slabp = slab->next;
		--slabs->idle;
		exis_terminate(&slab->exis);
		slab->next = slabs->full;
		slabs->full = slab;
		++slabs->nfull;
	}
	KASSERT(slabs->idle == 0, ("kmalloc_obj: %ld idle slabs are lost",
	    slabs->idle));
}

struct kmalloc_slab *
kmalloc_slabs_retire(struct kmalloc_ext *ext, struct kmalloc_slabs *slabs,
    long n)
{
	struct kmalloc_slab *base = NULL;
	struct kmalloc_slab *slab, **slabp = &slabs->full;

	while (n > 0 && (slab = *slabp) != NULL) {
		if (!exis_freeable(&slab->exis)) {
			slabp = &slab->next;
			continue;
		}
		*slabp = slab->next;
		--slabs->nfull;
		ext->nobjs -= slab->ncount;
		slab->next = base;
		base = slab;
		--n;
	}
	slabs->least = lmin(slabs->least, slabs->nfull);
	return (base);
}

struct kmalloc_slab *
kmalloc_slabs_purge(struct kmalloc_ext *ext, struct kmalloc_slabs *slabs)
{
	struct kmalloc_slab *base, *slab;

	kmalloc_slabs_sort(slabs);
	base = slabs->full;
	for (slab = base; slab != NULL; slab = slab->next)
		ext->nobjs -= slab->ncount;
	slabs->full = NULL;
	slabs->nfull = 0;
	return (base);
}
