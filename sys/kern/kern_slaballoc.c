/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kmalloc(): memory of any size, and the life of malloc types.
 *
 * A malloc type is an account.  Each allocation, kmalloc()'s or
 * kmalloc_obj()'s, is charged to one; the memory itself comes from
 * kern_kmchunk.c and kern_kmalloc.c.  memuse and inuse are per cpu and only
 * mean something in sum.  ks_loosememuse is a cheap upper estimate that
 * triggers the exact count when it reaches the type's limit.
 *
 * Types are born at boot or at run time, and are usable once malloc_init() has
 * given them a limit.  kmemstat_spin protects their list; KSF_POLLING keeps one
 * alive while the poller retires its slabs without that lock.
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
#include <sys/thread.h>
#include <sys/globaldata.h>

#include <vm/vm.h>
#include <vm/vm_kern.h>
#include <vm/vm_lastpage.h>
#include <vm/vm_map.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>

#define	ZERO_LENGTH_PTR	((void *)-8)	/* what kmalloc(0) returns */

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

size_t
kmem_lim_size(void)
{
	size_t bytes;

	bytes = (size_t)vmstats.v_page_count * PAGE_SIZE;
	bytes = szmin(bytes, vm_map_max(kernel_map) - vm_map_min(kernel_map));
	return (bytes / (1024 * 1024));
}

/*
 * Make a type usable.  Harmless for one that is already.
 */
