/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Copyright (c) 2026 The kmobj authors.
 */

/*
 * Between kern_kmalloc.c and the files that extend it; callers want
 * sys/kmalloc_obj.h.
 *
 * The files, about from the bottom up:
 *
 *	kern_kmalloc_layout.c	where the objects of a slab lie
 *	kern_kmalloc_debug.c	poison and red zones
 *	kern_kmalloc_boot.c	control blocks; memory from before malloc_init()
 *	kern_kmalloc_slab.c	the lists of slabs with free objects
 *	kern_kmalloc_slot.c	addresses for slabs, and pages in them
 *	kern_kmalloc_reserve.c	where the next slab comes from
 *	kern_kmalloc_mag.c	magazines: the fast path
 *	kern_kmalloc_ctor.c	constructed objects and limits
 *	kern_kmalloc_reclaim.c	what goes back, and when
 *	kern_kmalloc_maint.c	the threads that look after it, sysctls
 */

#ifndef _SYS_KMALLOC_EXT_H_
#define	_SYS_KMALLOC_EXT_H_

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/queue.h>
#include <sys/spinlock.h>
#include <sys/thread.h>
#include <sys/kmalloc_obj.h>

#include <sys/thread2.h>

#ifdef _KERNEL

/*
 * A slab of a type with a control block is a struct kmalloc_slab, so that the
 * header of an object's slab can be read whose ever it is, but it is used in a
 * simpler way.  Behind the header there is a byte of state for each cache line,
 * and then a stack of the free objects: findex is their number, aindex and
 * xindex stay 0.  The states do what the bitmap does for the allocator's own
 * slabs; of that only the first word is used, for the size of the slab.  It has
 * a magic number of its own, so that kfree_obj() can tell.
 *
 * What changes of a slab in use is under ext->spin, but for the states.
 */
#define	KMALLOC_XSLAB_MAGIC	0x6b786f62	/* whole, or small */
#define	KMALLOC_XMINI_MAGIC	0x6b786d69	/* mini: of the last pages */

/*
 * Where a slab came from, its origin: NULL is kmem_slab_alloc(),
 * this is memory registered at boot, anything else is the struct kmalloc_run
 * that holds its slot.
 */
#define	KMALLOC_ORIGIN_BOOT	((void *)(uintptr_t)kmalloc_origin_boot)
extern const char kmalloc_origin_boot[];

/* What an object is, as its state says. */
#define	KMALLOC_STATE_FREE	0	/* or in a magazine */
#define	KMALLOC_STATE_OUT	1
#define	KMALLOC_STATE_IDLE	2	/* constructed, in a magazine */

static __inline struct kmalloc_slab *
kmalloc_slab_of(const void *obj)
{
	return ((struct kmalloc_slab *)((uintptr_t)obj & ~KMALLOC_SLAB_MASK));
}

static __inline size_t
kmalloc_slab_bytes(const struct kmalloc_slab *slab)
{
	return (slab->bmap[0]);
}

static __inline int
kmalloc_slab_is_mini(const struct kmalloc_slab *slab)
{
	return (slab->magic == KMALLOC_XMINI_MAGIC);
}

static __inline int
kmalloc_slab_all_free(const struct kmalloc_slab *slab)
{
	return (slab->findex == slab->ncount);
}

static __inline uint8_t *
kmalloc_state(const void *obj)
{
	return ((uint8_t *)kmalloc_slab_of(obj)->fobjs +
	    ((uintptr_t)obj & KMALLOC_SLAB_MASK) / __VM_CACHELINE_SIZE);
}

static __inline void **
kmalloc_slab_stack(struct kmalloc_slab *slab)
{
	return ((void **)((uint8_t *)slab->fobjs +
	    kmalloc_slab_bytes(slab) / __VM_CACHELINE_SIZE));
}

/*
 * Slabs of one kind that have free objects.  What has none is in no list.
 *
 * partial	may be handed out.  idle of these have every object free
 * full		every object is free.  As soon as exis_freeable() says that no
 *		reader of a freed one is left, the slab may go
 *
 * Slabs are linked by hand, here and elsewhere: struct kmalloc_slab is the
 * allocator's, and has a pointer to the next one, not an entry of queue(3).
 */
