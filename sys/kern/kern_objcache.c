/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Object caches: constructed objects, kept in magazines.
 *
 * A cpu has two magazines, used in a critical section: it gets from and puts
 * to the loaded one, and swaps it with the previous one when that cannot go
 * on.  When both are empty (or full) it trades one for a full (or empty)
 * magazine of the depot, under the depot's spinlock.  Only when the depot has
 * no full magazine either does a get reach the back end and the constructor;
 * only when it has no empty one does a put reach the destructor.  An object is
 * thus constructed once and stays so while it is cached.
 *
 * The limit is a stock of objects not yet allocated, in the depot.  At zero a
 * get with M_WAITOK sleeps on the depot; others fail.  Objects idle in the
 * magazines of a cpu are out of reach of the others, so the stock is larger
 * than the limit asked for by what all those magazines hold.  This slack is why
 * a put need not look for sleepers of other cpus: it wakes those who went to
 * sleep on its own, and all when a magazine reaches the depot.  Once fewer
 * objects are out than the limit says, the others do not fit into the magazines
 * of the cpus, so the depot has some, and a sleeper is never left behind.
 *
 * Free objects are kept in as many magazines as there were in the beginning,
 * two a cpu and those in the depot, whose number follows from nom_cache; what
 * does not fit is destroyed when it is put.
 *
 * Neither ctor, dtor nor the back end is called with anything held; all may
 * block.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/objcache.h>
#include <sys/queue.h>
#include <sys/spinlock.h>
#include <sys/sysctl.h>
#include <sys/thread.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>

static MALLOC_DEFINE(M_OBJCACHE, "objcache", "object caches");
static MALLOC_DEFINE(M_OBJMAG, "objcache mag", "magazines of object caches");

#define	MAG_ROUNDS_DEFAULT	64
#define	MAG_ROUNDS_MIN		4
#define	MAG_ROUNDS_MAX		4096

struct magazine {
	SLIST_ENTRY(magazine) link;
	int		rounds;
	int		capacity;
	void		*objects[];
};

SLIST_HEAD(magazinelist, magazine);

struct percpu_objcache {
	struct magazine	*loaded;
	struct magazine	*previous;
	u_long		gets;
	u_long		puts;
	u_long		allocs;		/* gets that reached the back end */
	u_long		exhausted;	/* gets that met the limit */
	u_long		failed;		/* gets that returned NULL */
	int		waiting;	/* threads that went to sleep here */
} __cachealign;

struct objcache {
	objcache_ctor_fn *ctor;
	objcache_dtor_fn *dtor;
	void		*privdata;
	objcache_alloc_fn *alloc;
	objcache_free_fn *free;
	void		*allocator_args;
	struct objcache_malloc_args margs;
	char		name[OBJCACHE_NAMELEN];
	LIST_ENTRY(objcache) link;

	struct spinlock	spin;		/* the depot: down to waiting */
	struct magazinelist fullmags;
	struct magazinelist emptymags;
	int		magcapacity;
	int		cluster_limit;
	int		unallocated;	/* objects that may yet be allocated */
	int		waiting;

	struct percpu_objcache cpu[];
};

static LIST_HEAD(, objcache) objcaches = LIST_HEAD_INITIALIZER(objcaches);
static struct spinlock objcaches_spin =
    SPINLOCK_INITIALIZER(&objcaches_spin, "objcaches");

static bool
objcache_null_ctor(void *obj, void *privdata, int ocflags)
{
	return (true);
}

static void
objcache_null_dtor(void *obj, void *privdata)
{
}

/*
 * Fill up the cache line that the last round is in.
 */
static int
mag_capacity(int rounds)
{
	size_t size;

	rounds = imin(imax(rounds, MAG_ROUNDS_MIN), MAG_ROUNDS_MAX);
	size = __VM_CACHELINE_ALIGN(__offsetof(struct magazine,
	    objects[rounds]));
	return ((size - __offsetof(struct magazine, objects[0])) /
	    sizeof(void *));
}

