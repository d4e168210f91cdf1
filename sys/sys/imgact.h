/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Program images.
 */
#ifndef _SYS_IMGACT_H_
#define	_SYS_IMGACT_H_

#include <sys/types.h>

struct proc;
struct tmpfs_node;
struct vmspace;

#define	IMG_HEADER_SIZE	1024		/* all headers must be in here */

/*
 * A file to run, and what an image activator learns from it.
 */
struct image_params {
	struct tmpfs_node *node;
	vm_offset_t	entry;		/* first instruction */
	vm_offset_t	brk;		/* end of data, page aligned */
	vm_offset_t	phdr;		/* program headers, user address */
	int		phnum;
	size_t		header_size;
	char		header[IMG_HEADER_SIZE] __aligned(16);
};

/*
 * Arguments of an execve: argc strings at begin, then envc more, to end.
 */
struct exec_args {
	char		*path;		/* MAXPATHLEN bytes from namei_oc */
	char		*buf;
	char		*begin;
	char		*end;
	int		argc;
	int		envc;
};

/* 0 or ENOMEM; may block. */
int	exec_args_init(struct exec_args *args);
int	exec_args_add(struct exec_args *args, const char *s);
void	exec_args_free(struct exec_args *args);

/* 0, ENOEXEC: not an image we can run. */
int	elf_check(const struct image_params *imgp);

/* Map a checked image into vm, which is the current address space. */
int	elf_load(struct vmspace *vm, struct image_params *imgp);

/* A vforked child no longer uses its parent's address space. */
void	proc_ppwait_done(struct proc *p);

#endif
