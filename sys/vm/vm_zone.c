/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Zones: items of one size which are never given back.
 *
 * Free items are linked through their first word (the second one marks them
 * free) in two pools, the cpu's own and the zone's.  The cpu's is used in a
 * critical section only, the zone's under zspin; items move between them a
 * tenth of zmax_pcpu at a time.  When both are empty, zget() makes new items,
 * in one of three ways:
 *
 * ZONE_INTERRUPT	Address space and its page tables exist since zinit(),
 *			for nentries items.  Only pages are missing, the first
 *			four of them from as deep as VM_ALLOC_INTERRUPT reaches.
 *			No lock is slept on, no map entry needed, and a single
 *			free page is enough to go on: this is what the page-out
 *			path relies on.
 *
 * ZONE_SPECIAL		The zone that map entries come from.  kmem_alloc3()
 *			needs some itself, so it takes them from the cpu's
 *			stock without refilling that (KM_KRESERVE), and the
 *			first new items restock the cpu before anyone sees them.
 *
 * otherwise		kmem_alloc3(); may block.
 *
 * zgetlk makes the two blocking kinds refill one at a time: a thread that had
 * to wait for it looks again before it allocates.
 *
 * zbootinit() needs nothing but memory for the items, so zones can serve the
 * VM before it runs; zinitna() later gives such a zone the means to grow.
 *
 * zlist is protected by zlist_token.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/queue.h>
#include <sys/sysctl.h>
#include <sys/thread.h>
#include <sys/vmmeter.h>

#include <vm/vm.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_map.h>
#include <vm/vm_kern.h>
#include <vm/vm_extern.h>
#include <vm/vm_lastpage.h>
#include <vm/vm_zone.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>
#include <vm/vm_page2.h>

static MALLOC_DEFINE(M_ZONE, "zone", "zone headers");

#define	ZONE_ROUNDING		32
#define	ZONE_EMERGENCY_PAGES	4	/* pages a refill takes at any price */
#define	ZENTRY_FREE		((void *)0x5a6f6e65)

static LIST_HEAD(, vm_zone) zlist = LIST_HEAD_INITIALIZER(zlist);
static struct lwkt_token zlist_token = LWKT_TOKEN_INITIALIZER(zlist_token);

static u_long zone_kmem_pages, zone_kmem_kvaspace, zone_kern_pages;
SYSCTL_ULONG(_vm, OID_AUTO, zone_kmem_pages, CTLFLAG_RD, &zone_kmem_pages, 0,
    "pages of interrupt zones");
SYSCTL_ULONG(_vm, OID_AUTO, zone_kmem_kvaspace, CTLFLAG_RD,
    &zone_kmem_kvaspace, 0, "bytes of address space of interrupt zones");
SYSCTL_ULONG(_vm, OID_AUTO, zone_kern_pages, CTLFLAG_RD, &zone_kern_pages, 0,
    "pages of other zones");

static void *zget(vm_zone_t z, int *tryagainp);

static __inline void
zitem_push(void **headp, void *item)
{
	((void **)item)[0] = *headp;
	((void **)item)[1] = ZENTRY_FREE;
	*headp = item;
}

/*
 * The item is still marked free.
 */
static __inline void *
zitem_pop(vm_zone_t z, void **headp)
{
	void *item = *headp;

	KASSERT(item != NULL, ("zalloc: %s: fewer items than counted",
	    z->zname));
	if (((void **)item)[1] != ZENTRY_FREE)
		panic("zalloc: %s: item %p was written to while free",
		    z->zname, item);
	*headp = ((void **)item)[0];
	return (item);
}

static __inline long
zone_pcpu_max(vm_zone_t z)
{
	return (lmax(z->zmax_pcpu, 1024));
}

