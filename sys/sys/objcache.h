/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Object caches: constructed objects kept in per-cpu magazines in front of
 * any allocator.
 */

#ifndef _SYS_OBJCACHE_H_
#define	_SYS_OBJCACHE_H_

#include <sys/types.h>

#if defined(_KERNEL) || defined(_KERNEL_STRUCTURES)

#include <sys/_malloc.h>

#define	OC_MFLAGS	0x0000ffff	/* the bits of ocflags meant for kmalloc */

/* A constructor returns false if it could not get what the object needs. */
typedef bool (objcache_ctor_fn)(void *obj, void *privdata, int ocflags);
typedef void (objcache_dtor_fn)(void *obj, void *privdata);

/* The allocator behind a cache. */
typedef void *(objcache_alloc_fn)(void *allocator_args, int ocflags);
typedef void (objcache_free_fn)(void *obj, void *allocator_args);

struct objcache_malloc_args {
	size_t		objsize;
	malloc_type_t	mtype;
};

#ifdef _KERNEL

struct objcache;

/*
 * cluster_limit: objects that may exist beyond what the cpus' magazines hold,
 * 0 for no limit.  nom_cache: free objects worth keeping; 0 for half of the
 * limit, or 128 without one.  Creating and destroying may block.
 */
struct objcache *objcache_create(const char *name, int cluster_limit,
	    int nom_cache, objcache_ctor_fn *ctor, objcache_dtor_fn *dtor,
	    void *privdata, objcache_alloc_fn *alloc, objcache_free_fn *free,
	    void *allocator_args);
struct objcache *objcache_create_simple(malloc_type_t mtype, size_t objsize);
struct objcache *objcache_create_mbacked(malloc_type_t mtype, size_t objsize,
	    int cluster_limit, int nom_cache, objcache_ctor_fn *ctor,
	    objcache_dtor_fn *dtor, void *privdata);
void	objcache_set_cluster_limit(struct objcache *oc, int cluster_limit);
void	objcache_destroy(struct objcache *oc);

/*
 * objcache_get() sleeps at the limit if ocflags are those of M_WAITOK without
 * M_NULLOK, and returns NULL otherwise.  objcache_dtor() gives an object back
 * that is not fit for reuse.
 */
void	*objcache_get(struct objcache *oc, int ocflags);
void	objcache_put(struct objcache *oc, void *obj);
void	objcache_dtor(struct objcache *oc, void *obj);
void	objcache_populate_linear(struct objcache *oc, void *elts, int nelts,
	    int size);
bool	objcache_reclaimlist(struct objcache *oclist[], int nlist);

/* Ready-made back ends; the malloc ones take a struct objcache_malloc_args. */
void	*objcache_malloc_alloc(void *allocator_args, int ocflags);
void	*objcache_malloc_alloc_zero(void *allocator_args, int ocflags);
void	objcache_malloc_free(void *obj, void *allocator_args);
void	*objcache_nop_alloc(void *allocator_args, int ocflags);
void	objcache_nop_free(void *obj, void *allocator_args);

#endif	/* _KERNEL */

#endif	/* _KERNEL || _KERNEL_STRUCTURES */

#define	OBJCACHE_UNLIMITED	0x40000000
#define	OBJCACHE_NAMELEN	32	/* of a name kept, with its NUL */

#endif	/* !_SYS_OBJCACHE_H_ */