static struct magazine *
mag_alloc(int capacity)
{
	struct magazine *mag;

	mag = kmalloc(__offsetof(struct magazine, objects[capacity]), M_OBJMAG,
	    M_INTWAIT | M_ZERO | M_CACHEALIGN);
	mag->capacity = capacity;
	return (mag);
}

static __inline bool
mag_full(const struct magazine *mag)
{
	return (mag->rounds == mag->capacity);
}

static __inline void
mag_swap(struct percpu_objcache *cpu)
{
	struct magazine *mag = cpu->loaded;

	cpu->loaded = cpu->previous;
	cpu->previous = mag;
}

struct objcache *
objcache_create(const char *name, int cluster_limit, int nom_cache,
    objcache_ctor_fn *ctor, objcache_dtor_fn *dtor, void *privdata,
    objcache_alloc_fn *alloc, objcache_free_fn *free, void *allocator_args)
{
	struct objcache *oc;
	struct magazine *mag;
	int i, ndepot;

	oc = kmalloc(__offsetof(struct objcache, cpu[ncpus]), M_OBJCACHE,
	    M_WAITOK | M_ZERO | M_CACHEALIGN);
	strlcpy(oc->name, name, sizeof(oc->name));
	oc->ctor = ctor != NULL ? ctor : objcache_null_ctor;
	oc->dtor = dtor != NULL ? dtor : objcache_null_dtor;
	oc->privdata = privdata;
	oc->alloc = alloc;
	oc->free = free;
	oc->allocator_args = allocator_args;
	spin_init(&oc->spin, "objcache");
	SLIST_INIT(&oc->fullmags);
	SLIST_INIT(&oc->emptymags);

	if (nom_cache == 0)
		nom_cache = cluster_limit / 2;
	if (cluster_limit != 0)
		nom_cache = imin(nom_cache, cluster_limit);
	if (nom_cache == 0)
		nom_cache = 2 * MAG_ROUNDS_DEFAULT;
	oc->magcapacity = mag_capacity(nom_cache / (ncpus + 1) / 2 + 1);
	oc->cluster_limit = cluster_limit;
	oc->unallocated = OBJCACHE_UNLIMITED;
	if (cluster_limit != 0)
		oc->unallocated = cluster_limit + 2 * ncpus * oc->magcapacity;

	for (i = 0; i < ncpus; ++i) {
		oc->cpu[i].loaded = mag_alloc(oc->magcapacity);
		oc->cpu[i].previous = mag_alloc(oc->magcapacity);
	}
	ndepot = imax(nom_cache / oc->magcapacity + 1, 2);
	for (i = 0; i < ndepot; ++i) {
		mag = mag_alloc(oc->magcapacity);
		SLIST_INSERT_HEAD(&oc->emptymags, mag, link);
	}

	spin_lock(&objcaches_spin);
	LIST_INSERT_HEAD(&objcaches, oc, link);
	spin_unlock(&objcaches_spin);
	return (oc);
}

struct objcache *
objcache_create_mbacked(malloc_type_t mtype, size_t objsize, int cluster_limit,
    int nom_cache, objcache_ctor_fn *ctor, objcache_dtor_fn *dtor,
    void *privdata)
{
	struct objcache *oc;

	oc = objcache_create(mtype->ks_shortdesc, cluster_limit, nom_cache,
	    ctor, dtor, privdata, objcache_malloc_alloc, objcache_malloc_free,
	    NULL);
	oc->margs.objsize = objsize;
	oc->margs.mtype = mtype;
	oc->allocator_args = &oc->margs;
	return (oc);
}

struct objcache *
objcache_create_simple(malloc_type_t mtype, size_t objsize)
{
	return (objcache_create_mbacked(mtype, objsize, 0, 0, NULL, NULL,
	    NULL));
}

