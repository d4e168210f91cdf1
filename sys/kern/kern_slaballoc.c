/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kmalloc(): memory of any size, and the life of malloc types.
 *
 * Requests up to 16 KB are rounded up to one of 72 chunk sizes, eight to each
 * power of two.  Chunks of one size come from zones, 128 KB each and aligned
 * to that, so that masking a chunk's address finds its zone.  Larger requests
 * get pages of their own; vm_page's ku_pagecnt of the first says how many.
 *
 * A zone belongs to the cpu that made it.  That cpu uses it in a critical
 * section and without locks.  Another cpu that frees a chunk pushes it onto
 * z_RChunks with an atomic operation, and the owner takes the whole list when
 * it runs out.  Wholly free zones lose their chunk size and wait on FreeZones.
 * They go back to the VM only from kmalloc() calls that may block: kfree()
 * must not touch kernel_map.
 *
 * Power-of-two sizes are aligned to themselves, others to what they are
 * rounded to.
 *
 * Everything is charged to a malloc type.  memuse and inuse are per cpu and
 * only mean something in sum; ks_loosememuse is a cheap upper estimate that
 * triggers the exact count when it reaches the type's limit.  kmemstat_spin
 * protects the list of types; KSF_POLLING keeps one alive while the poller
 * retires its slabs without that lock.
 *
 * kmem_slab_alloc() is where both kmalloc() and kmalloc_obj() meet the VM.  It
 * takes kernel_map's lock and needs map entries, whatever the flags say; they
 * only govern how deep it digs for pages and whether it waits for them.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/malloc.h>
#include <sys/slaballoc.h>
#include <sys/sysctl.h>
#include <sys/vmmeter.h>
#include <sys/spinlock.h>
#include <sys/lock.h>
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

#include <sys/spinlock2.h>
#include <sys/thread2.h>
#include <vm/vm_page2.h>

#define	ZONE_MASK	((uintptr_t)ZALLOC_ZONE_SIZE - 1)
#define	ZERO_LENGTH_PTR	((void *)-8)

MALLOC_DEFINE(M_CACHE, "cache", "caches");
MALLOC_DEFINE(M_DEVBUF, "devbuf", "buffers of device drivers");
MALLOC_DEFINE(M_TEMP, "temp", "short-lived buffers");

struct malloc_type *kmemstatistics;
static struct malloc_type *kmemstat_poll;
static struct spinlock kmemstat_spin =
    SPINLOCK_INITIALIZER(&kmemstat_spin, "kmemstat");

static int kzone_pollfreq = 1;
SYSCTL_INT(_kern, OID_AUTO, kzone_pollfreq, CTLFLAG_RW, &kzone_pollfreq, 0,
    "malloc types polled a second");

/*
 * Who waits for pages in kmem_slab_alloc(), for the watchdog.  Waiters hold
 * kernel_object, whose token protects the list.
 */
struct kmem_waiter {
	TAILQ_ENTRY(kmem_waiter) link;
	struct thread	*td;
	vm_size_t	size;
	vm_size_t	got;
	int		flags;
};

static TAILQ_HEAD(, kmem_waiter) kmem_waiters =
    TAILQ_HEAD_INITIALIZER(kmem_waiters);
static u_long kmem_waits;

size_t
kmem_lim_size(void)
{
	size_t bytes;

	bytes = (size_t)vmstats.v_page_count * PAGE_SIZE;
	bytes = szmin(bytes, vm_map_max(kernel_map) - vm_map_min(kernel_map));
	return (bytes / (1024 * 1024));
}

static void
kmeminit(void *dummy)
{
	SLGlobalData *slgd;
	int cpu, i;

	for (cpu = 0; cpu < MAXCPU; ++cpu) {
		slgd = &globaldata_find(cpu)->gd_slab;
		for (i = 0; i < NZONES; ++i) {
			TAILQ_INIT(&slgd->ZoneAry[i]);
			TAILQ_INIT(&slgd->FullAry[i]);
		}
		TAILQ_INIT(&slgd->FreeZones);
		slgd->NFreeZones = 0;
	}
}
SYSINIT(kmem, SI_BOOT1_ALLOCATOR, SI_ORDER_FIRST, kmeminit, NULL);

