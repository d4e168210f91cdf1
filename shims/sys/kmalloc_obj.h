/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Copyright (c) 2026 The kmobj authors.
 */

/*
 * What kmalloc_obj() needs to replace zalloc and objcache, for their callers:
 *
 *	bootstrap	memory registered before malloc_init()
 *	reserve		slabs kept ready, and address space for more
 *	constructors	objects that stay constructed while they are free
 *	limits		that a caller sleeps at
 *
 * A type that uses any of it has a control block, which its spare word
 * ks_ext points to, and slabs and magazines of its own (sys/kmalloc_ext.h).
 * Its objects are zero when they are first handed out, keep their contents
 * while they are free unless they are constructed, and are aligned as kmalloc()
 * would align them (KMALLOC_OBJ_ALIGN).  Types without a control block are left
 * to the allocator as before.
 *
 * Sizes are bytes, limits and other counts are objects, nslabs is slabs of
 * KMALLOC_SLAB_SIZE.  Types are named as in MALLOC_DEFINE_OBJ(), without the
 * `_obj' that macros paste onto the name.  A call with a type that is not of
 * kmalloc_obj, or at the wrong time, panics.
 */

#ifndef _SYS_KMALLOC_OBJ_H_
#define	_SYS_KMALLOC_OBJ_H_

#include <sys/param.h>
#include <sys/malloc.h>

#ifdef _KERNEL

typedef bool (kmalloc_ctor_fn)(void *obj, void *privdata, int ocflags);
typedef void (kmalloc_dtor_fn)(void *obj, void *privdata);

/*
 * What an object of size bytes, a multiple of the cache line, is aligned to:
 * the largest power of two that divides size, but no more than two pages.
 */
#define	KMALLOC_OBJ_MAXALIGN	((size_t)2 * PAGE_SIZE)
#define	KMALLOC_OBJ_ALIGN(size)						\
	(((size) | KMALLOC_OBJ_MAXALIGN) & -((size) | KMALLOC_OBJ_MAXALIGN))

/*
 * So many objects of size bytes fit into a whole slab, and so many slabs hold
 * nobjs of them.  Constant expressions if their arguments are.  Alignment costs
 * no object: see kern_kmalloc_layout.c.
 */
#define	KMALLOC_OBJ_PERSLAB(size)					\
	((KMALLOC_SLAB_SIZE - __offsetof(struct kmalloc_slab, fobjs) -	\
	  KMALLOC_SLAB_SIZE / __VM_CACHELINE_SIZE) /			\
	 (__VM_CACHELINE_ALIGN(size) + sizeof(void *)))
#define	KMALLOC_OBJ_NSLABS(size, nobjs)					\
	(((size_t)(nobjs) + KMALLOC_OBJ_PERSLAB(size) - 1) /		\
	 KMALLOC_OBJ_PERSLAB(size))

/*
 * File scope: static memory for nobjs objects of the type M_X, an array of char
 * named M_X_bootslabs.
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
 * Before malloc_init() of the type, with one cpu running: make every aligned
 * slab within [mem, mem + bytes), which is mapped, part of the type.  It can be
 * used from then on, and does not block until these are used up.  The memory is
 * the type's for ever.  May be repeated with other memory; does not block.
 * Panics if not one slab fits.
 */
