/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Constructed objects, and limits to sleep at: what objcache did.
 *
 * An object is constructed when it is handed out for the first time, not when
 * its slab is made: a slab may hold a thousand and their constructors may each
 * allocate something large.  It stays constructed while it is free, since
 * kmalloc_obj keeps the memory of an object of a type for that type.  It is
 * destroyed when its slab is retired, by whoever retires it, before the memory
 * can go anywhere else.  The last word of each object says which it is; slabs
 * start out zeroed, hence with nothing constructed, and users of a type define
 * it with KMALLOC_COBJ_SIZE() to make room for the word.
 *
 * A slab hands its objects out in turn, so left alone every object of it would
 * be constructed before one is used again, however few are out.  The objects
 * put last are therefore kept in a short stack and got first.  To the slab they
 * are in use; their last word links them.
 *
 * The limit counts objects that are out.  kmalloc_cobj() takes its place in
 * the count first and may then sleep for memory or in the constructor; if it
 * fails it gives the place back.  A caller that finds no place sleeps on the
 * block's limit.  It cannot miss the wakeup: it decides under ext->spin, which
 * ssleep() releases only when it is queued, and a place is given back under
 * the same spinlock.  Unlike objcache the count is exact and global: no object
 * is idle in a magazine of another cpu.
 *
 * Destructors may block.  They run without spinlocks, under ext->lock, which
 * keeps kmalloc_obj_unctor() and the poller from working on one slab at a
 * time.  A destructor must therefore not wait for one of its own type's slabs
 * to be retired.
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
#define	COBJ_CACHE		32	/* objects the stack may hold */
#define	COBJ_BATCH		32	/* objects destroyed a pass */

static __inline u_long *
cobj_mark(struct malloc_type *type, void *obj)
{
	return ((u_long *)((char *)obj + type->ks_objsize) - 1);
}

/*
 * The object is nobody else's.
 */
static void
cobj_destruct(struct kmalloc_ext *ext, struct malloc_type *type, void *obj)
{
	*cobj_mark(type, obj) = 0;
	if (ext->dtor != NULL)
		ext->dtor(obj, ext->privdata);
	spin_lock(&ext->spin);
	--ext->constructed;
	KASSERT(ext->constructed >= 0,
	    ("%s: %ld constructed objects", type->ks_shortdesc,
	    ext->constructed));
	spin_unlock(&ext->spin);
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
	if (ext->ncached >= COBJ_CACHE)
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
	if (*mark == COBJ_CONSTRUCTED)
		return (obj);
	KASSERT(*mark == 0, ("kmalloc_cobj: %s: %p was overrun",
	    type->ks_shortdesc, obj));

	if (ext->ctor != NULL && !ext->ctor(obj, ext->privdata, flags)) {
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
	_kfree_obj(obj, type);
	cobj_release(ext);
}

void
_kfree_cobj_dtor(void *obj, struct malloc_type *type)
{
	struct kmalloc_ext *ext = cobj_ext(type);

	KASSERT(*cobj_mark(type, obj) == COBJ_CONSTRUCTED,
	    ("kfree_cobj_dtor: %s: %p is free already, or was overrun",
	    type->ks_shortdesc, obj));
	cobj_destruct(ext, type, obj);
	_kfree_obj(obj, type);
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
 * A cached object is ours once it is off the stack; to its slab it is in use,
 * so no slab can be retired under the destructor.  Nothing is out because of
 * it: the limit does not change.
 */
int
kmalloc_obj_reclaimlist(struct malloc_type *list[], int ntypes)
{
	struct kmalloc_ext *ext;
	void *obj;
	int i, count;

	for (i = 0; i < ntypes; ++i) {
		ext = kmalloc_ext(list[i]);
		if (ext == NULL)
			continue;
		for (count = 0; count < COBJ_CACHE; ++count) {
			spin_lock(&ext->spin);
			obj = cobj_pop(ext, list[i]);
			spin_unlock(&ext->spin);
			if (obj == NULL)
				break;
			cobj_destruct(ext, list[i], obj);
			_kfree_obj(obj, list[i]);
		}
		if (count != 0)
			return (1);
	}
	return (0);
}

/*
 * Called with ext->lock held, for a slab that is in no list and has every
 * object free.
 */
void
kmalloc_slab_destruct(struct kmalloc_ext *ext, struct kmalloc_slab *slab)
{
	char *obj;
	size_t i;

	if (kmalloc_ext_count(ext, &ext->constructed) == 0)
		return;
	obj = (char *)slab + slab->offset;
	for (i = 0; i < slab->ncount; ++i, obj += slab->objsize) {
		if (*cobj_mark(slab->type, obj) == COBJ_CONSTRUCTED)
			cobj_destruct(ext, slab->type, obj);
	}
}

/*
 * Add constructed objects of a list of slabs to batch[], which holds count.
 * Returns the new count.
 */
static int
cobj_collect(struct malloc_type *type, struct kmalloc_slab *slab, void **batch,
    int count)
{
	char *obj;
	size_t i;

	for (; slab != NULL; slab = slab->next) {
		obj = (char *)slab + slab->offset;
		for (i = 0; i < slab->ncount && count < COBJ_BATCH; ++i) {
			if (*cobj_mark(type, obj) == COBJ_CONSTRUCTED)
				batch[count++] = obj;
			obj += slab->objsize;
		}
	}
	return (count);
}

/*
 * With no object out, no slab moves but by the poller, and it cannot retire
 * one while we hold ext->lock: what was collected stays where it is.
 */
void
_kmalloc_obj_unctor(struct malloc_type *type)
{
	struct kmalloc_ext *ext = cobj_ext(type);
	struct kmalloc_mgt *ggm = &type->ks_mgt;
	void *batch[COBJ_BATCH];
	void *obj;
	int count, i, n;

	if (ext->out != 0)
		panic("%s: kmalloc_obj_unctor with %ld objects out",
		    type->ks_shortdesc, ext->out);

	for (;;) {
		spin_lock(&ext->spin);
		obj = cobj_pop(ext, type);
		spin_unlock(&ext->spin);
		if (obj == NULL)
			break;
		_kfree_obj(obj, type);
	}

	lockmgr(&ext->lock, LK_EXCLUSIVE);
	do {
		count = 0;
		spin_lock(&ggm->spin);
		for (n = 0; n < ncpus; ++n) {
			count = cobj_collect(type, type->ks_use[n].mgt.active,
			    batch, count);
			count = cobj_collect(type,
			    type->ks_use[n].mgt.alternate, batch, count);
		}
		count = cobj_collect(type, ggm->partial, batch, count);
		count = cobj_collect(type, ggm->full, batch, count);
		count = cobj_collect(type, ggm->empty, batch, count);
		spin_unlock(&ggm->spin);
		for (i = 0; i < count; ++i)
			cobj_destruct(ext, type, batch[i]);
	} while (count > 0);
	ext->ctor = NULL;
	ext->dtor = NULL;
	ext->limit = 0;
	lockmgr(&ext->lock, LK_RELEASE);
}
