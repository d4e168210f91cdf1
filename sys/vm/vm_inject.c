/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Low memory on demand.
 *
 * Writing N to vm.inject.leave_free makes exactly N pages free: the injector
 * allocates the others and keeps them, or gives back what it kept.  -1 gives
 * all back.  Reading tells how many it keeps.  ENOMEM: it does not keep
 * enough to make N pages free.
 *
 * The pages are taken in a critical section, so that the page-out daemon,
 * woken meanwhile, starts when N pages are free and not at some point on the
 * way there.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/lock.h>
#include <sys/sysctl.h>
#include <sys/thread2.h>
#include <sys/vmmeter.h>
#include <vm/vm.h>
#include <vm/vm_page.h>
#include <vm/vm_page2.h>

static struct pglist inject_pages = TAILQ_HEAD_INITIALIZER(inject_pages);
static long inject_count;
static struct lock inject_lock = LOCK_INITIALIZER("inject", 0, 0);

static int
vm_inject_leave_free(SYSCTL_HANDLER_ARGS)
{
	long leave;
	vm_page_t m;
	int error;

	leave = inject_count;
	error = sysctl_handle_long(oidp, &leave, 0, req);
	if (error || req->newptr == NULL)
		return (error);
	if (leave < -1)
		return (EINVAL);

	lockmgr(&inject_lock, LK_EXCLUSIVE);
	crit_enter();
	while (leave >= 0 && vmstats.v_free_count > leave &&
	    (m = vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM |
	    VM_ALLOC_INTERRUPT)) != NULL) {
		TAILQ_INSERT_TAIL(&inject_pages, m, pageq);
		++inject_count;
	}
	while ((leave < 0 || vmstats.v_free_count < leave) &&
	    (m = TAILQ_FIRST(&inject_pages)) != NULL) {
		TAILQ_REMOVE(&inject_pages, m, pageq);
		--inject_count;
		vm_page_free(m);
	}
	if (vmstats.v_free_count < leave)
		error = ENOMEM;
	crit_exit();
	lockmgr(&inject_lock, LK_RELEASE);
	return (error);
}

SYSCTL_NODE(_vm, OID_AUTO, inject, CTLFLAG_RW, NULL, "fault injection");
SYSCTL_PROC(_vm_inject, OID_AUTO, leave_free, CTLTYPE_LONG | CTLFLAG_RW,
    NULL, 0, vm_inject_leave_free, "L", "pages to leave free, -1: all");
