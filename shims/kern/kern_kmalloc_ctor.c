/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Copyright (c) 2026 The kmobj authors.
 */

/*
 * Constructed objects, and limits to sleep at: what objcache did.
 *
 * Magazines
 *
 *	An object is constructed when it is handed out for the first time, not
 *	when its slab is made: a slab may hold a thousand and their constructors
 *	may each allocate something large.  When it is put it stays constructed,
 *	idle, in a magazine.  Each cpu has two of these (kern_kmalloc_mag.c).
 *	If both are empty (or full) it trades one at the depot, which all share,
 *	for a full (or an empty) one, under ext->spin.  Only when the depot has
 *	none either is an object constructed (or destroyed).
 *
 *	There are as many magazines as objcache has, as large as its own: both
 *	follow from the nominal number of idle objects and from the number of
 *	cpus.  So bursts construct as many objects as with objcache.  None is
 *	added later, so what fits nowhere is destroyed when it is put: otherwise
 *	a type whose load has gone would keep what its constructor allocated for
 *	every object that ever was out.  The free objects of a slab are not
 *	constructed, and a slab can go when it has no others.  Idle objects stay
 *	in a shortage of memory, too, as with objcache, and so do the slabs they
 *	lie in: kmalloc_obj_reclaimlist() alone lets go those of the depot and
 *	of this cpu.
 *
 * Limits
 *
 *	What counts is what is constructed, out or idle, and it is counted when
 *	an object is constructed and when one is about to be destroyed: to get
 *	and to put counts nothing.  Idle objects of a cpu are out of reach of
 *	the others, therefore the limit is exceeded by what the magazines of all
 *	cpus hold (ext->slack).
 *
 *	Who finds neither an idle object nor room below that sleeps, or goes
 *	without.  He is woken by a put on the cpu that he went to sleep on, when
 *	a full magazine reaches the depot, when an object is destroyed and when
 *	the limit is raised.  Claim: whenever fewer objects than the limit are
 *	out, nobody sleeps (or he is about to wake up).  As long as he sleeps,
 *	as many are constructed as limit and slack allow, and the depot has no
 *	full magazine, since either was so when he went to sleep, under
 *	ext->spin, and who changes it does so under ext->spin and looks for
 *	sleepers.  So the idle ones are in the magazines of cpus, which hold no
 *	more than the slack; the others, at least the limit, are out.
 *
 *	An object is no longer counted when its destructor begins, as with
 *	objcache: the destructor may wait for what a sleeper holds.
 *
 * Large objects
 *
 *	Objects which would leave slabs empty by more than an eighth
 *	(kern_kmalloc_layout.c) come from kmalloc().  Magazines, counts and
 *	limit are the same for them.
 *
 * The state of an object (free, out, idle) is kept in its slab, for the sake of
 * assertions alone: a second put, and one of what was never got, is seen.  A
 * large object has none, and is only looked for in the magazine.
 *
 * A constructor always gets zeroed memory.  Destructors may block; they run
 * with nothing held, in whoever puts the object or reclaims it.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/spinlock.h>
#include <sys/thread.h>
#include <sys/kmalloc_ext.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>

#define	MAG_ROUNDS_DEFAULT	64
#define	MAG_ROUNDS_MIN		4
#define	MAG_ROUNDS_MAX		4096

/*
 * What all cpus share of a type's magazines; the lists are under ext->spin.
 */
struct kmalloc_depot {
	struct kmalloc_maglist full;
	struct kmalloc_maglist empty;
	volatile long	nfull;
	int		capacity;	/* of each magazine */
	int		ncpus;
	struct kmalloc_magcpu *cpu[];
};

/*
 * Fill up the cache line that the last round is in.
 */
static int
mag_capacity(long rounds)
{
	size_t size;

	rounds = lmin(lmax(rounds, MAG_ROUNDS_MIN), MAG_ROUNDS_MAX);
	size = __VM_CACHELINE_ALIGN(__offsetof(struct kmalloc_mag,
	    objects[rounds]));
	return ((size - __offsetof(struct kmalloc_mag, objects[0])) /
	    sizeof(void *));
}

