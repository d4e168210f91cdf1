/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page faults.
 *
 * A fault finds the entry, then the page: in the entry's object, or else in
 * the nearest of the objects behind it that has it (see vm_object.c), or else
 * it is a new one of zeroes.  It busies the page and maps it.  A page of an
 * object behind is mapped read-only, or copied to the first object when it is
 * to be written to.
 *
 * Whatever makes a fault wait (a busy page, no free page) makes it let go of
 * everything and start anew, so nothing found before the wait needs to be
 * checked after it.  Only a read from swap waits with the map locked (shared)
 * and the page busied; if that was for an object behind, the chain may have
 * changed and the fault starts anew too.
 *
 * A page is mapped writable only when it is being written, and marked dirty
 * then: a writable pte implies a dirty page, and nobody needs to look for
 * the modified bits of ptes.  What swap holds for the page is stale at the
 * same moment, and is freed.
 *
 * Kernel memory is never paged: a fault on it is a mistake.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/signal.h>
#include <sys/vmmeter.h>
#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_extern.h>
#include <vm/vm_inject.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_page2.h>
#include <vm/vm_pageout.h>
#include <vm/swap_pager.h>

/*
 * Allocate the page of a held object, or NULL if the caller must wait.
 */
static vm_page_t
vm_fault_alloc(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m = NULL;

	if (vm_page_lookup(object, pindex) != NULL)
		return (NULL);
	if (!vm_paging_severe())
		m = vm_page_alloc(object, pindex,
		    VM_ALLOC_NORMAL | VM_ALLOC_ZERO);
	if (m == NULL)
		m = vm_inject_page(object, pindex);
	return (m);
}

/*
 * Fill a busied page which is not valid, from swap or with zeroes.  Its
 * object is held.  May block, and loses the token then.
 */
static int
vm_fault_fill(vm_object_t object, vm_page_t m)
{
	if (swap_pager_haspage_locked(object, m->pindex)) {
		if (swap_pager_getpage(object, m) != VM_PAGER_OK) {
			vm_page_free(m);
			return (KERN_FAILURE);
		}
	} else {
		vm_page_zero_fill(m);
		m->valid = VM_PAGE_BITS_ALL;
		mycpu->gd_cnt.v_zfod++;
	}
	return (KERN_SUCCESS);
}

/*
 * The page that object, which is held, has at pindex itself: busied, or NULL.
 * KERN_TRY_AGAIN: *mp is busy.  KERN_RESOURCE_SHORTAGE: no memory.
 */
static int
vm_fault_resident(vm_object_t object, vm_pindex_t pindex, vm_page_t *mp)
{
	int error;

	*mp = vm_page_lookup_busy_try(object, pindex, TRUE, &error);
	if (error)
		return (KERN_TRY_AGAIN);
	if (*mp == NULL && swap_pager_haspage_locked(object, pindex)) {
		*mp = vm_fault_alloc(object, pindex);
		if (*mp == NULL)
			return (KERN_RESOURCE_SHORTAGE);
	}
	return (KERN_SUCCESS);
}

/*
 * Find the page for first_pindex of first, which is held, in the chain of
 * objects: *objectp, held too (once if it is first), and the busied page.  A
 * page that is nowhere is made in first.
 */
static int
vm_fault_search(vm_object_t first, vm_pindex_t first_pindex,
    vm_object_t *objectp, vm_page_t *mp)
{
	vm_object_t object = first, next;
	vm_pindex_t pindex = first_pindex;
	boolean_t kept;
	int result;

	for (;;) {
		*objectp = object;
		result = vm_fault_resident(object, pindex, mp);
		if (result != KERN_SUCCESS || *mp != NULL)
			return (result);
		next = object->backing_object;
		if (next == NULL)
			break;
		pindex += OFF_TO_IDX(object->backing_object_offset);
		kept = vm_object_hold_next(next);
		if (object != first)
			vm_object_drop(object);
		object = next;
		if (!kept) {
			vm_object_drop(next);
			object = first;
			pindex = first_pindex;
		}
	}
	if (object != first)
		vm_object_drop(object);
	*objectp = first;
	*mp = vm_fault_alloc(first, first_pindex);
	return (*mp == NULL ? KERN_RESOURCE_SHORTAGE : KERN_SUCCESS);
}

/*
 * Make a copy of m, a page of an object behind, in first.  Takes m over;
 * NULL if there is no memory.
 */
static vm_page_t
vm_fault_copy(vm_object_t first, vm_pindex_t first_pindex, vm_page_t m)
{
	vm_page_t copy;

	copy = vm_fault_alloc(first, first_pindex);
	if (copy != NULL) {
		pmap_copy_page(VM_PAGE_TO_PHYS(m), VM_PAGE_TO_PHYS(copy));
		copy->valid = VM_PAGE_BITS_ALL;
		mycpu->gd_cnt.v_cow_faults++;
	}
	vm_page_activate(m);
	vm_page_wakeup(m);
	return (copy);
}