void *
zalloc(vm_zone_t z)
{
	vm_zpcpu_t *zpcpu;
	void *item;
	long batch;
	int tryagain;

	if (z == NULL)
		panic("zalloc: NULL zone");

	batch = zone_pcpu_max(z) / 10 + 1;
	for (;;) {
		crit_enter();
		zpcpu = &z->zpcpu[mycpu->gd_cpuid];
		item = NULL;
		if (zpcpu->zfreecnt > 0) {
			item = zitem_pop(z, &zpcpu->zitems);
			((void **)item)[1] = NULL;
			--zpcpu->zfreecnt;
			++zpcpu->znalloc;
		}

		/* Restock the cpu: it must if it has nothing, may if little. */
		if (item == NULL) {
			spin_lock(&z->zspin);
		} else if (zpcpu->zfreecnt >= 4 * batch ||
		    spin_trylock(&z->zspin) == 0) {
			crit_exit();
			return (item);
		}
		while (batch > 0 && z->zfreecnt > z->zfreemin) {
			zitem_push(&zpcpu->zitems, zitem_pop(z, &z->zitems));
			++zpcpu->zfreecnt;
			--z->zfreecnt;
			--batch;
		}
		tryagain = (zpcpu->zfreecnt > 0);
		spin_unlock(&z->zspin);
		crit_exit();
		if (item != NULL)
			return (item);

		if (!tryagain) {
			item = zget(z, &tryagain);
			if (!tryagain)
				break;
		}
		batch = zone_pcpu_max(z) / 10 + 1;
	}

	if (item == NULL && (z->zflags & ZONE_PANICFAIL))
		panic("zalloc: %s: out of items", z->zname);
	return (item);
}

void
zfree(vm_zone_t z, void *item)
{
	vm_zpcpu_t *zpcpu;
	long max, move;

	if (z == NULL)
		panic("zfree: NULL zone");
	if (item == NULL)
		panic("zfree: %s: NULL item", z->zname);
	if (((void **)item)[1] == ZENTRY_FREE)
		panic("zfree: %s: item %p is free already", z->zname, item);

	crit_enter();
	zpcpu = &z->zpcpu[mycpu->gd_cpuid];
	zitem_push(&zpcpu->zitems, item);
	++zpcpu->zfreecnt;

	/* Too many here?  If the lock is contended, only when far too many. */
	max = zone_pcpu_max(z);
	move = max / 10 + 1;
	if (zpcpu->zfreecnt >= max) {
		if (zpcpu->zfreecnt >= max + 4 * move) {
			spin_lock(&z->zspin);
		} else if (spin_trylock(&z->zspin) == 0) {
			crit_exit();
			return;
		}
		while (move-- > 0) {
			zitem_push(&z->zitems, zitem_pop(z, &zpcpu->zitems));
			--zpcpu->zfreecnt;
			++z->zfreecnt;
		}
		spin_unlock(&z->zspin);
	}
	crit_exit();
}

static void
zone_link(vm_zone_t z)
{
	lwkt_gettoken(&zlist_token);
	LIST_INSERT_HEAD(&zlist, z, zlink);
	lwkt_reltoken(&zlist_token);
}

static void
zone_unlink(vm_zone_t z)
{
	lwkt_gettoken(&zlist_token);
	LIST_REMOVE(z, zlink);
	lwkt_reltoken(&zlist_token);
}

/*
 * Everything but name, size and items.
 */
static void
zone_clear(vm_zone_t z)
{
	spin_init(&z->zspin, "zone");
	lockinit(&z->zgetlk, "zgetlk", 0, LK_CANRECURSE);
	bzero(z->zpcpu, sizeof(z->zpcpu));
	z->zitems = NULL;
	z->zfreecnt = 0;
	z->zfreemin = 0;
	z->znalloc = 0;
	z->ztotal = 0;
	z->zpagecount = 0;
	z->zpagemax = 0;
	z->zkva = 0;
	z->zmax = 0;
	z->zmax_pcpu = 0;
	z->zalloc = 0;
	z->zflags = 0;
	z->zallocflag = 0;
}