static struct kmalloc_depot *
depot_create(long limit, long nominal)
{
	struct kmalloc_depot *depot;
	struct kmalloc_mag *mag;
	long n;

	if (nominal == 0)
		nominal = limit / 2;
	if (limit != 0)
		nominal = lmin(nominal, limit);
	if (nominal == 0)
		nominal = 2 * MAG_ROUNDS_DEFAULT;

	depot = kmalloc(__offsetof(struct kmalloc_depot, cpu[ncpus]),
	    M_KMALLOC_EXT, M_INTWAIT | M_ZERO);
	SLIST_INIT(&depot->full);
	SLIST_INIT(&depot->empty);
	depot->ncpus = ncpus;
	depot->capacity = mag_capacity(nominal / (ncpus + 1) / 2 + 1);
	for (n = lmax(nominal / depot->capacity + 1, 2); n > 0; --n) {
		mag = kmalloc_mag_create(depot->capacity);
		SLIST_INSERT_HEAD(&depot->empty, mag, link);
	}
	for (n = 0; n < depot->ncpus; ++n)
		depot->cpu[n] = kmalloc_magcpu_create(depot->capacity);
	return (depot);
}

/*
 * Load a magazine of the depot's in place of one that goes there.  ext->spin is
 * held.
 */
static __inline void
mag_trade(struct kmalloc_magcpu *cpu, struct kmalloc_maglist *from,
    struct kmalloc_maglist *to)
{
	struct kmalloc_mag *mag = SLIST_FIRST(from);

	SLIST_REMOVE_HEAD(from, link);
	SLIST_INSERT_HEAD(to, cpu->loaded, link);
	cpu->loaded = mag;
}

/*
 * This cpu's magazines.  Critical section.
 */
static __inline struct kmalloc_magcpu *
cobj_cpu(const struct kmalloc_ext *ext)
{
	KASSERT(IN_CRITICAL_SECT(curthread),
	    ("%s: magazines outside a critical section",
	    ext->type->ks_shortdesc));
	KASSERT(mycpu->gd_cpuid < ext->depot->ncpus,
	    ("%s: kmalloc_obj_ctor before the cpus were counted",
	    ext->type->ks_shortdesc));
	return (ext->depot->cpu[mycpu->gd_cpuid]);
}

/*
 * A constructed object goes to a caller, or comes back.  Of large ones
 * kmalloc() keeps account, idle ones included, and they have no state.
 * Critical section.
 */
static __inline void
cobj_out(struct kmalloc_ext *ext, struct malloc_type *type, void *obj,
    uint8_t from)
{
	struct kmalloc_use *use = &type->ks_use[mycpu->gd_cpuid];

	if (ext->large) {
		++use->calls;
		return;
	}
	kmalloc_state_change(type, obj, from, KMALLOC_STATE_OUT);
	kmalloc_use_charge(use, type->ks_objsize);
}

static __inline void
cobj_back(struct kmalloc_ext *ext, struct malloc_type *type, void *obj,
    uint8_t to)
{
	if (ext->large)
		return;
	KASSERT(kmalloc_slab_of(obj)->type == type,
	    ("kfree_cobj: %s: %p is not of this type", type->ks_shortdesc,
	    obj));
	kmalloc_state_change(type, obj, KMALLOC_STATE_OUT, to);
	kmalloc_use_discharge(&type->ks_use[mycpu->gd_cpuid],
	    type->ks_objsize);
}

#ifdef INVARIANTS

/*
 * The object is not in the magazine that it is put to.
 */
static void
cobj_look(struct kmalloc_ext *ext, struct malloc_type *type,
    const struct kmalloc_mag *mag, const void *obj)
{
	int i;

	for (i = 0; ext->large && i < mag->rounds; ++i) {
		KASSERT(mag->objects[i] != obj,
		    ("kfree_cobj: %s: %p is idle, expected out",
		    type->ks_shortdesc, obj));
	}
}

