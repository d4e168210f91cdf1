/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Constructed objects, and limits to sleep at: what objcache did.
 *
 * An object is constructed when it is handed out for the first time, not when
 * its slab is made: a slab may hold a thousand and their constructors may each
 * allocate something large.  When it is put it stays constructed, idle, on a
 * stack of the cpu's, and is the next to be got there.  To its slab it is in
 * use meanwhile; its last word links it.
 *
 * Every cpu has a stack of KMALLOC_COBJ_CPUIDLE objects at most, used in a
 * critical section and without locks.  One that is empty takes half of that
 * from a stack which all share, under ext->spin, and one that is full leaves
 * half there: so objects that one cpu gets and another puts come round again.
 * Until the maintainer has set up the stacks of the cpus, which can only be
 * counted once they run, the shared one serves alone, and so it does for types
 * with a limit.
 *
 * What fits nowhere is destroyed when it is put, as objcache did with what its
 * magazines did not hold: otherwise a type whose load has gone would keep what
 * its constructor allocated for every object that ever was out.  So the
 * objects of a slab that are free are not constructed, and a slab can go as
 * any other: none is retired before the last object of it is destroyed.  Idle
 * objects, and the slabs they lie in, stay; kmalloc_obj_reclaimlist() lets go
 * those that are shared or this cpu's.
 *
 * The last word of each object says where it is: not constructed (0), idle (the
 * link, tagged in the bits that an aligned address has not got), or out, with
 * or without a place below a limit.  Slabs start out zeroed, hence with nothing
 * constructed, and users of a type define it with KMALLOC_COBJ_SIZE() to make
 * room for the word.  A constructor always gets zeroed memory.
 *
 * A limit counts objects that are out.  Who gets one takes a place below it, or
 * sleeps for one, and may then sleep for memory or in the constructor; who puts
 * one gives the place back when the object is idle or destroyed, not before.
 * All idle objects of such a type are on the shared stack, and both are under
 * ext->spin.  Therefore whoever constructs, having found none idle, knows that
 * all there are have places: there are never more than the limit, out or idle,
 * as with objcache.  A constructor that takes an object of another type with
 * the same limit depends on that: if each cpu kept some idle, they would hold
 * the other type's last places with nobody to put them.  The price is a lock
 * that all cpus share.  (What cpus keep of a type that had no limit until now
 * comes on top, and is used up there.)
 *
 * Destructors may block.  They run without spinlocks, in whoever puts the
 * object.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/spinlock.h>
#include <sys/thread.h>
#include <sys/kmalloc_obj.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>

#define	COBJ_IDLE		0x1cUL		/* added to the link */
#define	COBJ_OUT		0x636f6e70UL
#define	COBJ_PLACED		0x636f6e72UL	/* with a place below a limit */

#define	IDLE_BATCH		(KMALLOC_COBJ_CPUIDLE / 2)

static __inline u_long *
cobj_mark(struct malloc_type *type, void *obj)
{
	return ((u_long *)((char *)obj + type->ks_objsize) - 1);
}

/*
 * A stack of idle objects: a cpu's in a critical section, the shared one with
 * ext->spin held.
 */
static __inline void
idle_push(struct kmalloc_idle *idle, void *obj, u_long *mark)
{
	*mark = idle->top + COBJ_IDLE;
	idle->top = (u_long)(uintptr_t)obj;
	++idle->n;
}

static __inline void *
idle_pop(struct kmalloc_idle *idle, struct malloc_type *type, u_long **markp)
{
	void *obj = (void *)(uintptr_t)idle->top;
	u_long *mark;

	if (obj == NULL)
		return (NULL);
	mark = cobj_mark(type, obj);
	KASSERT(*mark % __VM_CACHELINE_SIZE == COBJ_IDLE,
	    ("%s: %p was overrun while it was free", type->ks_shortdesc, obj));
	idle->top = *mark - COBJ_IDLE;
	--idle->n;
	*markp = mark;
	return (obj);
}

