/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_EXTERN_H_
#define	_VM_VM_EXTERN_H_

/*
 * What the rest of the kernel calls.
 */

#include <sys/types.h>
#include <vm/vm_map.h>
#include <vm/vm_kern.h>

#ifdef _KERNEL

struct proc;

/*
 * Kernel memory, in bytes rounded up to pages; 0 on failure (no address
 * space, or no memory).  kmem_alloc3() blocks for memory and its pages are
 * wired and mapped; the others only reserve address space.
 */
vm_offset_t kmem_alloc3(struct vm_map *, vm_size_t, vm_subsys_t, int flags);
vm_offset_t kmem_alloc_nofault(struct vm_map *, vm_size_t, vm_subsys_t,
	    vm_size_t align);
vm_offset_t kmem_alloc_pageable(struct vm_map *, vm_size_t, vm_subsys_t);
void	kmem_free(struct vm_map *, vm_offset_t, vm_size_t);
void	kmem_init(void);

/* Resolve a fault; KERN_SUCCESS, or why it cannot be.  May block. */
int	vm_fault(struct vm_map *, vm_offset_t, vm_prot_t, int fault_flags);
struct vm_page *vm_fault_object_page(struct vm_object *, vm_pindex_t,
	    boolean_t create, int *errorp);

/* One reference; freed with the last vmspace_rel(). */
struct vmspace *vmspace_alloc(vm_offset_t min, vm_offset_t max);
struct vmspace *vmspace_fork(struct vmspace *);
long	vmspace_size(struct vmspace *);	/* pages, roughly; never blocks */
void	vmspace_ref(struct vmspace *);
void	vmspace_rel(struct vmspace *);

/*
 * Back ends of the memory system calls: errno, or 0.  Addresses in user
 * space; sizes in bytes, rounded up to pages.
 */
int	vm_mmap_to_errno(int rv);
int	kern_mmap_anon(struct vmspace *, vm_offset_t *addr, vm_size_t size,
	    vm_prot_t prot, boolean_t fixed);

/*
 * The same with everything: object NULL is anonymous memory, else a reference
 * to it which the call takes over, failing or not.  cow: COWF_SHARED or
 * COWF_COPY_ON_WRITE.
 */
int	kern_mmap(struct vmspace *, vm_offset_t *addr, vm_size_t size,
	    vm_prot_t prot, boolean_t fixed, struct vm_object *object,
	    vm_ooffset_t offset, int cow);
int	kern_munmap(struct vmspace *, vm_offset_t addr, vm_size_t size);
int	kern_mremap(struct vmspace *, vm_offset_t addr, vm_size_t osize,
	    vm_size_t nsize);
int	kern_mprotect(struct vmspace *, vm_offset_t addr, vm_size_t size,
	    vm_prot_t prot);
int	kern_madvise(struct vmspace *, vm_offset_t addr, vm_size_t size,
	    int behav);

/*
 * The break starts at vm_daddr; vm_dsize is its length.  Returns the break
 * after the call, the old one if newbreak cannot be had.
 */
vm_offset_t kern_brk(struct vmspace *, vm_offset_t newbreak);

#define	MADV_DONTNEED	4

/* Free memory, queues and swap in a few lines; takes no locks. */
void	vm_watchdog_report(void);

static __inline vm_offset_t
kmem_alloc(struct vm_map *map, vm_size_t size, vm_subsys_t id)
{
	return (kmem_alloc3(map, size, id, 0));
}

static __inline vm_offset_t
kmem_alloc_stack(struct vm_map *map, vm_size_t size, int kmflags)
{
	return (kmem_alloc3(map, size, VM_SUBSYS_STACK, kmflags | KM_STACK));
}

#endif /* _KERNEL */

#endif /* _VM_VM_EXTERN_H_ */
