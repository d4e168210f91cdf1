/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lies below the allocators in a kernel for native-bench: cpus, pages and
 * addresses.  It is compiled with the headers of the tree that the allocators
 * are from.  So critical sections, spinlocks and atomic operations are inline
 * and that tree's own, and mycpu is read through %gs, as in the kernel.  The
 * fake kernel of shims/tests would not do: there they are calls, with checks.
 *
 * Nothing here runs between a get and a put once the allocators have what they
 * need, but for DragonFly's crit_exit(), which is a call there, too.  Memory is
 * always there: kernel addresses have memory of their own from the beginning,
 * and a page is no more than its struct vm_page.  Nobody ever sleeps.
 *
 * Functions are defined under names of their own and labelled with the
 * kernel's, as their prototypes are not the same in every tree.  Whatever else
 * the tree's files name faults when it is touched.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/thread.h>
#include <sys/vmmeter.h>

#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_extern.h>
#include <vm/vm_kern.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>

#include <machine/cpufunc.h>

#include "bench.h"

#define	KERNEL(ret, name, args)						\
	ret bench_##name args __asm(#name);				\
	ret bench_##name args

#define	BENCH_IPIS	10000
#define	BENCH_PAGES	(1L << 17)	/* as many as there are addresses */

/* The tree says of which type they are. */
__typeof__(ncpus) ncpus = 1;
__typeof__(hz) hz = 100;
__typeof__(ticks) ticks;
__typeof__(pseudo_ticks) pseudo_ticks;
__typeof__(bootverbose) bootverbose;
__typeof__(vmstats) vmstats;
__typeof__(vm_page_array) vm_page_array;
__typeof__(first_page) first_page;
struct thread *bench_pagethread __asm("pagethread");
struct thread *bench_emergpager __asm("emergpager");
vm_offset_t bench_KvaStart __asm("KvaStart");
vm_offset_t bench_KvaEnd __asm("KvaEnd");
vm_offset_t bench_KvaSize __asm("KvaSize");
static struct vm_map map;
struct vm_map *kernel_map = &map;

SET_DECLARE(sysinit_set, struct sysinit);
extern const struct bench_alloc bench_allocs[];
extern const struct bench_missing bench_missing[];	/* build-kernel's */
void	bench_early(u_int seed);
void	bench_create(u_int seed);
void	bench_slab_gdinit(struct globaldata *) __asm("slab_gdinit")
	    __attribute__((__weak__));

static const struct bench_host *host;
static struct thread threads[BENCH_CPUS];
static struct vm_page pages[BENCH_PAGES];
static vm_page_t kva_page[BENCH_PAGES];
static vm_page_t free_pages[BENCH_PAGES];
static long nfree;
static vm_offset_t kva_next;

/*
 * Cpus.
 */
struct globaldata bench_cpus[BENCH_CPUS];
__asm(".globl CPU_prvspace; .hidden CPU_prvspace; "
    ".set CPU_prvspace, bench_cpus");

KERNEL(struct globaldata *, globaldata_find, (int cpu))
{
	return (&bench_cpus[cpu]);
}

static volatile int *
spinlocks(int n)
{
	return (&bench_cpus[n].gd_spinlocks);
}

KERNEL(void, crit_exit_wrapper, (void))
{
	crit_exit_quick(mycpu->gd_curthread);
}

/*
 * A spinlock that another cpu has.  Here a cpu may be preempted while it holds
 * one, so times of contended runs are taken from many.
 */
KERNEL(void, spin_contested, (struct spinlock *spin, const char *ident))
{
	while (atomic_swap_int(&spin->lock, 1) != 0)
		cpu_pause();
}

/* DragonFly's counts holder and waiters; no waiter goes first here. */
KERNEL(void, _spin_lock_contested, (struct spinlock *spin, const char *ident,
    int count))
{
	atomic_subtract_int(&spin->lock, 1);
	while (atomic_cmpset_int(&spin->lock, 0, 1) == 0)
		cpu_pause();
}

KERNEL(int, spin_trylock_contested, (struct spinlock *spin))
{
	--mycpu->gd_spinlocks;
	crit_exit_quick(mycpu->gd_curthread);
	return (0);
}

/*
 * The console.
 */
KERNEL(void, panic, (const char *fmt, ...))
{
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	host->vprint(fmt, ap);
	__builtin_va_end(ap);
	host->die();
	__builtin_unreachable();
}

KERNEL(int, kprintf, (const char *fmt, ...))
{
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	host->vprint(fmt, ap);
	__builtin_va_end(ap);
	return (0);
}

/*
 * DragonFly's kfree() of another cpu's memory tells that cpu, which looks at
 * the next tick: here, when the host lets it poll().
 */
struct ipi {
	void		(*func)(void *, int, void *);
	void		*arg1;
	int		arg2;
};