static __inline int
idle_move(struct kmalloc_idle *from, struct kmalloc_idle *to,
    struct malloc_type *type)
{
	u_long *mark;
	void *obj;

	if ((obj = idle_pop(from, type, &mark)) == NULL)
		return (0);
	idle_push(to, obj, mark);
	return (1);
}

/*
 * Objects from the shared stack to the cpu's, and back.
 */
static void
idle_fill(struct kmalloc_ext *ext, struct malloc_type *type,
    struct kmalloc_idle *idle)
{
	spin_lock(&ext->spin);
	while (idle->n < IDLE_BATCH && idle_move(&ext->shared, idle, type))
		;
	spin_unlock(&ext->spin);
}

static void
idle_spill(struct kmalloc_ext *ext, struct malloc_type *type,
    struct kmalloc_idle *idle)
{
	spin_lock(&ext->spin);
	while (idle->n > IDLE_BATCH && ext->shared.n < KMALLOC_COBJ_IDLE)
		idle_move(idle, &ext->shared, type);
	spin_unlock(&ext->spin);
}

/*
 * This cpu's stack, or NULL.  Critical section.
 */
static __inline struct kmalloc_idle *
idle_mine(struct kmalloc_ext *ext)
{
	struct kmalloc_idle *idle = ext->idle;

	return (idle != NULL ? &idle[mycpu->gd_cpuid] : NULL);
}

/*
 * Is there anything on the shared stack, or room?  A hint, read without lock.
 */
static long
shared_count(const volatile struct kmalloc_ext *ext)
{
	return (ext->shared.n);
}

/*
 * Take an idle object, or NULL.  In a critical section, which is left.
 */
static void *
idle_get(struct kmalloc_ext *ext, struct malloc_type *type)
{
	struct kmalloc_idle *idle;
	u_long *mark;
	void *obj = NULL;

	if ((idle = idle_mine(ext)) != NULL) {
		if (idle->n == 0 && ext->limit == 0 && shared_count(ext) != 0)
			idle_fill(ext, type, idle);
		obj = idle_pop(idle, type, &mark);
	}
	if (obj == NULL && (idle == NULL || ext->limit != 0)) {
		spin_lock(&ext->spin);
		obj = idle_pop(&ext->shared, type, &mark);
		spin_unlock(&ext->spin);
	}
	if (obj != NULL)
		++type->ks_use[mycpu->gd_cpuid].calls;
	crit_exit();
	return (obj);
}

/*
 * Keep an object.  Returns whether there was room.  In a critical section,
 * which is left.
 */
static int
idle_put(struct kmalloc_ext *ext, struct malloc_type *type, void *obj)
{
	struct kmalloc_idle *idle;
	int room;

	if ((idle = idle_mine(ext)) != NULL) {
		if (idle->n == KMALLOC_COBJ_CPUIDLE &&
		    shared_count(ext) < KMALLOC_COBJ_IDLE)
			idle_spill(ext, type, idle);
		room = (idle->n < KMALLOC_COBJ_CPUIDLE);
		if (room)
			idle_push(idle, obj, cobj_mark(type, obj));
	} else {
		spin_lock(&ext->spin);
		room = (ext->shared.n < KMALLOC_COBJ_IDLE);
		if (room)
			idle_push(&ext->shared, obj, cobj_mark(type, obj));
		spin_unlock(&ext->spin);
	}
	crit_exit();
	return (room);
}

void
kmalloc_cobj_percpu(struct kmalloc_ext *ext)
{
	struct kmalloc_idle *idle;

	if (ext->idle != NULL || ext->limit != 0 ||
	    (ext->ctor == NULL && ext->dtor == NULL))
		return;
	idle = kmalloc(ncpus * sizeof(*idle), M_KMALLOC_EXT,
	    M_NOWAIT | M_ZERO);
	if (idle != NULL)
		ext->idle = idle;
}