#else
#define	cobj_look(ext, type, mag, obj)
#endif

long
kmalloc_cobj_idle(const struct kmalloc_ext *ext)
{
	const struct kmalloc_depot *depot = ext->depot;
	const struct kmalloc_magcpu *cpu;
	const volatile struct kmalloc_mag *mag;
	long n;
	int i;

	if (depot == NULL)
		return (0);
	n = depot->nfull * depot->capacity;
	for (i = 0; i < depot->ncpus; ++i) {
		cpu = depot->cpu[i];
		mag = cpu->loaded;
		n += mag->rounds;
		mag = cpu->previous;
		n += mag->rounds;
	}
	return (n);
}

long
kmalloc_cobj_out(const struct kmalloc_ext *ext)
{
	return (((const volatile struct kmalloc_ext *)ext)->constructed -
	    kmalloc_cobj_idle(ext));
}

/*
 * May one more be constructed?  ext->spin is held.
 */
static int
cobj_below_limit(const struct kmalloc_ext *ext)
{
	return (ext->limit == 0 ||
	    ext->constructed < (long)ext->limit + ext->slack);
}

/*
 * One less counts.
 */
static void
cobj_discount(struct kmalloc_ext *ext, struct malloc_type *type)
{
	int waiting;

	spin_lock(&ext->spin);
	--ext->constructed;
	KASSERT(ext->constructed >= 0,
	    ("%s: %ld constructed objects", type->ks_shortdesc,
	    ext->constructed));
	waiting = ext->limit_waiting;
	spin_unlock(&ext->spin);
	if (waiting)
		wakeup(&ext->depot);
}

static void *
cobj_alloc(struct kmalloc_ext *ext, struct malloc_type *type, int flags)
{
	if (ext->large)
		return (kmalloc(type->ks_objsize, type, flags | M_ZERO));
	return (kmalloc_ext_get(ext, type, flags));
}

/*
 * The constructor that gets it next may count on zeroes.
 */
static void
cobj_free(struct kmalloc_ext *ext, struct malloc_type *type, void *obj)
{
	if (ext->large) {
		kfree(obj, type);
	} else {
		bzero(obj, type->ks_objsize);
		spin_lock(&ext->spin);
		kmalloc_slabs_give(ext, &obj, 1);
		spin_unlock(&ext->spin);
	}
}

/*
 * An object that counts already.
 */
static void *
cobj_construct(struct kmalloc_ext *ext, struct malloc_type *type, int flags)
{
	void *obj;

	KASSERT((flags & M_ZERO) == 0,
	    ("kmalloc_cobj: %s: M_ZERO", type->ks_shortdesc));
	obj = cobj_alloc(ext, type, flags);
	if (obj != NULL && ext->ctor != NULL &&
	    !ext->ctor(obj, ext->privdata, flags)) {
		cobj_free(ext, type, obj);
		obj = NULL;
	}
	if (obj == NULL) {
		cobj_discount(ext, type);
		return (NULL);
	}
	crit_enter();
	cobj_out(ext, type, obj, KMALLOC_STATE_FREE);
	crit_exit();
	return (obj);
}

/*
 * One that counts no more.
 */
static void
cobj_destroy(struct kmalloc_ext *ext, struct malloc_type *type, void *obj)
{
	if (ext->dtor != NULL)
		ext->dtor(obj, ext->privdata);
	cobj_free(ext, type, obj);
}

static struct kmalloc_ext *
cobj_ext(struct malloc_type *type)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);

	if (ext == NULL || ext->depot == NULL)
		panic("%s: kmalloc_obj_ctor was not called",
		    type->ks_shortdesc);
	return (ext);
}

void
_kmalloc_obj_cache(struct malloc_type *type)
{
	struct kmalloc_ext *ext;

	ext = kmalloc_ext_create_late(type, "kmalloc_obj_cache");
	/* M_RNOWAIT callers depend on slots: see kern_kmalloc_reserve.c. */
	if (SLIST_EMPTY(&ext->runs))
		kmalloc_ext_set_up(ext, type, 0, 0, KMALLOC_PAGES_FLAGS);
}

