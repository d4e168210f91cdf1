/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's fake kernel: see fake_kernel.h.
 */

#define	_GNU_SOURCE
#include <pthread.h>
#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef FAKE_FAST
#include <sanitizer/asan_interface.h>
#endif

#include "fake_kernel.h"
#include <sys/globaldata.h>
#include <sys/kmalloc_ext.h>

struct sleeper {
	struct sleeper	*next;
	const struct thread *td;
	const volatile void *chan;
	bool		woken;
};

MALLOC_DEFINE(M_TEMP, "temp", "host memory");

__thread struct thread *curthread;
struct thread *pagethread;
struct thread *emergpager;
struct globaldata fake_globaldata;
struct vm_map *kernel_map;
struct vmstats vmstats = {
	.v_page_count = FAKE_PAGES,
	.v_free_reserved = FAKE_RESERVED,
	.v_interrupt_free_min = FAKE_INTERRUPT_MIN
};
long pseudo_ticks = 1000;
int ncpus = 1;
int hz = 100;
volatile int ticks = INT_MAX - 50;
int vm_pages_needed;

char *fake_kva;
int fake_fail_page;
int fake_requests;
long fake_least_free;
long fake_kmem_slab_allocs;
long fake_nofault_bytes;
int fake_kmem_flags;
bool fake_kmem_forbidden;
void (*fake_kmem_reenter)(void);
void (*fake_nofault_hook)(void);
vm_size_t fake_nofault_most = FAKE_KVA_SIZE;

static pthread_mutex_t giant = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct sleeper *sleepers;
static __thread int spinlocks, locks, critical;
static jmp_buf *maintaining;

static struct vm_page pages[FAKE_PAGES];
static struct vm_page *free_pages, *eaten_pages;
static char *dmap;
static int memory = -1;
static size_t kva_used;
static vm_page_t kva_page[FAKE_KVA_SIZE / PAGE_SIZE];

/*
 * Threads.
 */
void
fake_thread_enter(struct thread *td)
{
	pthread_mutex_lock(&giant);
	curthread = td;
}

void
fake_thread_exit(void)
{
	curthread = NULL;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&giant);
}

void
fake_run_until(bool (*done)(void *), void *arg)
{
	struct thread *td = curthread;

	while (!done(arg))
		pthread_cond_wait(&changed, &giant);
	curthread = td;
}

bool
fake_asleep_on(const volatile void *chan)
{
	struct sleeper *s;

	for (s = sleepers; s != NULL; s = s->next) {
		if (s->chan == chan && !s->woken)
			return (true);
	}
	return (false);
}

bool
fake_asleep(const struct thread *td)
{
	struct sleeper *s;

	for (s = sleepers; s != NULL; s = s->next) {
		if (s->td == td && !s->woken)
			return (true);
	}
	return (false);
}

void
fake_wake_all(void)
{
	struct sleeper *s;

	for (s = sleepers; s != NULL; s = s->next)
		s->woken = true;
	pthread_cond_broadcast(&changed);
}

static void
fake_sleep(const volatile void *chan)
{
	struct sleeper self = { sleepers, curthread, chan, false };
	struct sleeper **sp;

	if (spinlocks != 0)
		panic("sleeping with a spinlock held");
	if (locks != 0)
		panic("sleeping with a lock held");
	if (maintaining != NULL)
		longjmp(*maintaining, 1);
	sleepers = &self;
	pthread_cond_broadcast(&changed);
	while (!self.woken)
		pthread_cond_wait(&changed, &giant);
	for (sp = &sleepers; *sp != &self; sp = &(*sp)->next)
		;
	*sp = self.next;
}

void
wakeup(const volatile void *chan)
{
	struct sleeper *s;
	bool woken = false;

	for (s = sleepers; s != NULL; s = s->next) {
		if (s->chan == chan)
			s->woken = woken = true;
	}
	if (woken)
		pthread_cond_broadcast(&changed);
}

int
fake_critical(void)
{
	return (critical);
}

void
crit_enter(void)
{
	++critical;
}

void
crit_exit(void)
{
	if (--critical < 0)
		panic("crit_exit: not in a critical section");
}