long
kmalloc_cobj_idle(const struct kmalloc_ext *ext)
{
	const volatile struct kmalloc_idle *idle = ext->idle;
	long n = shared_count(ext);
	int cpu;

	for (cpu = 0; idle != NULL && cpu < ncpus; ++cpu)
		n += idle[cpu].n;
	return (n);
}

long
kmalloc_cobj_out(const struct kmalloc_ext *ext)
{
	return (((const volatile struct kmalloc_ext *)ext)->constructed -
	    kmalloc_cobj_idle(ext));
}

/*
 * Take a place below the limit, whatever that is just now, or sleep until there
 * is one.  ext->spin is held.  The first time there is none the console says so,
 * as for an objcache: who sleeps may do so for ever.
 */
static int
place_take(struct kmalloc_ext *ext, struct malloc_type *type, int flags)
{
	while (ext->limit != 0 && ext->places >= ext->limit) {
		if (!ext->limit_warned) {
			ext->limit_warned = 1;
			spin_unlock(&ext->spin);
			kprintf("Warning: %s exhausted, limit %lu\n",
			    type->ks_shortdesc, ext->limit);
			spin_lock(&ext->spin);
			continue;
		}
		if ((flags & (M_WAITOK | M_NULLOK)) != M_WAITOK) {
			++ext->limit_refusals;
			return (0);
		}
		++ext->limit_sleeps;
		++ext->limit_waiting;
		ssleep(&ext->places, &ext->spin, 0, "kmlimit", 0);
		--ext->limit_waiting;
	}
	++ext->places;
	return (1);
}

/*
 * Give a place back, after obj, if that is not NULL and there is room for it.
 * Returns whether there was.
 */
static int
place_give(struct kmalloc_ext *ext, struct malloc_type *type, void *obj)
{
	int waiting = 0;
	int done = 1;

	spin_lock(&ext->spin);
	if (obj != NULL) {
		done = (ext->shared.n < KMALLOC_COBJ_IDLE);
		if (done)
			idle_push(&ext->shared, obj, cobj_mark(type, obj));
	}
	if (done) {
		KASSERT(ext->places != 0, ("%s: more places than taken",
		    type->ks_shortdesc));
		--ext->places;
		waiting = ext->limit_waiting;
	}
	spin_unlock(&ext->spin);
	if (waiting)
		wakeup(&ext->places);
	return (done);
}

/*
 * An object from a slab, constructed.
 */
static void *
cobj_construct(struct kmalloc_ext *ext, struct malloc_type *type, int flags)
{
	/* What kmalloc_obj() calls has another name under SLAB_DEBUG. */
	struct malloc_type *const type_obj = type;
	void *obj;

	obj = kmalloc_obj(type->ks_objsize, type, flags);
	if (obj == NULL)
		return (NULL);
	KASSERT(*cobj_mark(type, obj) == 0,
	    ("kmalloc_cobj: %s: %p was overrun", type->ks_shortdesc, obj));
	if (ext->ctor != NULL && !ext->ctor(obj, ext->privdata, flags)) {
		bzero(obj, type->ks_objsize);
		_kfree_obj(obj, type);
		return (NULL);
	}
	spin_lock(&ext->spin);
	++ext->constructed;
	spin_unlock(&ext->spin);
	return (obj);
}

/*
 * Destroy an object and give it back to its slab, zero: the constructor that
 * gets it next may count on that.
 */
static void
cobj_destroy(struct kmalloc_ext *ext, struct malloc_type *type, void *obj)
{
	*cobj_mark(type, obj) = 0;
	if (ext->dtor != NULL)
		ext->dtor(obj, ext->privdata);
	bzero(obj, type->ks_objsize);
	spin_lock(&ext->spin);
	--ext->constructed;
	KASSERT(ext->constructed >= 0,
	    ("%s: %ld constructed objects", type->ks_shortdesc,
	    ext->constructed));
	spin_unlock(&ext->spin);
	_kfree_obj(obj, type);
}

/*
 * Destroy what is idle, as far as it is shared or this cpu's, but no more than
 * there may have been in the beginning: others may go on putting objects.  Who
 * is about to go has a place.  Returns how many.
 */
