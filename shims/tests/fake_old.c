/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See fake_old.h.
 */

#include <stdlib.h>

#include "fake_old.h"

/*
 * Takes ordinary pages, and waits for them.  The map entries that this needs
 * are not faked.
 */
vm_offset_t
kmem_alloc3(struct vm_map *map, vm_size_t size, int id, int kmflags)
{
	vm_offset_t va;
	vm_size_t i;
	vm_page_t m;

	va = kmem_alloc_pageable(map, size, id);
	if (va == 0)
		return (0);
	for (i = 0; i < size; i += PAGE_SIZE) {
		while ((m = vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL)) == NULL)
			vm_wait(0);
		vm_page_wire(m);
		vm_page_wakeup(m);
		pmap_kenter(va + i, VM_PAGE_TO_PHYS(m));
	}
	return (va);
}

vm_offset_t
kmem_alloc_pageable(struct vm_map *map, vm_size_t size, int id)
{
	return (kmem_alloc_nofault(map, size, id, PAGE_SIZE));
}

void *
krealloc(void *ptr, unsigned long size, struct malloc_type *type, int flags)
{
	return (realloc(ptr, size));
}
