/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Low memory on demand, for a DragonFly kernel under test.
 *
 * vm.inject.leave_free=N leaves exactly N pages free, once: pages are taken
 * until no more are free, or given back of those taken before.  -1 gives all
 * back.  Reading tells how many are held.  ENOMEM: fewer are held than would
 * be needed to make N pages free.
 *
 * Each CPU counts free pages on its own and adds up now and then, so the sum
 * is taken before each page.  The page-out daemon wakes up long before N is
 * reached; the critical section lets it start on another CPU, or on this one
 * when N pages are left, but not preempt us on the way.
 *
 * Not part of a kernel by default.  Add to conf/files:
 *
 *	vm/vm_leavefree.c	standard
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/sysctl.h>
#include <sys/thread2.h>
#include <sys/vmmeter.h>
#include <vm/vm.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_page2.h>

static struct pglist held = TAILQ_HEAD_INITIALIZER(held);
static long held_count;
static struct lock held_lock = LOCK_INITIALIZER("lvfree", 0, 0);

static long
free_pages(void)
{
	vmstats_rollup();
	return (vmstats.v_free_count);
}

static int
leave_free(long leave)
{
	vm_page_t m;
	int error;

	crit_enter();
	while (leave >= 0 && free_pages() > leave &&
	    (m = vm_page_alloc(NULL, held_count,
	    VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT)) != NULL) {
		TAILQ_INSERT_TAIL(&held, m, pageq);
		++held_count;
	}
	while ((leave < 0 || free_pages() < leave) &&
	    (m = TAILQ_FIRST(&held)) != NULL) {
		TAILQ_REMOVE(&held, m, pageq);
		--held_count;
		vm_page_free(m);
	}
	error = free_pages() < leave ? ENOMEM : 0;
	crit_exit();
	return (error);
}

static int
sysctl_leave_free(SYSCTL_HANDLER_ARGS)
{
	long leave = held_count;
	int error;

	error = sysctl_handle_long(oidp, &leave, 0, req);
	if (error || req->newptr == NULL)
		return (error);
	if (leave < -1)
		return (EINVAL);
	lockmgr(&held_lock, LK_EXCLUSIVE);
	error = leave_free(leave);
	lockmgr(&held_lock, LK_RELEASE);
	return (error);
}

SYSCTL_NODE(_vm, OID_AUTO, inject, CTLFLAG_RW, NULL, "fault injection");
SYSCTL_PROC(_vm_inject, OID_AUTO, leave_free, CTLTYPE_LONG | CTLFLAG_RW,
    NULL, 0, sysctl_leave_free, "L", "pages to leave free, -1: all");
