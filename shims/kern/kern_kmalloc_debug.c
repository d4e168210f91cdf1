/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Copyright (c) 2026 The kmobj authors.
 */

/*
 * options KMALLOC_OBJ_DEBUG: poison and red zones in slabs of kmalloc_obj.
 *
 * An object keeps its contents while it is free, and its users may rely on
 * that, so the free objects of a slab in use cannot be poisoned.  What can is
 * all that nobody may touch:
 *
 *	poison		the objects of a ready slab: none of them is out, and
 *			none will be before the slab is taken.  Checked then,
 *			and zeroed, as fresh objects are.  A slab that comes
 *			here from retirement so betrays whoever still writes to
 *			an object that he has freed.
 *	red zones	what lies between the stack of free objects and the
 *			first object, and behind the last object up to the end
 *			of the slab.  Checked when a slab that was in use
 *			becomes ready or is given back.
 *
 * Objects lie side by side: an overrun into the next one is not noticed.
 *
 * Nothing here blocks or takes a lock; the slab is the caller's alone.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/malloc.h>
#include <sys/kmalloc_ext.h>

#ifdef KMALLOC_OBJ_DEBUG

#define	POISON		0xdfdfdfdfdfdfdfdfUL
#define	REDZONE		0xa5a5a5a5a5a5a5a5UL

static void
debug_fill(struct kmalloc_slab *slab, size_t from, size_t to, u_long word)
{
	for (; from < to; from += sizeof(word))
		*(u_long *)((char *)slab + from) = word;
}

static void
debug_check(struct kmalloc_slab *slab, size_t from, size_t to, u_long word,
    const char *what)
{
	u_long *p;

	for (; from < to; from += sizeof(word)) {
		p = (u_long *)((char *)slab + from);
		if (*p != word)
			panic("%s: %s of slab %p was written to: %p holds %#lx",
			    slab->type->ks_shortdesc, what, slab, p, *p);
	}
}

/*
 * The end of states and stack.
 */
static size_t
head_end(const struct kmalloc_slab *slab)
{
	return (__offsetof(struct kmalloc_slab, fobjs[slab->ncount]) +
	    kmalloc_slab_bytes(slab) / __VM_CACHELINE_SIZE);
}

static size_t
objs_end(const struct kmalloc_slab *slab)
{
	return (slab->offset + slab->ncount * slab->objsize);
}

void
kmalloc_debug_format(struct kmalloc_slab *slab)
{
	debug_fill(slab, head_end(slab), slab->offset, REDZONE);
	debug_fill(slab, objs_end(slab), kmalloc_slab_bytes(slab), REDZONE);
}

void
kmalloc_debug_check(struct kmalloc_slab *slab)
{
	debug_check(slab, head_end(slab), slab->offset, REDZONE, "header");
	debug_check(slab, objs_end(slab), kmalloc_slab_bytes(slab), REDZONE,
	    "end");
}

void
kmalloc_debug_poison(struct kmalloc_slab *slab)
{
	debug_fill(slab, slab->offset, objs_end(slab), POISON);
}

void
kmalloc_debug_unpoison(struct kmalloc_slab *slab)
{
	debug_check(slab, slab->offset, objs_end(slab), POISON,
	    "a free object");
	bzero((char *)slab + slab->offset, objs_end(slab) - slab->offset);
}

#endif	/* KMALLOC_OBJ_DEBUG */
