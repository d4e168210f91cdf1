/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_H_
#define	_VM_VM_H_

#include <sys/types.h>

typedef enum vm_subsys {
	VM_SUBSYS_UNKNOWN,
	VM_SUBSYS_KMALLOC,
	VM_SUBSYS_PVENTRY
} vm_subsys_t;

#endif