/*
 * Make a type usable.  Harmless for one that is already.
 */
void
malloc_init(void *data)
{
	struct malloc_type *type = data;
	struct kmalloc_use *use;
	size_t limsize;
	int n;

	if (type->ks_magic != M_MAGIC)
		panic("malloc_init: %p is not a malloc type", type);

	if (type->ks_limit != 0)
		return;

	if (vmstats.v_page_count == 0)
		panic("malloc_init: %s: the VM is not up", type->ks_shortdesc);

	limsize = kmem_lim_size() * 1024 * 1024;
	type->ks_limit = limsize / 10;
	if (type->ks_flags & KSF_OBJSIZE)
		malloc_mgt_init(type, &type->ks_mgt, type->ks_objsize);

	use = &type->ks_use0;
	if (ncpus > 1)
		use = kmalloc(ncpus * sizeof(*use), M_TEMP, M_WAITOK | M_ZERO);
	if (type->ks_flags & KSF_OBJSIZE) {
		for (n = 0; n < ncpus; ++n)
			malloc_mgt_init(type, &use[n].mgt, type->ks_objsize);
	}

	spin_lock(&kmemstat_spin);
	type->ks_use = use;
	type->ks_next = kmemstatistics;
	kmemstatistics = type;
	spin_unlock(&kmemstat_spin);
}

/*
 * The reverse.  Nothing of the type may be in use; what is, is reported and
 * leaks.
 */
void
malloc_uninit(void *data)
{
	struct malloc_type *type = data;
	struct malloc_type **typep;
	ssize_t left;
	int n;

	if (type->ks_magic != M_MAGIC)
		panic("malloc_uninit: %p is not a malloc type", type);
	if (type->ks_limit == 0)
		panic("malloc_uninit: %s was not initialised",
		    type->ks_shortdesc);

	spin_lock(&kmemstat_spin);
	while (type->ks_flags & KSF_POLLING)
		ssleep(type, &kmemstat_spin, 0, "kmuninit", 0);
	if (kmemstat_poll == type)
		kmemstat_poll = type->ks_next;
	typep = &kmemstatistics;
	while (*typep != type)
		typep = &(*typep)->ks_next;
	*typep = type->ks_next;
	type->ks_next = NULL;
	type->ks_limit = 0;
	spin_unlock(&kmemstat_spin);

	left = 0;
	for (n = 0; n < ncpus; ++n) {
		left += type->ks_use[n].memuse;
		if (type->ks_flags & KSF_OBJSIZE)
			malloc_mgt_uninit(type, &type->ks_use[n].mgt);
	}
	if (type->ks_flags & KSF_OBJSIZE)
		malloc_mgt_uninit(type, &type->ks_mgt);
	if (left != 0) {
		kprintf("malloc_uninit: %s: %zd bytes are still in use\n",
		    type->ks_shortdesc, left);
	}

	if (type->ks_use != &type->ks_use0) {
		kfree(type->ks_use, M_TEMP);
		type->ks_use = &type->ks_use0;
	}
}

/*
 * The number of cpus is known: give every type its per-cpu structures.
 */
void
malloc_reinit_ncpus(void)
{
	struct malloc_type *type;
	struct kmalloc_use *use;
	int n;

	if (ncpus == 1)
		return;
	for (type = kmemstatistics; type != NULL; type = type->ks_next) {
		KKASSERT(type->ks_use == &type->ks_use0);
		use = kmalloc(ncpus * sizeof(*use), M_TEMP, M_WAITOK | M_ZERO);
		use[0] = type->ks_use0;
		if (type->ks_flags & KSF_OBJSIZE) {
			malloc_mgt_relocate(&type->ks_use0.mgt, &use[0].mgt);
			for (n = 1; n < ncpus; ++n) {
				malloc_mgt_init(type, &use[n].mgt,
				    type->ks_objsize);
			}
		}
		type->ks_use = use;
	}
}

