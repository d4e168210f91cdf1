/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Copyright (c) 2026 The kmobj authors.
 */

/*
 * Two kernel threads do for kmalloc_obj what who allocates must not wait for.
 *
 *	maintainer	fills reserves, empties magazines when memory is needed,
 *			and gives back what is free.  It waits for memory
 *			between two rounds, and where giving back wants a map
 *			entry
 *	grower		sets more addresses aside, and makes magazines.  Either
 *			may wait for memory, and if one thread did it all that
 *			might be memory which it should have given back
 *
 * Nobody but who waits for slots depends on them to get on; see
 * kern_kmalloc_reserve.c.  They work when somebody pokes them, and once a
 * second, as nobody tells them that memory is needed or is not any more, nor
 * that a slab is free.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/kthread.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/proc.h>
#include <sys/spinlock.h>
#include <sys/sysctl.h>
#include <sys/thread.h>
#include <sys/kmalloc_ext.h>

#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_extern.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>
#include <vm/vm_page2.h>

struct thread *kmalloc_maintainer;
struct thread *kmalloc_grower;
static int kmalloc_poked[2] = { 1, 1 };
static struct spinlock kmalloc_poke_spin =
    SPINLOCK_INITIALIZER(&kmalloc_poke_spin, "kmpoke");

#define	MAINTAINER	0
#define	GROWER		1

void
kmalloc_ext_poke(void)
{
	/* They look at everything when they start. */
	if (kmalloc_maintainer == NULL)
		return;
	spin_lock(&kmalloc_poke_spin);
	kmalloc_poked[MAINTAINER] = 1;
	kmalloc_poked[GROWER] = 1;
	spin_unlock(&kmalloc_poke_spin);
	wakeup(&kmalloc_poked[MAINTAINER]);
	wakeup(&kmalloc_poked[GROWER]);
}

/*
 * Sleep until somebody pokes that thread, or for a second.
 */
static void
wait_for_poke(int which)
{
	spin_lock(&kmalloc_poke_spin);
	if (kmalloc_poked[which] == 0) {
		ssleep(&kmalloc_poked[which], &kmalloc_poke_spin, 0, "kmidle",
		    hz);
	}
	kmalloc_poked[which] = 0;
	spin_unlock(&kmalloc_poke_spin);
}

/*
 * Empty the magazines of every cpu, which only who runs there may touch.  Those
 * of constructed types keep what objcache kept.
 */
static void
maintainer_drain(void)
{
	struct globaldata *const home = mycpu;
	struct kmalloc_ext *ext;
	int n;

	for (n = 0; n < ncpus; ++n) {
		lwkt_setcpu_self(globaldata_find(n));
		for (ext = kmalloc_ext_next(NULL); ext != NULL;
		    ext = kmalloc_ext_next(ext)) {
			lockmgr(&ext->lock, LK_EXCLUSIVE);
			if (ext->type != NULL && !ext->dying &&
			    ext->depot == NULL)
				kmalloc_mags_drain(ext);
			lockmgr(&ext->lock, LK_RELEASE);
		}
	}
	lwkt_setcpu_self(home);
}

/*
 * One round of the maintainer.  Returns whether pages were missing for a
 * reserve.
 */
static int
kmalloc_maintain(void)
{
	static int drained;
	const int needed = kmalloc_memory_needed();
	struct kmalloc_ext *ext;
	int missing = 0;

	if (needed && !kmalloc_within_second(drained)) {
		maintainer_drain();
		drained = ticks;
	}
	for (ext = kmalloc_ext_next(NULL); ext != NULL;
	    ext = kmalloc_ext_next(ext)) {
		lockmgr(&ext->lock, LK_EXCLUSIVE);
		if (ext->type == NULL || ext->dying) {
			kmalloc_ext_bury(ext);
		} else {
			kmalloc_ext_reclaim(ext, needed);
			missing |= kmalloc_ext_refill(ext, ext->type,
			    VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM);
		}
		lockmgr(&ext->lock, LK_RELEASE);
	}
	return (missing);
}

/*
 * A round may end with something missing although memory is not short: another
 * took the page, or the slot.  vm_wait() returns at once then, and a kernel
 * thread that does not sleep keeps all processes off its cpu.
 */
static void
maintainer_pause(void)
{
	spin_lock(&kmalloc_poke_spin);
	ssleep(&kmalloc_poked[MAINTAINER], &kmalloc_poke_spin, 0, "kmpause", 1);
	spin_unlock(&kmalloc_poke_spin);
}

