/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Copyright (c) 2026 The kmobj authors.
 */

/*
 * Magazines: kmalloc_obj() and kfree_obj() of a type with a control block.
 *
 * Nobody shall pay for having been moved from zalloc or objcache.  Both had, in
 * front of what they shared, something of each cpu's own; so has this.  A cpu
 * has two magazines of objects, touched by nobody else, in a critical section:
 * to get an object or to put one takes no lock, no atomic operation and no
 * division.  It gets from and puts to the loaded one and swaps the two when
 * that cannot go on; if neither can, it fills one from the slabs, with what is
 * free in the first of them, or empties one into the slabs, whole, under
 * ext->spin.  So calls which get and put in turn do not go to the slabs at all,
 * and a long run of either does once for each magazine that it fills or
 * empties, or for each slab, if that has fewer free objects.
 *
 * Who has magazines
 *
 *	The grower makes them for a cpu that has called for the type often
 *	enough to be worth it; nobody who allocates is held up by it.  So a
 *	type with a few dozen objects, or a cpu that hardly uses one, has none,
 *	and before there is a grower nobody has.  Constructed types have
 *	theirs from the beginning (kern_kmalloc_ctor.c).
 *
 * What they hold is out of reach of other cpus
 *
 *	It is bounded: a type that was an interrupt zone has slots for it.  An
 *	object of a mini slab never gets there (kern_kmalloc_slab.c).  When
 *	memory is needed the maintainer goes from cpu to cpu and empties them,
 *	since only who runs on a cpu may touch its magazines; when the type is
 *	destroyed nobody uses it, and who destroys it may touch all.
 *
 * vmstat -m shows what callers hold, and not what magazines do.
 *
 * The layer is that of Bonwick and Adams, Magazines and Vmem (USENIX 2001),
 * without their depot: the slabs are as good.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/spinlock.h>
#include <sys/thread.h>
#include <sys/kmalloc_ext.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>

#define	MAG_BYTES	16384	/* of objects in a magazine, about */
#define	MAG_ROUNDS_MIN	4
#define	MAG_ROUNDS_MAX	64
#define	MAG_WANTED	64	/* so many calls of a cpu are worth one */

int
kmalloc_mag_capacity(const struct malloc_type *type)
{
	return (lmax(lmin(MAG_BYTES / type->ks_objsize, MAG_ROUNDS_MAX),
	    MAG_ROUNDS_MIN));
}

struct kmalloc_mag *
kmalloc_mag_create(int capacity)
{
	struct kmalloc_mag *mag;

	mag = kmalloc(__offsetof(struct kmalloc_mag, objects[capacity]),
	    M_KMALLOC_EXT, M_INTWAIT | M_ZERO | M_CACHEALIGN);
	mag->capacity = capacity;
	return (mag);
}

struct kmalloc_magcpu *
kmalloc_magcpu_create(int capacity)
{
	struct kmalloc_magcpu *cpu;

	cpu = kmalloc(sizeof(*cpu), M_KMALLOC_EXT,
	    M_INTWAIT | M_ZERO | M_CACHEALIGN);
	cpu->loaded = kmalloc_mag_create(capacity);
	cpu->previous = kmalloc_mag_create(capacity);
	return (cpu);
}

void
kmalloc_magcpu_destroy(struct kmalloc_magcpu *cpu)
{
	kfree(cpu->loaded, M_KMALLOC_EXT);
	kfree(cpu->previous, M_KMALLOC_EXT);
	kfree(cpu, M_KMALLOC_EXT);
}

/*
 * The cpu may be looking: it sees them complete, or none.  The swap orders the
 * stores before it.
 */
void
kmalloc_magcpu_set(struct malloc_type *type, int n, struct kmalloc_magcpu *cpu)
{
	atomic_swap_ptr((volatile void **)&type->ks_use[n].mgt.mags, cpu);
}

#ifdef INVARIANTS
void
kmalloc_state_wrong(const struct malloc_type *type, const void *obj)
{
	const struct kmalloc_slab *slab = kmalloc_slab_of(obj);

	if (slab->type != type)
		panic("kmalloc_obj: %p is of type %s, not %s", obj,
		    slab->type != NULL ? slab->type->ks_shortdesc : "(none)",
		    type->ks_shortdesc);
	if ((((uintptr_t)obj & KMALLOC_SLAB_MASK) - slab->offset) %
	    slab->objsize != 0)
		panic("kmalloc_obj: %s: %p is not the start of an object",
		    type->ks_shortdesc, obj);
	panic("kmalloc_obj: %s: %p is %s", type->ks_shortdesc, obj,
	    *kmalloc_state(obj) == KMALLOC_STATE_OUT ? "out already" :
	    *kmalloc_state(obj) == KMALLOC_STATE_IDLE ? "idle already" :
	    "free already");
}
#endif

