/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Copyright (c) 2026 The kmobj authors.
 */

/*
 * kmalloc_obj before malloc_init(): what zbootinit() did.
 *
 * The chicken and the egg
 *
 *	The VM cannot map anything without map entries and pv entries, and no
 *	allocator can get memory before the VM maps some.  zalloc was given an
 *	array of items to start with.  kmalloc_obj finds the slab of an object
 *	by masking its address, so it is given whole slabs: static memory, or
 *	any range from which the aligned slabs are cut.
 *
 * How a type works so early
 *
 *	A malloc type is static data, and so are the first few control blocks.
 *	A type with a control block is served by kmalloc_obj_get() before the
 *	allocator looks at anything that malloc_init() sets up.  Registering
 *	memory makes slabs that are ready in the type's reserve, which is where
 *	kmalloc_ext_get() takes one from first.  No lock but spinlocks, no page
 *	and no address is needed.  When the slabs are used up and there is no VM
 *	yet, it falls through to kmem_slab_alloc() as zalloc fell into
 *	kmem_alloc().  That needs map entries, so these must have boot slabs
 *	enough until the maintainer runs.  malloc_init() finds nothing of it,
 *	and later cpus find no magazine.
 *
 * Boot slabs are never given back.  What is not in use of them is part of the
 * type's reserve, before malloc_init() and when they retire, and nothing is
 * populated for it while they are enough.
 *
 * What is freed to a type at boot need not have come from it.  A zone links
 * any item into its list; code that primes itself with static items, as the
 * per-cpu stock of map entries does, later frees those to the zone like any
 * other.  kmalloc_obj would take the memory below such an item for a slab.
 * That it is none is seen by its magic (boot slabs are whole and aligned, so
 * nothing else lies in them), and the item is dropped: static arrays are
 * finite, and so is what is lost.
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

#include <sys/spinlock2.h>
#include <sys/thread2.h>

#define	KMALLOC_BOOT_EXTS	16	/* types registered before kmalloc() */

MALLOC_DEFINE(M_KMALLOC_EXT, "kmalloc_ext", "kmalloc_obj control blocks");

static SLIST_HEAD(, kmalloc_ext) kmalloc_exts =
    SLIST_HEAD_INITIALIZER(kmalloc_exts);
const char kmalloc_origin_boot[1];

static struct kmalloc_ext kmalloc_boot_exts[KMALLOC_BOOT_EXTS];
static int kmalloc_boot_nexts;
static struct spinlock kmalloc_exts_spin =
    SPINLOCK_INITIALIZER(&kmalloc_exts_spin, "kmexts");

/*
 * A block for type out of fresh, an unused one or the static ones.
 */
static struct kmalloc_ext *
kmalloc_ext_attach(struct malloc_type *type, struct kmalloc_ext **freshp)
{
	struct kmalloc_ext *ext;

	SLIST_FOREACH(ext, &kmalloc_exts, link) {
		if (ext->type == NULL)
			break;
	}
	if (ext == NULL) {
		if (*freshp != NULL) {
			ext = *freshp;
			*freshp = NULL;
		} else if (kmalloc_boot_nexts < KMALLOC_BOOT_EXTS) {
			ext = &kmalloc_boot_exts[kmalloc_boot_nexts++];
		} else {
			panic("%s: more than %d types use kmalloc_obj "
			    "before malloc_init", type->ks_shortdesc,
			    KMALLOC_BOOT_EXTS);
		}
		lockinit(&ext->lock, "kmext", 0, 0);
		spin_init(&ext->spin, "kmext");
		SLIST_INSERT_HEAD(&kmalloc_exts, ext, link);
	}
	ext->type = type;
	type->ks_ext = ext;
	return (ext);
}

struct kmalloc_ext *
kmalloc_ext_create(struct malloc_type *type)
{
	struct kmalloc_ext *ext, *fresh;

	if ((ext = kmalloc_ext(type)) != NULL)
		return (ext);
	if ((type->ks_flags & KSF_OBJSIZE) == 0)
		panic("%s: not a type of kmalloc_obj", type->ks_shortdesc);

	fresh = NULL;
	if (type->ks_limit != 0)
		fresh = kmalloc(sizeof(*fresh), M_KMALLOC_EXT,
		    M_WAITOK | M_ZERO);
	spin_lock(&kmalloc_exts_spin);
	if ((ext = kmalloc_ext(type)) == NULL)
		ext = kmalloc_ext_attach(type, &fresh);
	spin_unlock(&kmalloc_exts_spin);
	if (fresh != NULL)
		kfree(fresh, M_KMALLOC_EXT);
	return (ext);
}

struct kmalloc_ext *
kmalloc_ext_create_late(struct malloc_type *type, const char *caller)
{
	if (type->ks_limit == 0)
		panic("%s: %s before malloc_init", type->ks_shortdesc, caller);
	return (kmalloc_ext_create(type));
}

struct kmalloc_ext *
kmalloc_ext_next(struct kmalloc_ext *ext)
{
	spin_lock(&kmalloc_exts_spin);
	ext = ext != NULL ? SLIST_NEXT(ext, link) : SLIST_FIRST(&kmalloc_exts);
	spin_unlock(&kmalloc_exts_spin);
	return (ext);
}

/*
 * The type is gone and nothing of it left: anyone may have the block.
 */
void
kmalloc_ext_recycle(struct kmalloc_ext *ext)
{
	KASSERT(ext->nready == 0 && SLIST_EMPTY(&ext->runs) &&
	    LIST_EMPTY(&ext->blocked) && ext->nobjs == 0,
	    ("kmalloc_obj: block %p is in use", ext));
	spin_lock(&ext->spin);
	bzero(&ext->dying,
	    sizeof(*ext) - __offsetof(struct kmalloc_ext, dying));
	spin_unlock(&ext->spin);
	spin_lock(&kmalloc_exts_spin);
	ext->type = NULL;
	spin_unlock(&kmalloc_exts_spin);
}

void
_kmalloc_obj_bootinit(struct malloc_type *type, void *mem, size_t bytes)
{
	struct kmalloc_ext *ext;
	struct kmalloc_slab *slab;
	uintptr_t base, end;

	if (type->ks_limit != 0)
		panic("%s: kmalloc_obj_bootinit after malloc_init",
		    type->ks_shortdesc);

	base = roundup2((uintptr_t)mem, KMALLOC_SLAB_SIZE);
	end = (uintptr_t)mem + bytes;
	if (base + KMALLOC_SLAB_SIZE > end)
		panic("%s: kmalloc_obj_bootinit: no whole slab in %zu bytes "
		    "at %p", type->ks_shortdesc, bytes, mem);

	ext = kmalloc_ext_create(type);
	ext->booted = 1;
	for (; base + KMALLOC_SLAB_SIZE <= end; base += KMALLOC_SLAB_SIZE) {
		slab = (struct kmalloc_slab *)base;
		kmalloc_slab_format(type, slab, KMALLOC_ORIGIN_BOOT,
		    KMALLOC_SLAB_SIZE);
		ext->bootobjs += slab->ncount;
		kmalloc_ext_add_ready(ext, slab, 0);
	}
}
