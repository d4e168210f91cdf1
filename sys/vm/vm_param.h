/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_PARAM_H_
#define	_VM_VM_PARAM_H_

/*
 * What VM routines return.  These are not errnos; vm_mmap_to_errno()
 * translates.
 */

#include <machine/vmparam.h>

#define	KERN_SUCCESS		0
#define	KERN_INVALID_ADDRESS	1
#define	KERN_PROTECTION_FAILURE	2
#define	KERN_NO_SPACE		3
#define	KERN_INVALID_ARGUMENT	4
#define	KERN_FAILURE		5
#define	KERN_RESOURCE_SHORTAGE	6
#define	KERN_NOT_RECEIVER	7
#define	KERN_NO_ACCESS		8
#define	KERN_TRY_AGAIN		9
#define	KERN_FAILURE_NOFAULT	10

#endif /* _VM_VM_PARAM_H_ */