static void
kmalloc_poller_thread(void)
{
	struct malloc_type *type;
	int freq, next;

	for (;;) {
		freq = kzone_pollfreq;
		tsleep(&kmemstat_poll, 0, "kmslp",
		    freq > 0 ? hz / freq + 1 : hz);

		spin_lock(&kmemstat_spin);
		type = kmemstat_poll != NULL ? kmemstat_poll : kmemstatistics;
		if (type == NULL) {
			spin_unlock(&kmemstat_spin);
			continue;
		}
		atomic_set_int(&type->ks_flags, KSF_POLLING);
		spin_unlock(&kmemstat_spin);

		next = malloc_mgt_poll(type);

		spin_lock(&kmemstat_spin);
		kmemstat_poll = next ? type->ks_next : type;
		atomic_clear_int(&type->ks_flags, KSF_POLLING);
		spin_unlock(&kmemstat_spin);
		wakeup(type);
	}
}

static struct thread *kmalloc_poller_td;
static struct kproc_desc kmalloc_poller_kp = {
	"kmalloc_poller",
	kmalloc_poller_thread,
	&kmalloc_poller_td
};
SYSINIT(kmalloc_poller, SI_SUB_KTHREAD_PAGE, SI_ORDER_FIRST, kproc_start,
    &kmalloc_poller_kp);

void
kmalloc_raise_limit(struct malloc_type *type, size_t bytes)
{
	KKASSERT(type->ks_limit != 0);

	if (bytes == 0)
		bytes = vm_map_max(kernel_map) - vm_map_min(kernel_map);
	if (type->ks_limit < bytes)
		type->ks_limit = bytes;
}

void
kmalloc_set_unlimited(struct malloc_type *type)
{
	type->ks_limit = kmem_lim_size() * 1024 * 1024;
}

long
kmalloc_limit(struct malloc_type *type)
{
	KKASSERT(type->ks_limit != 0);
	return (type->ks_limit);
}

static struct malloc_type *
malloc_type_create(const char *descr, size_t objsize)
{
	struct malloc_type *type;

	type = kmalloc(sizeof(*type), M_TEMP, M_WAITOK | M_ZERO);
	type->ks_magic = M_MAGIC;
	type->ks_shortdesc = descr;
	if (objsize != 0) {
		type->ks_flags = KSF_OBJSIZE;
		type->ks_objsize = __VM_CACHELINE_ALIGN(objsize);
	}
	malloc_init(type);
	return (type);
}

void
kmalloc_create(struct malloc_type **typep, const char *descr)
{
	if (*typep == NULL)
		*typep = malloc_type_create(descr, 0);
}

void
_kmalloc_create_obj(struct malloc_type **typep, const char *descr,
    size_t objsize)
{
	if (*typep == NULL)
		*typep = malloc_type_create(descr, objsize);
}

void
kmalloc_destroy(struct malloc_type **typep)
{
	struct malloc_type *type = *typep;

	if (type != NULL) {
		malloc_uninit(type);
		kfree(type, M_TEMP);
		*typep = NULL;
	}
}

static struct malloc_type *
malloc_type_check(struct malloc_type *type, const char *who)
{
	if (type->ks_magic != M_MAGIC)
		panic("%s: %p is not a malloc type", who, type);
	if (type->ks_limit == 0)
		panic("%s: %s is not initialised", who, type->ks_shortdesc);
	return (type);
}

static int
malloc_over_limit(struct malloc_type *type)
{
	ssize_t ttl;
	int n;

	if (type->ks_loosememuse < type->ks_limit)
		return (0);
	for (n = ttl = 0; n < ncpus; ++n)
		ttl += type->ks_use[n].memuse;
	if (ttl < 0)
		ttl = 0;
	type->ks_loosememuse = ttl;
	return ((size_t)ttl >= type->ks_limit);
}

static void
malloc_charge(struct kmalloc_use *use, struct malloc_type *type, size_t size)
{
	++use->calls;
	++use->inuse;
	use->memuse += size;
	use->loosememuse += size;
	if (use->loosememuse >= ZALLOC_ZONE_SIZE) {
		atomic_add_long(&type->ks_loosememuse, use->loosememuse);
		use->loosememuse = 0;
	}
}