int
zinitna(vm_zone_t z, char *name, size_t size, long nentries, uint32_t flags)
{
	size_t totsize;
	void *item;

	if (z->zflags & ZONE_DESTROYABLE)
		panic("zinitna: %s: zone is in use", z->zname);

	if ((z->zflags & ZONE_BOOT) == 0) {
		zone_clear(z);
		z->zname = name;
		z->zsize = roundup2(size, ZONE_ROUNDING);
		zone_link(z);
	}
	z->zflags |= flags;
	z->zkmvec = NULL;
	z->zkmcur = 0;
	z->zkmmax = 0;
	z->zpagecount = 0;
	z->zalloc = ZONE_MAXPGLOAD;
	z->zfreemin = z->zsize > PAGE_SIZE ? 1 : PAGE_SIZE / z->zsize;

	if ((z->zflags & ZONE_INTERRUPT) == 0) {
		z->zallocflag = VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM;
		z->zmax = 0;
		z->zmax_pcpu = 8192;
		return (1);
	}

	totsize = round_page((size_t)z->zsize * nentries);
	z->zkva = kmem_alloc_pageable(kernel_map, totsize, VM_SUBSYS_ZALLOC);
	if (z->zkva == 0) {
		zone_unlink(z);
		return (0);
	}
	atomic_add_long(&zone_kmem_kvaspace, totsize);
	z->zpagemax = totsize / PAGE_SIZE;
	z->zallocflag = VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT | VM_ALLOC_NORMAL;
	z->zmax += nentries;

	z->zmax_pcpu = lmax(z->zmax / ncpus / 32, 1024);
	z->zmax_pcpu = lmin(z->zmax_pcpu, 16 * 1024 * 1024 / z->zsize);

	/* The first pages now, not at the first interrupt. */
	if ((item = zget(z, NULL)) != NULL)
		zfree(z, item);
	return (1);
}

vm_zone_t
zinit(char *name, size_t size, long nentries, uint32_t flags)
{
	vm_zone_t z;

	z = kmalloc(sizeof(*z), M_ZONE, M_NOWAIT | M_ZERO);
	if (z == NULL)
		return (NULL);
	if (zinitna(z, name, size, nentries, flags & ~ZONE_DESTROYABLE) == 0) {
		kfree(z, M_ZONE);
		return (NULL);
	}
	z->zflags |= flags & ZONE_DESTROYABLE;
	return (z);
}

void
zbootinit(vm_zone_t z, char *name, size_t size, void *item, long nitems)
{
	zone_clear(z);
	z->zname = name;
	z->zsize = size;
	z->zflags = ZONE_BOOT;
	z->zmax = nitems;
	z->ztotal = nitems;
	z->zfreecnt = nitems;

	bzero(item, nitems * size);
	for (; nitems > 0; --nitems) {
		zitem_push(&z->zitems, item);
		item = (char *)item + size;
	}
	zone_link(z);
}

void
zdestroy(vm_zone_t z)
{
	long i;

	if (z == NULL)
		panic("zdestroy: NULL zone");
	if ((z->zflags & ZONE_DESTROYABLE) == 0)
		panic("zdestroy: %s: zone is not ZONE_DESTROYABLE", z->zname);
	KASSERT((z->zflags & ZONE_INTERRUPT) == 0,
	    ("zdestroy: %s: interrupt zone", z->zname));

	zone_unlink(z);
	for (i = 0; i < z->zkmcur; ++i) {
		kmem_free(kernel_map, z->zkmvec[i], z->zalloc * PAGE_SIZE);
		atomic_add_long(&zone_kern_pages, -z->zalloc);
	}
	if (z->zkmvec != NULL)
		kfree(z->zkmvec, M_ZONE);
	spin_uninit(&z->zspin);
	kfree(z, M_ZONE);
}

