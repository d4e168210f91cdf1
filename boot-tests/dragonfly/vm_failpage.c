/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Pages refused on demand, for a DragonFly kernel under test.
 *
 * vm.inject.fail_every=k refuses one in k of the pages that belong to no
 * object, which is how the allocators ask for memory of their own; 1 refuses
 * all, 0 none.  vm.inject.failed counts them.  A slab of 32 pages is not to be
 * had with k up to 32; one of a page is, unless k is 1.
 *
 * vm_page_alloc() stays as it is: the linker puts us before it.  Not part of a
 * kernel by default.  Add both files to conf/files and link with the option:
 *
 *	vm/vm_failpage.c	standard
 *	vm/vm_leavefree.c	standard
 *
 *	make CC="cc -Wl,--wrap=vm_page_alloc"
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/sysctl.h>
#include <machine/atomic.h>
#include <vm/vm.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

vm_page_t	__real_vm_page_alloc(vm_object_t, vm_pindex_t, int);
vm_page_t	__wrap_vm_page_alloc(vm_object_t, vm_pindex_t, int);

static u_long fail_every, asked, failed;

vm_page_t
__wrap_vm_page_alloc(vm_object_t object, vm_pindex_t pindex, int page_req)
{
	u_long every = fail_every;

	if (object == NULL && every != 0 &&
	    atomic_fetchadd_long(&asked, 1) % every == every - 1) {
		atomic_add_long(&failed, 1);
		return (NULL);
	}
	return (__real_vm_page_alloc(object, pindex, page_req));
}

SYSCTL_DECL(_vm_inject);
SYSCTL_ULONG(_vm_inject, OID_AUTO, fail_every, CTLFLAG_RW, &fail_every, 0,
    "refuse one in so many pages without an object");
SYSCTL_ULONG(_vm_inject, OID_AUTO, failed, CTLFLAG_RD, &failed, 0,
    "pages refused");
