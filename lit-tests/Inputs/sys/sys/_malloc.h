/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS__MALLOC_H_
#define	_SYS__MALLOC_H_

#include <sys/types.h>
#include <sys/exislock.h>
#include <sys/spinlock.h>
#include <machine/param.h>

#define	KMALLOC_SLAB_SIZE	((__size_t)(128 * 1024))
#define	KMALLOC_SLAB_MASK	(KMALLOC_SLAB_SIZE - 1)
#define	KMALLOC_SLAB_MAXOBJS	(KMALLOC_SLAB_SIZE / __VM_CACHELINE_SIZE)
#define	KMALLOC_SLAB_MAGIC	0x6b736c62

#define	KSF_OBJSIZE		0x00000001

struct malloc_type;

struct kmalloc_slab {
	struct spinlock		spin;
	struct kmalloc_slab	*next;
	struct malloc_type	*type;
	__uint32_t		magic;
	__uint32_t		orig_cpuid;
	__size_t		offset;
	__size_t		objsize;
	__size_t		ncount;
	__size_t		aindex;
	__size_t		findex;
	__size_t		xindex;
	exislock_t		exis;
	void			*unused01;
	__uint64_t		bmap[(KMALLOC_SLAB_MAXOBJS + 63) / 64];
	void			*fobjs[1];
} __cachealign;

struct kmalloc_mgt {
	struct spinlock		spin;
	struct kmalloc_slab	*active;
	struct kmalloc_slab	*alternate;
	struct kmalloc_slab	*partial;
	struct kmalloc_slab	*full;
	__size_t		slab_offset;
	__size_t		slab_count;
	__size_t		nfull;
	__size_t		unused01;
	__size_t		unused02;
} __cachealign;

struct kmalloc_use {
	__size_t		memuse;
	__size_t		inuse;
	__int64_t		calls;
	struct kmalloc_mgt	mgt;
} __cachealign;

struct malloc_type {
	struct malloc_type	*ks_next;
	__size_t		ks_loosememuse;
	__size_t		ks_limit;
	__uint64_t		ks_unused0;
	__uint32_t		ks_flags;
	__uint32_t		ks_magic;
	const char		*ks_shortdesc;
	__size_t		ks_objsize;
	struct kmalloc_use	*ks_use;
	struct kmalloc_use	ks_use0;
	struct kmalloc_mgt	ks_mgt;
};

typedef struct malloc_type	*malloc_type_t;

#define	MALLOC_DECLARE(type)	extern struct malloc_type type[1]

#endif
