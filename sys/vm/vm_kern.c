/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel memory: address ranges of kernel_map, with or without pages.
 *
 * kmem_alloc() gives wired, zeroed pages of kernel_object, mapped.  The
 * others give address space only, page tables included, which the caller
 * populates with pmap_kenter().  kmem_free() takes either kind back; pages
 * not in kernel_object must have been unmapped by their owner.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_extern.h>
#include <vm/vm_kern.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

static struct vm_map kernel_map_store;
struct vm_map *kernel_map = &kernel_map_store;

void
kmem_init(void)
{
	vm_map_entry_reserve_cpu_init(mycpu);
	vm_map_init(kernel_map, virtual_start, virtual_end, kernel_pmap);
	kernel_map->system_map = 1;
}

vm_offset_t
kmem_alloc3(vm_map_t map, vm_size_t size, vm_subsys_t id, int kmflags)
{
	vm_offset_t addr, va;
	vm_page_t m;
	int count;

	size = round_page(size);
	if (kmflags & KM_KRESERVE)
		count = vm_map_entry_kreserve(MAP_RESERVE_COUNT);
	else
		count = vm_map_entry_reserve(MAP_RESERVE_COUNT);
	vm_map_lock(map);
	if (vm_map_findspace(map, vm_map_min(map), size, PAGE_SIZE, 0,
	    &addr) == 0) {
		vm_object_reference_quick(kernel_object);
		vm_map_insert(map, &count, kernel_object, NULL, addr, NULL,
		    addr, addr + size, VM_MAPTYPE_NORMAL, id, VM_PROT_ALL,
		    VM_PROT_ALL, 0);
	} else {
		addr = 0;
	}
	vm_map_unlock(map);
	if (kmflags & KM_KRESERVE)
		vm_map_entry_krelease(count);
	else
		vm_map_entry_release(count);
	if (addr == 0)
		return (0);

	/* A stack's lowest page stays unmapped, to catch overruns. */
	va = addr + ((kmflags & KM_STACK) ? PAGE_SIZE : 0);
	for (; va < addr + size; va += PAGE_SIZE) {
		m = vm_page_grab(kernel_object, OFF_TO_IDX(va),
		    VM_ALLOC_FORCE_ZERO | VM_ALLOC_NORMAL | VM_ALLOC_RETRY);
		pmap_enter(kernel_pmap, va, m, VM_PROT_ALL, TRUE, NULL);
		vm_page_wakeup(m);
	}
	return (addr);
}

vm_offset_t
kmem_alloc_nofault(vm_map_t map, vm_size_t size, vm_subsys_t id,
    vm_size_t align)
{
	vm_offset_t addr;

	addr = vm_map_min(map);
	if (vm_map_find(map, NULL, NULL, 0, &addr, round_page(size), align,
	    TRUE, VM_MAPTYPE_NORMAL, id, VM_PROT_ALL, VM_PROT_ALL,
	    0) != KERN_SUCCESS)
		return (0);
	return (addr);
}

vm_offset_t
kmem_alloc_pageable(vm_map_t map, vm_size_t size, vm_subsys_t id)
{
	return (kmem_alloc_nofault(map, size, id, PAGE_SIZE));
}

void
kmem_free(vm_map_t map, vm_offset_t addr, vm_size_t size)
{
	vm_map_remove(map, trunc_page(addr), round_page(addr + size));
}
