/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls on memory: the conventions, around vm/vm_mmap.c.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/proc.h>
#include <sys/stat.h>
#include <sys/sysent.h>
#include <vfs/tmpfs/tmpfs.h>

#include <vm/vm.h>
#include <vm/vm_map.h>
#include <vm/vm_param.h>
#include <vm/vm_extern.h>

/* The values of the x86-64 Linux interface. */
#define	PROT_READ	1
#define	PROT_WRITE	2
#define	PROT_EXEC	4
#define	MAP_SHARED	0x01
#define	MAP_FIXED	0x10
#define	MAP_ANONYMOUS	0x20
#define	MREMAP_FIXED	2

static vm_prot_t
user_prot(register_t prot)
{
	vm_prot_t vp = VM_PROT_NONE;

	if (prot & PROT_READ)
		vp |= VM_PROT_READ;
	if (prot & PROT_WRITE)
		vp |= VM_PROT_READ | VM_PROT_WRITE;
	if (prot & PROT_EXEC)
		vp |= VM_PROT_READ | VM_PROT_EXECUTE;
	return (vp);
}

static boolean_t
user_pages(vm_offset_t va, vm_size_t size)
{
	return (size <= VM_MAX_USER_ADDRESS &&
	    va <= VM_MAX_USER_ADDRESS - size);
}

/*
 * The object of a regular file, referenced.
 */
static int
mmap_file(struct proc *p, const register_t *a, vm_object_t *objectp)
{
	struct file *fp = holdfp(p, a[4], FREAD);
	int error = 0;

	if (fp == NULL)
		return (EBADF);
	if (fp->f_node == NULL || !S_ISREG(fp->f_node->tn_mode) ||
	    fp->f_node->tn_proc != NULL)
		error = ENODEV;
	else if ((a[3] & MAP_SHARED) && (a[2] & PROT_WRITE) &&
	    (fp->f_flag & FWRITE) == 0)
		error = EACCES;
	else
		*objectp = tmpfs_object(fp->f_node);
	fdrop(fp);
	return (error);
}

int
sys_mmap(struct proc *p, const register_t *a, register_t *res)
{
	vm_object_t object = NULL;
	vm_offset_t va = a[0];
	int cow = 0, error;

	if (a[1] == 0 || (a[5] & PAGE_MASK))
		return (EINVAL);
	if ((a[3] & MAP_FIXED) && (va & PAGE_MASK))
		return (EINVAL);
	if (!user_pages((a[3] & MAP_FIXED) ? va : 0, a[1]))
		return (ENOMEM);
	if ((a[3] & MAP_ANONYMOUS) == 0) {
		error = mmap_file(p, a, &object);
		if (error)
			return (error);
		cow = COWF_COPY_ON_WRITE;
	}
	if (a[3] & MAP_SHARED)
		cow = COWF_SHARED;
	error = kern_mmap(p->p_vmspace, &va, a[1], user_prot(a[2]),
	    (a[3] & MAP_FIXED) != 0, object, object != NULL ? a[5] : 0, cow);
	*res = va;
	return (error);
}

int
sys_mprotect(struct proc *p, const register_t *a, register_t *res)
{
	if (!user_pages(a[0], a[1]))
		return (ENOMEM);
	return (kern_mprotect(p->p_vmspace, a[0], a[1], user_prot(a[2])));
}

int
sys_munmap(struct proc *p, const register_t *a, register_t *res)
{
	if (!user_pages(a[0], a[1]))
		return (EINVAL);
	return (kern_munmap(p->p_vmspace, a[0], a[1]));
}

/* Memory is never moved: a program that finds no room here copies it. */
int
sys_mremap(struct proc *p, const register_t *a, register_t *res)
{
	if (!user_pages(a[0], a[1]) || !user_pages(a[0], a[2]))
		return (ENOMEM);
	if (a[3] & MREMAP_FIXED)
		return (EINVAL);
	*res = a[0];
	return (kern_mremap(p->p_vmspace, a[0], a[1], a[2]));
}

int
sys_madvise(struct proc *p, const register_t *a, register_t *res)
{
	if (!user_pages(a[0], a[1]))
		return (EINVAL);
	return (kern_madvise(p->p_vmspace, a[0], a[1], a[2]));
}

/* Never fails: the result is the break, moved or not. */
int
sys_brk(struct proc *p, const register_t *a, register_t *res)
{
	*res = kern_brk(p->p_vmspace, a[0]);
	return (0);
}