static void
objcache_unallocate(struct objcache *oc, int count)
{
	int waiting;

	spin_lock(&oc->spin);
	oc->unallocated += count;
	waiting = oc->waiting;
	spin_unlock(&oc->spin);
	if (waiting)
		wakeup(oc);
}

void
objcache_set_cluster_limit(struct objcache *oc, int cluster_limit)
{
	int delta;

	spin_lock(&oc->spin);
	delta = cluster_limit - oc->cluster_limit;
	oc->cluster_limit = cluster_limit;
	spin_unlock(&oc->spin);
	objcache_unallocate(oc, delta);
}

/*
 * The object is accounted for already.
 */
static void
objcache_discard(struct objcache *oc, void *obj)
{
	oc->dtor(obj, oc->privdata);
	oc->free(obj, oc->allocator_args);
}

/*
 * An object from the back end, constructed; NULL gives the account back.
 */
static void *
objcache_make(struct objcache *oc, int ocflags)
{
	void *obj;

	obj = oc->alloc(oc->allocator_args, ocflags);
	if (obj != NULL && !oc->ctor(obj, oc->privdata, ocflags)) {
		oc->free(obj, oc->allocator_args);
		obj = NULL;
	}
	if (obj == NULL) {
		objcache_unallocate(oc, 1);
		crit_enter();
		++oc->cpu[mycpu->gd_cpuid].failed;
		crit_exit();
	}
	return (obj);
}

void *
objcache_get(struct objcache *oc, int ocflags)
{
	struct percpu_objcache *cpu;
	struct magazine *mag;
	void *obj;

	KASSERT((ocflags & M_ZERO) == 0,
	    ("objcache_get: %s: M_ZERO", oc->name));

	crit_enter();
	cpu = &oc->cpu[mycpu->gd_cpuid];
	++cpu->gets;
	for (;;) {
		if (cpu->loaded->rounds == 0)
			mag_swap(cpu);
		if (cpu->loaded->rounds != 0) {
			obj = cpu->loaded->objects[--cpu->loaded->rounds];
			crit_exit();
			return (obj);
		}

		spin_lock(&oc->spin);
		if ((mag = SLIST_FIRST(&oc->fullmags)) != NULL) {
			SLIST_REMOVE_HEAD(&oc->fullmags, link);
			SLIST_INSERT_HEAD(&oc->emptymags, cpu->loaded, link);
			cpu->loaded = mag;
			spin_unlock(&oc->spin);
			continue;
		}
		if (oc->unallocated > 0) {
			--oc->unallocated;
			spin_unlock(&oc->spin);
			++cpu->allocs;
			crit_exit();
			return (objcache_make(oc, ocflags));
		}

		if (cpu->exhausted++ == 0) {
			kprintf("objcache %s: exhausted on cpu%d, limit %d\n",
			    oc->name, mycpu->gd_cpuid, oc->cluster_limit);
		}
		if ((ocflags & (M_WAITOK | M_NULLOK)) != M_WAITOK) {
			spin_unlock(&oc->spin);
			++cpu->failed;
			crit_exit();
			return (NULL);
		}
		++cpu->waiting;
		++oc->waiting;
		ssleep(oc, &oc->spin, 0, "objcache", 0);
		--cpu->waiting;
		--oc->waiting;
		spin_unlock(&oc->spin);
	}
}

void
objcache_put(struct objcache *oc, void *obj)
{
	struct percpu_objcache *cpu;
	struct magazine *mag;
	int waiting;

	if (obj == NULL)
		panic("objcache_put: %s: NULL object", oc->name);

	crit_enter();
	cpu = &oc->cpu[mycpu->gd_cpuid];
	++cpu->puts;
	for (;;) {
		if (mag_full(cpu->loaded))
			mag_swap(cpu);
		if (!mag_full(cpu->loaded)) {
			cpu->loaded->objects[cpu->loaded->rounds++] = obj;
			if (cpu->waiting)
				wakeup(oc);
			crit_exit();
			return;
		}

		spin_lock(&oc->spin);
		if ((mag = SLIST_FIRST(&oc->emptymags)) == NULL) {
			spin_unlock(&oc->spin);
			crit_exit();
			objcache_unallocate(oc, 1);
			objcache_discard(oc, obj);
			return;
		}
		SLIST_REMOVE_HEAD(&oc->emptymags, link);
		SLIST_INSERT_HEAD(&oc->fullmags, cpu->loaded, link);
		cpu->loaded = mag;
		waiting = oc->waiting;
		spin_unlock(&oc->spin);
		if (waiting)
			wakeup(oc);
	}
}