static void
kmalloc_maintainer_thread(void)
{
	for (;;) {
		wait_for_poke(MAINTAINER);
		while (kmalloc_maintain()) {
			if (vm_paging_min())
				vm_wait(hz / 10 + 1);
			else
				maintainer_pause();
		}
	}
}

/*
 * Magazines wait until page-out has nothing to do; that they are wanted is
 * kept.
 */
static void
kmalloc_grower_thread(void)
{
	struct kmalloc_ext *ext;

	for (;;) {
		wait_for_poke(GROWER);
		for (ext = kmalloc_ext_next(NULL); ext != NULL;
		    ext = kmalloc_ext_next(ext)) {
			kmalloc_ext_grow(ext);
			if (!kmalloc_memory_needed())
				kmalloc_mags_wanted(ext);
		}
	}
}

static struct kproc_desc kmalloc_maintainer_kp = {
	"kmalloc_reserve",
	kmalloc_maintainer_thread,
	&kmalloc_maintainer
};
SYSINIT(kmalloc_reserve, SI_SUB_KTHREAD_PAGE, SI_ORDER_FIRST, kproc_start,
    &kmalloc_maintainer_kp);

static struct kproc_desc kmalloc_grower_kp = {
	"kmalloc_grow",
	kmalloc_grower_thread,
	&kmalloc_grower
};
SYSINIT(kmalloc_grow, SI_SUB_KTHREAD_PAGE, SI_ORDER_FIRST, kproc_start,
    &kmalloc_grower_kp);

static int
sysctl_kmalloc_reserve(SYSCTL_HANDLER_ARGS)
{
	int error;

	error = sysctl_handle_int(oidp, arg1, arg2, req);
	if (error == 0)
		kmalloc_ext_poke();
	return (error);
}
SYSCTL_PROC(_kern, OID_AUTO, kmalloc_reserve, CTLTYPE_INT | CTLFLAG_RW,
    &kmalloc_reserve, 0, sysctl_kmalloc_reserve, "I",
    "slabs to keep ready for each type with a reserve, -1: as it asked");

/*
 * kern.kmalloc_ext: one line a type, its name with blanks as underscores, then
 * name=value pairs; low is `-' for a type that asked for no reserve.  objects
 * are those that slabs in use have room for.
 */
static int
sysctl_kmalloc_ext(SYSCTL_HANDLER_ARGS)
{
	struct kmalloc_ext *ext;
	char name[32], low[24], line[640];
	size_t i;
	int error = 0;

	for (ext = kmalloc_ext_next(NULL); ext != NULL && error == 0;
	    ext = kmalloc_ext_next(ext)) {
		lockmgr(&ext->lock, LK_EXCLUSIVE);
		if (ext->type == NULL || ext->dying) {
			lockmgr(&ext->lock, LK_RELEASE);
			continue;
		}
		strlcpy(name, ext->type->ks_shortdesc, sizeof(name));
		for (i = 0; name[i] != '\0'; ++i) {
			if (name[i] == ' ')
				name[i] = '_';
		}
		strlcpy(low, "-", sizeof(low));
		if (ext->nslabs != 0)
			ksnprintf(low, sizeof(low), "%ld", ext->lowwater);
		ksnprintf(line, sizeof(line), "%-14s ready=%ld low=%s "
		    "target=%ld slots=%ld/%ld objects=%ld free_slabs=%ld "
		    "eaten=%lu refills=%lu refill_failures=%lu minis=%ld "
		    "minis_made=%lu minis_returned=%lu returned=%lu "
		    "regrets=%lu refusals=%lu blocking=%lu "
		    "constructed=%ld out=%ld limit=%lu limit_sleeps=%lu "
		    "limit_refusals=%lu foreign=%lu\n",
		    name, ext->nready, low, kmalloc_ext_target(ext),
		    ext->nfreeslots, ext->nslots, ext->nobjs, ext->whole.nfull,
		    ext->eaten, ext->refills, ext->refill_failures, ext->minis,
		    ext->minis_made, ext->minis_returned, ext->returned,
		    ext->regrets, ext->refusals, ext->blocking,
		    ext->constructed, kmalloc_cobj_out(ext), ext->limit,
		    ext->limit_sleeps, ext->limit_refusals, ext->foreign);
		lockmgr(&ext->lock, LK_RELEASE);
		error = SYSCTL_OUT(req, line, strlen(line));
	}
	if (error == 0)
		error = SYSCTL_OUT(req, "", 1);
	return (error);
}
SYSCTL_PROC(_kern, OID_AUTO, kmalloc_ext, CTLTYPE_STRING | CTLFLAG_RD, NULL, 0,
    sysctl_kmalloc_ext, "A", "reserves and constructed objects of kmalloc_obj");