struct kmalloc_slabs {
	struct kmalloc_slab	*partial;
	struct kmalloc_slab	*full;
	long			idle;
	long			nfull;
	long			least;		/* nfull since the last look */
};

/*
 * A magazine is a stack of objects; see kern_kmalloc_mag.c.
 */
struct kmalloc_mag {
	SLIST_ENTRY(kmalloc_mag) link;
	int			rounds;		/* objects in it */
	int			capacity;
	void			*objects[];
};

SLIST_HEAD(kmalloc_maglist, kmalloc_mag);

/*
 * A cpu's two magazines of a type, touched by nobody else, in a critical
 * section.  In its entry of ks_use mgt.mags points to those of kmalloc_obj(),
 * mgt.cmags to those of kmalloc_cobj().
 */
struct kmalloc_magcpu {
	struct kmalloc_mag	*loaded;
	struct kmalloc_mag	*previous;
	volatile long		waiting;	/* asleep for a put here */
	long			exhausted;	/* the limit was met and told */
	long			unused[4];	/* fill the cache line */
};

struct kmalloc_run;
struct kmalloc_blocked;
struct kmalloc_depot;

/*
 * The control block.  Blocks are never freed, only used again, and the list
 * of them only grows: whoever walks it needs the list's lock for each step
 * only.  A new one is zero, which is what empty lists are.
 *
 * type		is set under the list's lock, and looked at without
 * lock		protects nslabs, pages and grows, and keeps the type here while
 *		slabs are given back, magazines set or statistics read.  Its
 *		holder may block.  Never taken to allocate or free an object
 * spin		protects what follows grows, but for ctor to slack and
 *		what else is only set while nobody uses the type
 */
struct kmalloc_ext {
	SLIST_ENTRY(kmalloc_ext) link;
	struct malloc_type	*volatile type;	/* NULL: block is unused */
	struct lock		lock;
	struct spinlock		spin;

	int			dying;		/* KMALLOC_DYING or _DEAD */
	int			booted;		/* it has boot memory */
	size_t			bootobjs;	/* in boot memory */
	int			pages;		/* KMALLOC_PAGES_* */
	long			nslabs;		/* ready ones, as asked for */
	int			grows;		/* runs are added as needed */

	struct kmalloc_slabs	whole;		/* and small ones */
	struct kmalloc_slabs	mini;
	long			nobjs;		/* but in ready slabs */

	struct kmalloc_slab	*ready;		/* set up, in no other list */
	struct kmalloc_slab	*bootready;	/* the same, of boot memory */
	long			nready;		/* in both */
	long			lowwater;	/* of nready, once full */
	SLIST_HEAD(, kmalloc_run) runs;		/* address space set aside */
	long			nslots;		/* slabs that fit into it */
	long			nfreeslots;
	long			minis;		/* mini slabs there are */
	int			waiting;	/* threads asleep for a slab */
	LIST_HEAD(, kmalloc_blocked) blocked;	/* in kmem_slab_alloc() */

	int			wantmags;	/* some cpu has none */
	kmalloc_ctor_fn		*ctor;
	kmalloc_dtor_fn		*dtor;
	void			*privdata;
	struct kmalloc_depot	*depot;		/* NULL: not constructed */
	int			large;		/* objects are of kmalloc() */
	long			slack;		/* magazines add to limit */
	long			constructed;	/* or about to be */
	u_long			limit;		/* 0: none */
	u_long			limit_waiting;

	int			swept;		/* ticks at the last sweep */
	int			returned_at;	/* when one was given back */
	int			mini_made;	/* when the last mini was */
	u_long			eaten;		/* slabs handed to the type */
	u_long			refills;
	u_long			refill_failures;
	u_long			minis_made;
	u_long			minis_returned;
	u_long			returned;	/* slabs given back to the VM */
	u_long			regrets;	/* made soon after that */
	u_long			refusals;	/* M_RNOWAIT went without */
	u_long			blocking;	/* M_WAITOK had to wait */
	u_long			limit_sleeps;
	u_long			limit_refusals;	/* went without at the limit */
	u_long			foreign;	/* freed, but in no slab */
};