static __inline struct kmalloc_use *
type_use(struct malloc_type *type)
{
	KASSERT(IN_CRITICAL_SECT(curthread),
	    ("%s: magazines outside a critical section", type->ks_shortdesc));
	return (&type->ks_use[mycpu->gd_cpuid]);
}

/*
 * One of many calls that found no magazine.  Critical section.
 */
static void
mags_missed(struct kmalloc_ext *ext, const struct kmalloc_use *use)
{
	if (use->calls % MAG_WANTED != 0)
		return;
	spin_lock(&ext->spin);
	ext->wantmags = 1;
	spin_unlock(&ext->spin);
	kmalloc_ext_poke();
}

void *
kmalloc_mag_get(struct malloc_type *type, int flags)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);
	struct kmalloc_magcpu *cpu = kmalloc_use_mags(type_use(type));
	struct kmalloc_mag *mag;
	void *obj = NULL;

	KASSERT(ext->depot == NULL, ("kmalloc_obj: %s is a constructed type",
	    type->ks_shortdesc));
	if (cpu != NULL) {
		kmalloc_mag_swap(cpu);
		mag = cpu->loaded;
		if (mag->rounds == 0) {
			spin_lock(&ext->spin);
			mag->rounds = kmalloc_slabs_take(&ext->whole,
			    mag->objects, mag->capacity);
			spin_unlock(&ext->spin);
		}
		if (mag->rounds != 0)
			obj = mag->objects[--mag->rounds];
	}
	crit_exit();
	if (obj == NULL && (obj = kmalloc_ext_get(ext, type, flags)) == NULL)
		return (NULL);

	crit_enter();
	kmalloc_state_change(type, obj, KMALLOC_STATE_FREE, KMALLOC_STATE_OUT);
	kmalloc_use_charge(type_use(type), type->ks_objsize);
	if (cpu == NULL)
		mags_missed(ext, type_use(type));
	crit_exit();
	if (flags & M_ZERO)
		bzero(obj, type->ks_objsize);
	return (obj);
}

/*
 * Memory that is in no slab.
 */
static void
foreign_put(void *obj, struct malloc_type *type)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);

	if (ext == NULL || !ext->booted)
		panic("kfree_obj: %s: %p is not of kmalloc_obj",
		    type->ks_shortdesc, obj);
	spin_lock(&ext->spin);
	++ext->foreign;
	spin_unlock(&ext->spin);
}

/*
 * An object that the loaded magazine has no room for, or that does not go into
 * one.  In a critical section, which is left.
 */
static __noinline void
mag_put(void *obj, struct malloc_type *type)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);
	struct kmalloc_slab *slab = kmalloc_slab_of(obj);
	struct kmalloc_use *use = type_use(type);
	struct kmalloc_magcpu *cpu = kmalloc_use_mags(use);
	struct kmalloc_mag *mag;

	if (slab->magic != KMALLOC_XSLAB_MAGIC &&
	    slab->magic != KMALLOC_XMINI_MAGIC) {
		foreign_put(obj, type);
		crit_exit();
		return;
	}
	if (slab->type != type || ext == NULL)
		panic("kfree_obj: %p is of type %s, not %s", obj,
		    slab->type->ks_shortdesc, type->ks_shortdesc);

	kmalloc_state_change(type, obj, KMALLOC_STATE_OUT, KMALLOC_STATE_FREE);
	kmalloc_use_discharge(use, type->ks_objsize);
	if (cpu == NULL || kmalloc_slab_is_mini(slab)) {
		spin_lock(&ext->spin);
		kmalloc_slabs_give(ext, &obj, 1);
		spin_unlock(&ext->spin);
	} else {
		kmalloc_mag_swap(cpu);
		mag = cpu->loaded;
		if (kmalloc_mag_full(mag)) {
			spin_lock(&ext->spin);
			kmalloc_slabs_give(ext, mag->objects, mag->rounds);
			spin_unlock(&ext->spin);
			mag->rounds = 0;
		}
		mag->objects[mag->rounds++] = obj;
	}
	crit_exit();
}