void
spin_init(struct spinlock *spin, const char *descr)
{
	(void)descr;
	spin->owner = NULL;
}

void
spin_uninit(struct spinlock *spin)
{
	if (spin->owner != NULL)
		panic("spin_uninit: held");
}

void
spin_lock(struct spinlock *spin)
{
	if (spin->owner != NULL)
		panic("spin_lock: held already: deadlock");
	spin->owner = curthread;
	++spinlocks;
}

void
spin_unlock(struct spinlock *spin)
{
	if (spin->owner != curthread)
		panic("spin_unlock: not held");
	spin->owner = NULL;
	--spinlocks;
}

int
ssleep(const volatile void *chan, struct spinlock *spin, int flags,
    const char *wmesg, int timo)
{
	(void)flags, (void)wmesg, (void)timo;
	spin_unlock(spin);
#ifdef FAKE_FAST
	/* There is one thread: who sleeps for a time waits for a round. */
	if (timo != 0 && maintaining == NULL)
		fake_maintain();
	else
#endif
		fake_sleep(chan);
	spin_lock(spin);
	return (0);
}

void
lockinit(struct lock *lk, const char *wmesg, int timo, int flags)
{
	(void)wmesg, (void)timo, (void)flags;
	lk->owner = NULL;
}

int
lockmgr(struct lock *lk, unsigned int flags)
{
	if (flags == LK_RELEASE) {
		if (lk->owner != curthread)
			panic("lockmgr: release of somebody else's lock");
		lk->owner = NULL;
		--locks;
		wakeup(lk);
		return (0);
	}
	if (lk->owner == curthread)
		panic("lockmgr: recursion: deadlock");
	while (lk->owner != NULL)
		fake_sleep(lk);
	lk->owner = curthread;
	++locks;
	return (0);
}

/*
 * Pages and addresses.
 */
vm_page_t
fake_page(vm_paddr_t pa)
{
	return (&pages[pa / PAGE_SIZE]);
}

vm_page_t
vm_page_alloc(void *object, size_t pindex, int req)
{
	vm_page_t m = free_pages;
	long floor = fake_page_floor(req);

	(void)object, (void)pindex;
	fake_requests |= req;
	if (fake_fail_page != 0 && --fake_fail_page == 0)
		return (NULL);
	if (fake_free_pages <= floor)
		return (NULL);
	free_pages = m->next;
	--fake_free_pages;
	fake_least_free = lmin(fake_least_free, fake_free_pages);
	m->busy = 1;
#ifndef FAKE_FAST
	memset(dmap + m->phys_addr, 0xdb, PAGE_SIZE);
#endif
	return (m);
}

void
vm_page_free(vm_page_t m)
{
	if (!m->busy || m->wire_count != 0)
		panic("vm_page_free: page is not busy, or wired");
	m->busy = 0;
	m->valid = 0;
	m->next = free_pages;
	free_pages = m;
	++fake_free_pages;
	wakeup(&fake_free_pages);
}

void
vm_wait(int timo)
{
	(void)timo;
	if (curthread == &fake_maintainer_td && !vm_paging_min())
		panic("vm_wait: does not wait, memory is not short");
	fake_sleep(&fake_free_pages);
}

int
vm_paging_min(void)
{
	return (fake_free_pages < FAKE_MIN);
}

int
vm_paging_start(int adj)
{
	return (fake_free_pages + adj < FAKE_START);
}

/*
 * Free memory becomes exactly that; pages are eaten or given back.  -1: all
 * are given back.
 */
void
fake_leave_free(long count)
{
	vm_page_t m;

	fake_fail_page = 0;
	while (count >= 0 && fake_free_pages > count) {
		m = vm_page_alloc(NULL, 0, VM_ALLOC_INTERRUPT);
		m->next = eaten_pages;
		eaten_pages = m;
	}
	while (count < 0 ? eaten_pages != NULL : fake_free_pages < count) {
		if ((m = eaten_pages) == NULL)
			panic("fake_leave_free: %ld pages are in use",
			    count - fake_free_pages);
		eaten_pages = m->next;
		vm_page_free(m);
	}
}