void
objcache_dtor(struct objcache *oc, void *obj)
{
	crit_enter();
	++oc->cpu[mycpu->gd_cpuid].puts;
	crit_exit();
	objcache_unallocate(oc, 1);
	objcache_discard(oc, obj);
}

/*
 * Cut nelts objects of size bytes out of the memory at elts and cache them.
 */
void
objcache_populate_linear(struct objcache *oc, void *elts, int nelts, int size)
{
	char *obj = elts;

	for (; nelts > 0; --nelts) {
		if (oc->ctor(obj, oc->privdata, M_WAITOK))
			objcache_put(oc, obj);
		obj += size;
	}
}

/*
 * Discard what a magazine that nobody else can see holds.
 */
static int
mag_purge(struct objcache *oc, struct magazine *mag)
{
	int count;

	for (count = 0; mag->rounds > 0; ++count)
		objcache_discard(oc, mag->objects[--mag->rounds]);
	return (count);
}

/*
 * The magazines of a list, and what they hold.
 */
static int
maglist_purge(struct objcache *oc, struct magazinelist *list)
{
	struct magazine *mag;
	int count = 0;

	while ((mag = SLIST_FIRST(list)) != NULL) {
		SLIST_REMOVE_HEAD(list, link);
		count += mag_purge(oc, mag);
		kfree(mag, M_OBJMAG);
	}
	return (count);
}

/*
 * Discard what one magazine of this cpu's holds, where it is: destructors may
 * block, and others go on using it meanwhile.
 */
static int
cpu_purge(struct objcache *oc)
{
	struct percpu_objcache *cpu;
	void *obj;
	int count;

	crit_enter();
	cpu = &oc->cpu[mycpu->gd_cpuid];
	if (cpu->loaded->rounds == 0)
		mag_swap(cpu);
	for (count = 0; count < oc->magcapacity && cpu->loaded->rounds != 0;
	    ++count) {
		obj = cpu->loaded->objects[--cpu->loaded->rounds];
		crit_exit();
		objcache_discard(oc, obj);
		crit_enter();
		cpu = &oc->cpu[mycpu->gd_cpuid];
	}
	crit_exit();
	return (count);
}

/*
 * Give the back end something back, of the first cache in the list that has
 * anything: what a magazine of this cpu's holds, or else the full ones of the
 * depot, which go themselves, too.
 */
bool
objcache_reclaimlist(struct objcache *oclist[], int nlist)
{
	struct magazinelist full;
	struct objcache *oc;
	int i, count;

	for (i = 0; i < nlist; ++i) {
		oc = oclist[i];
		count = cpu_purge(oc);
		if (count == 0) {
			spin_lock(&oc->spin);
			full = oc->fullmags;
			SLIST_INIT(&oc->fullmags);
			spin_unlock(&oc->spin);
			count = maglist_purge(oc, &full);
		}
		if (count > 0) {
			objcache_unallocate(oc, count);
			return (true);
		}
	}
	return (false);
}

/*
 * Nobody may use oc any more.  An object that is out is not oc's to destroy,
 * and can no longer be put.
 */
