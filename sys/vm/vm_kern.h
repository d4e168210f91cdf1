/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_KERN_H_
#define	_VM_VM_KERN_H_

#include <sys/types.h>
#include <vm/vm_map.h>

/* kmem_alloc3() flags */
#define	KM_KRESERVE	0x00000002	/* entries by kreserve, not reserve */
#define	KM_STACK	0x00000004	/* leave guard pages unmapped */

#ifdef _KERNEL
extern struct vm_map *kernel_map;
extern vm_offset_t kernel_vm_end;	/* page tables exist below this */
#endif

#endif /* _VM_VM_KERN_H_ */