/*
 * Index of the chunk size for a request of *bytes, which becomes the chunk
 * size, and of its alignment.
 */
static int
zoneindex(unsigned long *bytes, unsigned long *align)
{
	unsigned long n = *bytes;
	unsigned long limit, step;
	int base;

	KKASSERT(n > 0 && n <= ZALLOC_ZONE_LIMIT);
	base = -1;
	step = 8;
	for (limit = 128; n > limit; limit <<= 1) {
		step <<= 1;
		base += 8;
	}
	n = roundup2(n, step);
	*bytes = n;
	*align = powerof2(n) ? n : step;
	return (base + n / step);
}

static int *
kmem_pagecnt(const void *ptr)
{
	return (&pmap_kvtom((vm_offset_t)ptr)->ku_pagecnt);
}

static int
chunk_index(SLZone *z, void *chunk)
{
	size_t off = (char *)chunk - z->z_BasePtr;

	if ((char *)chunk < z->z_BasePtr || off % z->z_ChunkSize != 0 ||
	    off / z->z_ChunkSize >= (size_t)z->z_NMax)
		panic("kfree: %p is not a chunk of its zone %p", chunk, z);
	return (off / z->z_ChunkSize);
}

static void
chunk_mark_allocated(SLZone *z, void *chunk)
{
	int i = chunk_index(z, chunk);

	if (z->z_Bitmap[i >> 5] & (1U << (i & 31)))
		panic("kmalloc: chunk %p is in use already", chunk);
	z->z_Bitmap[i >> 5] |= 1U << (i & 31);
}

static void
chunk_mark_free(SLZone *z, void *chunk)
{
	int i = chunk_index(z, chunk);

	if ((z->z_Bitmap[i >> 5] & (1U << (i & 31))) == 0)
		panic("kfree: chunk %p is free already", chunk);
	z->z_Bitmap[i >> 5] &= ~(1U << (i & 31));
}

static void
zone_put_chunk(SLZone *z, SLChunk *chunk)
{
	chunk_mark_free(z, chunk);
	chunk->c_Next = z->z_LChunks;
	z->z_LChunks = chunk;
	++z->z_NFree;
}

static void
zone_collect_remote(SLZone *z)
{
	SLChunk *chunk, *next;

	if (z->z_RChunks == NULL)
		return;
	chunk = atomic_swap_ptr((volatile void **)&z->z_RChunks, NULL);
	for (; chunk != NULL; chunk = next) {
		next = chunk->c_Next;
		zone_put_chunk(z, chunk);
	}
}

static void *
zone_get_chunk(SLZone *z)
{
	SLChunk *chunk;

	KKASSERT(z->z_NFree > 0);
	if ((chunk = z->z_LChunks) != NULL) {
		z->z_LChunks = chunk->c_Next;
	} else {
		KKASSERT(z->z_UIndex < z->z_NMax);
		chunk = (void *)(z->z_BasePtr + z->z_ChunkSize * z->z_UIndex);
		++z->z_UIndex;
	}
	chunk_mark_allocated(z, chunk);
	--z->z_NFree;
	return (chunk);
}

/*
 * A zone of chunk size zi with something free, or NULL.
 */
static SLZone *
zone_find(SLGlobalData *slgd, int zi)
{
	SLZone *z;

	if ((z = TAILQ_FIRST(&slgd->ZoneAry[zi])) != NULL)
		return (z);
	TAILQ_FOREACH(z, &slgd->FullAry[zi], z_Entry) {
		zone_collect_remote(z);
		if (z->z_NFree > 0) {
			TAILQ_REMOVE(&slgd->FullAry[zi], z, z_Entry);
			TAILQ_INSERT_HEAD(&slgd->ZoneAry[zi], z, z_Entry);
			return (z);
		}
	}
	return (NULL);
}

