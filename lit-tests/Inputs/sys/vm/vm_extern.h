/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_EXTERN_H_
#define	_VM_VM_EXTERN_H_

#include <vm/vm.h>

struct vm_map;

extern struct vm_map *kernel_map;

vm_offset_t kmem_alloc(struct vm_map *map, vm_size_t size, vm_subsys_t id);

#endif
