/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page faults.
 *
 * A fault finds the entry, busies or allocates the page, fills it with
 * zeroes or from swap, and maps it.  Whatever makes it wait (a busy page, no
 * free page) makes it let go of everything and start anew, so nothing found
 * before the wait needs to be checked after it.  Only a read from swap waits
 * with the map locked (shared) and the page busied.
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
 * The object's page, busied and valid.  KERN_TRY_AGAIN: had to wait, with
 * nothing held, map lock included.
 */
static int
vm_fault_object(vm_map_t map, vm_map_entry_t entry, vm_object_t object,
    vm_pindex_t pindex, vm_page_t *mp)
{
	vm_page_t m;
	int error;

	vm_object_hold(object);
	m = vm_page_lookup_busy_try(object, pindex, TRUE, &error);
	if (error) {
		vm_object_drop(object);
		vm_map_lookup_done(map, entry, 0);
		mycpu->gd_cnt.v_intrans++;
		vm_page_sleep_busy(m, TRUE, "vmpfw");
		return (KERN_TRY_AGAIN);
	}
	if (m == NULL) {
		if (!vm_paging_severe())
			m = vm_page_alloc(object, pindex,
			    VM_ALLOC_NORMAL | VM_ALLOC_ZERO);
		if (m == NULL)
			m = vm_inject_page(object, pindex);
		if (m == NULL) {
			vm_object_drop(object);
			vm_map_lookup_done(map, entry, 0);
			if (vm_inject_wait() == FALSE)
				vm_wait_pfault();
			return (KERN_TRY_AGAIN);
		}
	}
	if (m->valid == 0) {
		if (swap_pager_haspage_locked(object, pindex)) {
			if (swap_pager_getpage(object, m) != VM_PAGER_OK) {
				vm_page_free(m);
				vm_object_drop(object);
				vm_map_lookup_done(map, entry, 0);
				return (KERN_FAILURE);
			}
		} else {
			vm_page_zero_fill(m);
			m->valid = VM_PAGE_BITS_ALL;
			mycpu->gd_cnt.v_zfod++;
		}
	}
	vm_object_drop(object);
	*mp = m;
	return (KERN_SUCCESS);
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
	do {
		result = vm_map_lookup(&map, vaddr, fault_type, &entry, &ba,
		    &pindex, &prot);
		if (result != KERN_SUCCESS)
			return (result);
		result = vm_fault_object(map, entry, ba->object, pindex, &m);
	} while (result == KERN_TRY_AGAIN);
	if (result != KERN_SUCCESS)
		return (result);

	if (fault_type & VM_PROT_WRITE) {
		m->dirty = VM_PAGE_BITS_ALL;
		if (m->flags & PG_SWAPPED)
			swap_pager_unswapped(m);
	} else if (m->dirty == 0) {
		prot &= ~VM_PROT_WRITE;
	}
	pmap_enter(map->pmap, vaddr, m, prot, FALSE, entry);
	vm_page_flag_set(m, PG_REFERENCED);
	vm_page_activate(m);
	vm_page_wakeup(m);
	vm_map_lookup_done(map, entry, 0);
	return (KERN_SUCCESS);
}
