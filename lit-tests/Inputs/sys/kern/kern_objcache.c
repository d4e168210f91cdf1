/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The object cache, reduced to its interface: every get constructs, every
 * put destroys.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/malloc.h>
#include <sys/objcache.h>

struct objcache {
	objcache_ctor_fn	*ctor;
	objcache_dtor_fn	*dtor;
	objcache_alloc_fn	*alloc;
	objcache_free_fn	*free;
	void			*privdata;
	void			*args;
	int			limit;
};

static bool
null_ctor(void *obj, void *privdata, int ocflags)
{
	return (true);
}

static void
null_dtor(void *obj, void *privdata)
{
}

struct objcache *
objcache_create(const char *name, int cluster_limit, int nom_cache,
    objcache_ctor_fn *ctor, objcache_dtor_fn *dtor, void *privdata,
    objcache_alloc_fn *alloc, objcache_free_fn *free, void *allocator_args)
{
	struct objcache *oc;

	oc = kmalloc(sizeof(*oc), M_TEMP, M_WAITOK | M_ZERO);
	oc->ctor = ctor != NULL ? ctor : null_ctor;
	oc->dtor = dtor != NULL ? dtor : null_dtor;
	oc->alloc = alloc;
	oc->free = free;
	oc->privdata = privdata;
	oc->args = allocator_args;
	oc->limit = cluster_limit;
	return (oc);
}

struct objcache *
objcache_create_simple(malloc_type_t mtype, size_t objsize)
{
	return (objcache_create_mbacked(mtype, objsize, 0, 0, NULL, NULL,
	    NULL));
}

struct objcache *
objcache_create_mbacked(malloc_type_t mtype, size_t objsize,
    int cluster_limit, int nom_cache, objcache_ctor_fn *ctor,
    objcache_dtor_fn *dtor, void *privdata)
{
	struct objcache_malloc_args *args;

	args = kmalloc(sizeof(*args), M_TEMP, M_WAITOK | M_ZERO);
	args->objsize = objsize;
	args->mtype = mtype;
	return (objcache_create(mtype->ks_shortdesc, cluster_limit, nom_cache,
	    ctor, dtor, privdata, objcache_malloc_alloc, objcache_malloc_free,
	    args));
}

void
objcache_set_cluster_limit(struct objcache *oc, int cluster_limit)
{
	oc->limit = cluster_limit;
}

void *
objcache_get(struct objcache *oc, int ocflags)
{
	void *obj = oc->alloc(oc->args, ocflags);

	if (obj != NULL && !oc->ctor(obj, oc->privdata, ocflags)) {
		oc->free(obj, oc->args);
		obj = NULL;
	}
	return (obj);
}

void
objcache_put(struct objcache *oc, void *obj)
{
	objcache_dtor(oc, obj);
}

void
objcache_dtor(struct objcache *oc, void *obj)
{
	oc->dtor(obj, oc->privdata);
	oc->free(obj, oc->args);
}

void
objcache_populate_linear(struct objcache *oc, void *elts, int nelts, int size)
{
	while (nelts-- > 0) {
		objcache_put(oc, elts);
		elts = (char *)elts + size;
	}
}

bool
objcache_reclaimlist(struct objcache *oc[], int nlist)
{
	return (false);
}

void
objcache_destroy(struct objcache *oc)
{
	kfree(oc, M_TEMP);
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
	struct objcache_malloc_args *args = allocator_args;

	return (kmalloc(args->objsize, args->mtype, ocflags | M_ZERO));
}

void
objcache_malloc_free(void *obj, void *allocator_args)
{
	struct objcache_malloc_args *args = allocator_args;

	kfree(obj, args->mtype);
}
