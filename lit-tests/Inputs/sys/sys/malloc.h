/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_MALLOC_H_
#define	_SYS_MALLOC_H_

#include <sys/types.h>
#include <sys/_malloc.h>

#define	M_RNOWAIT		0x0001
#define	M_WAITOK		0x0002
#define	M_ZERO			0x0100
#define	M_USE_RESERVE		0x0200
#define	M_NULLOK		0x0400
#define	M_USE_INTERRUPT_RESERVE	0x1000

#define	M_INTNOWAIT	(M_RNOWAIT | M_NULLOK | M_USE_RESERVE |		\
			 M_USE_INTERRUPT_RESERVE)
#define	M_INTWAIT	(M_WAITOK | M_USE_RESERVE | M_USE_INTERRUPT_RESERVE)
#define	M_SYSWAIT	(M_WAITOK | M_USE_RESERVE)
#define	M_NOWAIT	(M_RNOWAIT | M_NULLOK | M_USE_RESERVE)

#define	M_MAGIC		877983977

#define	MALLOC_DEFINE(type, shortdesc, longdesc)			\
	struct malloc_type type[1] = { {				\
		.ks_magic = M_MAGIC,					\
		.ks_shortdesc = shortdesc,				\
		.ks_use = &type[0].ks_use0,				\
	} };								\
	SYSINIT(type##_init, SI_BOOT1_KMALLOC, SI_ORDER_ANY,		\
	    malloc_init, type)

#define	MALLOC_DEFINE_OBJ(type, size, shortdesc, longdesc)		\
	struct malloc_type type##_obj[1] = { {				\
		.ks_flags = KSF_OBJSIZE,				\
		.ks_magic = M_MAGIC,					\
		.ks_shortdesc = shortdesc,				\
		.ks_objsize = __VM_CACHELINE_ALIGN(size),		\
		.ks_use = &type##_obj[0].ks_use0,			\
	} };								\
	SYSINIT(type##_init, SI_BOOT1_KMALLOC, SI_ORDER_ANY,		\
	    malloc_init, type##_obj)

MALLOC_DECLARE(M_TEMP);

void	malloc_init(void *data);
void	malloc_uninit(void *data);
void	malloc_mgt_init(struct malloc_type *type, struct kmalloc_mgt *mgt,
	    size_t bytes);
void	malloc_mgt_uninit(struct malloc_type *type, struct kmalloc_mgt *mgt);
int	malloc_mgt_poll(struct malloc_type *type);
void	kmalloc_raise_limit(struct malloc_type *type, size_t bytes);
void	kmalloc_destroy(struct malloc_type **typep);

void	*kmem_slab_alloc(vm_size_t bytes, vm_offset_t align, int flags);
void	kmem_slab_free(void *ptr, vm_size_t bytes);
size_t	kmem_lim_size(void);

void	*_kmalloc(unsigned long size, struct malloc_type *type, int flags);
void	_kfree(void *ptr, struct malloc_type *type);
void	*_kmalloc_obj(unsigned long size, struct malloc_type *type, int flags);
void	_kfree_obj(void *ptr, struct malloc_type *type);
void	_kmalloc_create_obj(struct malloc_type **typep, const char *descr,
	    size_t objsize);

#define	kmalloc(size, type, flags)	_kmalloc((size), type, (flags))
#define	kfree(ptr, type)		_kfree((ptr), type)
#define	kmalloc_obj(size, type, flags)					\
	_kmalloc_obj(__VM_CACHELINE_ALIGN(size), type##_obj, (flags))
#define	kfree_obj(ptr, type)		_kfree_obj((ptr), type##_obj)
#define	kmalloc_create_obj(typep, descr, size)				\
	_kmalloc_create_obj((typep##_obj), (descr), (size))
#define	kmalloc_destroy_obj(type)	kmalloc_destroy((type##_obj))
#define	kmalloc_obj_raise_limit(type, bytes)				\
	kmalloc_raise_limit(type##_obj, (bytes))

#endif
