/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_INJECT_H_
#define	_VM_VM_INJECT_H_

/*
 * Where the VM asks the injector of low memory (vm_inject.c).  All of it
 * costs a test of vm_inject_hold while that is negative.
 */

#include <sys/types.h>
#include <vm/vm.h>

extern long vm_inject_hold;		/* most pages that may be free, or -1 */

/*
 * While vm_inject_hold is set, with the free queue locked.  vm_page_alloc()
 * took a page.  A page is being freed: it is kept if enough are free; else
 * FALSE.
 */
void	vm_inject_taken(void);
boolean_t vm_inject_keep(vm_page_t m);
/* A kept page for a fault's object, as vm_page_alloc() gives; or NULL. */
vm_page_t vm_inject_page(vm_object_t object, vm_pindex_t pindex);
/* After that was NULL: waits for one.  FALSE if none are kept at all. */
boolean_t vm_inject_wait(void);

/* vm_inject_hog.c: page daemons that are to stand still, pagethread first. */
extern int vm_inject_stall;

/* vm_inject_fail.c: shall this call of vm_page_alloc() fail? */
extern int vm_inject_fail_class;	/* VM_ALLOC_*, 0: none does */
boolean_t vm_inject_fail(int req);

#endif	/* !_VM_VM_INJECT_H_ */