static struct ipi ipis[BENCH_CPUS][BENCH_IPIS];
static int nipis[BENCH_CPUS];
static struct spinlock ipi_spin = SPINLOCK_INITIALIZER(ipi_spin, "ipis");

KERNEL(int, lwkt_send_ipiq3_passive, (struct globaldata *gd,
    void (*func)(void *, int, void *), void *arg1, int arg2))
{
	int cpu = gd->gd_cpuid;

	spin_lock(&ipi_spin);
	if (nipis[cpu] == BENCH_IPIS)
		bench_panic("cpu%d has been sent too much", cpu);
	ipis[cpu][nipis[cpu]++] = (struct ipi){ func, arg1, arg2 };
	spin_unlock(&ipi_spin);
	return (0);
}

static void
poll(void)
{
	int cpu = mycpu->gd_cpuid;
	struct ipi ipi;

	while (*(volatile int *)&nipis[cpu] > 0) {
		spin_lock(&ipi_spin);
		ipi = ipis[cpu][--nipis[cpu]];
		spin_unlock(&ipi_spin);
		crit_enter();
		ipi.func(ipi.arg1, ipi.arg2, NULL);
		crit_exit();
	}
}

/*
 * Memory of the host.
 */
KERNEL(void *, memset, (void *dst, int c, size_t len))
{
	void *p = dst;

	__asm __volatile("rep stosb" : "+D" (p), "+c" (len) : "a" (c) :
	    "memory");
	return (dst);
}

KERNEL(void *, memcpy, (void *dst, const void *src, size_t len))
{
	void *p = dst;

	__asm __volatile("rep movsb" : "+D" (p), "+S" (src), "+c" (len) : :
	    "memory");
	return (dst);
}

KERNEL(void *, memmove, (void *dst, const void *src, size_t len))
{
	char *d = dst;
	const char *s = src;

	if (d <= s)
		return (bench_memcpy(dst, src, len));
	while (len-- > 0) {
		__asm __volatile("");	/* else it becomes a call of itself */
		d[len] = s[len];
	}
	return (dst);
}

KERNEL(size_t, strlen, (const char *s))
{
	size_t len;

	for (len = 0; s[len] != '\0'; ++len)
		__asm __volatile("");
	return (len);
}

KERNEL(size_t, strlcpy, (char *dst, const char *src, size_t size))
{
	size_t i;

	for (i = 0; i + 1 < size && src[i] != '\0'; ++i)
		dst[i] = src[i];
	dst[i] = '\0';
	return (bench_strlen(src));
}

KERNEL(int, ffsl, (long mask))
{
	return (mask == 0 ? 0 : __builtin_ctzl(mask) + 1);
}

KERNEL(int, flsl, (long mask))
{
	return (mask == 0 ? 0 : 64 - __builtin_clzl(mask));
}

/*
 * Locks that may sleep, and tokens: nobody else wants any of them.
 */
KERNEL(void, lockinit, (void *lk, const char *wmesg, int timo, int flags))
{
}

KERNEL(int, lockmgr, (void *lk, u_int flags))
{
	return (0);
}

KERNEL(int, lockmgr_exclusive, (void *lk, u_int flags))
{
	return (0);
}

KERNEL(int, lockmgr_release, (void *lk))
{
	return (0);
}

KERNEL(void, lwkt_gettoken, (void *token))
{
}

KERNEL(void, lwkt_reltoken, (void *token))
{
}

KERNEL(void, wakeup, (const volatile void *chan))
{
}

KERNEL(void, kproc_start, (const void *kp))
{
}

KERNEL(void, tunable_int_init, (void *data))
{
}

/*
 * Pages and addresses.
 */
static vm_page_t *
kva_slot(vm_offset_t va)
{
	return (&kva_page[(va - (vm_offset_t)host->kva) / PAGE_SIZE]);
}

KERNEL(vm_page_t, vm_page_alloc, (void *object, vm_pindex_t pindex, int req))
{
	if (nfree == 0)
		bench_panic("the benchmark's kernel is out of pages");
	return (free_pages[--nfree]);
}

KERNEL(void, vm_page_free, (vm_page_t m))
{
	free_pages[nfree++] = m;
}

KERNEL(void, vm_page_free_toq, (vm_page_t m))
{
	free_pages[nfree++] = m;
}

KERNEL(void, vm_page_wire, (vm_page_t m))
{
}

KERNEL(void, vm_page_unwire, (vm_page_t m, int activate))
{
}

KERNEL(void, vm_page_wakeup, (vm_page_t m))
{
}

KERNEL(void, vm_page_busy_wait, (vm_page_t m, int also_m_busy, const char *msg))
{
}

KERNEL(void, pmap_kenter, (vm_offset_t va, vm_paddr_t pa))
{
	*kva_slot(va) = PHYS_TO_VM_PAGE(pa);
}