static void
zone_format(SLZone *z, int zi, size_t size, size_t align)
{
	size_t bits = howmany(ZALLOC_ZONE_SIZE / size, 32);
	size_t off = roundup2(__offsetof(SLZone, z_Bitmap[bits]), align);

	bzero(z, __offsetof(SLZone, z_Bitmap[bits]));
	z->z_Magic = ZALLOC_SLAB_MAGIC;
	z->z_Cpu = mycpu->gd_cpuid;
	z->z_ZoneIndex = zi;
	z->z_ChunkSize = size;
	z->z_BasePtr = (char *)z + off;
	z->z_NMax = (ZALLOC_ZONE_SIZE - off) / size;
	z->z_NFree = z->z_NMax;
}

/*
 * Give excess free zones back to the VM.  May block.
 */
static void
zone_release_excess(SLGlobalData *slgd)
{
	SLZone *z;

	while (slgd->NFreeZones > ZALLOC_ZONE_RELS) {
		crit_enter();
		z = TAILQ_LAST(&slgd->FreeZones, SLZoneList);
		if (z != NULL && slgd->NFreeZones > ZALLOC_ZONE_RELS) {
			TAILQ_REMOVE(&slgd->FreeZones, z, z_Entry);
			--slgd->NFreeZones;
		} else {
			z = NULL;
		}
		crit_exit();
		if (z != NULL)
			kmem_slab_free(z, ZALLOC_ZONE_SIZE);
	}
}

void *
_kmalloc(unsigned long size, struct malloc_type *type, int flags)
{
	SLGlobalData *slgd;
	SLZone *z;
	globaldata_t gd;
	unsigned long align;
	void *chunk;
	int zi;

	malloc_type_check(type, "kmalloc");
	if ((flags & (M_RNOWAIT | M_WAITOK)) == 0)
		panic("kmalloc: %s: neither M_RNOWAIT nor M_WAITOK",
		    type->ks_shortdesc);

	if (flags & M_CACHEALIGN) {
		size = ulmax(size, __VM_CACHELINE_SIZE);
		if (size < 8 * __VM_CACHELINE_SIZE)
			flags |= M_POWEROF2;
	}
	if ((flags & M_POWEROF2) && size != 0 && !powerof2(size))
		size = 1UL << flsl(size);

	if (malloc_over_limit(type)) {
		if (flags & M_NULLOK)
			return (NULL);
		panic("%s: malloc limit exceeded", type->ks_shortdesc);
	}
	if (size == 0)
		return (ZERO_LENGTH_PTR);

	gd = mycpu;
	slgd = &gd->gd_slab;
	if ((flags & M_RNOWAIT) == 0)
		zone_release_excess(slgd);

	if (size >= ZALLOC_ZONE_LIMIT ||
	    ((size & PAGE_MASK) == 0 && size > 2 * PAGE_SIZE)) {
		size = round_page(size);
		chunk = kmem_slab_alloc(size, PAGE_SIZE, flags);
		if (chunk == NULL)
			return (NULL);
		*kmem_pagecnt(chunk) = size / PAGE_SIZE;
		crit_enter();
		malloc_charge(&type->ks_use[gd->gd_cpuid], type, size);
		crit_exit();
		return (chunk);
	}

	zi = zoneindex(&size, &align);
	crit_enter();
	z = zone_find(slgd, zi);
	if (z == NULL) {
		if ((z = TAILQ_FIRST(&slgd->FreeZones)) != NULL) {
			TAILQ_REMOVE(&slgd->FreeZones, z, z_Entry);
			--slgd->NFreeZones;
		} else {
			z = kmem_slab_alloc(ZALLOC_ZONE_SIZE, ZALLOC_ZONE_SIZE,
			    flags & ~M_ZERO);
			if (z == NULL) {
				crit_exit();
				return (NULL);
			}
		}
		zone_format(z, zi, size, align);
		TAILQ_INSERT_HEAD(&slgd->ZoneAry[zi], z, z_Entry);
	}
	chunk = zone_get_chunk(z);
	if (z->z_NFree == 0) {
		TAILQ_REMOVE(&slgd->ZoneAry[zi], z, z_Entry);
		TAILQ_INSERT_TAIL(&slgd->FullAry[zi], z, z_Entry);
	}
	malloc_charge(&type->ks_use[gd->gd_cpuid], type, size);
	crit_exit();

	if (flags & M_ZERO)
		bzero(chunk, size);
	return (chunk);
}

