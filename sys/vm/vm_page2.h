/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_PAGE2_H_
#define	_VM_VM_PAGE2_H_

/*
 * Inline tests of free memory, and small page operations.  The thresholds
 * are ordered
 *
 *	severe < reserved < min < wait < start < target1 < target2
 *
 * and every test is also true when free pages have sunk below reserved.
 */

#include <sys/systm.h>
#include <sys/vmmeter.h>
#include <machine/atomic.h>
#include <vm/pmap.h>
#include <vm/vm_page.h>

static __inline int
vm_paging_below(long threshold)
{
	long count = vmstats.v_free_count;

	return (count < threshold || count < vmstats.v_free_reserved);
}

/* User page faults must stall. */
static __inline int
vm_paging_severe(void)
{
	return (vm_paging_below(vmstats.v_free_severe));
}

/* As if donotcount of the free pages were not there. */
static __inline int
vm_paging_min_dnc(long donotcount)
{
	return (vm_paging_below(vmstats.v_free_min + donotcount));
}

static __inline int
vm_paging_min(void)
{
	return (vm_paging_min_dnc(0));
}

/* Ordinary allocations should slow down. */
static __inline int
vm_paging_wait(void)
{
	return (vm_paging_below(vmstats.v_paging_wait));
}

/* The page-out daemon should start; adj pages are counted as free. */
static __inline int
vm_paging_start(int adj)
{
	long count = vmstats.v_free_count;

	return (count + adj < vmstats.v_paging_start ||
	    count + adj < vmstats.v_free_min ||
	    count < vmstats.v_free_reserved);
}

static __inline int
vm_paging_target1(void)
{
	return (vm_paging_below(vmstats.v_paging_target1));
}

static __inline long
vm_paging_target1_count(void)
{
	return (vmstats.v_paging_target1 - vmstats.v_free_count);
}

static __inline int
vm_paging_target2(void)
{
	return (vm_paging_below(vmstats.v_paging_target2));
}

static __inline long
vm_paging_target2_count(void)
{
	return (vmstats.v_paging_target2 - vmstats.v_free_count);
}

static __inline void
vm_page_flag_set(vm_page_t m, unsigned int bits)
{
	atomic_set_int(&m->flags, bits);
}

static __inline void
vm_page_flag_clear(vm_page_t m, unsigned int bits)
{
	atomic_clear_int(&m->flags, bits);
}

/* The page must be busied and mapped nowhere. */
static __inline void
vm_page_free(vm_page_t m)
{
	vm_page_free_toq(m);
}

static __inline void
vm_page_undirty(vm_page_t m)
{
	m->dirty = 0;
}

static __inline boolean_t
vm_page_zero_fill(vm_page_t m)
{
	pmap_zero_page(VM_PAGE_TO_PHYS(m));
	return (TRUE);
}

/*
 * Take access away: VM_PROT_READ leaves read-only mappings, VM_PROT_NONE
 * none.  The page must be busied.
 */
static __inline void
vm_page_protect(vm_page_t m, int prot)
{
	KKASSERT(m->busy_count & PBUSY_LOCKED);
	if (prot == VM_PROT_NONE) {
		if (m->flags & (PG_MAPPED | PG_WRITEABLE))
			pmap_page_protect(m, VM_PROT_NONE);
	} else if (prot == VM_PROT_READ) {
		if (m->flags & PG_WRITEABLE)
			pmap_page_protect(m, VM_PROT_READ);
	}
}

#endif /* _VM_VM_PAGE2_H_ */