KERNEL(vm_page_t, pmap_kvtom, (vm_offset_t va))
{
	return (*kva_slot(va));
}

KERNEL(vm_paddr_t, pmap_kextract, (vm_offset_t va))
{
	return (VM_PAGE_TO_PHYS(*kva_slot(va)));
}

KERNEL(void, pmap_qenter, (vm_offset_t va, vm_page_t *m, int count))
{
	for (; count-- > 0; va += PAGE_SIZE)
		*kva_slot(va) = *m++;
}

KERNEL(void, pmap_qremove, (vm_offset_t va, int count))
{
}

KERNEL(vm_offset_t, kmem_alloc_nofault, (void *map, vm_size_t size, int id,
    vm_size_t align))
{
	vm_offset_t va = roundup2(kva_next, align);

	kva_next = va + round_page(size);
	if (kva_next > (vm_offset_t)host->kva + BENCH_PAGES * PAGE_SIZE)
		bench_panic("the benchmark's kernel is out of addresses");
	return (va);
}

KERNEL(vm_offset_t, kmem_alloc_pageable, (void *map, vm_size_t size, int id))
{
	return (bench_kmem_alloc_nofault(map, size, id, PAGE_SIZE));
}

KERNEL(void *, kmem_slab_alloc, (vm_size_t size, vm_offset_t align, int flags))
{
	vm_offset_t va = bench_kmem_alloc_nofault(NULL, size, 0, align);
	vm_size_t i;

	for (i = 0; i < size; i += PAGE_SIZE)
		*kva_slot(va + i) = bench_vm_page_alloc(NULL, 0, 0);
	return ((void *)va);
}

KERNEL(void, kmem_slab_free, (void *ptr, vm_size_t size))
{
	vm_size_t i;

	/* Addresses are not used again; there are enough. */
	for (i = 0; i < size; i += PAGE_SIZE)
		bench_vm_page_free(*kva_slot((vm_offset_t)ptr + i));
}

KERNEL(vm_offset_t, kmem_alloc3, (void *map, vm_size_t size, int id, int flags))
{
	return ((vm_offset_t)bench_kmem_slab_alloc(size, PAGE_SIZE, 0));
}

/*
 * Start-up.  The allocators and the malloc types begin with one cpu, as in the
 * kernel, and learn of the others later.
 */
static void *
cpu(int n)
{
	struct globaldata *gd = &bench_cpus[n];

	gd->gd_prvspace = (void *)gd;
	gd->gd_curthread = &threads[n];
	gd->gd_cpuid = n;
	gd->gd_vmstats = vmstats;
	threads[n].td_gd = gd;
	return (gd);
}

static void
run_sysinits(void)
{
	struct sysinit **sip, **next, *si;

	for (;;) {
		next = NULL;
		SET_FOREACH(sip, sysinit_set) {
			si = *sip;
			if (si->subsystem != SI_SPECIAL_DONE && (next == NULL ||
			    si->subsystem < (*next)->subsystem ||
			    (si->subsystem == (*next)->subsystem &&
			    si->order < (*next)->order)))
				next = sip;
		}
		if (next == NULL)
			break;
		si = *next;
		si->func(si->udata);
		si->subsystem = SI_SPECIAL_DONE;
	}
}

static void
boot(const struct bench_host *h)
{
	long i;
	int n;

	host = h;
	kva_next = (vm_offset_t)h->kva;
	if (h->kva_size < BENCH_PAGES * PAGE_SIZE)
		bench_panic("the benchmark's kernel has too few addresses");
	bench_KvaStart = kva_next;
	bench_KvaEnd = kva_next + h->kva_size;
	bench_KvaSize = h->kva_size;
	vmstats.v_page_count = BENCH_PAGES;
	vmstats.v_free_count = BENCH_PAGES;
	vm_page_array = pages;
	map.min_addr = kva_next;
	map.max_addr = kva_next + h->kva_size;
	for (i = 0; i < BENCH_PAGES; ++i) {
		pages[i].phys_addr = i * PAGE_SIZE;
		free_pages[nfree++] = &pages[i];
	}
	for (n = 0; n < BENCH_CPUS; ++n) {
		cpu(n);
		if (bench_slab_gdinit != NULL)
			bench_slab_gdinit(&bench_cpus[n]);
	}

	bench_early(h->seed);
	run_sysinits();
	ncpus = BENCH_CPUS;
	malloc_reinit_ncpus();
	bench_create(h->seed);
}

__attribute__((__visibility__("default")))
const struct bench_kernel bench_kernel = {
	.cpu = cpu,
	.spinlocks = spinlocks,
	.poll = poll,
	.boot = boot,
	.allocs = bench_allocs,
	.missing = bench_missing
};
