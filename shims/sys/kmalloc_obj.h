/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What kmalloc_obj() needs to replace zalloc and objcache, for their callers:
 *
 *	bootstrap	memory registered before malloc_init()
 *	reserve		slabs kept ready, and address space for more
 *	constructors	objects that stay constructed while they are free
 *	limits		that a caller sleeps at
 *
 * A type that uses any of it has a control block, which its spare word
 * ks_unused0 points to.  Types without one are none of our business: not a
 * statement of the allocator changes for them.  Types with one have slabs and
 * magazines of their own (sys/kmalloc_ext.h).  Their objects are zero when they
 * are first handed out, and aligned as kmalloc() would align them
 * (KMALLOC_OBJ_ALIGN).
 *
 * All names of types are given without the `_obj' that kmalloc_obj's own
 * macros paste onto them, too.
 */

#ifndef _SYS_KMALLOC_OBJ_H_
#define	_SYS_KMALLOC_OBJ_H_

#include <sys/param.h>
#include <sys/malloc.h>

#ifdef _KERNEL

typedef bool (kmalloc_ctor_fn)(void *obj, void *privdata, int ocflags);
typedef void (kmalloc_dtor_fn)(void *obj, void *privdata);

/*
 * An object of size bytes, a multiple of the cache line, is aligned to that, as
 * with kmalloc(): to the largest power of two in it, but not to more than two
 * pages.
 */
#ifndef KMALLOC_OBJ_MAXALIGN
#define	KMALLOC_OBJ_MAXALIGN	((size_t)2 * PAGE_SIZE)
#endif
#define	KMALLOC_OBJ_ALIGN(size)						\
	(((size) | KMALLOC_OBJ_MAXALIGN) & -((size) | KMALLOC_OBJ_MAXALIGN))

/*
 * So many objects of size bytes fit into a whole slab.  A constant expression.
 * Alignment costs none: see kern_kmalloc_layout.c.
 */
#define	KMALLOC_OBJ_PERSLAB(size)					\
	((KMALLOC_SLAB_SIZE - __offsetof(struct kmalloc_slab, fobjs) -	\
	  KMALLOC_SLAB_SIZE / __VM_CACHELINE_SIZE) /			\
	 (__VM_CACHELINE_ALIGN(size) + sizeof(void *)))
#define	KMALLOC_OBJ_NSLABS(size, nobjs)					\
	(((size_t)(nobjs) + KMALLOC_OBJ_PERSLAB(size) - 1) /		\
	 KMALLOC_OBJ_PERSLAB(size))

/*
 * File scope: static memory named M_X_bootslabs for nobjs objects.
 */
#define	KMALLOC_OBJ_BOOTSLABS(name, size, nobjs)			\
	static char name##_bootslabs[KMALLOC_OBJ_NSLABS(size, nobjs) *	\
	    KMALLOC_SLAB_SIZE]						\
	    __attribute__((__aligned__(128 * 1024)))

/*
 * Bytes to ask of an allocator that aligns to pages, so that nobjs objects
 * fit wherever the memory happens to begin.
 */
#define	kmalloc_obj_bootbytes(size, nobjs)				\
	((KMALLOC_OBJ_NSLABS(size, nobjs) + 1) * KMALLOC_SLAB_SIZE -	\
	 PAGE_SIZE)

/*
 * Before malloc_init() of the type: make every aligned slab within
 * [mem, mem + bytes) part of it.  The type can be used from then on and does
 * not block until they are used up.  The memory is never given back.  Panics
 * if not one slab fits.
 */
#define	kmalloc_obj_bootinit(name, mem, bytes)				\
	_kmalloc_obj_bootinit(name##_obj, (mem), (bytes))

/*
 * Once the VM is up: keep nslabs slabs ready, and fill the reserve at once as
 * far as memory is there.
 *
 * nobjs != 0: the type is what an interrupt zone was.  Set aside address space
 * for that many objects beyond those in boot memory and no more, for fewer and
 * with a word on the console if there is not enough, and raise the type's limit
 * to all of them.  Its slabs may be made of the last pages.
 * 0: it is what any other zone was.  Address space for a few slabs at a time,
 * as needed, without a limit, and pages as for VM_ALLOC_NORMAL, whatever flags
 * a caller gives.  Without ready slabs its first ones are small, and grow with
 * it.
 *
 * nslabs == 0 only promises that fresh objects are zero.
 * May be repeated; may block, but does not wait for memory to fill the reserve
 * with.  kern.kmalloc_reserve, if not negative,
 * overrides every nslabs that is not 0.
 */
#define	kmalloc_obj_reserve(name, nslabs, nobjs)			\
	_kmalloc_obj_reserve(name##_obj, (nslabs), (nobjs))

/*
 * After malloc_init(): the type is what an object cache without constructor
 * was.  Slabs are made of the pages that the caller's flags give him, as
 * objcache passed these to kmalloc(), and M_RNOWAIT never blocks.  May block,
 * and may be repeated.
 */
#define	kmalloc_obj_cache(name)		_kmalloc_obj_cache(name##_obj)

/*
 * After malloc_init(): the type is what an object cache was.  ctor runs when
 * an object that is not constructed is handed out, which is zero, dtor when one
 * is put that is not kept; either may be NULL and both may block.
 *
 * limit != 0: no more than that many objects are out or kept, and what the
 * cpus' magazines hold.  nominal: constructed ones worth keeping; 0 for half of
 * the limit, or 128 without one.  Both mean what objcache_create()'s
 * cluster_limit and nom_cache did.  Slabs are made of the pages that the
 * caller's flags give him, as objcache passed them to kmalloc().  The cpus have
 * been counted.
 */
#define	kmalloc_obj_ctor(name, ctor, dtor, privdata, limit, nominal)	\
	_kmalloc_obj_ctor(name##_obj, (ctor), (dtor), (privdata), (limit), \
	    (nominal))

/*
 * Change the limit of a constructed type; 0: none.  Sleepers try again.  More
 * objects than the new limit may stay out until they are put, and more are
 * kept; what is kept does not follow.
 */
#define	kmalloc_obj_set_limit(name, limit)				\
	_kmalloc_obj_set_limit(name##_obj, (limit))

/*
 * Destroy what is kept constructed for reuse of the first type in list that has
 * any, but for what other cpus keep.  Non-zero if there was one.  May block, as
 * destructors do.
 */
int	kmalloc_obj_reclaimlist(struct malloc_type *list[], int ntypes);

/*
 * Destroy what is kept and forget about constructor, destructor and limit.
 * Nobody may get or put objects meanwhile.  What is out is not looked at: it
 * stays as it is, and can still be put, but there is no destructor any more.
 */
#define	kmalloc_obj_unctor(name)	_kmalloc_obj_unctor(name##_obj)

/*
 * Get and put constructed objects.  At the limit a caller with M_WAITOK but
 * without M_NULLOK sleeps until an object returns; others get NULL, as they
 * do when there is no memory.  NULL is also returned if the constructor
 * fails.  The _dtor form gives back an object that is not fit for reuse.
 */
#define	kmalloc_cobj(name, flags)	_kmalloc_cobj(name##_obj, (flags))
#define	kfree_cobj(obj, name)		_kfree_cobj((obj), name##_obj)
#define	kfree_cobj_dtor(obj, name)	_kfree_cobj_dtor((obj), name##_obj)

void	_kmalloc_obj_bootinit(struct malloc_type *type, void *mem,
	    size_t bytes);
void	_kmalloc_obj_reserve(struct malloc_type *type, long nslabs,
	    size_t nobjs);
void	_kmalloc_obj_cache(struct malloc_type *type);
void	_kmalloc_obj_ctor(struct malloc_type *type, kmalloc_ctor_fn *ctor,
	    kmalloc_dtor_fn *dtor, void *privdata, long limit, long nominal);
void	_kmalloc_obj_set_limit(struct malloc_type *type, long limit);
void	_kmalloc_obj_unctor(struct malloc_type *type);
void	*_kmalloc_cobj(struct malloc_type *type, int flags);
void	_kfree_cobj(void *obj, struct malloc_type *type);
void	_kfree_cobj_dtor(void *obj, struct malloc_type *type);

/*
 * Called by the allocator itself, at the places the rewriter finds; get is an
 * inline function of sys/kmalloc_ext.h.
 *
 * get		_kmalloc_obj(), first: all there is to do for a type with a
 *		control block.  M_RNOWAIT never blocks
 * put		_kfree_obj(): an object of a slab that is not of the allocator's
 *		own, or of no slab, which is dropped if it may be one of those
 *		that the type was primed with, else a panic
 * detach	malloc_uninit(), after its checks: takes the control block off
 *		type, which is about to go, and gives its slabs back
 */
void	kmalloc_obj_put(void *obj, struct malloc_type *type);
void	kmalloc_obj_detach(struct malloc_type *type);

#endif	/* _KERNEL */

#endif	/* !_SYS_KMALLOC_OBJ_H_ */
