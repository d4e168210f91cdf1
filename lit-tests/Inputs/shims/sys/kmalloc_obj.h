/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Stands in for the shims' header where a test converts without installing
 * them, so that the compiler can be asked about the result.
 */

#ifndef _SYS_KMALLOC_OBJ_H_
#define	_SYS_KMALLOC_OBJ_H_

#include <sys/malloc.h>

typedef bool	(stand_in_ctor)(void *obj, void *privdata, int ocflags);
typedef void	(stand_in_dtor)(void *obj, void *privdata);

void	stand_in_bootinit(struct malloc_type *type, void *mem, size_t bytes);
size_t	kmalloc_obj_bootbytes(size_t size, size_t nobjs);
void	stand_in_reserve(struct malloc_type *type, int nslabs, size_t nobjs);
void	stand_in_ctor_set(struct malloc_type *type, stand_in_ctor *ctor,
	    stand_in_dtor *dtor, void *privdata, long limit);
void	*stand_in_get(struct malloc_type *type, int flags);
void	stand_in_put(void *obj, struct malloc_type *type);

#define	KMALLOC_OBJ_BOOTSLABS(type, size, nobjs)			\
	static char type##_bootslabs[((size) * (nobjs) /		\
	    KMALLOC_SLAB_SIZE + 1) * KMALLOC_SLAB_SIZE]			\
	    __aligned(KMALLOC_SLAB_SIZE)
#define	KMALLOC_COBJ_SIZE(size)		((size) + sizeof(long))
#define	kmalloc_obj_bootinit(type, mem, bytes)				\
	stand_in_bootinit(type##_obj, (mem), (bytes))
#define	kmalloc_obj_reserve(type, nslabs, nobjs)			\
	stand_in_reserve(type##_obj, (nslabs), (nobjs))
#define	kmalloc_obj_ctor(type, ctor, dtor, privdata, limit)		\
	stand_in_ctor_set(type##_obj, (ctor), (dtor), (privdata), (limit))
#define	kmalloc_obj_unctor(type)					\
	stand_in_ctor_set(type##_obj, NULL, NULL, NULL, 0)
#define	kmalloc_cobj(type, flags)	stand_in_get(type##_obj, (flags))
#define	kfree_cobj(obj, type)		stand_in_put((obj), type##_obj)
#define	kfree_cobj_dtor(obj, type)	stand_in_put((obj), type##_obj)

#endif
