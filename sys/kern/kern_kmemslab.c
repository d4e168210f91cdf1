/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kmem_slab_alloc(): where kmalloc() and kmalloc_obj() meet the VM.
 *
 * The memory is wired, belongs to kernel_object and has a map entry of its own
 * in kernel_map.  So an allocation takes kernel_map's lock, and may need map
 * entries, a page-table page and as many free pages as it is long, whatever its
 * flags say: they only govern how deep it digs for pages, and whether it waits
 * for them.  This is the recursion that a reserve of slabs has to avoid.
 *
 * All pages are allocated before any is mapped, and stay busy meanwhile: nobody
 * sees a half-built allocation, and one that fails is undone page by page.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/queue.h>
#include <sys/thread.h>
#include <sys/globaldata.h>

#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_kern.h>
#include <vm/vm_extern.h>
#include <vm/vm_object.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>

#include <sys/thread2.h>
#include <vm/vm_page2.h>

/*
 * Who waits for pages, for the watchdog.  Waiters hold kernel_object, whose
 * token protects the list.
 */
struct kmem_waiter {
	TAILQ_ENTRY(kmem_waiter) link;
	struct thread	*td;
	vm_size_t	size;		/* bytes asked for */
	vm_size_t	got;		/* bytes that have pages */
	int		flags;
};

static TAILQ_HEAD(, kmem_waiter) kmem_waiters =
    TAILQ_HEAD_INITIALIZER(kmem_waiters);
static u_long kmem_waits;

static void
kmem_wait(vm_size_t size, vm_size_t got, int flags)
{
	struct kmem_waiter w = {
		.td = curthread, .size = size, .got = got, .flags = flags
	};

	++kmem_waits;
	TAILQ_INSERT_TAIL(&kmem_waiters, &w, link);
	if (w.td->td_preempted != NULL)
		lwkt_switch();
	else
		vm_wait(0);
	TAILQ_REMOVE(&kmem_waiters, &w, link);
}

/*
 * Who may take which pages: kmalloc()'s flags in the terms of
 * vm_page_alloc().  Who preempts another must not make it wait for memory, and
 * reaches as deep as the system's threads instead.
 */
static int
kmem_page_flags(int flags)
{
	int class = 0;

	if (flags & M_ZERO)
		class |= VM_ALLOC_ZERO;
	if (flags & M_USE_RESERVE)
		class |= VM_ALLOC_SYSTEM;
	if (flags & M_USE_INTERRUPT_RESERVE)
		class |= VM_ALLOC_INTERRUPT;
	if (flags & M_WAITOK) {
		class |= curthread->td_preempted != NULL ? VM_ALLOC_SYSTEM :
		    VM_ALLOC_NORMAL;
	}
	return (class);
}

/*
 * Enter size bytes of kernel_object, whose offsets are addresses, into
 * kernel_map.
 */
static int
kmem_enter(vm_size_t size, vm_offset_t align, int *countp, vm_offset_t *addrp)
{
	vm_map_lock(kernel_map);
	if (vm_map_findspace(kernel_map, vm_map_min(kernel_map), size, align,
	    0, addrp)) {
		vm_map_unlock(kernel_map);
		return (ENOMEM);
	}
	vm_object_hold(kernel_object);
	vm_object_reference_locked(kernel_object);
	vm_map_insert(kernel_map, countp, kernel_object, NULL, *addrp, NULL,
	    *addrp, *addrp + size, VM_MAPTYPE_NORMAL, VM_SUBSYS_KMALLOC,
	    VM_PROT_ALL, VM_PROT_ALL, 0);
	vm_object_drop(kernel_object);
	vm_map_set_wired_quick(kernel_map, *addrp, size, countp);
	vm_map_unlock(kernel_map);
	return (0);
}

/*
 * Busy pages for [addr, addr + size): all, or none and ENOMEM.  kernel_object
 * is held.
 */
static int
kmem_get_pages(vm_offset_t addr, vm_size_t size, int flags)
{
	const int vmflags = kmem_page_flags(flags);
	vm_size_t i = 0;

	while (i < size) {
		if (vm_page_alloc(kernel_object, OFF_TO_IDX(addr + i),
		    vmflags) != NULL) {
			i += PAGE_SIZE;
			continue;
		}
		if (flags & M_WAITOK) {
			kmem_wait(size, i, flags);
			continue;
		}
		while (i > 0) {
			i -= PAGE_SIZE;
			vm_page_free(vm_page_lookup(kernel_object,
			    OFF_TO_IDX(addr + i)));
		}
		return (ENOMEM);
	}
	return (0);
}

static void
kmem_map_pages(vm_offset_t addr, vm_size_t size, bool zero)
{
	vm_size_t i;
	vm_page_t m;

	for (i = 0; i < size; i += PAGE_SIZE) {
		m = vm_page_lookup(kernel_object, OFF_TO_IDX(addr + i));
		m->valid = VM_PAGE_BITS_ALL;
		pmap_enter(kernel_pmap, addr + i, m, VM_PROT_ALL, TRUE, NULL);
		if (zero)
			bzero((char *)addr + i, PAGE_SIZE);
		vm_page_flag_set(m, PG_REFERENCED);
		vm_page_wakeup(m);
	}
}

void *
kmem_slab_alloc(vm_size_t size, vm_offset_t align, int flags)
{
	vm_offset_t addr;
	int count, error;

	if ((flags & (M_RNOWAIT | M_WAITOK)) == 0)
		panic("kmem_slab_alloc: neither M_RNOWAIT nor M_WAITOK in %x",
		    flags);

	size = round_page(size);
	count = vm_map_entry_reserve(MAP_RESERVE_COUNT);
	crit_enter();
	error = kmem_enter(size, align, &count, &addr);
	if (error) {
		if ((flags & M_NULLOK) == 0)
			panic("kmem_slab_alloc: kernel_map is full");
	} else {
		vm_object_hold(kernel_object);
		error = kmem_get_pages(addr, size, flags);
		if (error == 0)
			kmem_map_pages(addr, size, (flags & M_ZERO) != 0);
		vm_object_drop(kernel_object);
		if (error) {
			vm_map_lock(kernel_map);
			vm_map_delete(kernel_map, addr, addr + size, &count);
			vm_map_unlock(kernel_map);
		}
	}
	crit_exit();
	vm_map_entry_release(count);
	return (error ? NULL : (void *)addr);
}

void
kmem_slab_free(void *ptr, vm_size_t size)
{
	crit_enter();
	vm_map_remove(kernel_map, (vm_offset_t)ptr, (vm_offset_t)ptr + size);
	crit_exit();
}

static void
kmem_watchdog_report(void)
{
	struct kmem_waiter *w;

	TAILQ_FOREACH(w, &kmem_waiters, link) {
		kprintf("kmem: %s waits for pages: has %lu of %lu, flags %04x\n",
		    w->td->td_comm, w->got / PAGE_SIZE, w->size / PAGE_SIZE,
		    w->flags);
	}
	kprintf("kmem: %lu waits for pages so far\n", kmem_waits);
}

WATCHDOG_REPORT(kmem_watchdog_report);
