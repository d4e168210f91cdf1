/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The allocators that generated programs run with, on the host: zones, object
 * caches, kmalloc, and kmalloc_obj with the shims' additions.  Each does what
 * the others' users rely on and no more:
 *
 *	zones		fresh items are zero, recycled ones keep all but two
 *			words; ZONE_INTERRUPT never blocks, and is NULL past its
 *			entries
 *	caches		constructed once, kept so; at the limit NULL or asleep
 *	kmalloc_obj	fresh objects are garbage but for types with a control
 *			block; a limit in bytes
 *	cobj		as caches; the mark at the object's end
 *
 * The last object freed is the first handed out again, in all of them, so a
 * program and its conversion get theirs in the same order.  Free objects are
 * poisoned.  An owner's pointer to its objects is its identity: freeing what
 * is not out, or to another owner, is a panic.
 *
 * Sleeping is an event.  For memory, the sleeper then gets some; at a limit,
 * the program ends, since nobody would wake it.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/objcache.h>
#include <sys/pool.h>
#include <sys/kmalloc_obj.h>
#include <vm/vm.h>
#include <vm/vm_extern.h>
#include <vm/vm_zone.h>

#define	GARBAGE		0xdf
#define	DEFAULT_LIMIT	(64 * 1024)	/* bytes of a malloc type */

int	fflush(void *);
int	vprintf(const char *, __builtin_va_list);
void	*aligned_alloc(size_t, size_t);
void	free(void *);
void	_exit(int) __dead2;
void	__asan_poison_memory_region(const volatile void *, size_t);
void	__asan_unpoison_memory_region(const volatile void *, size_t);

struct item {
	struct item	*next;
	void		*obj;
	int		out;
	int		constructed;
};

/*
 * The objects of one zone, cache or malloc type.  The control block of
 * kmalloc_obj and the fields of an objcache are here, too.
 */
struct objcache {
	struct objcache	*next;
	const void	*owner;
	enum { S_ZONE, S_CACHE, S_KMALLOC, S_OBJ } kind;
	size_t		size;
	struct item	*items;		/* the last one freed first */
	long		nitems;
	long		nout;
	long		ngiven;		/* by objcache_populate_linear() */

	objcache_ctor_fn *ctor;
	objcache_dtor_fn *dtor;
	void		*privdata;
	objcache_alloc_fn *alloc;
	objcache_free_fn *free;
	void		*args;
	struct objcache_malloc_args margs;
	long		limit;

	int		zeroed;		/* kmalloc_obj: has a control block */
	int		cobj;
	int		cache;		/* in the place of a plain one */
	long		boot;
	long		nobjs;
};

int mem_level;
int ncpus = 1;
struct vm_map *kernel_map;

MALLOC_DEFINE(M_TEMP, "temp", "temp");

static struct objcache *stores;
static int spinlocks;

void
panic(const char *fmt, ...)
{
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	vprintf(fmt, ap);
	__builtin_va_end(ap);
	trace(": panic");
	fflush(NULL);
	_exit(3);
}

int
kprintf(const char *fmt, ...)
{
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	vprintf(fmt, ap);
	__builtin_va_end(ap);
	return (0);
}

void
bzero(void *buf, size_t len)
{
	__builtin_memset(buf, 0, len);
}

void
crit_enter(void)
{
}

void
crit_exit(void)
{
}

void
spin_init(struct spinlock *spin, const char *descr)
{
	spin->lock = 0;
}

void
spin_lock(struct spinlock *spin)
{
	++spinlocks;
}

void
spin_unlock(struct spinlock *spin)
{
	--spinlocks;
}

vm_offset_t
kmem_alloc(struct vm_map *map, vm_size_t size, vm_subsys_t id)
{
	return ((vm_offset_t)aligned_alloc(PAGE_SIZE,
	    (size + PAGE_MASK) & ~(vm_size_t)PAGE_MASK));
}

/*
 * Is there memory for someone who reaches down to level?  Whoever may wait gets
 * it in any case.
 */
static int
memory(int level, int mayblock)
{
	if (mayblock && spinlocks != 0)
		panic("blocks with a spinlock held");
	if (mem_level <= level)
		return (1);
	if (mayblock)
		trace("    waits for memory");
	return (mayblock);
}

static int
level_of(int flags)
{
	if (flags & M_USE_INTERRUPT_RESERVE)
		return (MEM_INTERRUPT);
	return (flags & M_USE_RESERVE ? MEM_SYSTEM : MEM_PLENTY);
}

