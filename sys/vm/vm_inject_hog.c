/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads that do not do what they should: daemons that stand still, and one
 * that wants memory while there is none.
 *
 * vm.inject.stall_pager=1 in the kernel environment has the page-out daemon
 * wait for ever where it should make a round, 2 emergpager besides.
 *
 * vm.inject.hog_entries=N makes a kernel thread that reserves N times 4 map
 * entries, vm.inject.hog_objects=N one that allocates N objects of a type of
 * its own with kmalloc_obj() and M_INTWAIT, as vm_objects are;
 * vm.inject.hog_pages=N one that takes N pages with VM_ALLOC_INTERRUPT, as it
 * must not: that is seen.  They begin when page-out does, want more than it
 * ever has free, and keep what they get.  vm.inject.hogs is how many are not
 * done: a test does not end before them.
 *
 * These are ordinary threads and may well have to wait, but must not get the
 * pages that page-out lives on: vm.lastpages tells (vm_lastpage.c).  At the end
 * they say how much they had, and how much of it while free pages were fewer
 * than v_free_min, without which the record would prove nothing.
 *
 * vm.inject.hog_preempting=1 makes a thread that leaves fewer than
 * v_free_reserved pages free and then spins, and a callout that wants memory
 * when the clock's thread preempts it.  That asks for a VM_ALLOC_NORMAL page,
 * which must be refused and noted, and for a slab with M_WAITOK, for which it
 * must not make the other wait.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/kthread.h>
#include <sys/malloc.h>
#include <sys/sysctl.h>
#include <sys/thread.h>
#include <sys/vmmeter.h>
#include <vm/vm.h>
#include <vm/vm_inject.h>
#include <vm/vm_kern.h>
#include <vm/vm_map.h>
#include <vm/vm_page.h>
#include <vm/vm_page2.h>
#include <vm/vm_pageout.h>

#define	HOG_ENTRIES	4		/* at a time */
#define	HOG_OBJSIZE	320		/* a vm_object's */
#define	HOG_SLAB	(4 * PAGE_SIZE)

struct hog {
	const char	*what;
	void		(*take)(void);
	int		count;
};

int vm_inject_stall;
TUNABLE_INT("vm.inject.stall_pager", &vm_inject_stall);

static struct malloc_type *hogged_obj;

static void
hog_entries(void)
{
	vm_map_entry_reserve(HOG_ENTRIES);
}

static void
hog_object(void)
{
	kmalloc_obj(HOG_OBJSIZE, hogged, M_INTWAIT);
}

static void
hog_page(void)
{
	if (vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM |
	    VM_ALLOC_INTERRUPT) == NULL)
		vm_wait(0);
}

static struct hog hogs[] = {
	{ "map_entries", hog_entries, 0 },
	{ "objects", hog_object, 0 },
	{ "pages", hog_page, 0 },
};
TUNABLE_INT("vm.inject.hog_entries", &hogs[0].count);
TUNABLE_INT("vm.inject.hog_objects", &hogs[1].count);
TUNABLE_INT("vm.inject.hog_pages", &hogs[2].count);

static int hog_preempting;
TUNABLE_INT("vm.inject.hog_preempting", &hog_preempting);
static struct callout hog_callout;
static struct thread *hog_victim;		/* NULL: preempted, and done */

static u_int hogs_running;
SYSCTL_UINT(_vm_inject, OID_AUTO, hogs, CTLFLAG_RD, &hogs_running, 0,
    "threads that want memory and have not had all of it");

static void
hog_thread(void *arg)
{
	const struct hog *hog = arg;
	long scarce = 0;
	int n;

	while (vm_pages_needed == 0)
		tsleep(arg, 0, "hog", 1);
	for (n = 0; n < hog->count; ++n) {
		if (vmstats.v_free_count < vmstats.v_free_min)
			++scarce;
		hog->take();
	}
	kprintf("hog: %d %s, %ld of them while memory was short\n", n,
	    hog->what, scarce);
	atomic_add_int(&hogs_running, -1);
	kthread_exit();
}

/*
 * Has memory while it preempts the victim, or tries again with the next tick.
 */
static void
hog_preempt(void *dummy)
{
	vm_page_t m;
	void *slab;

	callout_reset(&hog_callout, 1, hog_preempt, NULL);
	if (curthread->td_preempted != hog_victim ||
	    vmstats.v_free_count >= vmstats.v_free_reserved ||
	    vmstats.v_free_count < vmstats.v_interrupt_free_min +
	    2 * HOG_SLAB / PAGE_SIZE)
		return;
	KKASSERT(curthread->td_flags & TDF_INTTHREAD);
	if ((m = vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL)) != NULL) {
		/* Somebody has freed some meanwhile. */
		vm_page_free(m);
		return;
	}
	slab = kmem_slab_alloc(HOG_SLAB, PAGE_SIZE, M_WAITOK);
	if (curthread->td_preempted == hog_victim) {
		kprintf("hog: a slab, preempting a thread\n");
		callout_stop(&hog_callout);
		hog_victim = NULL;
	}
	kmem_slab_free(slab, HOG_SLAB);
}

/*
 * Takes what others free meanwhile.  The processor is its own but for interrupt
 * threads.
 */
static void
hog_spin(void *dummy)
{
	while (vm_pages_needed == 0)
		tsleep(&hog_victim, 0, "hog", 1);
	hog_victim = curthread;
	callout_reset(&hog_callout, 1, hog_preempt, NULL);
	while (hog_victim != NULL) {
		if (vmstats.v_free_count >= vmstats.v_free_reserved)
			vm_page_alloc(NULL, 0, VM_ALLOC_SYSTEM);
		cpu_pause();
	}
	atomic_add_int(&hogs_running, -1);
	kthread_exit();
}

static void
hog_start(void *dummy)
{
	size_t i;

	if (hog_preempting) {
		callout_init_mp(&hog_callout);
		atomic_add_int(&hogs_running, 1);
		kthread_create(hog_spin, NULL, NULL, "spinning hog");
	}

	if (hogs[1].count != 0)
		kmalloc_create_obj(&hogged, "hogged", HOG_OBJSIZE);
	for (i = 0; i < nitems(hogs); ++i) {
		if (hogs[i].count != 0) {
			atomic_add_int(&hogs_running, 1);
			kthread_create(hog_thread, &hogs[i], NULL, "hog");
		}
	}
}
SYSINIT(hog, SI_SUB_KTHREAD_UPDATE, SI_ORDER_ANY, hog_start, NULL);