/*
 * Populate the next pages of an interrupt zone.  Returns the bytes gained, at
 * *itemp.
 */
static size_t
zget_interrupt(vm_zone_t z, void **itemp)
{
	vm_page_t pgs[ZONE_MAXPGLOAD];
	vm_offset_t va;
	vm_page_t m;
	long first, npages, i;
	int req;

	for (npages = 0; npages < z->zalloc; ++npages) {
		req = z->zallocflag;
		if (npages >= ZONE_EMERGENCY_PAGES)
			req = VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM;
		pgs[npages] = vm_page_alloc(NULL, mycpu->gd_rand_incr++, req);
		if (pgs[npages] == NULL)
			break;
	}

	/* The range is ours alone once zpagecount is past it. */
	spin_lock(&z->zspin);
	first = z->zpagecount;
	i = lmin(npages, z->zpagemax - first);
	z->zpagecount += i;
	spin_unlock(&z->zspin);
	atomic_add_long(&zone_kmem_pages, i);

	while (npages > i)
		vm_page_free(pgs[--npages]);

	va = z->zkva + first * PAGE_SIZE;
	*itemp = (void *)va;
	for (i = 0; i < npages; ++i, va += PAGE_SIZE) {
		m = pgs[i];
		m->valid = VM_PAGE_BITS_ALL;
		vm_page_wire(m);
		vm_page_wakeup(m);
		pmap_kenter(va, VM_PAGE_TO_PHYS(m));
		bzero((void *)va, PAGE_SIZE);
	}
	return (npages * PAGE_SIZE);
}

static size_t
zget_kmem(vm_zone_t z, void **itemp)
{
	size_t nbytes = z->zalloc * PAGE_SIZE;
	long max;

	*itemp = (void *)kmem_alloc3(kernel_map, nbytes, VM_SUBSYS_ZALLOC,
	    (z->zflags & ZONE_SPECIAL) ? KM_KRESERVE : 0);
	if (*itemp == NULL)
		return (0);
	bzero(*itemp, nbytes);
	z->zpagecount += z->zalloc;
	atomic_add_long(&zone_kern_pages, z->zalloc);

	if (z->zflags & ZONE_DESTROYABLE) {
		if (z->zkmcur == z->zkmmax) {
			max = z->zkmmax != 0 ? 2 * z->zkmmax : 4;
			z->zkmvec = krealloc(z->zkmvec,
			    max * sizeof(z->zkmvec[0]), M_ZONE, M_WAITOK);
			z->zkmmax = max;
		}
		z->zkmvec[z->zkmcur++] = (vm_offset_t)*itemp;
	}
	return (nbytes);
}

/*
 * Restock this cpu's map entries from new items.  Returns how many it took.
 */
static long
zone_special_restock(vm_zone_t z, char *item, long nitems)
{
	globaldata_t gd = mycpu;
	vm_map_entry_t entry;
	long n;

	crit_enter();
	for (n = 0; gd->gd_vme_avail < 2 && n + 1 < nitems; ++n) {
		entry = (vm_map_entry_t)(void *)item;
		item += z->zsize;
		MAPENT_FREELIST(entry) = gd->gd_vme_base;
		gd->gd_vme_base = entry;
		++gd->gd_vme_avail;
	}
	crit_exit();
	return (n);
}

/*
 * Make new items, or find that somebody else has.  Returns one, or NULL; in
 * *tryagainp whether the caller should look into the pools again.
 */