static struct objcache *
store_of(const void *owner, int kind)
{
	struct objcache *st;

	if (owner == NULL)
		panic("NULL zone, cache or type");
	for (st = stores; st != NULL; st = st->next) {
		if (st->owner == owner && (int)st->kind == kind)
			return (st);
	}
	st = aligned_alloc(64, __VM_CACHELINE_ALIGN(sizeof(*st)));
	bzero(st, sizeof(*st));
	st->owner = owner;
	st->kind = kind;
	st->next = stores;
	stores = st;
	return (st);
}

static void *
host_alloc(size_t size)
{
	return (aligned_alloc(64, __VM_CACHELINE_ALIGN(size)));
}

/* A free object, or NULL. */
static struct item *
take(struct objcache *st)
{
	struct item *it;

	for (it = st->items; it != NULL && it->out; it = it->next)
		continue;
	if (it == NULL)
		return (NULL);
	__asan_unpoison_memory_region(it->obj, st->size);
	it->out = 1;
	++st->nout;
	return (it);
}

/* A new object, which is out. */
static struct item *
add(struct objcache *st, void *obj)
{
	struct item *it;

	it = host_alloc(sizeof(*it));
	it->obj = obj;
	it->out = 1;
	it->constructed = 0;
	it->next = st->items;
	st->items = it;
	++st->nitems;
	++st->nout;
	return (it);
}

/* The item of an object that is out, at the head of the list. */
static struct item *
find(struct objcache *st, const void *obj)
{
	struct item **itp, *it;

	for (itp = &st->items; (it = *itp) != NULL; itp = &it->next) {
		if (it->obj == obj && it->out) {
			*itp = it->next;
			it->next = st->items;
			st->items = it;
			return (it);
		}
	}
	panic("an object is freed that is not out, or not of this owner");
}

static void
put(struct objcache *st, struct item *it)
{
	it->out = 0;
	--st->nout;
	__asan_poison_memory_region(it->obj, st->size);
}

/* Forget about the first item, which is out; its memory is the caller's. */
static void *
removed(struct objcache *st)
{
	struct item *it = st->items;
	void *obj = it->obj;

	st->items = it->next;
	--st->nitems;
	--st->nout;
	free(it);
	return (obj);
}

long
model_outstanding(void)
{
	struct objcache *st;
	long n = 0;

	for (st = stores; st != NULL; st = st->next) {
		n += st->nout;
		if (st->kind == S_CACHE)
			n -= st->nitems - st->ngiven;
	}
	return (n);
}

/*
 * kmalloc.
 */
void *
_kmalloc(unsigned long size, struct malloc_type *type, int flags)
{
	struct objcache *st = store_of(type, S_KMALLOC);
	void *obj;

	if (!memory(level_of(flags), (flags & M_RNOWAIT) == 0))
		return (NULL);
	obj = host_alloc(size);
	__builtin_memset(obj, flags & M_ZERO ? 0 : GARBAGE, size);
	return (add(st, obj)->obj);
}

void
_kfree(void *obj, struct malloc_type *type)
{
	struct objcache *st = store_of(type, S_KMALLOC);

	find(st, obj);
	free(removed(st));
}

/*
 * Zones.
 */
int
zinitna(vm_zone_t z, char *name, size_t size, long nentries, uint32_t flags)
{
	struct objcache *st = store_of(z, S_ZONE);

	if ((z->zflags & ZONE_BOOT) == 0) {
		z->zname = name;
		z->zsize = (long)size;
		z->zmax = 0;
		z->zflags = 0;
	}
	st->size = (size_t)z->zsize;
	z->zflags |= flags;
	z->zmax += nentries;
	return (1);
}

vm_zone_t
zinit(char *name, size_t size, long nentries, uint32_t flags)
{
	vm_zone_t z;

	z = host_alloc(sizeof(*z));
	bzero(z, sizeof(*z));
	zinitna(z, name, size, nentries, flags);
	return (z);
}

void
zbootinit(vm_zone_t z, char *name, size_t size, void *item, long nitems)
{
	bzero(z, sizeof(*z));
	bzero(item, size * (size_t)nitems);
	z->zname = name;
	z->zsize = (long)size;
	z->zmax = nitems;
	z->zflags = ZONE_BOOT;
}