void
_kmalloc_obj_ctor(struct malloc_type *type, kmalloc_ctor_fn *ctor,
    kmalloc_dtor_fn *dtor, void *privdata, long limit, long nominal)
{
	struct kmalloc_ext *ext;
	struct kmalloc_depot *depot;
	int n;

	ext = kmalloc_ext_create_late(type, "kmalloc_obj_ctor");
	KASSERT(ext->depot == NULL, ("%s: kmalloc_obj_ctor twice",
	    type->ks_shortdesc));
	depot = depot_create(limit, nominal);
	ext->ctor = ctor;
	ext->dtor = dtor;
	ext->privdata = privdata;
	ext->limit = limit;
	/* Objects that are out since a former life are not of this one. */
	ext->slack = 2L * depot->ncpus * depot->capacity + ext->constructed;
	ext->large = kmalloc_slab_wasteful(type);
	kmalloc_mags_destroy(ext);
	ext->depot = depot;
	if (ext->large)
		return;
	_kmalloc_obj_cache(type);
	for (n = 0; n < depot->ncpus; ++n)
		type->ks_use[n].mgt.cmags = depot->cpu[n];
}

/*
 * An object that this cpu's loaded magazine has not got.  In a critical
 * section, which is left.
 */
static __noinline void *
cobj_get(struct malloc_type *type, int flags)
{
	struct kmalloc_ext *ext = cobj_ext(type);
	struct kmalloc_magcpu *cpu;
	void *obj;

	for (;;) {
		cpu = cobj_cpu(ext);
		if (cpu->loaded->rounds == 0)
			kmalloc_mag_swap(cpu);
		if (cpu->loaded->rounds != 0) {
			obj = cpu->loaded->objects[--cpu->loaded->rounds];
			cobj_out(ext, type, obj, KMALLOC_STATE_IDLE);
			crit_exit();
			return (obj);
		}

		spin_lock(&ext->spin);
		if (!SLIST_EMPTY(&ext->depot->full)) {
			mag_trade(cpu, &ext->depot->full, &ext->depot->empty);
			--ext->depot->nfull;
			spin_unlock(&ext->spin);
			continue;
		}
		if (cobj_below_limit(ext)) {
			++ext->constructed;
			spin_unlock(&ext->spin);
			crit_exit();
			return (cobj_construct(ext, type, flags));
		}
		if (!cpu->exhausted) {
			cpu->exhausted = 1;
			spin_unlock(&ext->spin);
			kprintf("kmalloc_obj %s: exhausted on cpu%d, limit "
			    "%lu\n", type->ks_shortdesc, mycpu->gd_cpuid,
			    ext->limit);
			continue;
		}
		if ((flags & (M_WAITOK | M_NULLOK)) != M_WAITOK) {
			++ext->limit_refusals;
			spin_unlock(&ext->spin);
			crit_exit();
			return (NULL);
		}
		++ext->limit_sleeps;
		++ext->limit_waiting;
		++cpu->waiting;
		ssleep(&ext->depot, &ext->spin, 0, "kmlimit", 0);
		--cpu->waiting;
		--ext->limit_waiting;
		spin_unlock(&ext->spin);
	}
}

void *
_kmalloc_cobj(struct malloc_type *type, int flags)
{
	struct kmalloc_use *use;
	struct kmalloc_magcpu *cpu;
	struct kmalloc_mag *mag;
	void *obj;

	crit_enter();
	use = &type->ks_use[mycpu->gd_cpuid];
	cpu = kmalloc_use_cmags(use);
	if (__predict_false(cpu == NULL || (mag = cpu->loaded)->rounds == 0))
		return (cobj_get(type, flags));
	obj = mag->objects[--mag->rounds];
	kmalloc_state_change(type, obj, KMALLOC_STATE_IDLE, KMALLOC_STATE_OUT);
	kmalloc_use_charge(use, type->ks_objsize);
	crit_exit();
	return (obj);
}

