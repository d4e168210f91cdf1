/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What kmalloc_obj() needs to replace zalloc and objcache:
 *
 *	bootstrap	memory registered before malloc_init()
 *	reserve		slabs kept ready, and address space for more
 *	constructors	objects that stay constructed while they are free
 *	limits		that a caller sleeps at
 *
 * A type that uses any of it has a control block, struct kmalloc_ext, which
 * its spare word ks_unused0 points to.  Types without one behave as ever.
 * The objects of a type with one are zero when they are first handed out, and
 * aligned as kmalloc() would align them (KMALLOC_OBJ_ALIGN).
 *
 * All names of types are given without the `_obj' that kmalloc_obj's own
 * macros paste onto them, too.
 */

#ifndef _SYS_KMALLOC_OBJ_H_
#define	_SYS_KMALLOC_OBJ_H_

#include <sys/param.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/spinlock.h>

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
 * So many objects of size bytes fit into a slab of a type without constructor.
 * A constant expression.  Alignment costs none: see kern_kmalloc_layout.c.
 */
#define	KMALLOC_OBJ_PERSLAB(size)					\
	((KMALLOC_SLAB_SIZE - __offsetof(struct kmalloc_slab, fobjs)) /	\
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
 * 0: it is what any other zone was.  Address space for a few slabs at a time, as
 * needed, and pages as for VM_ALLOC_NORMAL, whatever flags a caller gives.
 *
 * nslabs == 0 only promises that fresh objects are zero.
 * May be repeated; may block, but does not wait for memory to fill the reserve
 * with.  kern.kmalloc_reserve, if not negative,
 * overrides every nslabs that is not 0.
 */
#define	kmalloc_obj_reserve(name, nslabs, nobjs)			\
	_kmalloc_obj_reserve(name##_obj, (nslabs), (nobjs))

/*
 * After malloc_init(): the type is what an object cache without constructor was.
 * Slabs are made of the pages that the caller's flags give him, as objcache
 * passed these to kmalloc(), and M_RNOWAIT never blocks.  May block, and may be
 * repeated.
 */
#define	kmalloc_obj_cache(name)		_kmalloc_obj_cache(name##_obj)

/*
 * After malloc_init(): the type is what an object cache was.  ctor runs when
 * an object that is not constructed is handed out, which is zero, dtor when one
 * is put that is not kept; either may be NULL and both may block.
 *
 * limit != 0: no more than that many objects are out or kept, and what the cpus'
 * magazines hold.  nominal: constructed ones worth keeping; 0 for half of the
 * limit, or 128 without one.  Both mean what objcache_create()'s cluster_limit
 * and nom_cache did.  Slabs are made of the pages that the caller's flags give
 * him, as objcache passed them to kmalloc().  The cpus have been counted.
 */
#define	kmalloc_obj_ctor(name, ctor, dtor, privdata, limit, nominal)	\
	_kmalloc_obj_ctor(name##_obj, (ctor), (dtor), (privdata), (limit), \
	    (nominal))

/*
 * Change the limit of a constructed type; 0: none.  Sleepers try again.  More
 * objects than the new limit may stay out until they are put, and more are kept;
 * what is kept does not follow.
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
 * Called by the allocator itself, at the places the rewriter finds.
 *
 * adopt	malloc_init(), before it looks at ks_limit
 * keep_mgt	malloc_mgt_init(), first: non-zero if mgt is in use already
 * getslab	_kmalloc_obj(): a slab in place of kmem_slab_alloc(.., M_WAITOK),
 *		which is what types without a control block go on getting.
 *		Others: NULL only for M_RNOWAIT, which never blocks
 * setup	_kmalloc_obj(): make slab one of type's, all objects free;
 *		nothing is done to one that is so already
 * retire	malloc_slab_destroy(), malloc_mgt_poll(): runs destructors and
 *		returns those slabs of the list which are to be freed
 * foreign	_kfree_obj(), of an object that is not in a slab: drops it if it
 *		may, else panics.  Always 1, so that the caller returns at once
 *		and has nothing to save for the call
 * detach	malloc_uninit(), after its checks: takes the control block off
 *		type, which is about to go
 */
void	kmalloc_obj_adopt(struct malloc_type *type);
int	kmalloc_obj_keep_mgt(struct malloc_type *type, struct kmalloc_mgt *mgt);
struct kmalloc_slab *kmalloc_obj_getslab(struct malloc_type *type, int flags)
	    __attribute__((__cold__));
void	kmalloc_obj_setup(struct malloc_type *type, struct kmalloc_slab *slab);
struct kmalloc_slab *kmalloc_obj_retire(struct malloc_type *type,
	    struct kmalloc_slab *base);
void	_kmalloc_obj_foreign(void *obj, struct malloc_type *type);
void	kmalloc_obj_detach(struct malloc_type *type);

static __inline int
kmalloc_obj_foreign(void *obj, struct malloc_type *type)
{
	_kmalloc_obj_foreign(obj, type);
	return (1);
}

/*
 * The control block.  Blocks are never freed, only used again, and the list
 * of them only grows: whoever walks it needs the list's lock for each step
 * only.
 *
 * lock		serialises what may block: growing, retiring.  Never taken to
 *		allocate or free an object
 * spin		the fields after boot, but for those that do not change
 */
struct kmalloc_run;
struct kmalloc_blocked;
struct kmalloc_mags;

struct kmalloc_ext {
	struct kmalloc_ext	*next;
	struct malloc_type	*type;		/* NULL: block is unused */
	struct lock		lock;
	struct spinlock		spin;

	int			dying;		/* type is being destroyed */
	int			boot;		/* KMALLOC_BOOT_* */

	size_t			bootobjs;	/* in boot memory */

	struct kmalloc_slab	*ready;		/* set up, in no list of type's */
	long			nready;
	long			nslabs;		/* as asked for */
	int			pages;		/* KMALLOC_PAGES_* */
	long			lowwater;	/* of nready, once it was full */
	struct kmalloc_run	*runs;		/* address space set aside */
	long			nslots;		/* slabs that fit into it */
	long			nfreeslots;
	int			grows;		/* runs are added as needed */
	long			minis;		/* mini slabs there are */
	int			waiting;	/* threads asleep for a slab */
	struct kmalloc_blocked	*blocked;	/* threads in kmem_slab_alloc() */

	kmalloc_ctor_fn		*ctor;
	kmalloc_dtor_fn		*dtor;
	void			*privdata;
	struct kmalloc_mags	*mags;		/* NULL: not constructed */
	int			states;		/* new slabs have them */
	int			large;		/* objects are of kmalloc() */
	long			slack;		/* that magazines add to limit */
	long			constructed;	/* or about to be */
	u_long			limit;		/* 0: none */
	u_long			limit_waiting;

	u_long			eaten;		/* slabs handed to the type */
	u_long			refills;
	u_long			refill_failures;
	u_long			minis_made;
	u_long			minis_returned;
	u_long			refusals;	/* M_RNOWAIT went without */
	u_long			blocking;	/* M_WAITOK had to wait */
	u_long			limit_sleeps;
	u_long			limit_refusals;	/* went without at the limit */
	u_long			foreign;	/* objects freed but not ours */
};

#define	KMALLOC_BOOT_NONE	0
#define	KMALLOC_BOOT_ACTIVE	1	/* malloc_init() is yet to come */
#define	KMALLOC_BOOT_ADOPTED	2

/*
 * Whose pages slabs of the type are made of: those that the caller's flags give
 * him, as with kmalloc(); or what an ordinary zone took, or an interrupt zone.
 */
#define	KMALLOC_PAGES_FLAGS	0
#define	KMALLOC_PAGES_NORMAL	1
#define	KMALLOC_PAGES_INTERRUPT	2

/*
 * Between the files of the shims only.
 *
 * kmalloc_slab_layout() says how many objects fit into a slab of so many bytes,
 * and where the first is; kmalloc_slab_wasteful(), whether too few do.
 * kmalloc_slab_format() makes slab one of type's, of so many bytes, with every
 * object free, and zero if the type has a control block.
 * kmalloc_ext_poke() has the maintainer thread look at all types.
 * kmalloc_ext_next() walks the blocks, from NULL to NULL.
 *
 * kmalloc_ext_count() reads a count of ext's that spin protects.
 * kmalloc_ext_target() is how many ready slabs ext should have.  add_ready and
 * take_ready put one there, a floor only as the first, and take the one put
 * there last, or NULL; the first, which is the floor, only if privileged.
 * kmalloc_ext_reclaim(), with ext->lock held, gives back what is free: mini
 * slabs, or all beyond the reserve; kmalloc_cache_reclaim() what the cpus cache.
 * kmalloc_ext_bury(), with ext->lock held, sets the block of a type that is
 * gone free if it can.
 *
 * kmalloc_cobj_idle() adds up what magazines hold and kmalloc_cobj_out() says
 * what they do not, both exact only while nobody gets or puts any.
 *
 * kmalloc_slot_floor() is how many free slots are not for the caller.
 * kmalloc_slot_populate() makes a slab, or a mini slab, in another one of ext's
 * with pages of the class vmflags; NULL if there is none or a page is missing.
 * Neither blocks.  kmalloc_slot_depopulate() undoes either, for a slab that
 * nobody can reach.
 *
 * kmalloc_run_create() sets aside nslots slots, or returns NULL if there are no
 * addresses.  It and kmalloc_run_destroy() may block.  kmalloc_run_add() gives a
 * run to ext; kmalloc_slots_free() destroys all that ext has, none of which
 * may be in use.
 */
MALLOC_DECLARE(M_KMALLOC_EXT);

struct kmalloc_ext *kmalloc_ext_create(struct malloc_type *type);
struct kmalloc_ext *kmalloc_ext_next(struct kmalloc_ext *ext);
void	kmalloc_ext_recycle(struct kmalloc_ext *ext);
void	kmalloc_ext_poke(void);
size_t	kmalloc_slab_layout(const struct malloc_type *type, size_t bytes,
	    size_t *offsetp);
int	kmalloc_slab_wasteful(const struct malloc_type *type);
void	kmalloc_slab_format(struct malloc_type *type,
	    struct kmalloc_slab *slab, void *origin, size_t bytes);

long	kmalloc_ext_count(struct kmalloc_ext *ext, const long *count);
long	kmalloc_ext_target(const struct kmalloc_ext *ext);
int	kmalloc_ext_add_ready(struct kmalloc_ext *ext,
	    struct kmalloc_slab *slab, int floor);
struct kmalloc_slab *kmalloc_ext_take_ready(struct kmalloc_ext *ext,
	    int privileged);
void	kmalloc_ext_reclaim(struct kmalloc_ext *ext, int all);
void	kmalloc_ext_bury(struct kmalloc_ext *ext);
void	kmalloc_cache_reclaim(void);

long	kmalloc_cobj_idle(const struct kmalloc_ext *ext);
long	kmalloc_cobj_out(const struct kmalloc_ext *ext);

long	kmalloc_slot_floor(const struct kmalloc_ext *ext, int privileged);
struct kmalloc_slab *kmalloc_slot_populate(struct kmalloc_ext *ext,
	    struct malloc_type *type, int vmflags, int privileged);
struct kmalloc_slab *kmalloc_slot_populate_mini(struct kmalloc_ext *ext,
	    struct malloc_type *type, int vmflags, int privileged);
void	kmalloc_slot_depopulate(struct kmalloc_ext *ext,
	    struct kmalloc_slab *slab);
struct kmalloc_run *kmalloc_run_create(long nslots);
void	kmalloc_run_add(struct kmalloc_ext *ext, struct kmalloc_run *run);
void	kmalloc_run_destroy(struct kmalloc_run *run);
void	kmalloc_slots_free(struct kmalloc_ext *ext);
size_t	kmalloc_mini_count(const struct malloc_type *type);

/*
 * options KMALLOC_OBJ_DEBUG, see kern_kmalloc_debug.c: write the red zones of a
 * slab that was set up, check them; poison the objects of one that becomes
 * ready, check and zero them when it is taken.
 */
#ifdef KMALLOC_OBJ_DEBUG
void	kmalloc_debug_format(struct kmalloc_slab *slab);
void	kmalloc_debug_check(struct kmalloc_slab *slab);
void	kmalloc_debug_poison(struct kmalloc_slab *slab);
void	kmalloc_debug_unpoison(struct kmalloc_slab *slab);
#else
#define	kmalloc_debug_format(slab)	((void)(slab))
#define	kmalloc_debug_check(slab)	((void)(slab))
#define	kmalloc_debug_poison(slab)	((void)(slab))
#define	kmalloc_debug_unpoison(slab)	((void)(slab))
#endif

/*
 * Does all of it lie in its first page?  No whole slab does.
 */
static __inline int
kmalloc_slab_is_mini(const struct kmalloc_slab *slab)
{
	return (slab->offset + slab->ncount * slab->objsize <= PAGE_SIZE);
}

/*
 * Is every object of slab, which no cpu allocates from, free?  Other cpus may
 * be freeing into it, hence volatile.  settled: and has each kfree_obj() stored
 * its object?
 */
static __inline int
kmalloc_slab_all_free(const volatile struct kmalloc_slab *slab)
{
	return (slab->findex - slab->aindex == slab->ncount);
}

static __inline int
kmalloc_slab_has_objects(const volatile struct kmalloc_slab *slab)
{
	return (slab->findex != slab->aindex);
}

static __inline int
kmalloc_slab_settled(const volatile struct kmalloc_slab *slab)
{
	return (kmalloc_slab_all_free(slab) && slab->xindex == slab->findex);
}

/*
 * What an object of a constructed type is.  A slab's states, one for each of its
 * cache lines, lie behind the ring; NULL if there is no room for them.
 */
#define	KMALLOC_STATE_FREE	0
#define	KMALLOC_STATE_OUT	1
#define	KMALLOC_STATE_IDLE	2

static __inline uint8_t *
kmalloc_slab_states(struct kmalloc_slab *slab)
{
	const size_t ring = __offsetof(struct kmalloc_slab, fobjs) +
	    slab->ncount * sizeof(void *);
	const size_t bytes = kmalloc_slab_is_mini(slab) ? PAGE_SIZE :
	    KMALLOC_SLAB_SIZE;

	if (ring + bytes / __VM_CACHELINE_SIZE > slab->offset)
		return (NULL);
	return ((uint8_t *)slab + ring);
}

static __inline struct kmalloc_ext *
kmalloc_ext(const struct malloc_type *type)
{
	return ((struct kmalloc_ext *)(uintptr_t)type->ks_unused0);
}

/*
 * Where a slab comes from, kept in its unused01: NULL is kmem_slab_alloc(),
 * this is memory registered at boot, anything else is the struct kmalloc_run
 * that holds its slot.
 */
#define	KMALLOC_ORIGIN_BOOT	((void *)(uintptr_t)kmalloc_origin_boot)
extern const char kmalloc_origin_boot[];

#endif	/* _KERNEL */

#endif	/* !_SYS_KMALLOC_OBJ_H_ */