static int
cobj_drain(struct kmalloc_ext *ext, struct malloc_type *type)
{
	struct kmalloc_idle *idle;
	u_long *mark;
	void *obj;
	int count;

	for (count = 0; count < KMALLOC_COBJ_CPUIDLE + KMALLOC_COBJ_IDLE;
	    ++count) {
		spin_lock(&ext->spin);
		if ((idle = idle_mine(ext)) == NULL || idle->n == 0)
			idle = &ext->shared;
		obj = idle_pop(idle, type, &mark);
		if (obj != NULL)
			++ext->places;
		spin_unlock(&ext->spin);
		if (obj == NULL)
			break;
		cobj_destroy(ext, type, obj);
		place_give(ext, type, NULL);
	}
	return (count);
}

/*
 * What other cpus have, too, for who knows that they get and put none.
 */
static void
cobj_drain_all(struct kmalloc_ext *ext, struct malloc_type *type)
{
	u_long *mark;
	void *obj;
	int cpu;

	cobj_drain(ext, type);
	for (cpu = 0; ext->idle != NULL && cpu < ncpus; ++cpu) {
		while ((obj = idle_pop(&ext->idle[cpu], type, &mark)) != NULL)
			cobj_destroy(ext, type, obj);
	}
}

static struct kmalloc_ext *
cobj_ext(struct malloc_type *type)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);

	if (ext == NULL)
		panic("%s: kmalloc_obj_ctor was not called",
		    type->ks_shortdesc);
	return (ext);
}

void
_kmalloc_obj_ctor(struct malloc_type *type, kmalloc_ctor_fn *ctor,
    kmalloc_dtor_fn *dtor, void *privdata, long limit)
{
	struct kmalloc_ext *ext;

	if (type->ks_limit == 0)
		panic("%s: kmalloc_obj_ctor before malloc_init",
		    type->ks_shortdesc);
	ext = kmalloc_ext_create(type);
	/* Of a former life, put since: see _kmalloc_obj_unctor(). */
	cobj_drain_all(ext, type);
	ext->ctor = ctor;
	ext->dtor = dtor;
	ext->privdata = privdata;
	ext->limit = limit;

	/* M_RNOWAIT callers depend on slots: see kern_kmalloc_reserve.c. */
	if (ext->runs == NULL) {
		_kmalloc_obj_reserve(type, 0, 0);
		ext->pages = KMALLOC_PAGES_FLAGS;
	}
}

/*
 * An object that this cpu has not got: from the shared stack or constructed.
 * In a critical section, which is left.
 */
static __noinline void *
cobj_get(struct kmalloc_ext *ext, struct malloc_type *type, int flags)
{
	void *obj;

	KASSERT((flags & M_ZERO) == 0,
	    ("kmalloc_cobj: %s: M_ZERO", type->ks_shortdesc));
	obj = idle_get(ext, type);
	if (obj == NULL) {
		obj = cobj_construct(ext, type, flags);
		if (obj == NULL)
			return (NULL);
	}
	*cobj_mark(type, obj) = COBJ_OUT;
	return (obj);
}

static __noinline void *
cobj_get_placed(struct kmalloc_ext *ext, struct malloc_type *type, int flags)
{
	u_long *mark;
	void *obj;

	spin_lock(&ext->spin);
	if (!place_take(ext, type, flags)) {
		spin_unlock(&ext->spin);
		return (NULL);
	}
	obj = idle_pop(&ext->shared, type, &mark);
	if (obj != NULL)
		++type->ks_use[mycpu->gd_cpuid].calls;
	spin_unlock(&ext->spin);

	if (obj == NULL) {
		crit_enter();
		obj = cobj_get(ext, type, flags);
		if (obj == NULL) {
			place_give(ext, type, NULL);
			return (NULL);
		}
		mark = cobj_mark(type, obj);
	}
	*mark = COBJ_PLACED;
	return (obj);
}