/*
 * An object that this cpu's loaded magazine has no room for, or that somebody
 * waits for, or that is not to be kept.  In a critical section, which is left.
 */
static __noinline void
cobj_put(void *obj, struct malloc_type *type)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);
	struct kmalloc_magcpu *cpu;
	int waiting = 0;

	/* The few objects of a mini slab are for who needs one of them now. */
	if (ext == NULL || ext->depot == NULL ||
	    (!ext->large && kmalloc_slab_is_mini(kmalloc_slab_of(obj)))) {
		crit_exit();
		_kfree_cobj_dtor(obj, type);
		return;
	}
	cpu = cobj_cpu(ext);
	cobj_look(ext, type, cpu->loaded, obj);
	if (kmalloc_mag_full(cpu->loaded))
		kmalloc_mag_swap(cpu);
	if (kmalloc_mag_full(cpu->loaded)) {
		spin_lock(&ext->spin);
		if (SLIST_EMPTY(&ext->depot->empty)) {
			spin_unlock(&ext->spin);
			crit_exit();
			_kfree_cobj_dtor(obj, type);
			return;
		}
		mag_trade(cpu, &ext->depot->empty, &ext->depot->full);
		++ext->depot->nfull;
		waiting = ext->limit_waiting;
		spin_unlock(&ext->spin);
	}
	cobj_look(ext, type, cpu->loaded, obj);
	cobj_back(ext, type, obj, KMALLOC_STATE_IDLE);
	cpu->loaded->objects[cpu->loaded->rounds++] = obj;
	if (waiting || cpu->waiting)
		wakeup(&ext->depot);
	crit_exit();
}

void
_kfree_cobj(void *obj, struct malloc_type *type)
{
	struct kmalloc_slab *slab = kmalloc_slab_of(obj);
	struct kmalloc_use *use;
	struct kmalloc_magcpu *cpu;
	struct kmalloc_mag *mag;

	crit_enter();
	use = &type->ks_use[mycpu->gd_cpuid];
	cpu = kmalloc_use_cmags(use);
	if (__predict_false(cpu == NULL || slab->magic != KMALLOC_XSLAB_MAGIC ||
	    cpu->waiting != 0 || kmalloc_mag_full(mag = cpu->loaded))) {
		cobj_put(obj, type);
		return;
	}
	KASSERT(slab->type == type, ("kfree_cobj: %s: %p is not of this type",
	    type->ks_shortdesc, obj));
	kmalloc_state_change(type, obj, KMALLOC_STATE_OUT, KMALLOC_STATE_IDLE);
	kmalloc_use_discharge(use, type->ks_objsize);
	mag->objects[mag->rounds++] = obj;
	crit_exit();
}

void
_kfree_cobj_dtor(void *obj, struct malloc_type *type)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);

	if (ext == NULL)
		panic("%s: kmalloc_obj_ctor was not called",
		    type->ks_shortdesc);
	crit_enter();
	cobj_back(ext, type, obj, KMALLOC_STATE_FREE);
	crit_exit();
	cobj_discount(ext, type);
	cobj_destroy(ext, type, obj);
}

void
_kmalloc_obj_set_limit(struct malloc_type *type, long limit)
{
	struct kmalloc_ext *ext = cobj_ext(type);
	int waiting;

	spin_lock(&ext->spin);
	ext->limit = limit;
	waiting = ext->limit_waiting;
	spin_unlock(&ext->spin);
	if (waiting)
		wakeup(&ext->depot);
}

/*
 * Destroy an idle object.
 */
static void
cobj_purge(struct kmalloc_ext *ext, struct malloc_type *type, void *obj)
{
	if (!ext->large)
		kmalloc_state_change(type, obj, KMALLOC_STATE_IDLE,
		    KMALLOC_STATE_FREE);
	cobj_discount(ext, type);
	cobj_destroy(ext, type, obj);
}

/*
 * Destroy what a magazine holds that nobody else can see.  Returns how many.
 */
static int
mag_purge(struct kmalloc_ext *ext, struct malloc_type *type,
    struct kmalloc_mag *mag)
{
	int count;

