/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_OBJECT_H_
#define	_VM_VM_OBJECT_H_

/*
 * Memory objects.  The theory is in vm_object.c.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/thread.h>
#include <sys/tree.h>
#include <vm/vm.h>
#include <vm/vm_page.h>

struct swblock;
struct swblock_rb_tree;
int	rb_swblock_compare(struct swblock *, struct swblock *);
RB_PROTOTYPE2(swblock_rb_tree, swblock, swb_entry, rb_swblock_compare,
    vm_pindex_t);
RB_HEAD(swblock_rb_tree, swblock);

enum obj_type {
	OBJT_DEFAULT,		/* anonymous, nothing on swap yet */
	OBJT_SWAP		/* anonymous, has had swap blocks */
};
typedef u_char objtype_t;

struct vm_object {
	struct lwkt_token token;	/* everything below */
	struct vm_page_rb_tree rb_memq;	/* resident pages, by pindex */
	vm_pindex_t	size;		/* pages */
	long		resident_page_count;
	u_int		ref_count;	/* map entries, shadows, files */
	u_int		hold_count;	/* keeps the structure, not the data */
	u_int		paging_in_progress;
	u_short		flags;		/* OBJ_* */
	objtype_t	type;
	struct vm_object *backing_object; /* what it shadows, or NULL */
	vm_ooffset_t	backing_object_offset;	/* of our page 0, in that */
	struct swblock_rb_tree swblock_root;
	long		swblock_count;
};

#define	OBJ_DEAD	0x0008
#define	OBJ_ONEMAPPING	0x2000	/* at most one entry maps each page */

#define	OBJ_HOLD_DEAD	0x80000000U	/* hold_count: free at the last drop */

#define	OFF_TO_IDX(off)	((vm_pindex_t)((vm_ooffset_t)(off) >> PAGE_SHIFT))

#ifdef _KERNEL

extern struct vm_object *kernel_object;	/* wired kernel memory, by address */

void	vm_object_init1(void);

/* Anonymous object of size pages with one reference.  May block. */
vm_object_t vm_object_allocate(objtype_t type, vm_pindex_t size);
void	_vm_object_allocate(objtype_t type, vm_pindex_t size,
	    vm_object_t object, const char *ident);

/* Hold: keep the structure and own its token.  May block. */
void	vm_object_hold(vm_object_t);
void	vm_object_drop(vm_object_t);

/* Hold; FALSE if other tokens were lost meanwhile.  May block. */
boolean_t vm_object_hold_next(vm_object_t);

void	vm_object_reference_quick(vm_object_t);
void	vm_object_reference_locked(vm_object_t);
void	vm_object_deallocate(vm_object_t);

/*
 * Put a fresh object of length bytes in front of *objectp at *offset, which
 * take on its place; the caller's reference moves to the new one.  If nobody
 * else references the object there is no need to, and it stays.  May block.
 */
void	vm_object_shadow(vm_object_t *objectp, vm_ooffset_t *offset,
	    vm_size_t length);

/* Shorten the chain behind object as far as that is possible.  May block. */
void	vm_object_collapse(vm_object_t object);

/* Throw pages and swap of [start, end) away; the object must be held. */
void	vm_object_page_remove(vm_object_t, vm_pindex_t start, vm_pindex_t end,
	    boolean_t clean_only);

void	vm_object_pip_add(vm_object_t, u_int);
void	vm_object_pip_wakeup(vm_object_t);
void	vm_object_pip_wakeup_n(vm_object_t, u_int);
void	vm_object_pip_wait(vm_object_t, const char *wmesg);

#endif /* _KERNEL */

#endif /* _VM_VM_OBJECT_H_ */