void
_kfree(void *ptr, struct malloc_type *type)
{
	SLGlobalData *slgd;
	SLZone *z;
	SLChunk *chunk, *first;
	globaldata_t gd;
	struct kmalloc_use *use;
	int *pagecnt;
	size_t size;

	if (ptr == NULL)
		panic("kfree: NULL pointer");
	if (ptr == ZERO_LENGTH_PTR)
		return;
	malloc_type_check(type, "kfree");

	gd = mycpu;
	slgd = &gd->gd_slab;
	use = &type->ks_use[gd->gd_cpuid];

	pagecnt = kmem_pagecnt(ptr);
	if (*pagecnt > 0) {
		if ((uintptr_t)ptr & PAGE_MASK)
			panic("kfree: %p is inside an allocation", ptr);
		size = (size_t)*pagecnt * PAGE_SIZE;
		*pagecnt = 0;
		crit_enter();
		--use->inuse;
		use->memuse -= size;
		crit_exit();
		kmem_slab_free(ptr, size);
		return;
	}

	z = (SLZone *)((uintptr_t)ptr & ~ZONE_MASK);
	if (z->z_Magic != ZALLOC_SLAB_MAGIC)
		panic("kfree: %p is not of kmalloc", ptr);
	chunk = ptr;
	crit_enter();
	--use->inuse;
	use->memuse -= z->z_ChunkSize;

	if (z->z_Cpu != gd->gd_cpuid) {
		first = z->z_RChunks;
		do {
			chunk->c_Next = first;
		} while (!atomic_fcmpset_ptr(&z->z_RChunks, &first, chunk));
		crit_exit();
		return;
	}

	if (z->z_NFree == 0) {
		TAILQ_REMOVE(&slgd->FullAry[z->z_ZoneIndex], z, z_Entry);
		TAILQ_INSERT_HEAD(&slgd->ZoneAry[z->z_ZoneIndex], z, z_Entry);
	}
	zone_put_chunk(z, chunk);

	/* One zone a size stays, free or not. */
	if (z->z_NFree == z->z_NMax &&
	    (TAILQ_FIRST(&slgd->ZoneAry[z->z_ZoneIndex]) != z ||
	    TAILQ_NEXT(z, z_Entry) != NULL)) {
		TAILQ_REMOVE(&slgd->ZoneAry[z->z_ZoneIndex], z, z_Entry);
		z->z_Magic = 0;
		TAILQ_INSERT_HEAD(&slgd->FreeZones, z, z_Entry);
		++slgd->NFreeZones;
	}
	crit_exit();
}

size_t
kmalloc_usable_size(const void *ptr)
{
	const SLZone *z;
	int pages;

	if (ptr == NULL || ptr == ZERO_LENGTH_PTR)
		return (0);
	if ((pages = *kmem_pagecnt(ptr)) > 0)
		return ((size_t)pages * PAGE_SIZE);
	z = (const SLZone *)((uintptr_t)ptr & ~ZONE_MASK);
	if (z->z_Magic != ZALLOC_SLAB_MAGIC)
		panic("kmalloc_usable_size: %p is not of kmalloc", ptr);
	return (z->z_ChunkSize);
}

void *
krealloc(void *ptr, unsigned long size, struct malloc_type *type, int flags)
{
	unsigned long osize, nsize, align;
	void *nptr;

	KASSERT((flags & M_ZERO) == 0, ("krealloc: M_ZERO"));

	if (ptr == NULL || ptr == ZERO_LENGTH_PTR)
		return (_kmalloc(size, type, flags));
	if (size == 0) {
		kfree(ptr, type);
		return (NULL);
	}

	osize = kmalloc_usable_size(ptr);
	nsize = size;
	if (nsize < ZALLOC_ZONE_LIMIT)
		zoneindex(&nsize, &align);
	else
		nsize = round_page(nsize);
	if (nsize == osize)
		return (ptr);

	nptr = _kmalloc(size, type, flags);
	if (nptr != NULL) {
		bcopy(ptr, nptr, ulmin(size, osize));
		kfree(ptr, type);
	}
	return (nptr);
}