static void *
zget(vm_zone_t z, int *tryagainp)
{
	VM_PAGE_FOR(z->zname);
	void *item;
	size_t nbytes;
	long nitems, n;

	if (z->zflags & ZONE_INTERRUPT) {
		nbytes = zget_interrupt(z, &item);
	} else if (z->zallocflag == 0) {
		panic("zalloc: %s: boot-time items are used up", z->zname);
	} else {
		if (lockmgr(&z->zgetlk, LK_EXCLUSIVE | LK_SLEEPFAIL)) {
			*tryagainp = 1;
			return (NULL);
		}
		nbytes = zget_kmem(z, &item);
	}
	nitems = nbytes / z->zsize;

	spin_lock(&z->zspin);
	z->ztotal += nitems;
	if ((z->zflags & ZONE_SPECIAL) && nitems > 1) {
		n = zone_special_restock(z, item, nitems);
		item = (char *)item + n * z->zsize;
		nitems -= n;
	}
	if (nitems > 0) {
		for (n = 1; n < nitems; ++n)
			zitem_push(&z->zitems, (char *)item + n * z->zsize);
		z->zfreecnt += nitems - 1;
	} else {
		/* None for us; but somebody may have freed one meanwhile. */
		item = NULL;
		if (z->zfreecnt > 0) {
			--z->zfreecnt;
			item = zitem_pop(z, &z->zitems);
			((void **)item)[1] = NULL;
		}
	}
	if (item != NULL)
		++z->znalloc;
	spin_unlock(&z->zspin);

	if ((z->zflags & ZONE_INTERRUPT) == 0)
		lockmgr(&z->zgetlk, LK_RELEASE);
	return (item);
}

static void
zone_count(vm_zone_t z, long *nfree, long *nalloc)
{
	int n;

	*nfree = z->zfreecnt;
	*nalloc = z->znalloc;
	for (n = 0; n < ncpus; ++n) {
		*nfree += z->zpcpu[n].zfreecnt;
		*nalloc += z->zpcpu[n].znalloc;
	}
}

static void
zone_watchdog_report(void)
{
	long nfree, nalloc;
	vm_zone_t z;

	LIST_FOREACH(z, &zlist, zlink) {
		zone_count(z, &nfree, &nalloc);
		kprintf("zone: %s: %ld in use, %ld free, %ld pages",
		    z->zname, z->ztotal - nfree, nfree, (long)z->zpagecount);
		if (z->zpagemax != 0)
			kprintf(" of at most %ld", (long)z->zpagemax);
		kprintf("\n");
	}
}
WATCHDOG_REPORT(zone_watchdog_report);

/*
 * Of which pages a zone's refill is made, as in vm.lastpages: kmem_alloc3()'s,
 * but for an interrupt zone; `-' for one that has boot-time items only.
 */
static const char *
zone_class(vm_zone_t z)
{
	if (z->zallocflag == 0)
		return ("-");
	return (z->zflags & ZONE_INTERRUPT ? "NSI" : "N");
}

/*
 * vm.zone: one line a zone.
 */
static int
sysctl_vm_zone(SYSCTL_HANDLER_ARGS)
{
	vm_zone_t z;
	char line[128];
	long nfree, nalloc;
	int error;

	ksnprintf(line, sizeof(line), "%-14s %6s %10s %8s %8s %10s %5s\n",
	    "zone", "size", "limit", "used", "free", "requests", "class");
	error = SYSCTL_OUT(req, line, strlen(line));

	lwkt_gettoken(&zlist_token);
	LIST_FOREACH(z, &zlist, zlink) {
		if (error)
			break;
		zone_count(z, &nfree, &nalloc);
		ksnprintf(line, sizeof(line),
		    "%-14s %6ld %10ld %8ld %8ld %10ld %5s\n", z->zname,
		    z->zsize, z->zmax, z->ztotal - nfree, nfree, nalloc,
		    zone_class(z));
		error = SYSCTL_OUT(req, line, strlen(line));
	}
	lwkt_reltoken(&zlist_token);
	if (error == 0)
		error = SYSCTL_OUT(req, "", 1);
	return (error);
}
SYSCTL_PROC(_vm, OID_AUTO, zone, CTLTYPE_STRING | CTLFLAG_RD, NULL, 0,
    sysctl_vm_zone, "A", "zones");
