/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Constructed objects, and limits to sleep at: what objcache did.
 *
 * An object is constructed when it is handed out for the first time, not when
 * its slab is made: a slab may hold a thousand and their constructors may each
 * allocate something large.  When it is put it stays constructed, in a short
 * stack, and is the next to be got.  To its slab it is in use meanwhile; its
 * last word links it.  What does not fit into the stack is destroyed when it
 * is put, as objcache did with what its magazines did not hold: otherwise a
 * type whose load has gone would keep what its constructor allocated for every
 * object that ever was out.
 *
 * So the objects of a slab that are free are not constructed, and a slab can
 * go as any other: none is retired before the last object of it is destroyed.
 * At most KMALLOC_COBJ_IDLE objects, and the slabs they lie in, stay for want
 * of being reused; kmalloc_obj_reclaimlist() lets them go.
 *
 * The last word of each object says where it is: constructed and out, on the
 * stack, or not constructed.  Slabs start out zeroed, hence with nothing
 * constructed, and users of a type define it with KMALLOC_COBJ_SIZE() to make
 * room for the word.  A constructor always gets zeroed memory.
 *
 * The limit counts objects that are out.  kmalloc_cobj() takes its place in
 * the count first and may then sleep for memory or in the constructor; if it
 * fails it gives the place back.  A caller that finds no place sleeps on the
 * block's limit.  It cannot miss the wakeup: it decides under ext->spin, which
 * ssleep() releases only when it is queued, and a place is given back under
 * the same spinlock.  Unlike objcache the count is exact and global: no object
 * is idle in a magazine of another cpu.
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

#define	COBJ_CONSTRUCTED	0x636f6e73UL
#define	COBJ_BOTTOM		1UL	/* end of the stack of cached ones */

