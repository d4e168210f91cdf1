/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Low memory on demand.
 *
 * vm.inject.leave_free=N makes exactly N pages free, once: the injector takes
 * the others off the free queue and keeps them, or gives back what it kept.
 * -1 gives all back.  Reading tells how many it keeps.  ENOMEM: it does not
 * keep enough to make N pages free.
 *
 * vm.inject.hold_free=N keeps N pages free, for as long as it is set (-1: not).
 *
 *	What can `exactly N free pages' mean on a machine that goes on?  If
 *	page faults were refused until memory is plentiful, as they are with N
 *	pages free, nothing would happen any more and nothing be shown.  So it
 *	means: whatever page-out frees is wanted by a page fault at once, and
 *	everything else in the kernel has to do with N pages.
 *
 *	- A page that is freed when N are free already is kept.
 *	- Kept pages go to page faults, for the page that the fault is about.
 *	  Its pv entries, page tables, map entries and swap metadata, and the
 *	  page-out daemon, find at most N pages.
 *	- Who takes one of the N gets no second one in the same critical section
 *	  or under the same token.  The injector's thread puts another one there
 *	  when it has run on every processor that took one, and as it is more
 *	  urgent than any of its customers but respects their critical sections,
 *	  it runs there as soon as they have left them.  So no allocation ever
 *	  sees more than N pages, but the next one finds N again.  Those who
 *	  collect many pages, sleeping for each, get on at the pace of
 *	  vm_wait()'s time limit.
 *	- INJECT_SPARE pages are kept back from page faults, so that there is
 *	  always one to put there.
 *
 * vm.inject.drain=TYPE takes all objects that a malloc type of kmalloc_obj has
 * on any processor, and its reserve, until it would need a page; an empty name
 * gives back what was taken from all types.  hold_free must be set, but while
 * this lasts no page is free at all.  ENOENT: there is no such type;
 * EOPNOTSUPP: there is, but it blocks when it needs a slab, whatever it is
 * asked (only types that the shims of kmalloc_obj look after do not).
 *
 * inject_lock serialises the commands.  The free queue's spinlock protects the
 * list of kept pages and inject_takers: pages change between free and kept
 * under it, so that nobody ever counts one too many.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/sysctl.h>
#include <sys/spinlock2.h>
#include <sys/thread2.h>
#include <sys/vmmeter.h>
#include <vm/vm.h>
#include <vm/vm_inject.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_page2.h>
#include <vm/vm_pageout.h>

#define	INJECT_SPARE	64

/*
 * An object that was drained; what it holds otherwise is not touched.
 */
struct inject_obj {
	struct inject_obj *next;
	struct malloc_type *type;
};

long vm_inject_hold = -1;

static struct vpgqueues *const freeq = &vm_page_queues[PQ_FREE];
static struct pglist inject_pages = TAILQ_HEAD_INITIALIZER(inject_pages);
static long inject_count;
static cpumask_t inject_takers;		/* processors that took a page */
static struct lock inject_lock = LOCK_INITIALIZER("inject", 0, 0);
static struct thread *inject_td;
static struct inject_obj *inject_objs;

/*
 * Kept pages are not busied, like free ones: who still waits for one that was
 * his must not wait for us.  freeq is locked, here and below.
 */
static void
inject_put(vm_page_t m)
{
	TAILQ_INSERT_TAIL(&inject_pages, m, pageq);
	++inject_count;
}

/*
 * A kept page, if more than spare are.
 */
static vm_page_t
inject_get(long spare)
{
	vm_page_t m;

	if (inject_count <= spare)
		return (NULL);
	m = TAILQ_FIRST(&inject_pages);
	TAILQ_REMOVE(&inject_pages, m, pageq);
	--inject_count;
	return (m);
}

/*
 * Make exactly leave pages free, -1: all that are kept.
 */
static int
inject_leave_locked(long leave)
{
	vm_page_t m;

	while (leave >= 0 && vmstats.v_free_count > leave) {
		m = vm_page_free_get();
		m->busy_count = 0;
		inject_put(m);
	}
	while ((leave < 0 || vmstats.v_free_count < leave) &&
	    (m = inject_get(0)) != NULL)
		vm_page_free_put(m);
	return (vmstats.v_free_count < leave ? ENOMEM : 0);
}

/*
 * The same, and from now on.
 */
static int
inject_hold(long hold)
{
	int error;

	spin_lock(&freeq->spin);
	vm_inject_hold = hold;
	error = inject_leave_locked(hold);
	spin_unlock(&freeq->spin);
	vm_page_free_wakeup();
	pagedaemon_wakeup();
	wakeup(&inject_pages);
	return (error);
}

static int
inject_leave(long leave)
{
	int error;

	spin_lock(&freeq->spin);
	error = vm_inject_hold >= 0 ? EBUSY : inject_leave_locked(leave);
	spin_unlock(&freeq->spin);
	vm_page_free_wakeup();
	pagedaemon_wakeup();
	return (error);
}

void
vm_inject_taken(void)
{
	CPUMASK_ORBIT(inject_takers, mycpuid);
	if (vmstats.v_free_count < vm_inject_hold)
		wakeup(&inject_td);
}

boolean_t
vm_inject_keep(vm_page_t m)
{
	if (vmstats.v_free_count < vm_inject_hold)
		return (FALSE);
	inject_put(m);
	wakeup(&inject_pages);
	return (TRUE);
}

vm_page_t
vm_inject_page(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m = NULL;

	spin_lock(&freeq->spin);
	if (vm_inject_hold >= 0)
		m = inject_get(INJECT_SPARE);
	spin_unlock(&freeq->spin);
	if (m == NULL)
		return (NULL);
	m->busy_count = PBUSY_LOCKED;
	m->flags = 0;
	m->act_count = 0;
	m->valid = 0;
	m->pindex = pindex;
	if (vm_page_insert(m, object, pindex) == FALSE)
		panic("vm_inject_page: page %lu of object %p exists", pindex,
		    object);
	return (m);
}

boolean_t
vm_inject_wait(void)
{
	if (vm_inject_hold < 0)
		return (FALSE);
	pagedaemon_wakeup();
	tsleep_interlock(&inject_pages, 0);
	if (inject_count <= INJECT_SPARE)
		tsleep(&inject_pages, PINTERLOCKED, "injflt", hz);
	return (TRUE);
}

/*
 * Run once on each processor that took a page.
 */
static void
inject_visit(void)
{
	cpumask_t takers;
	int cpu;

	for (;;) {
		spin_lock(&freeq->spin);
		takers = inject_takers;
		CPUMASK_ASSZERO(inject_takers);
		spin_unlock(&freeq->spin);
		if (CPUMASK_TESTZERO(takers))
			break;
		while (CPUMASK_TESTNZERO(takers)) {
			cpu = BSFCPUMASK(takers);
			CPUMASK_NANDBIT(takers, cpu);
			lwkt_setcpu_self(globaldata_find(cpu));
		}
	}
}

static void
inject_thread(void *arg __unused)
{
	boolean_t done;
	vm_page_t m;

	lwkt_setpri_self(TDPRI_SOFT_NORM);
	for (;;) {
		inject_visit();
		tsleep_interlock(&inject_td, 0);
		done = FALSE;
		spin_lock(&freeq->spin);
		if (vmstats.v_free_count >= vm_inject_hold) {
			done = TRUE;
		} else if (CPUMASK_TESTZERO(inject_takers)) {
			if ((m = inject_get(0)) != NULL)
				vm_page_free_put(m);
			else
				done = TRUE;
		}
		spin_unlock(&freeq->spin);
		if (done)
			tsleep(&inject_td, PINTERLOCKED, "inject", 0);
		else
			vm_page_free_wakeup();
	}
}

static int
sysctl_inject_leave_free(SYSCTL_HANDLER_ARGS)
{
	long leave;
	int error;

	leave = inject_count;
	error = sysctl_handle_long(oidp, &leave, 0, req);
	if (error || req->newptr == NULL)
		return (error);
	if (leave < -1)
		return (EINVAL);

	lockmgr(&inject_lock, LK_EXCLUSIVE);
	error = inject_leave(leave);
	lockmgr(&inject_lock, LK_RELEASE);
	return (error);
}

static int
sysctl_inject_hold_free(SYSCTL_HANDLER_ARGS)
{
	long hold;
	int error;

	hold = vm_inject_hold;
	error = sysctl_handle_long(oidp, &hold, 0, req);
	if (error || req->newptr == NULL)
		return (error);
	if (hold < -1)
		return (EINVAL);

	lockmgr(&inject_lock, LK_EXCLUSIVE);
	if (hold >= 0 && inject_td == NULL)
		error = kthread_create(inject_thread, NULL, &inject_td,
		    "inject");
	if (error == 0)
		error = inject_hold(hold);
	lockmgr(&inject_lock, LK_RELEASE);
	return (error);
}

static int
inject_drain(const char *name)
{
	const long hold = vm_inject_hold;
	struct malloc_type *type_obj;
	struct inject_obj *obj;
	struct globaldata *home = mycpu;
	int cpu;

	for (type_obj = kmemstatistics; type_obj != NULL;
	    type_obj = type_obj->ks_next) {
		if (strcmp(type_obj->ks_shortdesc, name) == 0)
			break;
	}
	if (type_obj == NULL)
		return (ENOENT);
	if ((type_obj->ks_flags & KSF_OBJSIZE) == 0 ||
	    type_obj->ks_ext == NULL)
		return (EOPNOTSUPP);
	if (hold < 0)
		return (EINVAL);
	inject_hold(0);
	for (cpu = 0; cpu < ncpus; ++cpu) {
		lwkt_setcpu_self(globaldata_find(cpu));
		while ((obj = kmalloc_obj(type_obj->ks_objsize, type,
		    M_INTNOWAIT)) != NULL) {
			obj->type = type_obj;
			obj->next = inject_objs;
			inject_objs = obj;
		}
	}
	lwkt_setcpu_self(home);
	return (inject_hold(hold));
}

static void
inject_undrain(void)
{
	struct inject_obj *obj;

	while ((obj = inject_objs) != NULL) {
		inject_objs = obj->next;
		_kfree_obj(obj, obj->type);
	}
}

static int
sysctl_inject_drain(SYSCTL_HANDLER_ARGS)
{
	static char name[32];
	int error;

	lockmgr(&inject_lock, LK_EXCLUSIVE);
	error = sysctl_handle_string(oidp, name, sizeof(name), req);
	if (error == 0 && req->newptr != NULL) {
		if (name[0] != '\0')
			error = inject_drain(name);
		else
			inject_undrain();
	}
	lockmgr(&inject_lock, LK_RELEASE);
	return (error);
}

SYSCTL_PROC(_vm_inject, OID_AUTO, leave_free, CTLTYPE_LONG | CTLFLAG_RW,
    NULL, 0, sysctl_inject_leave_free, "L", "pages to leave free, -1: all");
SYSCTL_PROC(_vm_inject, OID_AUTO, hold_free, CTLTYPE_LONG | CTLFLAG_RW,
    NULL, 0, sysctl_inject_hold_free, "L", "pages to keep free, -1: as it comes");
SYSCTL_PROC(_vm_inject, OID_AUTO, drain, CTLTYPE_STRING | CTLFLAG_RW,
    NULL, 0, sysctl_inject_drain, "A", "malloc type to take all objects of");
