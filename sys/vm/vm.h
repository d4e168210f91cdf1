/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_H_
#define	_VM_VM_H_

/*
 * Types shared by every part of the VM system.
 */

#include <sys/types.h>

/* What a child's map gets. */
typedef char vm_inherit_t;

#define	VM_INHERIT_SHARE	((vm_inherit_t)0)
#define	VM_INHERIT_COPY		((vm_inherit_t)1)
#define	VM_INHERIT_DEFAULT	VM_INHERIT_COPY

typedef u_char vm_prot_t;

#define	VM_PROT_NONE		((vm_prot_t)0x00)
#define	VM_PROT_READ		((vm_prot_t)0x01)
#define	VM_PROT_WRITE		((vm_prot_t)0x02)
#define	VM_PROT_EXECUTE		((vm_prot_t)0x04)

#define	VM_PROT_RW		(VM_PROT_READ | VM_PROT_WRITE)
#define	VM_PROT_ALL		(VM_PROT_RW | VM_PROT_EXECUTE)

typedef u_char vm_maptype_t;

#define	VM_MAPTYPE_UNSPECIFIED	0
#define	VM_MAPTYPE_NORMAL	1

struct vm_map;
struct vm_map_entry;
struct vm_object;
struct vm_page;
struct vmspace;

typedef struct vm_object *vm_object_t;

#ifndef __VM_PAGE_T_DEFINED__
#define	__VM_PAGE_T_DEFINED__
typedef struct vm_page *vm_page_t;
#endif

#endif /* _VM_VM_H_ */
