/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory system calls, without their conventions.  Callers check that
 * ranges lie in user space.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/globaldata.h>
#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_extern.h>
#include <vm/vm_map.h>

/* Where mmap() looks for space if not told otherwise. */
#define	VM_MMAP_BASE	0x0000100000000000UL

/*
 * The errno for what the VM returned.  What a caller cannot help is EINVAL.
 */
int
vm_mmap_to_errno(int rv)
{
	if (rv == KERN_SUCCESS)
		return (0);
	if (rv == KERN_PROTECTION_FAILURE)
		return (EACCES);
	return (rv == KERN_NO_SPACE || rv == KERN_INVALID_ADDRESS ? ENOMEM :
	    EINVAL);
}

/*
 * fixed: at *addr, replacing what is there.  Else near *addr if possible.
 */
int
kern_mmap(struct vmspace *vm, vm_offset_t *addr, vm_size_t size,
    vm_prot_t prot, boolean_t fixed, vm_object_t object, vm_ooffset_t offset,
    int cow)
{
	vm_map_t map = &vm->vm_map;
	vm_offset_t start;
	int count, rv;

	size = round_page(size);
	start = trunc_page(*addr);
	if (size == 0) {
		if (object != NULL)
			vm_object_deallocate(object);
		return (EINVAL);
	}
	if (object == NULL && (cow & COWF_SHARED))
		object = vm_object_allocate(OBJT_DEFAULT, atop(size));
	count = vm_map_entry_reserve(MAP_RESERVE_COUNT);
	vm_map_lock(map);
	rv = KERN_SUCCESS;
	if (fixed) {
		if (start < vm_map_min(map) || start + size < start ||
		    start + size > vm_map_max(map))
			rv = KERN_NO_SPACE;
		else
			rv = vm_map_delete(map, start, start + size, &count);
	} else if ((start == 0 || vm_map_findspace(map, start, size,
	    PAGE_SIZE, 0, &start)) && vm_map_findspace(map, VM_MMAP_BASE,
	    size, PAGE_SIZE, 0, &start)) {
		rv = KERN_NO_SPACE;
	}
	if (rv == KERN_SUCCESS)
		rv = vm_map_insert(map, &count, object, NULL, offset, NULL,
		    start, start + size, VM_MAPTYPE_NORMAL, VM_SUBSYS_MMAP,
		    prot, VM_PROT_ALL, cow);
	vm_map_unlock(map);
	vm_map_entry_release(count);
	if (rv == KERN_SUCCESS)
		*addr = start;
	else if (object != NULL)
		vm_object_deallocate(object);
	return (vm_mmap_to_errno(rv));
}

int
kern_mmap_anon(struct vmspace *vm, vm_offset_t *addr, vm_size_t size,
    vm_prot_t prot, boolean_t fixed)
{
	return (kern_mmap(vm, addr, size, prot, fixed, NULL, 0, 0));
}

int
kern_munmap(struct vmspace *vm, vm_offset_t addr, vm_size_t size)
{
	if ((addr & PAGE_MASK) || size == 0)
		return (EINVAL);
	return (vm_mmap_to_errno(vm_map_remove(&vm->vm_map, addr,
	    round_page(addr + size))));
}

/*
 * The same memory, longer, where it is: anonymous private memory with room
 * behind it.  ENOMEM if it is none or there is none.
 */
static int
kern_mgrow(struct vmspace *vm, vm_offset_t addr, vm_size_t osize,
    vm_size_t nsize)
{
	vm_map_t map = &vm->vm_map;
	vm_map_entry_t entry;
	vm_offset_t start;
	int count, rv = KERN_NO_SPACE;

	count = vm_map_entry_reserve(MAP_RESERVE_COUNT);
	vm_map_lock(map);
	if (vm_map_lookup_entry(map, addr + osize - 1, &entry) &&
	    entry->inheritance == VM_INHERIT_COPY &&
	    (entry->eflags & MAP_ENTRY_COW) == 0 &&
	    vm_map_findspace(map, addr + osize, nsize - osize, PAGE_SIZE, 0,
	    &start) == 0 && start == addr + osize)
		rv = vm_map_insert(map, &count, NULL, NULL, 0, NULL, start,
		    addr + nsize, VM_MAPTYPE_NORMAL, VM_SUBSYS_MMAP,
		    entry->protection, VM_PROT_ALL, 0);
	vm_map_unlock(map);
	vm_map_entry_release(count);
	return (vm_mmap_to_errno(rv));
}

int
kern_mremap(struct vmspace *vm, vm_offset_t addr, vm_size_t osize,
    vm_size_t nsize)
{
	osize = round_page(osize);
	nsize = round_page(nsize);
	if ((addr & PAGE_MASK) || osize == 0 || nsize == 0)
		return (EINVAL);
	if (nsize < osize)
		return (kern_munmap(vm, addr + nsize, osize - nsize));
	return (nsize > osize ? kern_mgrow(vm, addr, osize, nsize) : 0);
}

int
kern_mprotect(struct vmspace *vm, vm_offset_t addr, vm_size_t size,
    vm_prot_t prot)
{
	if (addr & PAGE_MASK)
		return (EINVAL);
	return (vm_mmap_to_errno(vm_map_protect(&vm->vm_map, addr,
	    round_page(addr + size), prot, FALSE)));
}

int
kern_madvise(struct vmspace *vm, vm_offset_t addr, vm_size_t size, int behav)
{
	if (addr & PAGE_MASK)
		return (EINVAL);
	return (vm_mmap_to_errno(vm_map_madvise(&vm->vm_map, addr,
	    round_page(addr + size), behav, 0)));
}

vm_offset_t
kern_brk(struct vmspace *vm, vm_offset_t newbreak)
{
	vm_offset_t base, oldend, newend, oldbreak;
	int rv;

	base = (vm_offset_t)vm->vm_daddr;
	oldbreak = base + vm->vm_dsize;
	if (newbreak < base || newbreak > VM_MAX_USER_ADDRESS)
		return (oldbreak);
	oldend = round_page(oldbreak);
	newend = round_page(newbreak);
	rv = KERN_SUCCESS;
	if (newend > oldend)
		rv = vm_map_find(&vm->vm_map, NULL, NULL, 0, &oldend,
		    newend - oldend, PAGE_SIZE, FALSE, VM_MAPTYPE_NORMAL,
		    VM_SUBSYS_BRK, VM_PROT_RW, VM_PROT_ALL, 0);
	else if (newend < oldend)
		rv = vm_map_remove(&vm->vm_map, newend, oldend);
	if (rv != KERN_SUCCESS)
		return (oldbreak);
	vm->vm_dsize = newbreak - base;
	return (newbreak);
}