void
malloc_init(void *data)
{
	struct malloc_type *type = data;
	struct kmalloc_use *use = &type->ks_use0;

	if (type->ks_magic != M_MAGIC)
		panic("malloc_init: %p is not a malloc type", type);
	if (type->ks_limit != 0)
		return;
	if (vmstats.v_page_count == 0)
		panic("malloc_init: %s: the VM is not up", type->ks_shortdesc);

	/* A tenth of kernel memory. */
	type->ks_limit = kmem_lim_size() * (1024 * 1024) / 10;
	if (ncpus > 1)
		use = kmalloc(ncpus * sizeof(*use), M_TEMP, M_WAITOK | M_ZERO);
	if (type->ks_flags & KSF_OBJSIZE) {
		malloc_mgt_init(type, &type->ks_mgt, type->ks_objsize);
		for (int n = 0; n < ncpus; ++n)
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

/*
 * The type's descriptor is copied while it cannot go.
 */
static int
sysctl_kzone_polled(SYSCTL_HANDLER_ARGS)
{
	char name[32];

	spin_lock(&kmemstat_spin);
	strlcpy(name, kmemstat_poll != NULL ? kmemstat_poll->ks_shortdesc : "",
	    sizeof(name));
	spin_unlock(&kmemstat_spin);
	return (SYSCTL_OUT(req, name, strlen(name) + 1));
}
SYSCTL_PROC(_kern, OID_AUTO, kzone_polled, CTLTYPE_STRING | CTLFLAG_RD, NULL, 0,
    sysctl_kzone_polled, "A", "malloc type the poller is with");

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
malloc_charge(struct malloc_type *type, size_t size)
{
	struct kmalloc_use *use;

	crit_enter();
	use = &type->ks_use[mycpu->gd_cpuid];
	++use->calls;
	++use->inuse;
	use->memuse += size;
	use->loosememuse += size;
	if (use->loosememuse >= KMALLOC_LOOSE_SIZE) {
		atomic_add_long(&type->ks_loosememuse, use->loosememuse);
		use->loosememuse = 0;
	}
	crit_exit();
}

static void
malloc_uncharge(struct malloc_type *type, size_t size)
{
	struct kmalloc_use *use;

	crit_enter();
	use = &type->ks_use[mycpu->gd_cpuid];
	--use->inuse;
	use->memuse -= size;
	crit_exit();
}

/*
 * The size to ask for, so that the chunk is as aligned as flags want it: chunks
 * of a power of two are aligned to themselves.
 */
static size_t
malloc_aligned_size(size_t size, int flags)
{
	if (flags & M_CACHEALIGN) {
		size = ulmax(size, __VM_CACHELINE_SIZE);
		if (size < 8 * __VM_CACHELINE_SIZE)
			flags |= M_POWEROF2;
	}
	if ((flags & M_POWEROF2) && size != 0 && !powerof2(size))
		size = 1UL << flsl(size);
	return (size);
}

#ifndef SLAB_DEBUG
void *
_kmalloc(unsigned long size, struct malloc_type *type, int flags)
#else
void *
_kmalloc_debug(unsigned long size, struct malloc_type *type, int flags,
    const char *file, int line)
#endif
{
	void *ptr;

	malloc_type_check(type, "kmalloc");
	if ((flags & (M_RNOWAIT | M_WAITOK)) == 0)
		panic("kmalloc: %s: neither M_RNOWAIT nor M_WAITOK",
		    type->ks_shortdesc);

	if (malloc_over_limit(type)) {
		if (flags & M_NULLOK)
			return (NULL);
		panic("%s: malloc limit exceeded", type->ks_shortdesc);
	}
	if (size == 0)
		return (ZERO_LENGTH_PTR);

	VM_PAGE_FOR(type->ks_shortdesc);
	ptr = kmchunk_alloc(malloc_aligned_size(size, flags), flags);
	if (ptr != NULL) {
		kmchunk_record(ptr, file, line);
		malloc_charge(type, kmchunk_size(ptr));
	}
	return (ptr);
}

void
_kfree(void *ptr, struct malloc_type *type)
{
	if (ptr == NULL)
		panic("kfree: NULL pointer");
	if (ptr == ZERO_LENGTH_PTR)
		return;
	malloc_type_check(type, "kfree");
	malloc_uncharge(type, kmchunk_size(ptr));
	kmchunk_free(ptr);
}

size_t
kmalloc_usable_size(const void *ptr)
{
	if (ptr == NULL || ptr == ZERO_LENGTH_PTR)
		return (0);
	return (kmchunk_size(ptr));
}

#ifndef SLAB_DEBUG
void *
krealloc(void *ptr, unsigned long size, struct malloc_type *type, int flags)
#else
void *
krealloc_debug(void *ptr, unsigned long size, struct malloc_type *type,
    int flags, const char *file, int line)
#endif
{
	unsigned long osize;
	void *nptr;

	KASSERT((flags & M_ZERO) == 0, ("krealloc: M_ZERO"));

	osize = kmalloc_usable_size(ptr);
	if (size != 0 && osize == kmchunk_round(size))
		return (ptr);

	nptr = NULL;
	if (size != 0 || osize == 0)
		nptr = _kmalloc_debug(size, type, flags, file, line);
	if (osize != 0 && (nptr != NULL || size == 0)) {
		if (nptr != NULL)
			bcopy(ptr, nptr, ulmin(size, osize));
		kfree(ptr, type);
	}
	return (nptr);
}

#ifndef SLAB_DEBUG
char *
kstrndup(const char *str, size_t maxlen, struct malloc_type *type)
#else
char *
kstrndup_debug(const char *str, size_t maxlen, struct malloc_type *type,
    const char *file, int line)
#endif
{
	size_t len;
	char *copy;

	if (str == NULL)
		return (NULL);
	len = strnlen(str, maxlen);
	copy = _kmalloc_debug(len + 1, type, M_WAITOK, file, line);
	bcopy(str, copy, len);
	copy[len] = '\0';
	return (copy);
}

#ifndef SLAB_DEBUG
char *
kstrdup(const char *str, struct malloc_type *type)
#else
char *
kstrdup_debug(const char *str, struct malloc_type *type, const char *file,
    int line)
#endif
{
	if (str == NULL)
		return (NULL);
	return (kstrndup_debug(str, strlen(str), type, file, line));
}