#define	KMALLOC_DYING	1	/* its type is being destroyed */
#define	KMALLOC_DEAD	2	/* and is gone */

/*
 * Whose pages slabs of the type are made of: those that the caller's flags give
 * him, as with kmalloc(); or what an ordinary zone took, or an interrupt zone.
 */
#define	KMALLOC_PAGES_FLAGS	0
#define	KMALLOC_PAGES_NORMAL	1
#define	KMALLOC_PAGES_INTERRUPT	2

MALLOC_DECLARE(M_KMALLOC_EXT);

static __inline struct kmalloc_ext *
kmalloc_ext(const struct malloc_type *type)
{
	return (type->ks_ext);
}

/*
 * The magazines of the calling cpu, which is in a critical section; of another
 * one only while nobody uses the type.  NULL if it has none.
 */
static __inline struct kmalloc_magcpu *
kmalloc_use_mags(const struct kmalloc_use *use)
{
	return (*(struct kmalloc_magcpu *const volatile *)&use->mgt.mags);
}

static __inline struct kmalloc_magcpu *
kmalloc_use_cmags(const struct kmalloc_use *use)
{
	return (use->mgt.cmags);
}

/*
 * kern_kmalloc_layout.c
 *
 * kmalloc_slab_layout() says how many objects fit into a slab of so many bytes,
 * and where the first is; kmalloc_slab_wasteful(), whether too few do.
 * kmalloc_slab_format() makes slab one of type's, of so many bytes, with every
 * object free and zero.
 */
size_t	kmalloc_slab_layout(const struct malloc_type *type, size_t bytes,
	    size_t *offsetp);
int	kmalloc_slab_wasteful(const struct malloc_type *type);
void	kmalloc_slab_format(struct malloc_type *type,
	    struct kmalloc_slab *slab, void *origin, size_t bytes);

/*
 * kern_kmalloc_boot.c
 *
 * kmalloc_ext_create() may block, but for a type that malloc_init() has not
 * seen.  create_late() panics for such a type, and names the caller in words.
 * kmalloc_ext_next() walks the blocks, from NULL to NULL.
 */
struct kmalloc_ext *kmalloc_ext_create(struct malloc_type *type);
struct kmalloc_ext *kmalloc_ext_create_late(struct malloc_type *type,
	    const char *caller);
struct kmalloc_ext *kmalloc_ext_next(struct kmalloc_ext *ext);
void	kmalloc_ext_recycle(struct kmalloc_ext *ext);

/*
 * kern_kmalloc_slab.c; ext->spin is held, and nothing blocks.
 *
 * take() takes up to n objects of one slab; it returns how many.
 * give() returns n, of any slabs of ext's.
 * add() hands a slab, which is set up and in no list, to the type.
 * sort() finds those of which every object is free, and starts the wait for
 * their readers.  retire() takes up to n off that nobody can reach any more,
 * and purge() all of which every object is free, for a type that nobody uses.
 */
int	kmalloc_slabs_take(struct kmalloc_slabs *slabs, void **objs, int n);
void	kmalloc_slabs_give(struct kmalloc_ext *ext, void *const *objs, int n);
void	kmalloc_slabs_add(struct kmalloc_ext *ext, struct kmalloc_slab *slab);
void	kmalloc_slabs_sort(struct kmalloc_slabs *slabs);
struct kmalloc_slab *kmalloc_slabs_retire(struct kmalloc_ext *ext,
	    struct kmalloc_slabs *slabs, long n);
struct kmalloc_slab *kmalloc_slabs_purge(struct kmalloc_ext *ext,
	    struct kmalloc_slabs *slabs);

/*
 * kern_kmalloc_slot.c
 *
 * kmalloc_slot_floor() is how many free slots are not for the caller.
 * kmalloc_slot_populate() makes a slab of so many pages in a free slot of ext's
 * with pages of the class vmflags, kmalloc_slot_populate_mini() a mini slab;
 * NULL if there is no slot or a page is missing.  Neither blocks.
 * kmalloc_slot_depopulate() undoes either, for a slab that nobody can reach.
 * kmalloc_mini_count() is how many objects a mini slab has, 0 if none fits.
 *
 * kmalloc_run_create() sets aside nslots slots, or returns NULL if there are no
 * addresses.  kmalloc_run_add() gives a run to ext; kmalloc_slots_free()
 * destroys all that ext has, none of which may be in use.  But for
 * kmalloc_run_add() these may block.
 */
