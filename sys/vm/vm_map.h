/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_MAP_H_
#define	_VM_VM_MAP_H_

/*
 * Address maps.  The theory is in vm_map.c.
 */

#include <sys/types.h>
#include <sys/param.h>
#include <sys/lock.h>
#include <sys/tree.h>
#include <vm/vm.h>
#include <vm/pmap.h>
#include <vm/vm_object.h>

struct vm_map_rb_tree;
RB_HEAD(vm_map_rb_tree, vm_map_entry);
RB_PROTOTYPE(vm_map_rb_tree, vm_map_entry, rb_entry, rb_vm_map_compare);

typedef u_int vm_eflags_t;

/* Who asked for an entry; a debugging aid, and a bar to merging. */
typedef enum {
	VM_SUBSYS_UNKNOWN,
	VM_SUBSYS_KMALLOC,
	VM_SUBSYS_STACK,
	VM_SUBSYS_IMGACT,
	VM_SUBSYS_INIT,
	VM_SUBSYS_PROC,
	VM_SUBSYS_MMAP,
	VM_SUBSYS_BRK,
	VM_SUBSYS_BUF,
	VM_SUBSYS_GD,
	VM_SUBSYS_PVENTRY,
	VM_SUBSYS_PML4,
	VM_SUBSYS_MAPDEV,
	VM_SUBSYS_ZALLOC,
	VM_SUBSYS_LIMIT
} vm_subsys_t;

/*
 * Where an entry's pages live.
 */
struct vm_map_backing {
	vm_offset_t	start;		/* [start, end) of the map */
	vm_offset_t	end;
	struct vm_object *object;	/* NULL: not touched yet */
	vm_ooffset_t	offset;		/* of start, in object */
};

struct vm_map_entry {
	RB_ENTRY(vm_map_entry) rb_entry;
	struct vm_map_backing ba;
	vm_eflags_t	eflags;		/* MAP_ENTRY_* */
	vm_maptype_t	maptype;
	vm_prot_t	protection;
	vm_prot_t	max_protection;
	vm_inherit_t	inheritance;
	int		wired_count;	/* pages are wired while > 0 */
	vm_subsys_t	id;
};

typedef struct vm_map_entry *vm_map_entry_t;

#define	MAPENT_FREELIST(ent)	((ent)->rb_entry.rbe_left)

#define	MAP_ENTRY_COW		0x0002	/* private copy of a file */
#define	MAP_ENTRY_NEEDS_COPY	0x0004	/* shadow the object before a write */

/*
 * Entries one map operation may use up, and how many a cpu keeps.
 */
#define	MAP_RESERVE_COUNT	4
#define	MAP_RESERVE_DEPTH	4	/* nested reservations of one thread */
#define	MAP_RESERVE_SLOP	512
#define	MAP_RESERVE_HYST	(MAP_RESERVE_SLOP - MAP_RESERVE_SLOP / 8)

struct vm_map {
	struct lock	lock;		/* the tree and all entries */
	struct vm_map_rb_tree rb_root;	/* entries, by address */
	vm_offset_t	min_addr;
	vm_offset_t	max_addr;
	int		nentries;
	unsigned int	timestamp;	/* counts exclusive locks */
	vm_size_t	size;		/* bytes mapped */
	vm_offset_t	hint_start;	/* from hint_base to here no hole ... */
	vm_offset_t	hint_base;
	vm_size_t	hint_length;	/* ... is this long; 0: unknown */
	u_char		system_map;	/* kernel_map */
	struct pmap	*pmap;
};

typedef struct vm_map *vm_map_t;

/*
 * A process's address space.  vm_pmap is constructed state: it keeps its
 * root page table while the vmspace rests in vmspace_cache.
 */
struct vmspace {
	struct vm_map	vm_map;
	struct pmap	vm_pmap;
#define	vm_startcopy	vm_tsize
	segsz_t		vm_tsize;	/* text, pages */
	segsz_t		vm_dsize;	/* data and heap, pages */
	segsz_t		vm_ssize;	/* stack, pages */
	caddr_t		vm_taddr;
	caddr_t		vm_daddr;
	caddr_t		vm_maxsaddr;	/* lowest address of the stack */
#define	vm_endcopy	vm_refcnt
	u_int		vm_refcnt;
};

#define	VM_REF_DELETED	0x80000000U	/* rests in the cache */

