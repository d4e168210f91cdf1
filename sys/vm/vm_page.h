/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_PAGE_H_
#define	_VM_VM_PAGE_H_

/*
 * Physical pages.  The theory, the thresholds and the locking are in
 * vm_page.c.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>
#include <machine/pmap.h>
#include <machine/vmparam.h>
#include <vm/vm.h>

TAILQ_HEAD(pglist, vm_page);

struct vm_page_rb_tree;
RB_HEAD(vm_page_rb_tree, vm_page);

struct vm_page {
	TAILQ_ENTRY(vm_page) pageq;	/* on a page queue */
	RB_ENTRY(vm_page) rb_entry;	/* in object's rb_memq */
	struct md_page	md;
	struct vm_object *object;	/* NULL: in none */
	vm_pindex_t	pindex;		/* page number within object */
	vm_paddr_t	phys_addr;
	uint32_t	wire_count;	/* not pageable while > 0 */
	uint32_t	busy_count;	/* PBUSY_*, and soft-busy holders */
	int		ku_pagecnt;	/* kmalloc: pages of this allocation */
	uint32_t	flags;		/* PG_* */
	uint16_t	queue;		/* PQ_* */
	uint8_t		act_count;	/* recent use, 0 .. ACT_MAX */
	uint8_t		valid;		/* 0 or VM_PAGE_BITS_ALL */
	uint8_t		dirty;		/* 0 or VM_PAGE_BITS_ALL */
};

int	rb_vm_page_compare(struct vm_page *, struct vm_page *);
RB_PROTOTYPE2(vm_page_rb_tree, vm_page, rb_entry, rb_vm_page_compare,
    vm_pindex_t);

/*
 * busy_count.  LOCKED: one thread owns the page (hard-busy).  The count:
 * I/O in progress that reads the page (soft-busy).  WANTED: someone sleeps
 * for either to end.
 */
#define	PBUSY_LOCKED		0x80000000U
#define	PBUSY_WANTED		0x40000000U
#define	PBUSY_MASK		0x3fffffffU

#define	PQ_NONE		0
#define	PQ_FREE		1
#define	PQ_INACTIVE	2
#define	PQ_ACTIVE	3
#define	PQ_COUNT	4

#define	PG_WINATCFLS	0x00000004	/* dirty, had its second chance */
#define	PG_WRITEABLE	0x00000010	/* some pte may be writable */
#define	PG_MAPPED	0x00000020	/* some pte may map it */
#define	PG_REFERENCED	0x00000080	/* used since last looked at */
#define	PG_MARKER	0x00001000	/* place holder of a queue scan */
#define	PG_SWAPPED	0x00004000	/* has a swap block */

#define	ACT_DECLINE	1
#define	ACT_ADVANCE	3
#define	ACT_INIT	5
#define	ACT_MAX		64

#define	VM_PAGE_BITS_ALL	0xff

/*
 * vm_page_alloc() classes: how deep into the free pages a caller may reach,
 * and what else it wants.
 */
#define	VM_ALLOC_NORMAL		0x0001	/* down to v_free_reserved */
#define	VM_ALLOC_SYSTEM		0x0002	/* down to v_interrupt_free_min */
#define	VM_ALLOC_INTERRUPT	0x0004	/* down to the last page */
#define	VM_ALLOC_ZERO		0x0008	/* hint only, as in DragonFly */
#define	VM_ALLOC_QUICK		0x0010	/* as NORMAL */
#define	VM_ALLOC_FORCE_ZERO	0x0020	/* vm_page_grab: zero in any case */
#define	VM_ALLOC_NULL_OK	0x0040	/* NULL if pindex is taken */
#define	VM_ALLOC_RETRY		0x0080	/* vm_page_grab: wait for memory */

#ifdef _KERNEL

#include <sys/spinlock.h>
#include <vm/vm_lastpage.h>

struct vpgqueues {
	struct spinlock	spin;
	struct pglist	pl;
	long		*cnt;		/* the count in vmstats, or NULL */
} __aligned(64);

extern struct vpgqueues vm_page_queues[PQ_COUNT];

extern struct vm_page *vm_page_array;
extern vm_pindex_t vm_page_array_size;
extern vm_pindex_t first_page;

#define	VM_PAGE_TO_PHYS(m)	((m)->phys_addr)
#define	PHYS_TO_VM_PAGE(pa)	(&vm_page_array[atop(pa) - first_page])

void	vm_page_startup(void);

/*
 * A page, busied and invalid, or NULL when free memory is below what the
 * class in req may use.  Never blocks.  object, if any, must be held.
 */
vm_page_t vm_page_alloc(struct vm_object *object, vm_pindex_t pindex, int req);
vm_page_t vm_page_grab(struct vm_object *object, vm_pindex_t pindex, int req);
void	vm_page_free_toq(vm_page_t m);

/* With the free queue locked; after a put, unlocked, the wakeup. */
vm_page_t vm_page_free_get(void);
void	vm_page_free_put(vm_page_t m);
void	vm_page_free_wakeup(void);

int	vm_page_insert(vm_page_t m, struct vm_object *object,
	    vm_pindex_t pindex);
void	vm_page_remove(vm_page_t m);
vm_page_t vm_page_lookup(struct vm_object *object, vm_pindex_t pindex);
vm_page_t vm_page_lookup_busy_wait(struct vm_object *object,
	    vm_pindex_t pindex, int also_m_busy, const char *wmesg);
vm_page_t vm_page_lookup_busy_try(struct vm_object *object,
	    vm_pindex_t pindex, int also_m_busy, int *errorp);

void	vm_page_busy_wait(vm_page_t m, int also_m_busy, const char *wmesg);
int	vm_page_busy_try(vm_page_t m, int also_m_busy);
void	vm_page_sleep_busy(vm_page_t m, int also_m_busy, const char *wmesg);
void	vm_page_wakeup(vm_page_t m);
void	vm_page_io_start(vm_page_t m);
void	vm_page_io_finish(vm_page_t m);

void	vm_page_dirtied(vm_page_t m);
void	vm_page_wire(vm_page_t m);
void	vm_page_unwire(vm_page_t m, int activate);
void	vm_page_activate(vm_page_t m);
void	vm_page_deactivate(vm_page_t m);
void	vm_page_unqueue(vm_page_t m);
void	vm_page_requeue(vm_page_t m);

#endif /* _KERNEL */

#endif /* _VM_VM_PAGE_H_ */
