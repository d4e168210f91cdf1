/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Program images.
 */
#ifndef _SYS_IMGACT_H_
#define	_SYS_IMGACT_H_

#include <sys/types.h>

struct initrd_file;
struct vmspace;

/*
 * What an image activator learns, besides loading the program.
 */
struct image_params {
	vm_offset_t	entry;		/* first instruction */
	vm_offset_t	brk;		/* end of data, page aligned */
	vm_offset_t	phdr;		/* program headers, user address */
	int		phnum;
};

/*
 * 0, ENOEXEC (not an image we can run) or why it cannot be read.
 */
int	elf_check(const struct initrd_file *file);

/*
 * Load a checked image into vm, which is the current address space.
 */
int	elf_load(const struct initrd_file *file, struct vmspace *vm,
	    struct image_params *imgp);

#endif