#ifdef _KERNEL

#define	ASSERT_VM_MAP_LOCKED(map)	KKASSERT(lockowned(&(map)->lock))

#define	vm_map_lock(map)						\
	do {								\
		lockmgr(&(map)->lock, LK_EXCLUSIVE);			\
		(map)->timestamp++;					\
	} while (0)
#define	vm_map_unlock(map)	lockmgr(&(map)->lock, LK_RELEASE)
#define	vm_map_lock_read(map)	lockmgr(&(map)->lock, LK_SHARED)
#define	vm_map_unlock_read(map)	lockmgr(&(map)->lock, LK_RELEASE)

#define	vm_map_min(map)		((map)->min_addr)
#define	vm_map_max(map)		((map)->max_addr)

static __inline struct pmap *
vmspace_pmap(struct vmspace *vm)
{
	return (&vm->vm_pmap);
}

/* Map entries in static memory, to boot with. */
#define	MAX_MAPENT	(SMP_MAXCPU * 32 + 1024)

/* cowflags of vm_map_insert() */
#define	COWF_COPY_ON_WRITE	0x0001	/* private mapping of an object */
#define	COWF_SHARED		0x0002	/* children share it */

/* fault_flags of vm_fault() */
#define	VM_FAULT_NORMAL		0x00
#define	VM_FAULT_DIRTY		0x08	/* the caller will write */
#define	VM_FAULT_USERMODE	0x40	/* the fault came from user mode */

struct globaldata;

void	vm_map_startup(void);
void	vm_init2(void);
void	vm_map_init(struct vm_map *, vm_offset_t min, vm_offset_t max, pmap_t);

/*
 * Entries for one operation: reserve before the map is locked (may block),
 * release what is left after it.  The k-variants are for kernel_map paths
 * which the zone itself may need to grow: they do not fill the reserve.
 */
void	vm_map_entry_reserve_cpu_init(struct globaldata *gd);
int	vm_map_entry_reserve(int count);
int	vm_map_entry_kreserve(int count);
void	vm_map_entry_release(int count);
void	vm_map_entry_krelease(int count);

/*
 * All of these return KERN_* codes.  Addresses are page-aligned bytes; the
 * map must be locked where a countp is passed.
 */
int	vm_map_insert(vm_map_t, int *countp, void *map_object, void *map_aux,
	    vm_ooffset_t offset, void *aux_info, vm_offset_t start,
	    vm_offset_t end, vm_maptype_t, vm_subsys_t id, vm_prot_t prot,
	    vm_prot_t max, int cow);
int	vm_map_find(vm_map_t, void *map_object, void *map_aux,
	    vm_ooffset_t offset, vm_offset_t *addr, vm_size_t length,
	    vm_size_t align, boolean_t fitit, vm_maptype_t, vm_subsys_t id,
	    vm_prot_t prot, vm_prot_t max, int cow);
int	vm_map_findspace(vm_map_t, vm_offset_t start, vm_size_t length,
	    vm_size_t align, int flags, vm_offset_t *addr);
int	vm_map_delete(vm_map_t, vm_offset_t start, vm_offset_t end,
	    int *countp);
int	vm_map_remove(vm_map_t, vm_offset_t start, vm_offset_t end);
int	vm_map_protect(vm_map_t, vm_offset_t start, vm_offset_t end,
	    vm_prot_t prot, boolean_t set_max);
int	vm_map_madvise(vm_map_t, vm_offset_t start, vm_offset_t end, int behav,
	    off_t value);
void	vm_map_simplify_entry(vm_map_t, vm_map_entry_t, int *countp);
void	vm_map_set_wired_quick(vm_map_t, vm_offset_t addr, vm_size_t size,
	    int *countp);
boolean_t vm_map_lookup_entry(vm_map_t, vm_offset_t, vm_map_entry_t *);
void	vm_map_entry_allocate_object(vm_map_entry_t);

/*
 * Find what backs an address.  On success the map is locked shared until
 * vm_map_lookup_done().
 */
int	vm_map_lookup(vm_map_t *, vm_offset_t, vm_prot_t, vm_map_entry_t *,
	    struct vm_map_backing **, vm_pindex_t *pindex, vm_prot_t *prot);
void	vm_map_lookup_done(vm_map_t, vm_map_entry_t, int count);

#endif /* _KERNEL */

#endif /* _VM_VM_MAP_H_ */
