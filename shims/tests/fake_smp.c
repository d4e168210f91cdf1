/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fake kernel with several processors: see fake_smp.h.
 */

#define	_GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <sanitizer/tsan_interface.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "fake_kernel.h"
#include <sys/globaldata.h>
#include <sys/kmalloc_ext.h>

#define	WAIT_NS		(1000 * 1000)	/* a sleep is this long at most */

__thread struct thread *curthread;
__thread struct globaldata *fake_mycpu;
struct thread *pagethread;
struct thread *emergpager;
struct globaldata fake_globaldata[MAXCPU];
struct vm_map *kernel_map;
struct vmstats vmstats = { .v_page_count = FAKE_PAGES };
int ncpus = 1;
int hz = 100;
volatile int ticks = INT_MAX - 50;
int vm_pages_needed;
char *fake_kva;

static pthread_mutex_t sleepq = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wakeups = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t cpus[MAXCPU];
static __thread int spinlocks, critical;
static const char *without;
static long exis_ticks = 1000;

static pthread_mutex_t vm = PTHREAD_MUTEX_INITIALIZER;
static struct vm_page pages[FAKE_PAGES];
static struct vm_page *free_pages;
static long nfree, nlimit;
static size_t kva_used;
static struct {
	vm_offset_t	va;
	vm_size_t	size;
} kva_freed[64];
static int nkva_freed;
static vm_page_t kva_page[FAKE_KVA_SIZE / PAGE_SIZE];
static struct kmalloc_slab *kva_slabs;	/* addresses of kmem_slab_free() */

/*
 * Atomic operations, where ThreadSanitizer sees them.
 */
void
fake_atomic_add(size_t *p, long n)
{
	__atomic_fetch_add(p, n, __ATOMIC_SEQ_CST);
}

size_t
fake_atomic_fetchadd(size_t *p, long n)
{
	return (__atomic_fetch_add(p, n, __ATOMIC_SEQ_CST));
}

void
fake_atomic_set(uint64_t *p, uint64_t mask)
{
	__atomic_fetch_or(p, mask, __ATOMIC_SEQ_CST);
}

void
fake_atomic_clear(uint64_t *p, uint64_t mask)
{
	__atomic_fetch_and(p, ~mask, __ATOMIC_SEQ_CST);
}

/*
 * What is swapped is read in critical sections, as volatile.  None is under way
 * meanwhile: __tsan_volatile_read8() comes before the load, which could still
 * see what it had not acquired.
 */
void *
fake_atomic_swap(void **p, void *new)
{
	void *old;
	int n;

	for (n = 0; n < ncpus; ++n)
		pthread_mutex_lock(&cpus[n]);
	old = __atomic_exchange_n(p, new, __ATOMIC_SEQ_CST);
	while (n-- > 0)
		pthread_mutex_unlock(&cpus[n]);
	return (old);
}

int
fake_atomic_fcmpset(void **p, void **old, void *new)
{
	return (__atomic_compare_exchange_n(p, old, new, 0, __ATOMIC_SEQ_CST,
	    __ATOMIC_SEQ_CST));
}

/*
 * Accesses to what is volatile race on purpose.  x86 does not move what follows
 * a load to before it, nor what precedes a store to after it.
 */
#define	VOLATILE(bytes)							\
	void __tsan_volatile_read##bytes(void *);			\
	void __tsan_volatile_write##bytes(void *);			\
	void __tsan_volatile_read##bytes(void *p) { __tsan_acquire(p); }	\
	void __tsan_volatile_write##bytes(void *p) { __tsan_release(p); }
VOLATILE(1)
VOLATILE(2)
VOLATILE(4)
VOLATILE(8)

/*
 * The allocator's promise about the contents of an object; the linker puts
 * these around it.
 */
void	*__real__kmalloc_obj(unsigned long, struct malloc_type *, int);
void	__real__kfree_obj(void *, struct malloc_type *);
void	*__wrap__kmalloc_obj(unsigned long, struct malloc_type *, int);
void	__wrap__kfree_obj(void *, struct malloc_type *);

void *
__wrap__kmalloc_obj(unsigned long size, struct malloc_type *type, int flags)
{
	void *obj = __real__kmalloc_obj(size, type, flags);

	if (obj != NULL)
		__tsan_acquire(obj);
	return (obj);
}

void
__wrap__kfree_obj(void *obj, struct malloc_type *type)
{
	__tsan_release(obj);
	__real__kfree_obj(obj, type);
}

/*
 * Processors and threads.
 */
void
fake_thread_enter(struct thread *td)
{
	static int next;

	curthread = td;
	fake_mycpu = &fake_globaldata[__atomic_fetch_add(&next, 1,
	    __ATOMIC_SEQ_CST)];
	if (fake_mycpu->gd_cpuid >= ncpus)
		panic("more threads than cpus");
}

int
fake_critical(void)
{
	return (critical);
}