void *
_kmalloc_cobj(struct malloc_type *type, int flags)
{
	struct kmalloc_ext *ext = cobj_ext(type);
	struct kmalloc_idle *idle;
	u_long *mark;
	void *obj;
	int cpu;

	if (ext->limit != 0)
		return (cobj_get_placed(ext, type, flags));

	crit_enter();
	cpu = mycpu->gd_cpuid;
	if (__predict_false((idle = ext->idle) == NULL ||
	    (obj = idle_pop(&idle[cpu], type, &mark)) == NULL))
		return (cobj_get(ext, type, flags));
	*mark = COBJ_OUT;
	++type->ks_use[cpu].calls;
	crit_exit();
	return (obj);
}

static __inline void
cobj_assert_out(struct malloc_type *type, void *obj, u_long mark)
{
	KASSERT(mark == COBJ_OUT || mark == COBJ_PLACED,
	    ("kfree_cobj: %s: %p is free already, or was overrun",
	    type->ks_shortdesc, obj));
}

/*
 * An object that this cpu's stack has no room for.  In a critical section,
 * which is left.
 */
static __noinline void
cobj_put(struct kmalloc_ext *ext, struct malloc_type *type, void *obj)
{
	if (!idle_put(ext, type, obj))
		cobj_destroy(ext, type, obj);
}

static __noinline void
cobj_put_placed(struct kmalloc_ext *ext, struct malloc_type *type, void *obj)
{
	cobj_assert_out(type, obj, *cobj_mark(type, obj));
	if (!place_give(ext, type, obj)) {
		cobj_destroy(ext, type, obj);
		place_give(ext, type, NULL);
	}
}

void
_kfree_cobj(void *obj, struct malloc_type *type)
{
	struct kmalloc_ext *ext = cobj_ext(type);
	u_long *mark = cobj_mark(type, obj);
	struct kmalloc_idle *idle;

	if (*mark != COBJ_OUT) {
		cobj_put_placed(ext, type, obj);
		return;
	}

	crit_enter();
	idle = idle_mine(ext);
	if (__predict_false(idle == NULL || idle->n == KMALLOC_COBJ_CPUIDLE)) {
		cobj_put(ext, type, obj);
		return;
	}
	idle_push(idle, obj, mark);
	crit_exit();
}

void
_kfree_cobj_dtor(void *obj, struct malloc_type *type)
{
	struct kmalloc_ext *ext = cobj_ext(type);
	u_long mark = *cobj_mark(type, obj);

	cobj_assert_out(type, obj, mark);
	cobj_destroy(ext, type, obj);
	if (mark == COBJ_PLACED)
		place_give(ext, type, NULL);
}

void
_kmalloc_obj_set_limit(struct malloc_type *type, long limit)
{
	struct kmalloc_ext *ext = cobj_ext(type);
	int waiting;

	spin_lock(&ext->spin);
	ext->limit = limit;
	waiting = ext->limit_waiting;
	spin_unlock(&ext->spin);
	if (waiting)
		wakeup(&ext->places);
}

int
kmalloc_obj_reclaimlist(struct malloc_type *list[], int ntypes)
{
	struct kmalloc_ext *ext;
	int i;

	for (i = 0; i < ntypes; ++i) {
		ext = kmalloc_ext(list[i]);
		if (ext != NULL && cobj_drain(ext, list[i]) != 0)
			return (1);
	}
	return (0);
}

/*
 * objcache_destroy() destroyed what was idle and did not look for what was out.
 * Nor is anything done to that here: it stays what it is until it is put, when
 * there is no destructor for it any more.
 */
void
_kmalloc_obj_unctor(struct malloc_type *type)
{
	struct kmalloc_ext *ext = cobj_ext(type);

	cobj_drain_all(ext, type);
	ext->ctor = NULL;
	ext->dtor = NULL;
	ext->limit = 0;
	if (kmalloc_cobj_out(ext) != 0) {
		kprintf("%s: kmalloc_obj_unctor: %ld objects are out\n",
		    type->ks_shortdesc, kmalloc_cobj_out(ext));
	}
}
