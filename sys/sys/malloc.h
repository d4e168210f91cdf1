/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kmalloc(), for memory of any size, and kmalloc_obj(), for objects of one
 * size that come from slabs of their own type.
 *
 * Types of the two kinds must not be mixed up.  The kmalloc_obj macros
 * therefore paste `_obj' onto the name they are given: what a caller calls
 * M_FOO is the variable M_FOO_obj, and a mistake does not compile.
 */

#ifndef _SYS_MALLOC_H_
#define	_SYS_MALLOC_H_

#include <sys/types.h>

/*
 * How an allocation may get its memory.  One of M_RNOWAIT and M_WAITOK is
 * required.
 */
#define	M_RNOWAIT		0x0001	/* never wait for memory */
#define	M_WAITOK		0x0002	/* block until there is memory */
#define	M_ZERO			0x0100	/* zero the memory */
#define	M_USE_RESERVE		0x0200	/* may use pages kept for the system */
#define	M_NULLOK		0x0400	/* the caller checks for NULL */
#define	M_USE_INTERRUPT_RESERVE	0x1000	/* may use the very last page */
#define	M_POWEROF2		0x2000	/* round the size up to a power of 2 */
#define	M_CACHEALIGN		0x4000	/* align to a cache line */

#define	M_SYSNOWAIT	(M_RNOWAIT | M_NULLOK | M_USE_RESERVE)
#define	M_INTNOWAIT	(M_SYSNOWAIT | M_USE_INTERRUPT_RESERVE)
#define	M_SYSWAIT	(M_WAITOK | M_USE_RESERVE)
#define	M_INTWAIT	(M_SYSWAIT | M_USE_INTERRUPT_RESERVE)
#define	M_NOWAIT	M_SYSNOWAIT
#define	M_SYSALLOC	M_SYSWAIT

#define	M_MAGIC		877983977	/* ks_magic of every valid type */

#if defined(_KERNEL) || defined(_KERNEL_STRUCTURES)
#include <sys/_malloc.h>

/*
 * File scope: define a type.  <sys/kernel.h> must have been included.  The
 * type is usable from SI_BOOT1_KMALLOC on.
 */
#define	MALLOC_DEFINE(name, sdesc, ldesc)				\
	struct malloc_type name[1] = { {				\
		.ks_magic = M_MAGIC,					\
		.ks_shortdesc = (sdesc),				\
		.ks_use = &name[0].ks_use0,				\
	} };								\
	MALLOC_SYSINIT_(name, name)

#define	MALLOC_DEFINE_OBJ(name, size, sdesc, ldesc)			\
	struct malloc_type name##_obj[1] = { {				\
		.ks_flags = KSF_OBJSIZE,				\
		.ks_magic = M_MAGIC,					\
		.ks_shortdesc = (sdesc),				\
		.ks_objsize = __VM_CACHELINE_ALIGN(size),		\
		.ks_use = &name##_obj[0].ks_use0,			\
	} };								\
	MALLOC_SYSINIT_(name, name##_obj)

#ifdef _KERNEL
#define	MALLOC_SYSINIT_(name, var)					\
	SYSINIT(name##_init, SI_BOOT1_KMALLOC, SI_ORDER_ANY, malloc_init, var)
#else
#define	MALLOC_SYSINIT_(name, var)	struct malloc_type
#endif
#endif	/* _KERNEL || _KERNEL_STRUCTURES */

#ifdef _KERNEL

#define	MINALLOCSIZE	sizeof(void *)

MALLOC_DECLARE(M_CACHE);
MALLOC_DECLARE(M_DEVBUF);
MALLOC_DECLARE(M_TEMP);

extern struct malloc_type *kmemstatistics;	/* all types */

/*
 * Wired kernel memory straight from the VM: bytes, rounded up to pages, at a
 * multiple of align (itself a multiple of PAGE_SIZE).  Takes the kernel map's
 * lock, hence may block even for M_RNOWAIT; only the wait for free pages is
 * governed by flags.  NULL only if flags do not contain M_WAITOK.
 */
void	*kmem_slab_alloc(vm_size_t bytes, vm_offset_t align, int flags);
void	kmem_slab_free(void *ptr, vm_size_t bytes);
/* The memory the kernel may hope to use, in MB. */
size_t	kmem_lim_size(void);

void	malloc_init(void *type);
void	malloc_uninit(void *type);
void	malloc_reinit_ncpus(void);
void	malloc_mgt_init(struct malloc_type *type, struct kmalloc_mgt *mgt,
	    size_t bytes);
void	malloc_mgt_uninit(struct malloc_type *type, struct kmalloc_mgt *mgt);
void	malloc_mgt_relocate(struct kmalloc_mgt *src, struct kmalloc_mgt *dst);
int	malloc_mgt_poll(struct malloc_type *type);

/* Raise a type's limit; 0 bytes: to all of the kernel's address space. */
void	kmalloc_raise_limit(struct malloc_type *type, size_t bytes);
void	_kmalloc_create_obj(struct malloc_type **typep, const char *descr,
	    size_t objsize);
void	kmalloc_destroy(struct malloc_type **typep);

/*
 * NULL is returned only for M_NULLOK or M_RNOWAIT.  A type at its limit
 * returns NULL for M_NULLOK and panics otherwise.  Freeing never blocks but
 * for kmalloc()s of several pages.
 */
#ifdef SLAB_DEBUG
/*
 * With this option what allocates is told the place of the call, and has
 * another name: nothing that was compiled without it can be linked in.
 */
void	*_kmalloc_debug(unsigned long size, struct malloc_type *type, int flags,
	    const char *file, int line);
void	*_kmalloc_obj_debug(unsigned long size, struct malloc_type *type,
	    int flags, const char *file, int line);
void	*krealloc_debug(void *ptr, unsigned long size, struct malloc_type *type,
	    int flags, const char *file, int line);
char	*kstrdup_debug(const char *str, struct malloc_type *type,
	    const char *file, int line);
char	*kstrndup_debug(const char *str, size_t maxlen,
	    struct malloc_type *type, const char *file, int line);

#define	kmalloc(size, type, flags)					\
	_kmalloc_debug((size), (type), (flags), __FILE__, __LINE__)
#define	kmalloc_obj(size, type, flags)					\
	_kmalloc_obj_debug(__VM_CACHELINE_ALIGN(size), type##_obj,	\
	    (flags), __FILE__, __LINE__)
#define	krealloc(ptr, size, type, flags)				\
	krealloc_debug((ptr), (size), (type), (flags), __FILE__, __LINE__)
#define	kstrdup(str, type)						\
	kstrdup_debug((str), (type), __FILE__, __LINE__)
#define	kstrndup(str, maxlen, type)					\
	kstrndup_debug((str), (maxlen), (type), __FILE__, __LINE__)
#else
void	*_kmalloc(unsigned long size, struct malloc_type *type, int flags);
void	*_kmalloc_obj(unsigned long size, struct malloc_type *type, int flags);
void	*krealloc(void *ptr, unsigned long size, struct malloc_type *type,
	    int flags);
char	*kstrdup(const char *str, struct malloc_type *type);
char	*kstrndup(const char *str, size_t maxlen, struct malloc_type *type);

#define	kmalloc(size, type, flags)	_kmalloc((size), (type), (flags))
#define	kmalloc_obj(size, type, flags)					\
	_kmalloc_obj(__VM_CACHELINE_ALIGN(size), type##_obj, (flags))

/* For the allocators themselves: they call each other in one way. */
#define	_kmalloc_debug(size, type, flags, file, line)			\
	_kmalloc((size), (type), (flags))
#define	kstrndup_debug(str, maxlen, type, file, line)			\
	kstrndup((str), (maxlen), (type))
#endif

void	_kfree(void *ptr, struct malloc_type *type);
void	_kfree_obj(void *obj, struct malloc_type *type);
size_t	kmalloc_usable_size(const void *ptr);

#define	kfree(ptr, type)		_kfree((ptr), (type))
#define	kfree_obj(ptr, type)		_kfree_obj((ptr), type##_obj)
#define	kmalloc_create_obj(typep, descr, size)				\
	_kmalloc_create_obj(typep##_obj, (descr), (size))
#define	kmalloc_destroy_obj(typep)	kmalloc_destroy(typep##_obj)
#define	kmalloc_obj_raise_limit(type, bytes)				\
	kmalloc_raise_limit(type##_obj, (bytes))
#define	kmalloc_obj_set_unlimited(type)	kmalloc_set_unlimited(type##_obj)

#endif	/* _KERNEL */

#endif	/* !_SYS_MALLOC_H_ */