void
kmalloc_obj_put(void *obj, struct malloc_type *type)
{
	struct kmalloc_slab *slab = kmalloc_slab_of(obj);
	struct kmalloc_use *use;
	struct kmalloc_magcpu *cpu;
	struct kmalloc_mag *mag;

	crit_enter();
	use = &type->ks_use[mycpu->gd_cpuid];
	cpu = kmalloc_use_mags(use);
	if (__predict_false(cpu == NULL || slab->magic != KMALLOC_XSLAB_MAGIC ||
	    kmalloc_mag_full(mag = cpu->loaded))) {
		mag_put(obj, type);
		return;
	}
	KASSERT(slab->type == type, ("kfree_obj: %p is of type %s, not %s",
	    obj, slab->type->ks_shortdesc, type->ks_shortdesc));
	kmalloc_state_change(type, obj, KMALLOC_STATE_OUT, KMALLOC_STATE_FREE);
	kmalloc_use_discharge(use, type->ks_objsize);
	mag->objects[mag->rounds++] = obj;
	crit_exit();
}

/*
 * A cpu that calls for ext's type often and has no magazines, or -1.  ext->lock
 * is held.
 */
static int
cpu_without_mags(struct kmalloc_ext *ext)
{
	struct kmalloc_use *use;
	int n;

	for (n = 0; ext->type != NULL && !ext->dying && ext->depot == NULL &&
	    n < ncpus; ++n) {
		use = &ext->type->ks_use[n];
		if (kmalloc_use_mags(use) == NULL &&
		    *(volatile int64_t *)&use->calls >= MAG_WANTED)
			return (n);
	}
	return (-1);
}

void
kmalloc_mags_wanted(struct kmalloc_ext *ext)
{
	struct kmalloc_magcpu *cpu;
	int capacity, n, wanted;

	/* Before a look, so that who asks during it is seen by the next. */
	spin_lock(&ext->spin);
	wanted = ext->wantmags;
	ext->wantmags = 0;
	spin_unlock(&ext->spin);
	while (wanted) {
		lockmgr(&ext->lock, LK_EXCLUSIVE);
		n = cpu_without_mags(ext);
		capacity = n >= 0 ? kmalloc_mag_capacity(ext->type) : 0;
		lockmgr(&ext->lock, LK_RELEASE);
		if (n < 0)
			return;

		cpu = kmalloc_magcpu_create(capacity);
		lockmgr(&ext->lock, LK_EXCLUSIVE);
		if (cpu_without_mags(ext) == n &&
		    kmalloc_mag_capacity(ext->type) == capacity) {
			kmalloc_magcpu_set(ext->type, n, cpu);
			cpu = NULL;
		}
		lockmgr(&ext->lock, LK_RELEASE);
		if (cpu != NULL)
			kmalloc_magcpu_destroy(cpu);
	}
}

/*
 * Nobody else touches them.
 */
static void
magcpu_empty(struct kmalloc_ext *ext, struct kmalloc_magcpu *cpu)
{
	spin_lock(&ext->spin);
	kmalloc_slabs_give(ext, cpu->loaded->objects, cpu->loaded->rounds);
	kmalloc_slabs_give(ext, cpu->previous->objects, cpu->previous->rounds);
	spin_unlock(&ext->spin);
	cpu->loaded->rounds = 0;
	cpu->previous->rounds = 0;
}

void
kmalloc_mags_drain(struct kmalloc_ext *ext)
{
	struct kmalloc_magcpu *cpu;

	crit_enter();
	cpu = kmalloc_use_mags(type_use(ext->type));
	if (cpu != NULL)
		magcpu_empty(ext, cpu);
	crit_exit();
}

void
kmalloc_mags_destroy(struct kmalloc_ext *ext)
{
	struct kmalloc_magcpu *cpu;
	int n;

	for (n = 0; n < ncpus; ++n) {
		cpu = kmalloc_use_mags(&ext->type->ks_use[n]);
		if (cpu == NULL)
			continue;
		kmalloc_magcpu_set(ext->type, n, NULL);
		magcpu_empty(ext, cpu);
		kmalloc_magcpu_destroy(cpu);
	}
}
