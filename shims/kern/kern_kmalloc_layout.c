/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Copyright (c) 2026 The kmobj authors.
 */

/*
 * Where the objects of a slab lie.
 *
 *	header | states | stack of free ones | (gap) | objects | (rest)
 *
 * Alignment
 *
 *	kmalloc() aligns a power of two to itself, up to two pages, and what is
 *	a multiple of one to that.  Drivers depend on it: an mbuf lies in one
 *	page, and its physical address says where all of it is.  Objects of a
 *	type with a control block, whose callers may have had them from
 *	kmalloc() or from a zone, are therefore aligned to the largest power of
 *	two that divides their size, up to two pages.  It costs no object: what
 *	n objects leave of the slab is a multiple of that power as the slab is,
 *	so if states and stack fit into it, their end rounded up does, too.
 *
 *	More than an eighth of a slab is too much to waste: of objects of 64 KB
 *	there is one in a slab.  Constructed objects of such a size come from
 *	kmalloc() itself (kern_kmalloc_ctor.c); a cache of such plain ones does
 *	well to call kmalloc_obj_ctor() without a constructor.  A type with a
 *	reserve needs its slabs for what it promises.
 *
 * States
 *
 *	There is a byte for each cache line of the slab, found by the address of
 *	the object without a division, that says whether the object is out, or
 *	idle and constructed, or neither: 2 KB, or 64 bytes in a slab of one
 *	page.  Objects have no room for it, nor do they need any.  Nobody but
 *	who holds an object, or has the magazine that it is in, touches its
 *	state: so a second free that begins after the first ended is always
 *	seen while the slab is there.  States are kept with INVARIANTS only,
 *	their room is there in any kernel.
 *
 * All of this is about slabs of types with a control block.  Other types have
 * the layout that malloc_mgt_init() gives them.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/kmalloc_ext.h>

#include <sys/spinlock2.h>

/*
 * Header and states of a slab of so many bytes.
 */
static size_t
slab_head(size_t bytes)
{
	return (__offsetof(struct kmalloc_slab, fobjs) +
	    bytes / __VM_CACHELINE_SIZE);
}

size_t
kmalloc_slab_layout(const struct malloc_type *type, size_t bytes,
    size_t *offsetp)
{
	const size_t size = type->ks_objsize;
	const size_t head = slab_head(bytes);
	size_t count;

	count = (bytes - head) / (size + sizeof(void *));
	*offsetp = roundup2(head + count * sizeof(void *),
	    KMALLOC_OBJ_ALIGN(size));
	KASSERT(count == 0 || *offsetp + count * size <= bytes,
	    ("%s: %zu objects at %zu do not fit %zu bytes", type->ks_shortdesc,
	    count, *offsetp, bytes));
	return (count);
}

/*
 * Would more than an eighth of each slab be empty?
 */
int
kmalloc_slab_wasteful(const struct malloc_type *type)
{
	const size_t room = KMALLOC_SLAB_SIZE - slab_head(KMALLOC_SLAB_SIZE);

	return (room % (type->ks_objsize + sizeof(void *)) >
	    KMALLOC_SLAB_SIZE / 8);
}

/*
 * Fresh objects are zero, as their states are.  The first object will be handed
 * out first.
 */
void
kmalloc_slab_format(struct malloc_type *type, struct kmalloc_slab *slab,
    void *origin, size_t bytes)
{
	size_t count, offset, i;
	void **stack;

	count = kmalloc_slab_layout(type, bytes, &offset);
	KASSERT(count > 0, ("%s: no object fits %zu bytes", type->ks_shortdesc,
	    bytes));
	bzero(slab, offset + count * type->ks_objsize);
	spin_init(&slab->spin, "kmslb");
	slab->type = type;
	slab->orig_cpuid = mycpu->gd_cpuid;
	slab->offset = offset;
	slab->objsize = type->ks_objsize;
	slab->ncount = count;
	slab->findex = count;
	slab->origin = origin;
	slab->bmap[0] = bytes;
	stack = kmalloc_slab_stack(slab);
	for (i = 0; i < count; ++i) {
		stack[i] = (char *)slab + offset +
		    (count - 1 - i) * slab->objsize;
	}
	slab->magic = KMALLOC_XSLAB_MAGIC;
	kmalloc_debug_format(slab);
}