void *
zalloc(vm_zone_t z)
{
	struct objcache *st = store_of(z, S_ZONE);
	struct item *it;
	void *obj;

	if ((it = take(st)) != NULL)
		return (it->obj);
	if (z->zflags & ZONE_INTERRUPT) {
		if (st->nitems >= z->zmax || !memory(MEM_INTERRUPT, 0)) {
			if (z->zflags & ZONE_PANICFAIL)
				panic("out of items");
			return (NULL);
		}
	} else {
		memory(MEM_PLENTY, 1);
	}
	obj = host_alloc(st->size);
	bzero(obj, st->size);
	return (add(st, obj)->obj);
}

void
zfree(vm_zone_t z, void *item)
{
	struct objcache *st = store_of(z, S_ZONE);
	struct item *it = find(st, item);

	__builtin_memset(item, GARBAGE, 2 * sizeof(long));
	put(st, it);
}

void
zdestroy(vm_zone_t z)
{
	struct objcache *st = store_of(z, S_ZONE);
	struct item *it;

	if ((z->zflags & ZONE_DESTROYABLE) == 0 || st->nout != 0)
		panic("zdestroy");
	while ((it = take(st)) != NULL) {
		find(st, it->obj);
		free(removed(st));
	}
	st->owner = NULL;
	free(z);
}

/*
 * Object caches.
 */
struct objcache *
objcache_create(const char *name, int cluster_limit, int nom_cache,
    objcache_ctor_fn *ctor, objcache_dtor_fn *dtor, void *privdata,
    objcache_alloc_fn *alloc, objcache_free_fn *free, void *allocator_args)
{
	static char owners[256];
	static int nowners;
	struct objcache *oc;

	oc = store_of(&owners[nowners++], S_CACHE);
	oc->ctor = ctor;
	oc->dtor = dtor;
	oc->privdata = privdata;
	oc->alloc = alloc;
	oc->free = free;
	oc->args = allocator_args;
	oc->limit = cluster_limit;
	return (oc);
}

struct objcache *
objcache_create_mbacked(malloc_type_t mtype, size_t objsize, int cluster_limit,
    int nom_cache, objcache_ctor_fn *ctor, objcache_dtor_fn *dtor,
    void *privdata)
{
	struct objcache *oc;

	oc = objcache_create(NULL, cluster_limit, nom_cache, ctor, dtor,
	    privdata, objcache_malloc_alloc, objcache_malloc_free, NULL);
	oc->margs.objsize = objsize;
	oc->margs.mtype = mtype;
	oc->args = &oc->margs;
	return (oc);
}

struct objcache *
objcache_create_simple(malloc_type_t mtype, size_t objsize)
{
	return (objcache_create_mbacked(mtype, objsize, 0, 0, NULL, NULL,
	    NULL));
}

void
objcache_set_cluster_limit(struct objcache *oc, int cluster_limit)
{
	oc->limit = cluster_limit;
}

static void *
at_limit(int flags)
{
	if ((flags & (M_WAITOK | M_NULLOK)) == M_WAITOK)
		panic("sleeps at the limit");
	return (NULL);
}

void *
objcache_get(struct objcache *oc, int ocflags)
{
	struct item *it;
	void *obj;

	if (ocflags & M_ZERO)
		panic("objcache_get: M_ZERO");
	if ((it = take(oc)) != NULL)
		return (it->obj);
	if (oc->limit != 0 && oc->nitems >= oc->limit)
		return (at_limit(ocflags));
	obj = oc->alloc(oc->args, ocflags);
	if (obj == NULL)
		return (NULL);
	if (oc->ctor != NULL && !oc->ctor(obj, oc->privdata, ocflags)) {
		oc->free(obj, oc->args);
		return (NULL);
	}
	return (add(oc, obj)->obj);
}

void
objcache_put(struct objcache *oc, void *obj)
{
	put(oc, find(oc, obj));
}

void
objcache_dtor(struct objcache *oc, void *obj)
{
	find(oc, obj);
	if (oc->dtor != NULL)
		oc->dtor(obj, oc->privdata);
	oc->free(removed(oc), oc->args);
}

void
objcache_populate_linear(struct objcache *oc, void *elts, int nelts, int size)
{
	char *obj = elts;

	for (; nelts > 0; --nelts, obj += size) {
		add(oc, obj);
		++oc->ngiven;
		put(oc, find(oc, obj));
	}
}