static __inline u_long *
cobj_mark(struct malloc_type *type, void *obj)
{
	return ((u_long *)((char *)obj + type->ks_objsize) - 1);
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
 * Give a place below the limit back; ext->spin is held and let go.
 */
static void
cobj_release_unlock(struct kmalloc_ext *ext)
{
	int waiting;

	KASSERT(ext->out > 0, ("kfree_cobj: more objects put than got"));
	--ext->out;
	waiting = ext->limit_waiting;
	spin_unlock(&ext->spin);
	if (waiting)
		wakeup(&ext->limit);
}

static void
cobj_release(struct kmalloc_ext *ext)
{
	spin_lock(&ext->spin);
	cobj_release_unlock(ext);
}

/*
 * The stack of cached objects; ext->spin is held.
 */
static int
cobj_push(struct kmalloc_ext *ext, struct malloc_type *type, void *obj)
{
	if (ext->ncached >= KMALLOC_COBJ_IDLE)
		return (0);
	*cobj_mark(type, obj) = ext->ncached != 0 ? ext->cached : COBJ_BOTTOM;
	ext->cached = (u_long)(uintptr_t)obj;
	++ext->ncached;
	return (1);
}

static void *
cobj_pop(struct kmalloc_ext *ext, struct malloc_type *type)
{
	void *obj;

	if (ext->ncached == 0)
		return (NULL);
	obj = (void *)(uintptr_t)ext->cached;
	ext->cached = *cobj_mark(type, obj);
	KASSERT(ext->cached != COBJ_CONSTRUCTED && ext->cached != 0 &&
	    (ext->cached == COBJ_BOTTOM) == (ext->ncached == 1),
	    ("%s: %p was overrun while it was free", type->ks_shortdesc, obj));
	*cobj_mark(type, obj) = COBJ_CONSTRUCTED;
	--ext->ncached;
	return (obj);
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
	KASSERT(ext->out == 0 && ext->constructed == 0,
	    ("%s: kmalloc_obj_ctor with objects out", type->ks_shortdesc));
	ext->ctor = ctor;
	ext->dtor = dtor;
	ext->privdata = privdata;
	ext->limit = limit;

	/* M_RNOWAIT callers depend on slots: see kern_kmalloc_reserve.c. */
	if (ext->runs == NULL)
		_kmalloc_obj_reserve(type, 0, 0);
}

void *
_kmalloc_cobj(struct malloc_type *type, int flags)
{
	struct kmalloc_ext *ext = cobj_ext(type);
	u_long *mark;
	void *obj;

	KASSERT((flags & M_ZERO) == 0,
	    ("kmalloc_cobj: %s: M_ZERO", type->ks_shortdesc));

	spin_lock(&ext->spin);
	while (ext->limit != 0 && ext->out >= ext->limit) {
		if ((flags & (M_WAITOK | M_NULLOK)) != M_WAITOK) {
			spin_unlock(&ext->spin);
			return (NULL);
		}
		++ext->limit_sleeps;
		++ext->limit_waiting;
		ssleep(&ext->limit, &ext->spin, 0, "kmlimit", 0);
		--ext->limit_waiting;
	}
	++ext->out;
	obj = cobj_pop(ext, type);
	if (obj != NULL)
		++type->ks_use[mycpu->gd_cpuid].calls;
	spin_unlock(&ext->spin);
	if (obj != NULL)
		return (obj);

	obj = _kmalloc_obj(type->ks_objsize, type, flags);
	if (obj == NULL) {
		cobj_release(ext);
		return (NULL);
	}
	mark = cobj_mark(type, obj);
	KASSERT(*mark == 0, ("kmalloc_cobj: %s: %p was overrun",
	    type->ks_shortdesc, obj));

	if (ext->ctor != NULL && !ext->ctor(obj, ext->privdata, flags)) {
		bzero(obj, type->ks_objsize);
		_kfree_obj(obj, type);
		cobj_release(ext);
		return (NULL);
	}
	*mark = COBJ_CONSTRUCTED;
	spin_lock(&ext->spin);
	++ext->constructed;
	spin_unlock(&ext->spin);
	return (obj);
}

void
_kfree_cobj(void *obj, struct malloc_type *type)
{
	struct kmalloc_ext *ext = cobj_ext(type);

	KASSERT(*cobj_mark(type, obj) == COBJ_CONSTRUCTED,
	    ("kfree_cobj: %s: %p is free already, or was overrun",
	    type->ks_shortdesc, obj));
	spin_lock(&ext->spin);
	if (cobj_push(ext, type, obj)) {
		cobj_release_unlock(ext);
		return;
	}
	spin_unlock(&ext->spin);
	cobj_destroy(ext, type, obj);
	cobj_release(ext);
}

void
_kfree_cobj_dtor(void *obj, struct malloc_type *type)
{
	struct kmalloc_ext *ext = cobj_ext(type);

	KASSERT(*cobj_mark(type, obj) == COBJ_CONSTRUCTED,
	    ("kfree_cobj_dtor: %s: %p is free already, or was overrun",
	    type->ks_shortdesc, obj));
	cobj_destroy(ext, type, obj);
	cobj_release(ext);
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
		wakeup(&ext->limit);
}

/*
 * Destroy what is on the stack, but no more than was there in the beginning:
 * others may go on putting objects.  Returns how many.
 */
static int
cobj_drain(struct kmalloc_ext *ext, struct malloc_type *type)
{
	void *obj;
	int count;

	for (count = 0; count < KMALLOC_COBJ_IDLE; ++count) {
		spin_lock(&ext->spin);
		obj = cobj_pop(ext, type);
		spin_unlock(&ext->spin);
		if (obj == NULL)
			break;
		cobj_destroy(ext, type, obj);
	}
	return (count);
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

void
_kmalloc_obj_unctor(struct malloc_type *type)
{
	struct kmalloc_ext *ext = cobj_ext(type);

	if (ext->out != 0)
		panic("%s: kmalloc_obj_unctor with %ld objects out",
		    type->ks_shortdesc, ext->out);
	cobj_drain(ext, type);
	KASSERT(ext->constructed == 0 && ext->ncached == 0,
	    ("%s: %ld constructed objects are lost", type->ks_shortdesc,
	    ext->constructed));
	ext->ctor = NULL;
	ext->dtor = NULL;
	ext->limit = 0;
}
