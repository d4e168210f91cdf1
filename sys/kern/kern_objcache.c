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
 * get with M_WAITOK sleeps on the depot until an object is put, anywhere;
 * others fail.  Objects idle in magazines of a cpu are out of reach of the
 * others, so the stock is that much larger than the limit asked for; and a put
 * that knows of sleepers hands its whole magazine to the depot.
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
} __cachealign;

struct objcache {
	objcache_ctor_fn *ctor;
	objcache_dtor_fn *dtor;
	void		*privdata;
	objcache_alloc_fn *alloc;
	objcache_free_fn *free;
	void		*allocator_args;
	struct objcache_malloc_args margs;
	const char	*name;
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
	oc->name = name;
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
	if (nom_cache == 0)
		nom_cache = 2 * MAG_ROUNDS_DEFAULT;
	if (cluster_limit != 0)
		nom_cache = imin(nom_cache, cluster_limit);
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

		if (cpu->exhausted++ == 0)
			kprintf("objcache %s: at its limit\n", oc->name);
		if ((ocflags & (M_WAITOK | M_NULLOK)) != M_WAITOK) {
			spin_unlock(&oc->spin);
			++cpu->failed;
			crit_exit();
			return (NULL);
		}
		++oc->waiting;
		ssleep(oc, &oc->spin, 0, "objcache", 0);
		--oc->waiting;
		spin_unlock(&oc->spin);
	}
}

/*
 * Somebody sleeps for an object, perhaps on another cpu: trade the loaded
 * magazine for an empty one if the depot has any.  Critical section.
 */
static void
objcache_hand_over(struct objcache *oc, struct percpu_objcache *cpu)
{
	struct magazine *mag;

	spin_lock(&oc->spin);
	if ((mag = SLIST_FIRST(&oc->emptymags)) != NULL) {
		SLIST_REMOVE_HEAD(&oc->emptymags, link);
		SLIST_INSERT_HEAD(&oc->fullmags, cpu->loaded, link);
		cpu->loaded = mag;
	}
	spin_unlock(&oc->spin);
	wakeup(oc);
}

void
objcache_put(struct objcache *oc, void *obj)
{
	struct percpu_objcache *cpu;
	struct magazine *mag;

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
			break;
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
		spin_unlock(&oc->spin);
	}
	if (oc->waiting)
		objcache_hand_over(oc, cpu);
	crit_exit();
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
 * Give the back end something back: of the first cache in the list that has
 * anything, what this cpu's loaded magazine and then the depot's hold.
 */
bool
objcache_reclaimlist(struct objcache *oclist[], int nlist)
{
	struct objcache *oc;
	struct magazine *mag, *spare;
	struct percpu_objcache *cpu;
	int i, count;

	for (i = 0; i < nlist; ++i) {
		oc = oclist[i];
		spare = mag_alloc(oc->magcapacity);

		crit_enter();
		cpu = &oc->cpu[mycpu->gd_cpuid];
		if (cpu->loaded->rounds == 0)
			mag_swap(cpu);
		mag = cpu->loaded;
		cpu->loaded = spare;
		spin_lock(&oc->spin);
		if (mag->rounds == 0 && !SLIST_EMPTY(&oc->fullmags)) {
			SLIST_INSERT_HEAD(&oc->emptymags, mag, link);
			mag = SLIST_FIRST(&oc->fullmags);
			SLIST_REMOVE_HEAD(&oc->fullmags, link);
		}
		spin_unlock(&oc->spin);
		crit_exit();

		count = mag_purge(oc, mag);
		kfree(mag, M_OBJMAG);
		if (count > 0) {
			objcache_unallocate(oc, count);
			return (true);
		}
	}
	return (false);
}

static void
maglist_destroy(struct objcache *oc, struct magazinelist *list)
{
	struct magazine *mag;

	while ((mag = SLIST_FIRST(list)) != NULL) {
		SLIST_REMOVE_HEAD(list, link);
		mag_purge(oc, mag);
		kfree(mag, M_OBJMAG);
	}
}

void
objcache_destroy(struct objcache *oc)
{
	int i;

	spin_lock(&objcaches_spin);
	LIST_REMOVE(oc, link);
	spin_unlock(&objcaches_spin);

	maglist_destroy(oc, &oc->fullmags);
	maglist_destroy(oc, &oc->emptymags);
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
 * kern.objcache.stats: one line a cache.  Caches come and go; the lines are made
 * under the spinlock and copied out after it.
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