	for (count = 0; mag->rounds > 0; ++count)
		cobj_purge(ext, type, mag->objects[--mag->rounds]);
	return (count);
}

/*
 * Destroy what this cpu's magazines hold, where it is: destructors may block,
 * and others go on using these meanwhile, hence no more than there may have
 * been in the beginning.  Returns how many.
 */
static int
cpu_purge(struct kmalloc_ext *ext, struct malloc_type *type)
{
	struct kmalloc_magcpu *cpu;
	void *obj;
	int count;

	for (count = 0; count < 2 * ext->depot->capacity; ++count) {
		crit_enter();
		cpu = cobj_cpu(ext);
		if (cpu->loaded->rounds == 0)
			kmalloc_mag_swap(cpu);
		obj = NULL;
		if (cpu->loaded->rounds != 0)
			obj = cpu->loaded->objects[--cpu->loaded->rounds];
		crit_exit();
		if (obj == NULL)
			break;
		cobj_purge(ext, type, obj);
	}
	return (count);
}

/*
 * Destroy what the depot has.  Returns how many.
 */
static int
depot_purge(struct kmalloc_ext *ext, struct malloc_type *type)
{
	struct kmalloc_maglist full;
	struct kmalloc_mag *mag;
	int count = 0;

	spin_lock(&ext->spin);
	full = ext->depot->full;
	SLIST_INIT(&ext->depot->full);
	ext->depot->nfull = 0;
	spin_unlock(&ext->spin);
	while ((mag = SLIST_FIRST(&full)) != NULL) {
		SLIST_REMOVE_HEAD(&full, link);
		count += mag_purge(ext, type, mag);
		spin_lock(&ext->spin);
		SLIST_INSERT_HEAD(&ext->depot->empty, mag, link);
		spin_unlock(&ext->spin);
	}
	return (count);
}

int
kmalloc_obj_reclaimlist(struct malloc_type *list[], int ntypes)
{
	struct kmalloc_ext *ext;
	int i, count;

	for (i = 0; i < ntypes; ++i) {
		ext = kmalloc_ext(list[i]);
		if (ext == NULL || ext->depot == NULL)
			continue;
		count = cpu_purge(ext, list[i]);
		count += depot_purge(ext, list[i]);
		if (count != 0)
			return (1);
	}
	return (0);
}

/*
 * Nobody uses the type any more, and it does not matter whose cpu a magazine
 * is.  As with objcache_destroy(), what is out is not looked at.
 */
void
_kmalloc_obj_unctor(struct malloc_type *type)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);
	struct kmalloc_depot *depot;
	struct kmalloc_mag *mag;
	int n;

	if (ext == NULL || ext->depot == NULL)
		return;
	depot_purge(ext, type);
	for (n = 0; n < ext->depot->ncpus; ++n) {
		mag_purge(ext, type, ext->depot->cpu[n]->loaded);
		mag_purge(ext, type, ext->depot->cpu[n]->previous);
	}

	/* Statistics are read under ext->lock. */
	lockmgr(&ext->lock, LK_EXCLUSIVE);
	depot = ext->depot;
	for (n = 0; n < depot->ncpus && !ext->large; ++n)
		type->ks_use[n].mgt.cmags = NULL;
	ext->depot = NULL;
	ext->ctor = NULL;
	ext->dtor = NULL;
	ext->limit = 0;
	lockmgr(&ext->lock, LK_RELEASE);

	for (n = 0; n < depot->ncpus; ++n)
		kmalloc_magcpu_destroy(depot->cpu[n]);
	while ((mag = SLIST_FIRST(&depot->empty)) != NULL) {
		SLIST_REMOVE_HEAD(&depot->empty, link);
		kfree(mag, M_KMALLOC_EXT);
	}
	kfree(depot, M_KMALLOC_EXT);
	if (ext->constructed != 0) {
		kprintf("%s: kmalloc_obj_unctor: %ld objects are out\n",
		    type->ks_shortdesc, ext->constructed);
	}
}