/*
 * Nothing else runs on a cpu in between; the maintainer may come from another.
 */
void
crit_enter(void)
{
	if (critical++ == 0)
		pthread_mutex_lock(&cpus[mycpu->gd_cpuid]);
}

void
crit_exit(void)
{
	if (--critical == 0)
		pthread_mutex_unlock(&cpus[mycpu->gd_cpuid]);
}

void
lwkt_setcpu_self(struct globaldata *gd)
{
	if (critical != 0)
		panic("lwkt_setcpu_self: in a critical section");
	fake_mycpu = gd;
}

void
spin_init(struct spinlock *spin, const char *descr)
{
	spin->descr = descr;
	pthread_mutex_init(&spin->mutex, NULL);
}

void
spin_uninit(struct spinlock *spin)
{
	pthread_mutex_destroy(&spin->mutex);
}

void
fake_without(const char *descr)
{
	without = descr;
}

static bool
exists(const struct spinlock *spin)
{
	return (without == NULL || strcmp(spin->descr, without) != 0);
}

void
spin_lock(struct spinlock *spin)
{
	if (exists(spin))
		pthread_mutex_lock(&spin->mutex);
	++spinlocks;
}

void
spin_unlock(struct spinlock *spin)
{
	--spinlocks;
	if (exists(spin))
		pthread_mutex_unlock(&spin->mutex);
}

static void
timed_wait(void)
{
	struct timespec ts;

	if (spinlocks != 0)
		panic("sleeping with a spinlock held");
	if (critical != 0)
		pthread_mutex_unlock(&cpus[mycpu->gd_cpuid]);
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += WAIT_NS;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		++ts.tv_sec;
	}
	pthread_cond_timedwait(&wakeups, &sleepq, &ts);
	pthread_mutex_unlock(&sleepq);
	if (critical != 0)
		pthread_mutex_lock(&cpus[mycpu->gd_cpuid]);
}

/* May end early, as any sleep; callers look again. */
int
ssleep(const volatile void *chan, struct spinlock *spin, int flags,
    const char *wmesg, int timo)
{
	(void)chan, (void)flags, (void)wmesg, (void)timo;
	pthread_mutex_lock(&sleepq);
	spin_unlock(spin);
	timed_wait();
	spin_lock(spin);
	return (0);
}

void
wakeup(const volatile void *chan)
{
	(void)chan;
	pthread_mutex_lock(&sleepq);
	pthread_cond_broadcast(&wakeups);
	pthread_mutex_unlock(&sleepq);
}

void
vm_wait(int timo)
{
	(void)timo;
	pthread_mutex_lock(&sleepq);
	timed_wait();
}

void
lockinit(struct lock *lk, const char *wmesg, int timo, int flags)
{
	(void)wmesg, (void)timo, (void)flags;
	pthread_mutex_init(&lk->mutex, NULL);
}

int
lockmgr(struct lock *lk, unsigned int flags)
{
	if (spinlocks != 0)
		panic("lockmgr: a spinlock is held");
	if (flags == LK_RELEASE)
		pthread_mutex_unlock(&lk->mutex);
	else
		pthread_mutex_lock(&lk->mutex);
	return (0);
}

long
fake_ticks(void)
{
	return (__atomic_load_n(&exis_ticks, __ATOMIC_SEQ_CST));
}

/*
 * Pages and addresses; memory stays where it is.
 */
vm_page_t
fake_page(vm_paddr_t pa)
{
	return (&pages[pa / PAGE_SIZE]);
}

vm_page_t
vm_page_alloc(void *object, size_t pindex, int req)
{
	vm_page_t m = NULL;
	long floor = fake_page_floor(req);

	(void)object, (void)pindex;
	pthread_mutex_lock(&vm);
	if (nfree - nlimit > floor) {
		m = free_pages;
		free_pages = m->next;
		--nfree;
		m->busy = 1;
	}
	pthread_mutex_unlock(&vm);
	return (m);
}

void
vm_page_free(vm_page_t m)
{
	pthread_mutex_lock(&vm);
	if (!m->busy || m->wire_count != 0)
		panic("vm_page_free: page is not busy, or wired");
	m->busy = 0;
	m->valid = 0;
	m->next = free_pages;
	free_pages = m;
	++nfree;
	pthread_mutex_unlock(&vm);
}

int
vm_paging_min(void)
{
	return (fake_free() < FAKE_MIN);
}

int
vm_paging_start(int adj)
{
	return (fake_free() + adj < FAKE_START);
}

long
fake_free(void)
{
	long n;

	pthread_mutex_lock(&vm);
	n = nfree - nlimit;
	pthread_mutex_unlock(&vm);
	return (n);
}

void
fake_leave_free(long count)
{
	pthread_mutex_lock(&vm);
	nlimit = count < 0 ? 0 : nfree - count;
	pthread_mutex_unlock(&vm);
}

