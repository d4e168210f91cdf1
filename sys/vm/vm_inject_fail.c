/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page allocations that fail on demand.
 *
 * vm.inject.fail_class says which calls of vm_page_alloc() take part: a sum of
 * 1 (normal), 2 (system) and 4 (interrupt), the deepest class that the call
 * may use counting; 0, none.  Of these
 *
 *	vm.inject.fail_every=K	every K-th fails (0: none);
 *	vm.inject.fail_first, vm.inject.fail_last
 *				and those with numbers in between, counted
 *				from 1 since fail_class was written.
 *
 * vm.inject.fail_calls and vm.inject.fail_failed say how many there were and
 * how many of them failed.  A call that fails looks to its caller, and to the
 * page-out daemon, as if there had been no page.
 *
 * vm.inject.system_pages=N allocates N pages of kernel memory as the system's
 * own threads do, once without waiting and once with, checks that they are
 * memory, and frees them: hardly anything else does so in a machine that has
 * been running for a while.  ENOMEM if there were none without waiting.
 *
 * Writing fail_class starts the counting, so it is written last.  The call's
 * number is drawn atomically; all else are independent words.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/sysctl.h>
#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_inject.h>
#include <vm/vm_page.h>

#define	FAIL_CLASSES	(VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT)

#define	SYSTEM_PAGES_MAX	256

int vm_inject_fail_class;

static long fail_every;
static long fail_first;
static long fail_last;
static u_long fail_calls;
static u_long fail_failed;

/*
 * The deepest class of a request.
 */
static int
fail_class(int req)
{
	if (req & VM_ALLOC_INTERRUPT)
		return (VM_ALLOC_INTERRUPT);
	return ((req & VM_ALLOC_SYSTEM) ? VM_ALLOC_SYSTEM : VM_ALLOC_NORMAL);
}

boolean_t
vm_inject_fail(int req)
{
	long n;

	if ((vm_inject_fail_class & fail_class(req)) == 0)
		return (FALSE);
	n = atomic_fetchadd_long(&fail_calls, 1) + 1;
	if ((fail_every == 0 || n % fail_every != 0) &&
	    (n < fail_first || n > fail_last))
		return (FALSE);
	atomic_add_long(&fail_failed, 1);
	return (TRUE);
}

static int
sysctl_inject_fail_class(SYSCTL_HANDLER_ARGS)
{
	int class, error;

	class = vm_inject_fail_class;
	error = sysctl_handle_int(oidp, &class, 0, req);
	if (error || req->newptr == NULL)
		return (error);
	if (class & ~FAIL_CLASSES)
		return (EINVAL);
	vm_inject_fail_class = 0;
	fail_calls = fail_failed = 0;
	cpu_sfence();
	vm_inject_fail_class = class;
	return (0);
}

/*
 * Fill, check and free size bytes; ENOMEM for NULL.
 */
static int
system_use(u_long *p, size_t size)
{
	size_t i;

	if (p == NULL)
		return (ENOMEM);
	for (i = 0; i < size / sizeof(*p); ++i)
		p[i] = (u_long)&p[i];
	for (i = 0; i < size / sizeof(*p); ++i)
		KKASSERT(p[i] == (u_long)&p[i]);
	kfree(p, M_TEMP);
	return (0);
}

static int
sysctl_inject_system_pages(SYSCTL_HANDLER_ARGS)
{
	long pages = 0;
	int error;

	error = sysctl_handle_long(oidp, &pages, 0, req);
	if (error || req->newptr == NULL)
		return (error);
	if (pages < 1 || pages > SYSTEM_PAGES_MAX)
		return (EINVAL);
	error = system_use(kmalloc(ptoa(pages), M_TEMP, M_SYSNOWAIT),
	    ptoa(pages));
	system_use(kmalloc(ptoa(pages), M_TEMP, M_SYSWAIT), ptoa(pages));
	return (error);
}

SYSCTL_PROC(_vm_inject, OID_AUTO, fail_class, CTLTYPE_INT | CTLFLAG_RW, NULL,
    0, sysctl_inject_fail_class, "I",
    "vm_page_alloc() calls that may fail: 1 normal, 2 system, 4 interrupt");
SYSCTL_PROC(_vm_inject, OID_AUTO, system_pages, CTLTYPE_LONG | CTLFLAG_RW,
    NULL, 0, sysctl_inject_system_pages, "L",
    "pages to allocate as the system's threads do");
SYSCTL_LONG(_vm_inject, OID_AUTO, fail_every, CTLFLAG_RW, &fail_every, 0,
    "every which of them fails");
SYSCTL_LONG(_vm_inject, OID_AUTO, fail_first, CTLFLAG_RW, &fail_first, 0,
    "the first that fails in any case");
SYSCTL_LONG(_vm_inject, OID_AUTO, fail_last, CTLFLAG_RW, &fail_last, 0,
    "the last that does");
SYSCTL_ULONG(_vm_inject, OID_AUTO, fail_calls, CTLFLAG_RD, &fail_calls, 0,
    "calls of these classes since fail_class was written");
SYSCTL_ULONG(_vm_inject, OID_AUTO, fail_failed, CTLFLAG_RD, &fail_failed, 0,
    "those which failed");