static vm_page_t *
kva_slot(vm_offset_t va)
{
	size_t i = (va - (vm_offset_t)fake_kva) / PAGE_SIZE;

	if (va < (vm_offset_t)fake_kva || i >= FAKE_KVA_SIZE / PAGE_SIZE)
		panic("%#lx is not a kernel address", (unsigned long)va);
	return (&kva_page[i]);
}

void
pmap_kenter(vm_offset_t va, vm_paddr_t pa)
{
	if (*kva_slot(va) != NULL)
		panic("pmap_kenter: mapped already");
	*kva_slot(va) = fake_page(pa);
#ifdef FAKE_FAST
	__asan_unpoison_memory_region((void *)va, PAGE_SIZE);
	memset((void *)va, 0xdb, PAGE_SIZE);
#else
	if (mmap((void *)va, PAGE_SIZE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_FIXED, memory, pa) == MAP_FAILED)
		panic("pmap_kenter: mmap failed");
#endif
}

void
pmap_kremove(vm_offset_t va)
{
	if (*kva_slot(va) == NULL)
		panic("pmap_kremove: not mapped");
	*kva_slot(va) = NULL;
#ifdef FAKE_FAST
	__asan_poison_memory_region((void *)va, PAGE_SIZE);
#else
	if (mmap((void *)va, PAGE_SIZE, PROT_NONE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		panic("pmap_kremove: mmap failed");
#endif
}

vm_paddr_t
pmap_kextract(vm_offset_t va)
{
	if (*kva_slot(va) == NULL)
		panic("pmap_kextract: not mapped");
	return ((*kva_slot(va))->phys_addr);
}

vm_offset_t
kmem_alloc_nofault(struct vm_map *map, vm_size_t size, int id, vm_size_t align)
{
	vm_offset_t va;

	(void)map, (void)id;
	if (fake_nofault_hook != NULL)
		fake_nofault_hook();
	va = roundup2((vm_offset_t)fake_kva + kva_used, align);
	if (va + size > (vm_offset_t)fake_kva + FAKE_KVA_SIZE ||
	    size > fake_nofault_most)
		return (0);
	kva_used = va + size - (vm_offset_t)fake_kva;
	fake_nofault_bytes += size;
	return (va);
}

void
kmem_free(struct vm_map *map, vm_offset_t va, vm_size_t size)
{
	(void)map;
	fake_nofault_bytes -= size;
	for (; size > 0; size -= PAGE_SIZE, va += PAGE_SIZE) {
		if (*kva_slot(va) != NULL)
			panic("kmem_free: a page is still mapped");
	}
}

void
fake_kva_reset(void)
{
	size_t i;

	for (i = 0; i < kva_used / PAGE_SIZE; ++i) {
		if (kva_page[i] != NULL)
			panic("fake_kva_reset: %p is mapped",
			    (void *)(fake_kva + i * PAGE_SIZE));
	}
	kva_used = 0;
}

void *
kmem_slab_alloc(vm_size_t size, vm_offset_t align, int flags)
{
	vm_offset_t va;
	vm_size_t i;
	vm_page_t m;
	int req = 0;

	if (fake_kmem_forbidden)
		panic("kmem_slab_alloc: called where it must not be");
	if (spinlocks != 0)
		panic("kmem_slab_alloc: a spinlock is held");
	if ((flags & (M_RNOWAIT | M_WAITOK)) == 0)
		panic("kmem_slab_alloc: bad flags %#x", flags);
	++fake_kmem_slab_allocs;
	fake_kmem_flags = flags;
	if (fake_kmem_reenter != NULL)
		fake_kmem_reenter();
	if (flags & M_USE_RESERVE)
		req |= VM_ALLOC_SYSTEM;
	if (flags & M_USE_INTERRUPT_RESERVE)
		req |= VM_ALLOC_INTERRUPT;
	if (flags & M_WAITOK) {
		req |= curthread->td_preempted != NULL ? VM_ALLOC_SYSTEM :
		    VM_ALLOC_NORMAL;
	}

	va = kmem_alloc_nofault(kernel_map, size, VM_SUBSYS_KMALLOC, align);
	if (va == 0) {
		if ((flags & M_NULLOK) == 0)
			panic("kmem_slab_alloc(): kernel_map ran out of space!");
		return (NULL);
	}
	for (i = 0; i < size; i += PAGE_SIZE) {
		while ((m = vm_page_alloc(NULL, 0, req)) == NULL) {
			if ((flags & M_WAITOK) == 0) {
				kmem_slab_free((void *)va, i);
				return (NULL);
			}
			vm_wait(0);
		}
		vm_page_wire(m);
		vm_page_wakeup(m);
		pmap_kenter(va + i, VM_PAGE_TO_PHYS(m));
	}
	return ((void *)va);
}

void
kmem_slab_free(void *ptr, vm_size_t size)
{
	vm_offset_t va = (vm_offset_t)ptr;
	vm_page_t m;

	for (; size > 0; size -= PAGE_SIZE, va += PAGE_SIZE) {
		m = fake_page(pmap_kextract(va));
		pmap_kremove(va);
		vm_page_busy_wait(m, 0, "");
		vm_page_unwire(m, 0);
		vm_page_free(m);
	}
}

/*
 * Malloc types, as far as they are not under test.
 */
void
malloc_init(void *data)
{
	struct malloc_type *type = data;

	if (type->ks_limit != 0)
		return;
	type->ks_limit = (size_t)64 << 20;
	malloc_mgt_init(type, &type->ks_mgt, type->ks_objsize);
	malloc_mgt_init(type, &type->ks_use0.mgt, type->ks_objsize);
}

void
kmalloc_destroy(struct malloc_type **typep)
{
	struct malloc_type *type = *typep;

	kmalloc_obj_detach(type);
	type->ks_limit = 0;
	malloc_mgt_uninit(type, &type->ks_use0.mgt);
	malloc_mgt_uninit(type, &type->ks_mgt);
	free(type);
	*typep = NULL;
}

void
_kmalloc_create_obj(struct malloc_type **typep, const char *descr, size_t size)
{
	struct malloc_type *type;

	type = aligned_alloc(64, roundup2(sizeof(*type), (size_t)64));
	memset(type, 0, sizeof(*type));
	type->ks_magic = M_MAGIC;
	type->ks_shortdesc = descr;
	type->ks_flags = KSF_OBJSIZE;
	type->ks_objsize = __VM_CACHELINE_ALIGN(size);
	type->ks_use = &type->ks_use0;
	malloc_init(type);
	*typep = type;
}

int
fake_sysctl_out(struct sysctl_req *req, const void *data, size_t len)
{
	req->out = realloc(req->out, req->len + len);
	memcpy(req->out + req->len, data, len);
	req->len += len;
	return (0);
}

/*
 * The first sleep is the end of a round.
 */
void
fake_maintain(void)
{
	struct thread *td = curthread;
	jmp_buf end;
	volatile int i;

	fake_kprocs_exist();
	fake_ticks_add(hz);
	kmalloc_ext_poke();
	for (i = 0; i < FAKE_KPROCS; ++i) {
		curthread = *fake_kproc(i)->global_threadpp;
		maintaining = &end;
		if (setjmp(end) == 0)
			fake_kproc(i)->func();
		maintaining = NULL;
	}
	curthread = td;
}

void
fake_boot(void)
{
	size_t i;

	memory = memfd_create("ram", 0);
	if (memory < 0 || ftruncate(memory, FAKE_PAGES * PAGE_SIZE) != 0)
		panic("no memory file");
	dmap = mmap(NULL, FAKE_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
	    MAP_SHARED, memory, 0);
#ifdef FAKE_FAST
	fake_kva = mmap(NULL, FAKE_KVA_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (fake_kva != MAP_FAILED)
		__asan_poison_memory_region(fake_kva, FAKE_KVA_SIZE);
#else
	fake_kva = mmap(NULL, FAKE_KVA_SIZE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
#endif
	if (dmap == MAP_FAILED || fake_kva == MAP_FAILED)
		panic("no address space");
	for (i = 0; i < FAKE_PAGES; ++i) {
		pages[i].phys_addr = i * PAGE_SIZE;
		pages[i].next = free_pages;
		free_pages = &pages[i];
		++fake_free_pages;
	}
	malloc_init(M_KMALLOC_EXT);
}