static vm_page_t *
kva_slot(vm_offset_t va)
{
	return (&kva_page[(va - (vm_offset_t)fake_kva) / PAGE_SIZE]);
}

void
pmap_kenter(vm_offset_t va, vm_paddr_t pa)
{
	if (*kva_slot(va) != NULL)
		panic("pmap_kenter: mapped already");
	*kva_slot(va) = fake_page(pa);
}

void
pmap_kremove(vm_offset_t va)
{
	*kva_slot(va) = NULL;
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
	int i;

	(void)map, (void)id;
	pthread_mutex_lock(&vm);
	for (i = 0; i < nkva_freed; ++i) {
		if (kva_freed[i].size == size && kva_freed[i].va % align == 0)
			break;
	}
	if (i < nkva_freed) {
		va = kva_freed[i].va;
		kva_freed[i] = kva_freed[--nkva_freed];
	} else {
		va = roundup2((vm_offset_t)fake_kva + kva_used, align);
		if (va + size <= (vm_offset_t)fake_kva + FAKE_KVA_SIZE)
			kva_used = va + size - (vm_offset_t)fake_kva;
		else
			va = 0;
	}
	pthread_mutex_unlock(&vm);
	return (va);
}

void
kmem_free(struct vm_map *map, vm_offset_t va, vm_size_t size)
{
	(void)map;
	pthread_mutex_lock(&vm);
	if (nkva_freed == NELEM(kva_freed))
		panic("kmem_free: more than %d pieces", nkva_freed);
	kva_freed[nkva_freed].va = va;
	kva_freed[nkva_freed++].size = size;
	pthread_mutex_unlock(&vm);
}

void *
kmem_slab_alloc(vm_size_t size, vm_offset_t align, int flags)
{
	struct kmalloc_slab *slab;
	vm_offset_t va;
	vm_size_t i;
	vm_page_t m;
	int req = VM_ALLOC_NORMAL;

	if (flags & M_USE_INTERRUPT_RESERVE)
		req |= VM_ALLOC_INTERRUPT;
	pthread_mutex_lock(&vm);
	if ((slab = kva_slabs) != NULL)
		kva_slabs = slab->next;
	pthread_mutex_unlock(&vm);
	va = slab != NULL ? (vm_offset_t)slab :
	    kmem_alloc_nofault(kernel_map, size, 0, align);
	if (va == 0)
		panic("kmem_slab_alloc: no addresses");
	for (i = 0; i < size; i += PAGE_SIZE) {
		while ((m = vm_page_alloc(NULL, 0, req)) == NULL)
			vm_wait(0);
		pmap_kenter(va + i, VM_PAGE_TO_PHYS(m));
	}
	return ((void *)va);
}

void
kmem_slab_free(void *ptr, vm_size_t size)
{
	struct kmalloc_slab *slab = ptr;
	vm_size_t i;
	vm_page_t m;

	for (i = 0; i < size; i += PAGE_SIZE) {
		m = fake_page(pmap_kextract((vm_offset_t)ptr + i));
		pmap_kremove((vm_offset_t)ptr + i);
		m->busy = 1;
		vm_page_free(m);
	}
	pthread_mutex_lock(&vm);
	slab->next = kva_slabs;
	kva_slabs = slab;
	pthread_mutex_unlock(&vm);
}

/*
 * Malloc types, as far as they are not under test.
 */
void
malloc_init(void *data)
{
	struct malloc_type *type = data;
	int n;

	type->ks_limit = (size_t)1 << 40;
	type->ks_use = aligned_alloc(64, ncpus * sizeof(*type->ks_use));
	memset(type->ks_use, 0, ncpus * sizeof(*type->ks_use));
	malloc_mgt_init(type, &type->ks_mgt, type->ks_objsize);
	for (n = 0; n < ncpus; ++n)
		malloc_mgt_init(type, &type->ks_use[n].mgt, type->ks_objsize);
}

int
fake_sysctl_out(struct sysctl_req *req, const void *data, size_t len)
{
	(void)req, (void)data, (void)len;
	return (0);
}

void
fake_tick(void)
{
	__atomic_fetch_add(&exis_ticks, 1, __ATOMIC_SEQ_CST);
	fake_ticks_add(hz / 10);
}

void
fake_boot(void)
{
	size_t i;

	fake_kva = mmap(NULL, FAKE_KVA_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (fake_kva == MAP_FAILED)
		panic("no address space");
	for (i = 0; i < FAKE_PAGES; ++i) {
		pages[i].phys_addr = i * PAGE_SIZE;
		pages[i].next = free_pages;
		free_pages = &pages[i];
		++nfree;
	}
	for (i = 0; i < MAXCPU; ++i) {
		fake_globaldata[i].gd_cpuid = i;
		pthread_mutex_init(&cpus[i], NULL);
	}
	ncpus = MAXCPU;
}