char *
kstrndup(const char *str, size_t maxlen, struct malloc_type *type)
{
	size_t len;
	char *copy;

	if (str == NULL)
		return (NULL);
	len = strnlen(str, maxlen);
	copy = kmalloc(len + 1, type, M_WAITOK);
	bcopy(str, copy, len);
	copy[len] = '\0';
	return (copy);
}

char *
kstrdup(const char *str, struct malloc_type *type)
{
	return (str == NULL ? NULL : kstrndup(str, strlen(str), type));
}

static void
kmem_wait(vm_size_t size, vm_size_t got, int flags)
{
	struct kmem_waiter w = { .size = size, .got = got, .flags = flags };

	w.td = curthread;
	++kmem_waits;
	TAILQ_INSERT_TAIL(&kmem_waiters, &w, link);
	if (w.td->td_preempted != NULL)
		lwkt_switch();
	else
		vm_wait(0);
	TAILQ_REMOVE(&kmem_waiters, &w, link);
}

void *
kmem_slab_alloc(vm_size_t size, vm_offset_t align, int flags)
{
	vm_offset_t addr;
	vm_size_t i;
	vm_page_t m;
	int count, vmflags;

	if ((flags & (M_RNOWAIT | M_WAITOK)) == 0)
		panic("kmem_slab_alloc: neither M_RNOWAIT nor M_WAITOK in %x",
		    flags);

	size = round_page(size);
	count = vm_map_entry_reserve(MAP_RESERVE_COUNT);
	crit_enter();
	vm_map_lock(kernel_map);
	if (vm_map_findspace(kernel_map, vm_map_min(kernel_map), size, align,
	    0, &addr)) {
		vm_map_unlock(kernel_map);
		crit_exit();
		vm_map_entry_release(count);
		if ((flags & M_NULLOK) == 0)
			panic("kmem_slab_alloc: kernel_map is full");
		return (NULL);
	}

	/* kernel_object's offsets are addresses. */
	vm_object_hold(kernel_object);
	vm_object_reference_locked(kernel_object);
	vm_map_insert(kernel_map, &count, kernel_object, NULL, addr, NULL,
	    addr, addr + size, VM_MAPTYPE_NORMAL, VM_SUBSYS_KMALLOC,
	    VM_PROT_ALL, VM_PROT_ALL, 0);
	vm_object_drop(kernel_object);
	vm_map_set_wired_quick(kernel_map, addr, size, &count);
	vm_map_unlock(kernel_map);

	vmflags = 0;
	if (flags & M_ZERO)
		vmflags |= VM_ALLOC_ZERO;
	if (flags & M_USE_RESERVE)
		vmflags |= VM_ALLOC_SYSTEM;
	if (flags & M_USE_INTERRUPT_RESERVE)
		vmflags |= VM_ALLOC_INTERRUPT;
	if (flags & M_WAITOK) {
		if (curthread->td_preempted != NULL)
			vmflags |= VM_ALLOC_SYSTEM;
		else
			vmflags |= VM_ALLOC_NORMAL;
	}
	if ((vmflags & (VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM |
	    VM_ALLOC_INTERRUPT)) == 0)
		vmflags |= VM_ALLOC_QUICK;

	/*
	 * All pages first: they stay busy, so that nothing of a half-built
	 * allocation is ever mapped.
	 */
	vm_object_hold(kernel_object);
	i = 0;
	while (i < size) {
		m = vm_page_alloc(kernel_object, OFF_TO_IDX(addr + i), vmflags);
		if (m != NULL) {
			i += PAGE_SIZE;
		} else if (flags & M_WAITOK) {
			kmem_wait(size, i, flags);
		} else {
			break;
		}
	}

	if (i < size) {
		while (i > 0) {
			i -= PAGE_SIZE;
			m = vm_page_lookup(kernel_object, OFF_TO_IDX(addr + i));
			vm_page_free(m);
		}
		vm_map_lock(kernel_map);
		vm_map_delete(kernel_map, addr, addr + size, &count);
		vm_map_unlock(kernel_map);
		vm_object_drop(kernel_object);
		crit_exit();
		vm_map_entry_release(count);
		return (NULL);
	}

	for (i = 0; i < size; i += PAGE_SIZE) {
		m = vm_page_lookup(kernel_object, OFF_TO_IDX(addr + i));
		m->valid = VM_PAGE_BITS_ALL;
		pmap_enter(kernel_pmap, addr + i, m, VM_PROT_ALL, TRUE, NULL);
		if (flags & M_ZERO)
			bzero((char *)addr + i, PAGE_SIZE);
		vm_page_flag_set(m, PG_REFERENCED);
		vm_page_wakeup(m);
	}
	vm_object_drop(kernel_object);
	crit_exit();
	vm_map_entry_release(count);
	return ((void *)addr);
}