static int
empty(struct objcache *oc)
{
	struct item *it;
	int n;

	for (n = 0; (it = take(oc)) != NULL; ++n)
		objcache_dtor(oc, it->obj);
	return (n);
}

bool
objcache_reclaimlist(struct objcache *list[], int nlist)
{
	int i;

	for (i = 0; i < nlist; ++i) {
		if (empty(list[i]))
			return (true);
	}
	return (false);
}

void
objcache_destroy(struct objcache *oc)
{
	if (oc->nout != 0)
		panic("objcache_destroy");
	empty(oc);
}

void *
objcache_malloc_alloc(void *allocator_args, int ocflags)
{
	struct objcache_malloc_args *args = allocator_args;

	return (kmalloc(args->objsize, args->mtype, ocflags));
}

void *
objcache_malloc_alloc_zero(void *allocator_args, int ocflags)
{
	return (objcache_malloc_alloc(allocator_args, ocflags | M_ZERO));
}

void
objcache_malloc_free(void *obj, void *allocator_args)
{
	struct objcache_malloc_args *args = allocator_args;

	kfree(obj, args->mtype);
}

/*
 * kmalloc_obj.
 */
static struct objcache *
type_store(struct malloc_type *type)
{
	struct objcache *st = store_of(type, S_OBJ);

	if (type->ks_magic != M_MAGIC || (type->ks_flags & KSF_OBJSIZE) == 0)
		panic("not an object type");
	st->size = type->ks_objsize;
	if (type->ks_limit == 0)
		type->ks_limit = DEFAULT_LIMIT;
	return (st);
}

/*
 * A type that asks for nothing waits for ordinary pages, one with a reserve
 * takes what its zone took, a cache what its caller says.
 */
static int
page_flags(const struct objcache *st, int flags)
{
	const int reserves = M_USE_RESERVE | M_USE_INTERRUPT_RESERVE;

	if (st->cobj || st->cache)
		return (flags);
	if (!st->zeroed)
		return (M_WAITOK);
	return (st->nobjs != 0 ? flags | reserves : flags & ~reserves);
}

static struct item *
obj_get(struct objcache *st, struct malloc_type *type, int flags)
{
	const int pages = page_flags(st, flags);
	struct item *it;
	void *obj;

	if ((pages & M_RNOWAIT) == 0 && spinlocks != 0)
		panic("may block with a spinlock held");
	if ((it = take(st)) != NULL)
		return (it);
	if (((size_t)st->nitems + 1) * st->size > type->ks_limit ||
	    (st->nobjs != 0 && st->nitems >= st->nobjs + st->boot)) {
		if (flags & M_NULLOK)
			return (NULL);
		panic("malloc limit exceeded");
	}
	if (!memory(level_of(pages), (pages & M_RNOWAIT) == 0))
		return (NULL);
	obj = host_alloc(st->size);
	__builtin_memset(obj, st->zeroed ? 0 : GARBAGE, st->size);
	return (add(st, obj));
}

void *
_kmalloc_obj(unsigned long size, struct malloc_type *type, int flags)
{
	struct objcache *st = type_store(type);
	struct item *it;

	if (size != type->ks_objsize || st->cobj)
		panic("kmalloc_obj: wrong size, or a constructed type");
	it = obj_get(st, type, flags);
	if (it == NULL)
		return (NULL);
	if (flags & M_ZERO)
		bzero(it->obj, st->size);
	return (it->obj);
}

void
_kfree_obj(void *obj, struct malloc_type *type)
{
	struct objcache *st = type_store(type);

	if (st->cobj)
		panic("kfree_obj: a constructed type");
	put(st, find(st, obj));
}

void
_kmalloc_create_obj(struct malloc_type **typep, const char *descr,
    size_t objsize)
{
	struct malloc_type *type;

	type = host_alloc(sizeof(*type));
	bzero(type, sizeof(*type));
	type->ks_magic = M_MAGIC;
	type->ks_flags = KSF_OBJSIZE;
	type->ks_shortdesc = descr;
	type->ks_objsize = __VM_CACHELINE_ALIGN(objsize);
	*typep = type;
}

void
kmalloc_destroy(struct malloc_type **typep)
{
	struct objcache *st = type_store(*typep);

	if (st->nout != 0)
		panic("kmalloc_destroy");
	if (st->cobj)
		_kmalloc_obj_unctor(*typep);
	st->owner = NULL;
	free(*typep);
	*typep = NULL;
}