/*
 * The page to map, busied and valid; *protp loses VM_PROT_WRITE if it is not
 * first's own.  KERN_TRY_AGAIN and KERN_RESOURCE_SHORTAGE: see
 * vm_fault_wait().
 */
static int
vm_fault_object(vm_object_t first, vm_pindex_t first_pindex,
    vm_prot_t fault_type, vm_prot_t *protp, vm_page_t *mp)
{
	vm_object_t object;
	boolean_t behind;
	vm_page_t m;
	int result;

	vm_object_hold(first);
	result = vm_fault_search(first, first_pindex, &object, mp);
	behind = (object != first);
	m = *mp;
	if (result == KERN_SUCCESS && m->valid == 0) {
		result = vm_fault_fill(object, m);
		if (result == KERN_SUCCESS && behind) {
			vm_page_activate(m);
			vm_page_wakeup(m);
			*mp = NULL;
			result = KERN_TRY_AGAIN;
		}
	} else if (result == KERN_SUCCESS && behind) {
		if (fault_type & VM_PROT_WRITE) {
			*mp = vm_fault_copy(first, first_pindex, m);
			if (*mp == NULL)
				result = KERN_RESOURCE_SHORTAGE;
		} else {
			*protp &= ~VM_PROT_WRITE;
		}
	}
	if (behind)
		vm_object_drop(object);
	vm_object_drop(first);
	return (result);
}

/*
 * With nothing held: wait until result, a failure, may be a success.  FALSE
 * if it never will, or not for this process, which is being killed.
 */
static boolean_t
vm_fault_wait(int result, vm_page_t m)
{
	if (result == KERN_RESOURCE_SHORTAGE) {
		if (curproc_killed())
			return (FALSE);
		if (vm_inject_wait() == FALSE)
			vm_wait_pfault();
		return (TRUE);
	}
	if (result != KERN_TRY_AGAIN)
		return (FALSE);
	if (m != NULL) {
		mycpu->gd_cnt.v_intrans++;
		vm_page_sleep_busy(m, TRUE, "vmpfw");
	}
	return (TRUE);
}

/*
 * The page of an object without a backing object, busied and valid, for a
 * file's data.  NULL with *errorp 0: there is none and create is not set.
 * NULL with EIO: it cannot be read.  Blocks for memory.
 */
vm_page_t
vm_fault_object_page(vm_object_t object, vm_pindex_t pindex,
    boolean_t create, int *errorp)
{
	vm_page_t m;
	int result;

	*errorp = 0;
	for (;;) {
		vm_object_hold(object);
		result = vm_fault_resident(object, pindex, &m);
		if (result == KERN_SUCCESS && m == NULL && create) {
			m = vm_fault_alloc(object, pindex);
			if (m == NULL)
				result = KERN_RESOURCE_SHORTAGE;
		}
		if (result == KERN_SUCCESS && m != NULL && m->valid == 0)
			result = vm_fault_fill(object, m);
		vm_object_drop(object);
		if (result == KERN_SUCCESS)
			return (m);
		if (vm_fault_wait(result, m) == FALSE) {
			*errorp = EIO;
			return (NULL);
		}
	}
}

/*
 * The busied page m is written to: what swap has is stale.
 */
void
vm_page_dirtied(vm_page_t m)
{
	m->dirty = VM_PAGE_BITS_ALL;
	if (m->flags & PG_SWAPPED)
		swap_pager_unswapped(m);
}

int
vm_fault(vm_map_t map, vm_offset_t vaddr, vm_prot_t fault_type,
    int fault_flags __unused)
{
	struct vm_map_backing *ba;
	vm_map_entry_t entry;
	vm_pindex_t pindex;
	vm_prot_t prot;
	vm_page_t m;
	int result;

	if (map->system_map)
		return (KERN_FAILURE);
	vaddr = trunc_page(vaddr);
	mycpu->gd_cnt.v_vm_faults++;
	for (;;) {
		result = vm_map_lookup(&map, vaddr, fault_type, &entry, &ba,
		    &pindex, &prot);
		if (result != KERN_SUCCESS)
			return (result);
		result = vm_fault_object(ba->object, pindex, fault_type,
		    &prot, &m);
		if (result == KERN_SUCCESS)
			break;
		vm_map_lookup_done(map, entry, 0);
		if (vm_fault_wait(result, m) == FALSE)
			return (result);
	}

	if (fault_type & VM_PROT_WRITE)
		vm_page_dirtied(m);
	else if (m->dirty == 0)
		prot &= ~VM_PROT_WRITE;
	pmap_enter(map->pmap, vaddr, m, prot, FALSE, entry);
	vm_page_flag_set(m, PG_REFERENCED);
	vm_page_activate(m);
	vm_page_wakeup(m);
	vm_map_lookup_done(map, entry, 0);
	return (KERN_SUCCESS);
}
