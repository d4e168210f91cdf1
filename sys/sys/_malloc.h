/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Data structures of the kernel's malloc types.
 *
 * A malloc type is an account: every allocation is charged to one.  A type
 * with KSF_OBJSIZE also owns memory of its own, the slabs of kmalloc_obj():
 *
 *	struct kmalloc_slab	one slab: header, ring of free objects, objects
 *	struct kmalloc_mgt	lists of slabs, one per type and one per cpu
 *	struct kmalloc_use	what one cpu knows of a type
 *	struct malloc_type	the type
 *
 * The field names are an interface: the rewriter's hooks and the shims of
 * kmalloc_obj refer to them.
 */

#ifndef _SYS__MALLOC_H_
#define	_SYS__MALLOC_H_

#if defined(_KERNEL) || defined(_KERNEL_STRUCTURES)

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/spinlock.h>
#include <sys/exislock.h>
#include <machine/param.h>

/* A slab is as large as its alignment: masking an object's address finds it. */
#define	KMALLOC_SLAB_SIZE	((size_t)128 * 1024)
#define	KMALLOC_SLAB_MASK	(KMALLOC_SLAB_SIZE - 1)
#define	KMALLOC_SLAB_MAXOBJS	(KMALLOC_SLAB_SIZE / __VM_CACHELINE_SIZE)
#define	KMALLOC_SLAB_MAGIC	0x4b534c42

/* A cpu's uncharged use that makes it update ks_loosememuse, in bytes. */
#define	KMALLOC_LOOSE_SIZE	(4 * KMALLOC_SLAB_SIZE)

/* Wholly free slabs a type keeps to itself before it retires any. */
#define	KMALLOC_MAXFREEMAGS	4

#define	KMALLOC_CHECK_DOUBLE_FREE

/*
 * The objects of a slab lie at [offset, offset + ncount * objsize).  fobjs[]
 * is a ring of ncount pointers to free objects, indexed modulo ncount by
 * three counters that only grow:
 *
 *	aindex <= xindex <= findex
 *	[aindex, findex)	free, or about to be
 *	[xindex, findex)	reserved by a kfree_obj() that has not stored
 *				yet
 *
 * Only the cpu that holds the slab active moves aindex; any cpu may move the
 * other two, atomically.
 */
struct kmalloc_slab {
	struct spinlock		spin;
	struct kmalloc_slab	*next;
	struct malloc_type	*type;		/* NULL: in the free-slab cache */
	uint32_t		magic;
	uint32_t		orig_cpuid;
	size_t			offset;
	size_t			objsize;
	size_t			ncount;
	size_t			aindex;
	size_t			findex;
	size_t			xindex;
	exislock_t		exis;
	void			*origin;	/* where it came from */
	uint64_t		bmap[(KMALLOC_SLAB_MAXOBJS + 63) / 64];
	void			*fobjs[1];
} __cachealign;

/*
 * active and alternate belong to a cpu, the lists to the type as a whole;
 * one structure serves for both.  spin protects the lists and their counts.
 */
struct kmalloc_mgt {
	struct spinlock		spin;
	struct kmalloc_slab	*active;
	struct kmalloc_slab	*alternate;
	struct kmalloc_slab	*partial;
	struct kmalloc_slab	*full;		/* every object free */
	struct kmalloc_slab	*empty;		/* no object free, when last seen */
	struct kmalloc_slab	**empty_tailp;
	size_t			slab_offset;
	size_t			slab_count;
	size_t			npartial;
	size_t			nfull;
	size_t			nempty;
	size_t			gcache_count;	/* slabs retired so far */
	struct kmalloc_magcpu	*mags;		/* pcpu, of kmalloc_obj() */
	struct kmalloc_magcpu	*cmags;		/* pcpu, of kmalloc_cobj() */
} __cachealign;

/*
 * memuse (bytes) and inuse (objects) may be negative on a cpu that frees what
 * another one allocated: only their sums over all cpus mean anything.
 */
struct kmalloc_use {
	size_t			memuse;
	size_t			inuse;
	int64_t			calls;
	size_t			loosememuse;	/* not yet in ks_loosememuse */
	struct kmalloc_mgt	mgt;
} __cachealign;

struct malloc_type {
	struct malloc_type	*ks_next;
	size_t			ks_loosememuse;	/* bytes, never too low by much */
	size_t			ks_limit;	/* bytes; 0: not initialised */
	struct kmalloc_ext	*ks_ext;	/* control block, or NULL */
	uint32_t		ks_flags;	/* KSF_* */
	uint32_t		ks_magic;	/* M_MAGIC */
	const char		*ks_shortdesc;
	size_t			ks_objsize;	/* KSF_OBJSIZE: bytes an object */
	struct kmalloc_use	*ks_use;	/* one a cpu */
	struct kmalloc_use	ks_use0;	/* until there are more cpus */
	struct kmalloc_mgt	ks_mgt;
};

typedef struct malloc_type *malloc_type_t;

#define	MALLOC_DECLARE(name)	extern struct malloc_type name[1]

#define	KSF_OBJSIZE	0x0001		/* serves kmalloc_obj() */
#define	KSF_POLLING	0x0002		/* the poller looks at it now */

/* Free slabs a cpu keeps for whichever type asks first. */
#define	KMGD_MAXFREESLABS	128

typedef struct KMGlobalData {
	struct kmalloc_slab	*free_slabs;
	struct kmalloc_slab	*remote_free_slabs;
	size_t			free_count;
	void			*reserved[5];
} KMGlobalData;

#endif	/* _KERNEL || _KERNEL_STRUCTURES */

#endif	/* !_SYS__MALLOC_H_ */
