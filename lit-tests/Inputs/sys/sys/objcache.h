/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_OBJCACHE_H_
#define	_SYS_OBJCACHE_H_

#include <sys/types.h>
#include <sys/_malloc.h>

typedef bool	(objcache_ctor_fn)(void *obj, void *privdata, int ocflags);
typedef void	(objcache_dtor_fn)(void *obj, void *privdata);
typedef void	*(objcache_alloc_fn)(void *allocator_args, int ocflags);
typedef void	(objcache_free_fn)(void *obj, void *allocator_args);

struct objcache;

struct objcache_malloc_args {
	size_t		objsize;
	malloc_type_t	mtype;
};

struct objcache *objcache_create(const char *name, int cluster_limit,
	    int nom_cache, objcache_ctor_fn *ctor, objcache_dtor_fn *dtor,
	    void *privdata, objcache_alloc_fn *alloc, objcache_free_fn *free,
	    void *allocator_args);
struct objcache *objcache_create_simple(malloc_type_t mtype, size_t objsize);
struct objcache *objcache_create_mbacked(malloc_type_t mtype, size_t objsize,
	    int cluster_limit, int nom_cache, objcache_ctor_fn *ctor,
	    objcache_dtor_fn *dtor, void *privdata);
void	objcache_set_cluster_limit(struct objcache *oc, int cluster_limit);
void	*objcache_get(struct objcache *oc, int ocflags);
void	objcache_put(struct objcache *oc, void *obj);
void	objcache_dtor(struct objcache *oc, void *obj);
void	objcache_populate_linear(struct objcache *oc, void *elts, int nelts,
	    int size);
bool	objcache_reclaimlist(struct objcache *oc[], int nlist);
void	objcache_destroy(struct objcache *oc);

void	*objcache_malloc_alloc(void *allocator_args, int ocflags);
void	*objcache_malloc_alloc_zero(void *allocator_args, int ocflags);
void	objcache_malloc_free(void *obj, void *allocator_args);

#endif
