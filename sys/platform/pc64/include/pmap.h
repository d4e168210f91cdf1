/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_PMAP_H_
#define	_MACHINE_PMAP_H_

/*
 * Four-level x86-64 page tables: the machine's half of vm/pmap.h.
 * The theory is in pmap.c.
 */

#define	PDPSHIFT	30
#define	NPTE_SHIFT	9		/* log2 of entries in any table */

#define	KPML4I		511		/* kernel image and kernel_map */
#define	DMPML4I		510		/* direct map */
#define	KPDPI		510		/* KERNBASE within KPML4I */

#define	X86_PG_V	0x001UL		/* valid */
#define	X86_PG_RW	0x002UL		/* writable */
#define	X86_PG_U	0x004UL		/* user */
#define	X86_PG_A	0x020UL		/* accessed */
#define	X86_PG_M	0x040UL		/* modified */
#define	X86_PG_PS	0x080UL		/* large page */
#define	X86_PG_G	0x100UL		/* global */
#define	X86_PG_MANAGED	0x200UL		/* software: has a pv_entry */
#define	X86_PG_FRAME	0x000ffffffffff000UL

#ifndef LOCORE

#include <sys/types.h>
#include <sys/cpumask.h>
#include <sys/queue.h>
#include <sys/tree.h>

struct pmap;
struct pv_entry;
struct thread;
struct vm_object;
struct vm_page;
struct vmspace;

typedef uint64_t pt_entry_t;
typedef uint64_t pd_entry_t;
typedef uint64_t pdp_entry_t;
typedef uint64_t pml4_entry_t;

/*
 * A page's mappings: one pv_entry for each pte that maps it.
 */
struct md_page {
	TAILQ_HEAD(, pv_entry) pv_list;
};

struct pmap_statistics {
	long	resident_count;		/* user pages mapped */
	long	wired_count;		/* page table pages */
};

struct pv_entry_rb_tree;
RB_HEAD(pv_entry_rb_tree, pv_entry);

struct pmap {
	pml4_entry_t	*pm_pml4;	/* root table, in the direct map */
	struct pv_entry	*pm_pmlpv;	/* its pv_entry */
	struct pv_entry_rb_tree pm_pvroot; /* all others, by pv_pindex */
	struct pmap_statistics pm_stats;
	volatile cpumask_t pm_active;	/* cpus which have it loaded */
};

typedef struct pmap *pmap_t;

/*
 * Ties a page to one place of one pmap: either a managed page which a pte
 * maps, or a page table page which an entry of the table above points to.
 * pv_pindex is the page number of the address for the former; page table
 * pages follow in number ranges of their own, one range a level.
 */
typedef struct pv_entry {
	pmap_t		pv_pmap;
	vm_pindex_t	pv_pindex;
	RB_ENTRY(pv_entry) pv_entry;
	TAILQ_ENTRY(pv_entry) pv_list;	/* of pv_m's mappings (ptes only) */
	struct vm_page	*pv_m;
} *pv_entry_t;

int	pv_entry_compare(struct pv_entry *, struct pv_entry *);
RB_PROTOTYPE2(pv_entry_rb_tree, pv_entry, pv_entry, pv_entry_compare,
    vm_pindex_t);

#ifdef _KERNEL
extern struct pmap *kernel_pmap;
extern uint64_t	KPML4phys;	/* the kernel's level 4 table */

/*
 * Takes over the page tables the boot code made; call with their level 4
 * table in %cr3 and the direct map in place.
 */
void	pmap_bootstrap(void);

/* Load vm's page tables (NULL: the kernel's) on this cpu. */
void	pmap_activate(struct vmspace *vm);

#endif

#endif /* !LOCORE */

#endif /* _MACHINE_PMAP_H_ */