#define	KMALLOC_SLAB_PAGES	(KMALLOC_SLAB_SIZE / PAGE_SIZE)

long	kmalloc_slot_floor(const struct kmalloc_ext *ext, int privileged);
struct kmalloc_slab *kmalloc_slot_populate(struct kmalloc_ext *ext,
	    struct malloc_type *type, size_t npages, int vmflags,
	    int privileged);
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
 * kern_kmalloc_reserve.c
 *
 * kmalloc_ext_get() gets one object out of a slab, a new one if need be; NULL
 * only for M_RNOWAIT, which does not block but for the kernel map's lock, in a
 * cache without a slot, or with M_NULLOK, at the limit in bytes that every
 * malloc type has or without addresses.  kmalloc_ext_count() reads a count of
 * ext's that spin protects.  kmalloc_ext_target() is how many ready slabs ext
 * should have.  add_ready and take_ready put one there, a floor only as the
 * first, and take one, of boot memory if there is such a one, or NULL; the last
 * there is, which is the floor, only if privileged.  refill() brings the
 * reserve up to its target with pages of class vmflags, as far as there are
 * any, and says whether some were missing.  It does not block.  grow() adds
 * slots to a type that needs them; it may block, and holds no lock then.
 * set_up() has ext keep nslabs ready, made of pages as KMALLOC_PAGES_* says,
 * with slots for nobjs objects (0: for a few slabs at a time); it returns for
 * how many objects there are slots, and may block.
 */
extern int kmalloc_reserve;		/* kern.kmalloc_reserve */

void	*kmalloc_ext_get(struct kmalloc_ext *ext, struct malloc_type *type,
	    int flags);
long	kmalloc_ext_count(struct kmalloc_ext *ext, const long *count);
long	kmalloc_ext_target(const struct kmalloc_ext *ext);
int	kmalloc_ext_add_ready(struct kmalloc_ext *ext,
	    struct kmalloc_slab *slab, int floor);
struct kmalloc_slab *kmalloc_ext_take_ready(struct kmalloc_ext *ext,
	    int privileged);
int	kmalloc_ext_refill(struct kmalloc_ext *ext, struct malloc_type *type,
	    int vmflags);
void	kmalloc_ext_grow(struct kmalloc_ext *ext);
size_t	kmalloc_ext_set_up(struct kmalloc_ext *ext, struct malloc_type *type,
	    long nslabs, size_t nobjs, int pages);

/*
 * kern_kmalloc_mag.c
 *
 * kmalloc_mag_capacity() is how many rounds a magazine of plain objects has.
 * kmalloc_mag_create() makes an empty one, kmalloc_magcpu_create() the two of a
 * cpu; both may block.  kmalloc_magcpu_set() makes them cpu n's.
 * kmalloc_mags_wanted() makes those that cpus want, without locks, and may
 * block; kmalloc_mags_drain() empties those of the calling cpu into slabs, and
 * kmalloc_mags_destroy() those of all cpus, once nobody uses the type.
 */
int	kmalloc_mag_capacity(const struct malloc_type *type);
struct kmalloc_mag *kmalloc_mag_create(int capacity);
struct kmalloc_magcpu *kmalloc_magcpu_create(int capacity);
void	kmalloc_magcpu_destroy(struct kmalloc_magcpu *cpu);
void	kmalloc_magcpu_set(struct malloc_type *type, int n,
	    struct kmalloc_magcpu *cpu);
void	kmalloc_mags_wanted(struct kmalloc_ext *ext);
void	kmalloc_mags_drain(struct kmalloc_ext *ext);
void	kmalloc_mags_destroy(struct kmalloc_ext *ext);

static __inline int
kmalloc_mag_full(const struct kmalloc_mag *mag)
{
	return (mag->rounds == mag->capacity);
}

