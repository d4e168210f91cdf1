/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_VMPARAM_H_
#define	_MACHINE_VMPARAM_H_

/*
 * The layout of the address space.  The user has the lower half.  The kernel
 * uses the top two 512 GB slots (level 4 entries):
 *
 *	DMPML4I 510	direct map of all RAM, 2 MB pages (set up at boot)
 *	KPML4I  511	kernel_map from VM_MIN_KERNEL_ADDRESS on, and in the
 *			last 2 GB the kernel's image at KERNBASE
 *
 * Assembler sources see the constants without casts.
 */

#ifdef LOCORE
#define	DMAP_MIN_ADDRESS	0xffffff0000000000
#define	KERNBASE		0xffffffff80000000
#else
#define	DMAP_MIN_ADDRESS	0xffffff0000000000UL
#define	DMAP_MAX_ADDRESS	0xffffff8000000000UL

#define	KERNBASE		0xffffffff80000000UL
#define	VM_MIN_KERNEL_ADDRESS	0xffffff8000000000UL
#define	VM_MAX_KERNEL_ADDRESS	KERNBASE

#define	VM_MIN_USER_ADDRESS	0UL
#define	VM_MAX_USER_ADDRESS	0x00007fffffe00000UL
#define	USRSTACK		VM_MAX_USER_ADDRESS

#define	PHYS_TO_DMAP(x)		((vm_offset_t)(x) + DMAP_MIN_ADDRESS)
#define	DMAP_TO_PHYS(x)		((vm_paddr_t)(x) - DMAP_MIN_ADDRESS)
#endif

#define	DFLSSIZ			(8UL * 1024 * 1024)	/* stack limit */

#endif /* _MACHINE_VMPARAM_H_ */