void
kmalloc_raise_limit(struct malloc_type *type, size_t bytes)
{
	type->ks_limit = bytes != 0 ? bytes : ~(size_t)0;
}

void
_kmalloc_obj_bootinit(struct malloc_type *type, void *mem, size_t bytes)
{
	struct objcache *st = type_store(type);
	size_t from = ((uintptr_t)mem + KMALLOC_SLAB_MASK) & ~KMALLOC_SLAB_MASK;

	if (from + KMALLOC_SLAB_SIZE > (uintptr_t)mem + bytes)
		panic("bootinit: not one slab");
	bzero(mem, bytes);
	st->zeroed = 1;
	for (; from + KMALLOC_SLAB_SIZE <= (uintptr_t)mem + bytes;
	    from += KMALLOC_SLAB_SIZE)
		st->boot += (long)KMALLOC_OBJ_PERSLAB(st->size);
}

void
_kmalloc_obj_reserve(struct malloc_type *type, long nslabs, size_t nobjs)
{
	struct objcache *st = type_store(type);
	const size_t bytes = nobjs != 0 ?
	    (nobjs + (size_t)st->boot) * st->size : ~(size_t)0;

	st->zeroed = 1;
	st->nobjs = (long)nobjs;
	if (bytes > type->ks_limit)
		type->ks_limit = bytes;
}

void
_kmalloc_obj_cache(struct malloc_type *type)
{
	struct objcache *st = type_store(type);

	st->cache = 1;
	st->zeroed = 1;
}

/*
 * Constructed objects.
 */
static struct objcache *
cobj_store(struct malloc_type *type)
{
	struct objcache *st = type_store(type);

	if (!st->cobj)
		panic("not a constructed type");
	return (st);
}

void
_kmalloc_obj_ctor(struct malloc_type *type, kmalloc_ctor_fn *ctor,
    kmalloc_dtor_fn *dtor, void *privdata, long limit, long nominal)
{
	struct objcache *st = type_store(type);

	if (st->nitems != 0)
		panic("kmalloc_obj_ctor: there are objects");
	st->cobj = 1;
	st->zeroed = 1;
	st->ctor = ctor;
	st->dtor = dtor;
	st->privdata = privdata;
	st->limit = limit;
}

void
_kmalloc_obj_set_limit(struct malloc_type *type, long limit)
{
	cobj_store(type)->limit = limit;
}

void *
_kmalloc_cobj(struct malloc_type *type, int flags)
{
	struct objcache *st = cobj_store(type);
	struct item *it;

	if (flags & M_ZERO)
		panic("kmalloc_cobj: M_ZERO");
	if (st->limit != 0 && st->nout >= st->limit)
		return (at_limit(flags));
	it = obj_get(st, type, flags);
	if (it == NULL || it->constructed)
		return (it != NULL ? it->obj : NULL);
	if (st->ctor != NULL && !st->ctor(it->obj, st->privdata, flags)) {
		find(st, it->obj);
		free(removed(st));
		return (NULL);
	}
	it->constructed = 1;
	return (it->obj);
}

void
_kfree_cobj(void *obj, struct malloc_type *type)
{
	struct objcache *st = cobj_store(type);

	put(st, find(st, obj));
}

void
_kfree_cobj_dtor(void *obj, struct malloc_type *type)
{
	struct objcache *st = cobj_store(type);

	find(st, obj);
	if (st->dtor != NULL)
		st->dtor(obj, st->privdata);
	free(removed(st));
}

static int
obj_empty(struct malloc_type *type)
{
	struct objcache *st = cobj_store(type);
	struct item *it;
	int n;

	for (n = 0; (it = take(st)) != NULL; ++n)
		_kfree_cobj_dtor(it->obj, type);
	return (n);
}

int
kmalloc_obj_reclaimlist(struct malloc_type *list[], int ntypes)
{
	int i;

	for (i = 0; i < ntypes; ++i) {
		if (obj_empty(list[i]))
			return (1);
	}
	return (0);
}

void
_kmalloc_obj_unctor(struct malloc_type *type)
{
	struct objcache *st = cobj_store(type);

	if (st->nout != 0)
		panic("kmalloc_obj_unctor");
	obj_empty(type);
	st->cobj = 0;
	st->ctor = NULL;
	st->dtor = NULL;
	st->limit = 0;
}
