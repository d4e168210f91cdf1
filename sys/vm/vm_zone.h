/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The zone allocator: see vm/vm_zone.c.
 */

#ifndef _VM_VM_ZONE_H_
#define	_VM_VM_ZONE_H_

#if defined(_KERNEL) || defined(_KERNEL_STRUCTURES)

#include <sys/param.h>
#include <sys/queue.h>
#include <sys/spinlock.h>
#include <sys/lock.h>
#include <vm/vm.h>

#define	ZONE_INTERRUPT		0x0001	/* never block; may return NULL */
#define	ZONE_PANICFAIL		0x0002	/* panic rather than return NULL */
#define	ZONE_SPECIAL		0x0004	/* the zone of the VM map's entries */
#define	ZONE_BOOT		0x0010	/* set by zbootinit() */
#define	ZONE_USE_RESERVE	0x0020	/* may dig into the page reserve */
#define	ZONE_DESTROYABLE	0x0040	/* zdestroy() is allowed */

#define	ZONE_MAXPGLOAD		32	/* pages a refill asks for */

/* Items a cpu keeps for itself; touched by that cpu in a critical section. */
typedef struct vm_zpcpu {
	void		*zitems;
	long		zfreecnt;
	long		znalloc;	/* allocations served from here */
} __cachealign vm_zpcpu_t;

typedef struct vm_zone {
	vm_zpcpu_t	zpcpu[SMP_MAXCPU];
	struct spinlock	zspin;		/* the fields up to zpagecount */
	void		*zitems;
	long		zfreecnt;
	long		zfreemin;	/* items kept back from the cpus */
	long		znalloc;
	long		ztotal;		/* items there are */
	vm_pindex_t	zpagecount;	/* pages populated */
	vm_pindex_t	zpagemax;	/* pages of KVA set aside */
	vm_offset_t	zkva;
	long		zmax;		/* items allowed, 0: no limit */
	long		zmax_pcpu;
	long		zsize;		/* bytes an item */
	long		zalloc;		/* pages a refill */
	long		zflags;
	uint32_t	zallocflag;	/* VM_ALLOC_* of the first pages */
	char		*zname;
	LIST_ENTRY(vm_zone) zlink;
	vm_offset_t	*zkmvec;	/* ZONE_DESTROYABLE: its kmem blocks */
	long		zkmcur;
	long		zkmmax;
	struct lock	zgetlk;		/* one blocking refill at a time */
} *vm_zone_t;

#ifdef _KERNEL

/*
 * Create a zone of items of size bytes.  ZONE_INTERRUPT zones are limited to
 * nentries items and get their address space now; others ignore nentries.
 * zinit() returns NULL, zinitna() 0, if there is not enough address space.
 * zinitna() on a zone made by zbootinit() keeps its name, size and items.
 * May block.
 */
vm_zone_t zinit(char *name, size_t size, long nentries, uint32_t flags);
int	zinitna(vm_zone_t z, char *name, size_t size, long nentries,
	    uint32_t flags);

/*
 * Before the VM runs: make a zone out of nitems items at item.  They are
 * zeroed and belong to the zone from now on.
 */
void	zbootinit(vm_zone_t z, char *name, size_t size, void *item,
	    long nitems);

/* Only for ZONE_DESTROYABLE zones; every item must be back.  May block. */
void	zdestroy(vm_zone_t z);

/*
 * Items are zero when first handed out.  Of a recycled item only the first
 * two words may have changed since it was freed.  zalloc() blocks unless the
 * zone is ZONE_INTERRUPT; zfree() never does.
 */
void	*zalloc(vm_zone_t z);
void	zfree(vm_zone_t z, void *item);

#endif	/* _KERNEL */

#endif	/* _KERNEL || _KERNEL_STRUCTURES */

#endif	/* !_VM_VM_ZONE_H_ */