#define	kmalloc_obj_bootinit(name, mem, bytes)				\
	_kmalloc_obj_bootinit(name##_obj, (mem), (bytes))

/*
 * After malloc_init(), once the VM is up: keep nslabs slabs ready, and fill the
 * reserve at once as far as memory is there.  The last ready slab is for the
 * page daemons and for callers with M_INTNOWAIT.
 *
 * nobjs != 0	The type is what an interrupt zone was.  Set aside address space
 *		for that many objects beyond those in boot memory and no more,
 *		and raise the type's limit to all of them.  If there is not
 *		enough, for fewer, and say so on the console.  Slabs may be made
 *		of the last pages.
 * nobjs == 0	It is what any other zone was.  Address space for a few slabs at
 *		a time, as needed, no limit, and pages as for VM_ALLOC_NORMAL,
 *		whatever flags a caller gives.  With nslabs 0 the first slabs
 *		are small, and later ones larger.
 *
 * With nslabs 0 nothing is kept ready.  kern.kmalloc_reserve, if not negative,
 * takes the place of every nslabs that is not 0.
 *
 * May block, for addresses and what they need, but does not wait for memory to
 * fill the reserve with.  May be repeated to change nslabs; the address space
 * is that of the first call.  Panics if there are no addresses at all.
 */
#define	kmalloc_obj_reserve(name, nslabs, nobjs)			\
	_kmalloc_obj_reserve(name##_obj, (nslabs), (nobjs))

/*
 * After malloc_init(), once the VM is up: the type is what an object cache
 * without constructor was.  Slabs are made of the pages that the caller's flags
 * give him, as objcache passed these to kmalloc(), and as there M_RNOWAIT does
 * not wait for memory, but may for kernel_map's lock, if the type is out of
 * slots.  May block, and may be repeated.  Panics if there are no addresses for
 * slabs.
 */
#define	kmalloc_obj_cache(name)		_kmalloc_obj_cache(name##_obj)

/*
 * After malloc_init(), once the VM is up and the cpus have been counted: the
 * type is what an object cache was.  Slabs are made of the pages that the
 * caller's flags give him, as objcache passed these to kmalloc().
 *
 * ctor		runs when an object is handed out that is not constructed, and
 *		finds it zero.  ocflags are the caller's flags, which say
 *		whether it may block.  false: it failed
 * dtor		runs when an object is put that is not kept, or when what is
 *		kept is destroyed; may block.  Either may be NULL
 * limit	no more objects are out or kept, besides what two magazines a
 *		cpu hold; 0: no limit
 * nominal	so many constructed ones are worth keeping; 0: half of the
 *		limit, or 128 without one
 *
 * The last two mean what objcache_create()'s cluster_limit and nom_cache do.
 * May block.  Once for a type, unless kmalloc_obj_unctor() came between, and
 * before anybody gets an object; panics if there are no addresses for slabs.
 */
#define	kmalloc_obj_ctor(name, ctor, dtor, privdata, limit, nominal)	\
	_kmalloc_obj_ctor(name##_obj, (ctor), (dtor), (privdata), (limit), \
	    (nominal))

/*
 * Change the limit of a constructed type; 0: none.  Sleepers try again.  More
 * objects than the new limit may stay out until they are put.  How many are
 * kept does not change with it.  Does not block.
 */
#define	kmalloc_obj_set_limit(name, limit)				\
	_kmalloc_obj_set_limit(name##_obj, (limit))

/*
 * Destroy what is kept constructed of the first type in list that has any, but
 * for what other cpus keep.  Non-zero if there was one.  May block, as
 * destructors do; types that are not constructed are passed over.
 */
int	kmalloc_obj_reclaimlist(struct malloc_type *list[], int ntypes);

/*
 * Destroy what is kept and forget about constructor, destructor and limit.
 * Nobody may get or put objects meanwhile.  What is out is not looked at: it
 * stays as it is, and can still be put, but there is no destructor any more.
 * May block, as destructors do.  A type that is not constructed is left alone.
 */
#define	kmalloc_obj_unctor(name)	_kmalloc_obj_unctor(name##_obj)

/*
 * Get and put constructed objects; the caller holds an object from one to the
 * other, and puts it to the type that he had it from.
 *
 * kmalloc_cobj() returns NULL if the constructor fails; at the limit, where a
 * caller with M_WAITOK but without M_NULLOK sleeps until an object returns; and
 * to a caller with M_RNOWAIT if there is no memory.  Such a caller blocks as
 * kmalloc_obj_cache() says and as the constructor does, and not otherwise.
 * M_ZERO is not for constructed objects.
 *
 * The _dtor form puts an object that is not fit for reuse.  It, and
 * kfree_cobj() of an object that is not kept, run the destructor, and block if
 * that does.
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
 * Called by the allocator itself; get is an inline function, which
 * sys/kmalloc_ext.h has.
 *
 * get		_kmalloc_obj(), first: all there is to do for a type with a
 *		control block.  With M_RNOWAIT it does not block but as
 *		kmalloc_obj_cache() says
 * put		_kfree_obj(): an object of a slab that is not of the allocator's
 *		own, or of no slab, which is dropped if it may be one of those
 *		that the type was primed with, else a panic.  Never blocks
 * detach	malloc_uninit(), after its checks: takes the control block off
 *		type, which is about to go, and gives its slabs back.  May block
 */
void	kmalloc_obj_put(void *obj, struct malloc_type *type);
void	kmalloc_obj_detach(struct malloc_type *type);

#endif	/* _KERNEL */

#endif	/* !_SYS_KMALLOC_OBJ_H_ */