void
objcache_destroy(struct objcache *oc)
{
	int i;

	spin_lock(&objcaches_spin);
	LIST_REMOVE(oc, link);
	spin_unlock(&objcaches_spin);

	maglist_purge(oc, &oc->fullmags);
	maglist_purge(oc, &oc->emptymags);
	for (i = 0; i < ncpus; ++i) {
		mag_purge(oc, oc->cpu[i].loaded);
		kfree(oc->cpu[i].loaded, M_OBJMAG);
		mag_purge(oc, oc->cpu[i].previous);
		kfree(oc->cpu[i].previous, M_OBJMAG);
	}
	spin_uninit(&oc->spin);
	kfree(oc, M_OBJCACHE);
}

void *
objcache_malloc_alloc(void *allocator_args, int ocflags)
{
	struct objcache_malloc_args *args = allocator_args;

	return (kmalloc(args->objsize, args->mtype, ocflags & OC_MFLAGS));
}

/*
 * Only what comes from kmalloc() is zero, not what comes from the cache.
 */
void *
objcache_malloc_alloc_zero(void *allocator_args, int ocflags)
{
	return (objcache_malloc_alloc(allocator_args, ocflags | M_ZERO));
}

void
objcache_malloc_free(void *obj, void *allocator_args)
{
	struct objcache_malloc_args *args = allocator_args;

	kfree(obj, args->mtype);
}

void *
objcache_nop_alloc(void *allocator_args, int ocflags)
{
	return (NULL);
}

void
objcache_nop_free(void *obj, void *allocator_args)
{
}

struct objcache_totals {
	u_long		gets;
	u_long		puts;
	u_long		allocs;
	u_long		exhausted;
	u_long		failed;
};

static void
objcache_total(struct objcache *oc, struct objcache_totals *t)
{
	int i;

	bzero(t, sizeof(*t));
	for (i = 0; i < ncpus; ++i) {
		t->gets += oc->cpu[i].gets;
		t->puts += oc->cpu[i].puts;
		t->allocs += oc->cpu[i].allocs;
		t->exhausted += oc->cpu[i].exhausted;
		t->failed += oc->cpu[i].failed;
	}
}

static void
objcache_watchdog_report(void)
{
	struct objcache_totals t;
	struct objcache *oc;

	LIST_FOREACH(oc, &objcaches, link) {
		objcache_total(oc, &t);
		kprintf("objcache: %s: %ld out, limit %d, %d waiting\n",
		    oc->name, (long)(t.gets - t.failed - t.puts),
		    oc->cluster_limit, oc->waiting);
	}
}
WATCHDOG_REPORT(objcache_watchdog_report);

/*
 * kern.objcache.stats: one line a cache.  Caches come and go; the lines are
 * made under the spinlock and copied out after it.
 */
static int
sysctl_ocstats(SYSCTL_HANDLER_ARGS)
{
	const size_t size = 8192;
	struct objcache_totals t;
	struct objcache *oc;
	size_t len;
	char *buf;
	int error;

	buf = kmalloc(size, M_TEMP, M_WAITOK);
	len = ksnprintf(buf, size, "%-16s %10s %8s %10s %10s %10s %8s\n",
	    "cache", "limit", "out", "gets", "allocs", "exhausted", "failed");
	spin_lock(&objcaches_spin);
	LIST_FOREACH(oc, &objcaches, link) {
		if (len + 128 > size)
			break;
		objcache_total(oc, &t);
		len += ksnprintf(buf + len, size - len,
		    "%-16s %10d %8ld %10lu %10lu %10lu %8lu\n", oc->name,
		    oc->cluster_limit, (long)(t.gets - t.failed - t.puts),
		    t.gets, t.allocs, t.exhausted, t.failed);
	}
	spin_unlock(&objcaches_spin);
	error = SYSCTL_OUT(req, buf, len + 1);
	kfree(buf, M_TEMP);
	return (error);
}
SYSCTL_NODE(_kern, OID_AUTO, objcache, CTLFLAG_RW, 0, "object caches");
SYSCTL_PROC(_kern_objcache, OID_AUTO, stats, CTLTYPE_STRING | CTLFLAG_RD, NULL,
    0, sysctl_ocstats, "A", "what the object caches hold");
