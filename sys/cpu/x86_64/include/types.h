/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _CPU_TYPES_H_
#define	_CPU_TYPES_H_

#include <machine/stdint.h>

typedef	__uint64_t	vm_offset_t;	/* virtual address */
typedef	__int64_t	vm_ooffset_t;	/* byte offset in an object */
typedef	__uint64_t	vm_pindex_t;	/* page offset in an object */
typedef	__uint64_t	vm_size_t;
typedef	__uint64_t	vm_paddr_t;	/* physical address */
typedef	__int64_t	register_t;
typedef	__uint64_t	u_register_t;
typedef	__int64_t	segsz_t;	/* segment size, pages */

typedef struct {
	__uint64_t	ary[1];
} cpumask_t;

#endif