static __inline void
kmalloc_mag_swap(struct kmalloc_magcpu *cpu)
{
	struct kmalloc_mag *mag = cpu->loaded;

	cpu->loaded = cpu->previous;
	cpu->previous = mag;
}

/*
 * An object goes from one state to another; a panic if it was in none of two.
 */
#ifdef INVARIANTS
void	kmalloc_state_wrong(const struct malloc_type *type, const void *obj)
	    __attribute__((__noreturn__, __cold__));

static __inline void
kmalloc_state_change(const struct malloc_type *type, const void *obj,
    uint8_t from, uint8_t to)
{
	uint8_t *state = kmalloc_state(obj);

	if (__predict_false(*state != from))
		kmalloc_state_wrong(type, obj);
	*state = to;
}
#else
#define	kmalloc_state_change(type, obj, from, to)	((void)(obj))
#endif

/*
 * An object goes to a caller, or comes back.  Critical section.
 */
static __inline void
kmalloc_use_charge(struct kmalloc_use *use, size_t size)
{
	++use->calls;
	++use->inuse;
	use->memuse += size;
}

static __inline void
kmalloc_use_discharge(struct kmalloc_use *use, size_t size)
{
	--use->inuse;
	use->memuse -= size;
}

/*
 * The hook in _kmalloc_obj(): see sys/kmalloc_obj.h.  It is inline, as another
 * function's frame would cost as much as what it does.  kmalloc_mag_get() is
 * for when the loaded magazine is empty or there is none; it leaves the
 * critical section that it is called in.
 */
void	*kmalloc_mag_get(struct malloc_type *type, int flags);

static __always_inline void *
kmalloc_obj_get(unsigned long size, struct malloc_type *type, int flags)
{
	struct kmalloc_use *use;
	struct kmalloc_magcpu *cpu;
	struct kmalloc_mag *mag;
	void *obj;

	KASSERT(size == type->ks_objsize,
	    ("kmalloc_obj: %s: size %lu is not the type's %zu",
	    type->ks_shortdesc, size, type->ks_objsize));
	crit_enter();
	use = &type->ks_use[mycpu->gd_cpuid];
	cpu = kmalloc_use_mags(use);
	if (__predict_false(cpu == NULL || (mag = cpu->loaded)->rounds == 0))
		return (kmalloc_mag_get(type, flags));
	obj = mag->objects[--mag->rounds];
	kmalloc_state_change(type, obj, KMALLOC_STATE_FREE, KMALLOC_STATE_OUT);
	kmalloc_use_charge(use, size);
	crit_exit();
	if (__predict_false(flags & M_ZERO))
		bzero(obj, size);
	return (obj);
}

/*
 * kern_kmalloc_ctor.c
 *
 * kmalloc_cobj_idle() is how many constructed objects magazines hold,
 * kmalloc_cobj_out() how many callers do.  Both are exact only while nobody
 * gets or puts any.  ext->lock is held, or nobody destroys the type.
 */
long	kmalloc_cobj_idle(const struct kmalloc_ext *ext);
long	kmalloc_cobj_out(const struct kmalloc_ext *ext);

/*
 * kern_kmalloc_reclaim.c
 *
 * kmalloc_memory_needed() says whether page-out has something to do, and
 * kmalloc_within_second() whether that was less than a second ago, in ticks.
 * The others may block, and want ext->lock held.
 * kmalloc_ext_reclaim() gives back slabs that are free and not wanted; needed
 * says that others need the memory now.  kmalloc_ext_bury() has the block of a
 * type that is gone used again, if nothing of the type is left.
 */
int	kmalloc_memory_needed(void);
int	kmalloc_within_second(int then);
void	kmalloc_ext_reclaim(struct kmalloc_ext *ext, int needed);
void	kmalloc_ext_bury(struct kmalloc_ext *ext);

/*
 * kern_kmalloc_maint.c
 *
 * kmalloc_ext_poke() has the threads look at all types.
 */
extern struct thread *kmalloc_maintainer;
extern struct thread *kmalloc_grower;

void	kmalloc_ext_poke(void);

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

#endif	/* _KERNEL */

#endif	/* !_SYS_KMALLOC_EXT_H_ */
