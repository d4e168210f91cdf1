/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the objects of a slab lie.
 *
 *	header | ring of free pointers | states | (gap) | objects | (rest)
 *
 * Alignment
 *
 *	kmalloc() aligns a power of two to itself, up to two pages, and what is a
 *	multiple of one to that.  Drivers depend on it: an mbuf lies in one page,
 *	and its physical address says where all of it is.  Objects of a type with
 *	a control block, which came from kmalloc() or from a zone until now, are
 *	therefore aligned to the largest power of two that divides their size.
 *	It costs no object: what n objects leave of the slab is a multiple of
 *	that power as the slab is, so if ring and states fit into it, their end
 *	rounded up does, too.  All other types have the layout that
 *	malloc_mgt_init() gives them.
 *
 *	A gap of more than an eighth of a slab is too much: there is one object
 *	of 64 KB in a slab.  Constructed objects of such a size come from
 *	kmalloc() itself (kern_kmalloc_ctor.c), and caches of such plain ones
 *	are made constructed ones.  Zones are not: they need slabs for what they
 *	promise.
 *
 * States
 *
 *	In slabs of constructed types there is a byte for each cache line of the
 *	slab, found by the address of the object without a division, that says
 *	whether the object is free, out, or idle: 2 KB, or 64 bytes in a mini
 *	slab.  Objects have no room for it, nor do they need any.  A slab has
 *	states if they fit between its ring and its first object: a type gets its
 *	control block and its constructor when it likes, slabs which were set up
 *	before that are recognised by having no room, and what the objects in
 *	them are is not known.  Nobody but the holder of an object, or of the
 *	magazine that it is in, touches its state.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/malloc.h>
#include <sys/kmalloc_obj.h>

/*
 * How many objects there are in a slab of so many bytes, all of it or a page,
 * and where the first one is.
 */
size_t
kmalloc_slab_layout(const struct malloc_type *type, size_t bytes,
    size_t *offsetp)
{
	const struct kmalloc_ext *ext = kmalloc_ext(type);
	const size_t size = type->ks_objsize;
	size_t head = __offsetof(struct kmalloc_slab, fobjs);
	size_t align = __VM_CACHELINE_SIZE;
	size_t count;

	if (ext != NULL) {
		align = KMALLOC_OBJ_ALIGN(size);
		if (ext->states)
			head += bytes / __VM_CACHELINE_SIZE;
	}
	count = (bytes - head) / (size + sizeof(void *));
	*offsetp = roundup2(head + count * sizeof(void *), align);
	KASSERT(count == 0 || *offsetp + count * size <= bytes,
	    ("%s: %zu objects at %zu do not fit %zu bytes", type->ks_shortdesc,
	    count, *offsetp, bytes));
	return (count);
}

/*
 * Would slabs of constructed objects be empty for more than an eighth?
 */
int
kmalloc_slab_wasteful(const struct malloc_type *type)
{
	const size_t head = __offsetof(struct kmalloc_slab, fobjs) +
	    KMALLOC_SLAB_SIZE / __VM_CACHELINE_SIZE;
	const size_t room = KMALLOC_SLAB_SIZE - head;
	const size_t size = type->ks_objsize + sizeof(void *);

	return (room % size > KMALLOC_SLAB_SIZE / 8);
}