void
kmem_slab_free(void *ptr, vm_size_t size)
{
	crit_enter();
	vm_map_remove(kernel_map, (vm_offset_t)ptr, (vm_offset_t)ptr + size);
	crit_exit();
}

static void
kmalloc_watchdog_report(void)
{
	struct malloc_type *type;
	struct kmem_waiter *w;
	ssize_t inuse, memuse;
	int n;

	TAILQ_FOREACH(w, &kmem_waiters, link) {
		kprintf("kmem: %s waits for pages: has %lu of %lu, flags %04x\n",
		    w->td->td_comm, w->got / PAGE_SIZE, w->size / PAGE_SIZE,
		    w->flags);
	}
	kprintf("kmem: %lu waits for pages so far\n", kmem_waits);
	for (type = kmemstatistics; type != NULL; type = type->ks_next) {
		inuse = memuse = 0;
		for (n = 0; n < ncpus; ++n) {
			inuse += type->ks_use[n].inuse;
			memuse += type->ks_use[n].memuse;
		}
		if (inuse == 0)
			continue;
		kprintf("kmalloc: %s: %zd in use, %zd bytes, limit %zu",
		    type->ks_shortdesc, inuse, memuse, type->ks_limit);
		if (type->ks_flags & KSF_OBJSIZE) {
			kprintf(", slabs %zu partial %zu full %zu empty",
			    type->ks_mgt.npartial, type->ks_mgt.nfull,
			    type->ks_mgt.nempty);
		}
		kprintf("\n");
	}
}

WATCHDOG_REPORT(kmalloc_watchdog_report);

/*
 * kern.malloc: one line a type.
 */
static int
sysctl_kern_malloc(SYSCTL_HANDLER_ARGS)
{
	struct malloc_type *type;
	ssize_t inuse, memuse;
	int64_t calls;
	char line[128];
	int error, n;

	ksnprintf(line, sizeof(line), "%-18s %8s %12s %12s %14s\n", "type",
	    "inuse", "memuse", "calls", "limit");
	error = SYSCTL_OUT(req, line, strlen(line));
	for (type = kmemstatistics; type != NULL && error == 0;
	    type = type->ks_next) {
		inuse = memuse = calls = 0;
		for (n = 0; n < ncpus; ++n) {
			inuse += type->ks_use[n].inuse;
			memuse += type->ks_use[n].memuse;
			calls += type->ks_use[n].calls;
		}
		ksnprintf(line, sizeof(line), "%-18s %8zd %12zd %12ld %14zu\n",
		    type->ks_shortdesc, inuse, memuse, (long)calls,
		    type->ks_limit);
		error = SYSCTL_OUT(req, line, strlen(line));
	}
	if (error == 0)
		error = SYSCTL_OUT(req, "", 1);
	return (error);
}
SYSCTL_PROC(_kern, OID_AUTO, malloc, CTLTYPE_STRING | CTLFLAG_RD, NULL, 0,
    sysctl_kern_malloc, "A", "malloc types");
