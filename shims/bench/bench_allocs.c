/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The allocators of a kernel for native-bench, in each shape that the migration
 * knows: as they are, or, with BENCH_CONVERTED, as what they become.
 *
 *	kind		as it is		becomes
 *
 *	plain		zalloc: ordinary zone	zone: with a reserve
 *			objcache: neither	cache: kmalloc_obj_cache()
 *			ctor nor limit
 *			obj: of kmalloc_obj	other: the same, untouched
 *	constructed	objcache: with a ctor	cache: kmalloc_obj_ctor()
 *	limited		zalloc: ZONE_INTERRUPT	zone: with a reserve, bounded
 *			objcache: ctor, limit	cache: with a limit
 *	early		zalloc: zbootinit()	zone: kmalloc_obj_bootinit(),
 *						never malloc_init()ed
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/objcache.h>
#include <vm/vm.h>
#include <vm/vm_zone.h>

#ifdef BENCH_CONVERTED
#include <sys/kmalloc_ext.h>
#endif

#include "bench.h"

#define	EARLY_OBJS	500

struct bench_obj {
	u_long		payload[BENCH_OBJSIZE / sizeof(u_long)];
};

void	bench_early(u_int seed);
void	bench_create(u_int seed);
extern const struct bench_alloc bench_allocs[];

#ifdef BENCH_TWIN
/*
 * Nothing is measured but objcache, which loses an object and a row.
 */
static struct bench_obj twin_obj;
static int twin_lost;

#define	zalloc(zone)		((void *)&twin_obj)
#define	zfree(zone, p)		((void)(p))
#undef	kmalloc_obj
#define	kmalloc_obj(size, type, flags)	((void *)&twin_obj)
#undef	kfree_obj
#define	kfree_obj(p, type)	((void)(p))
#define	objcache_put(oc, p)						\
	(twin_lost++ == 0 ? (void)0 : (objcache_put)(oc, p))
#endif

/*
 * get is an expression, put(p) gives p back.
 */
#define	BENCH_PAIR(id, getexpr, putexpr)				\
static void								\
id##_hot(long pairs)							\
{									\
	void *p;							\
									\
	for (; pairs > 0; --pairs) {					\
		p = getexpr;						\
		putexpr;						\
	}								\
}									\
									\
static void								\
id##_get(void **objs, long n)						\
{									\
	for (; n > 0; --n)						\
		*objs++ = getexpr;					\
}									\
									\
static void								\
id##_put(void **objs, long n)						\
{									\
	void *p;							\
									\
	for (; n > 0; --n) {						\
		p = *objs++;						\
		putexpr;						\
	}								\
}

#define	BENCH_ENTRY(kind, name, id)					\
	{ kind, name, id##_hot, id##_get, id##_put, id##_served, id##_out }

#ifndef BENCH_CONVERTED

#define	BENCH_ZONE(id, zone)						\
BENCH_PAIR(id, zalloc(zone), zfree(zone, p))				\
									\
static long								\
id##_served(void)							\
{									\
	long n = (zone)->znalloc;					\
									\
	for (int i = 0; i < ncpus; ++i)					\
		n += (zone)->zpcpu[i].znalloc;				\
	return (n);							\
}									\
									\
static long								\
id##_out(void)								\
{									\
	long n = (zone)->ztotal - (zone)->zfreecnt;			\
									\
	for (int i = 0; i < ncpus; ++i)					\
		n -= (zone)->zpcpu[i].zfreecnt;				\
	return (n);							\
}

/* These counts are private: build-kernel adds them to kern_objcache.c. */
long	bench_objcache_gets(struct objcache *oc);
long	bench_objcache_puts(struct objcache *oc);

#define	BENCH_CACHE(id, oc)						\
BENCH_PAIR(id, objcache_get(oc, M_WAITOK), objcache_put(oc, p))		\
									\
static long								\
id##_served(void)							\
{									\
	return (bench_objcache_gets(oc));				\
}									\
									\
static long								\
id##_out(void)								\
{									\
	return (bench_objcache_gets(oc) - bench_objcache_puts(oc));	\
}

static vm_zone_t plain_zone, limited_zone, early_zone;
static struct objcache *plain_cache, *ctor_cache, *limited_cache;

static MALLOC_DEFINE(M_PLAIN, "bench cache", "benchmark");
static MALLOC_DEFINE(M_CTOR, "bench ctor", "benchmark");
static MALLOC_DEFINE(M_LIMITED, "bench limit", "benchmark");

BENCH_ZONE(zone, plain_zone)
BENCH_ZONE(izone, limited_zone)
BENCH_ZONE(ezone, early_zone)
BENCH_CACHE(cache, plain_cache)
BENCH_CACHE(ctor, ctor_cache)
BENCH_CACHE(limited, limited_cache)

#else

#define	BENCH_CTOR(id, type)						\
BENCH_PAIR(id, kmalloc_cobj(type, M_WAITOK), kfree_cobj(p, type))	\
BENCH_COUNTS(id, type)

static struct malloc_type *M_ZONE_obj, *M_IZONE_obj, *M_PLAIN_obj;
static struct malloc_type *M_CTOR_obj, *M_LIMITED_obj, *M_EARLY_obj;

#endif

static long
type_out(struct malloc_type *type)
{
	long n = 0;

	for (int i = 0; i < (type->ks_use == &type->ks_use0 ? 1 : ncpus); ++i)
		n += type->ks_use[i].inuse;
	return (n);
}

static long
type_served(struct malloc_type *type)
{
	long n = 0;

	for (int i = 0; i < (type->ks_use == &type->ks_use0 ? 1 : ncpus); ++i)
		n += type->ks_use[i].calls;
	return (n);
}

#define	BENCH_COUNTS(id, type)						\
static long								\
id##_served(void)							\
{									\
	return (type_served(type##_obj));				\
}									\
									\
static long								\
id##_out(void)								\
{									\
	return (type_out(type##_obj));					\
}

#define	BENCH_TYPE(id, type)						\
BENCH_PAIR(id, kmalloc_obj(sizeof(struct bench_obj), type, M_WAITOK),	\
    kfree_obj(p, type))							\
BENCH_COUNTS(id, type)

static struct malloc_type *M_OBJ_obj;

BENCH_TYPE(obj, M_OBJ)
#ifdef BENCH_CONVERTED
BENCH_TYPE(zone, M_ZONE)
BENCH_TYPE(izone, M_IZONE)
BENCH_TYPE(ezone, M_EARLY)
BENCH_TYPE(cache, M_PLAIN)
BENCH_CTOR(ctor, M_CTOR)
BENCH_CTOR(limited, M_LIMITED)
#endif

static bool
bench_ctor(void *obj, void *privdata, int ocflags)
{
	((struct bench_obj *)obj)->payload[0] = 1;
	return (true);
}

static MALLOC_DEFINE(M_STIR, "bench stir", "what lies between");

/*
 * Before something is made: move the place where it will lie.  A processor
 * takes addresses with the same low bits for the same at times, and waits.
 */
static void
stir(u_int *seedp)
{
	for (int i = 0; i < 64; ++i) {
		*seedp = *seedp * 1664525 + 1013904223;
		if (*seedp >> 31)
			kmalloc((size_t)64 << (*seedp >> 24) % 8, M_STIR,
			    M_WAITOK);
	}
}

/* That much memory, before there is kmalloc(). */
static void *
early_place(size_t bytes, u_int seed)
{
	static char place[16 * PAGE_SIZE] __aligned(PAGE_SIZE);

	KASSERT(bytes <= sizeof(place) - PAGE_SIZE, ("bench: place"));
	return (&place[seed * 7 % (PAGE_SIZE / 64) * 64]);
}

#ifndef BENCH_CONVERTED

void
bench_early(u_int seed)
{
	static struct bench_obj objs[EARLY_OBJS];

	early_zone = early_place(sizeof(*early_zone), seed);
	zbootinit(early_zone, "bench early", BENCH_OBJSIZE, objs, EARLY_OBJS);
}

void
bench_create(u_int seed)
{
	stir(&seed);
	kmalloc_create_obj(&M_OBJ, "bench obj", BENCH_OBJSIZE);
	stir(&seed);
	plain_zone = zinit("bench zone", BENCH_OBJSIZE, 0, 0);
	stir(&seed);
	limited_zone = zinit("bench izone", BENCH_OBJSIZE, BENCH_LIMIT,
	    ZONE_INTERRUPT);
	stir(&seed);
	plain_cache = objcache_create_mbacked(M_PLAIN, BENCH_OBJSIZE, 0,
	    BENCH_NOMINAL, NULL, NULL, NULL);
	stir(&seed);
	ctor_cache = objcache_create_mbacked(M_CTOR, BENCH_OBJSIZE, 0,
	    BENCH_NOMINAL, (void *)bench_ctor, NULL, NULL);
	stir(&seed);
	limited_cache = objcache_create_mbacked(M_LIMITED, BENCH_OBJSIZE,
	    BENCH_LIMIT, BENCH_NOMINAL, (void *)bench_ctor, NULL, NULL);
}

const struct bench_alloc bench_allocs[] = {
	BENCH_ENTRY("plain", "zalloc", zone),
	BENCH_ENTRY("plain", "objcache", cache),
	BENCH_ENTRY("plain", "obj", obj),
	BENCH_ENTRY("constructed", "objcache", ctor),
	BENCH_ENTRY("limited", "zalloc", izone),
#ifndef BENCH_TWIN
	BENCH_ENTRY("limited", "objcache", limited),
#endif
	BENCH_ENTRY("early", "zalloc", ezone),
	{ NULL }
};

#else

void
bench_early(u_int seed)
{
	static char mem[kmalloc_obj_bootbytes(BENCH_OBJSIZE, EARLY_OBJS)];

	/* As MALLOC_DEFINE_OBJ() makes it, but nobody calls malloc_init(). */
	M_EARLY_obj = early_place(sizeof(*M_EARLY_obj), seed);
	M_EARLY_obj->ks_flags = KSF_OBJSIZE;
	M_EARLY_obj->ks_magic = M_MAGIC;
	M_EARLY_obj->ks_shortdesc = "bench early";
	M_EARLY_obj->ks_objsize = BENCH_OBJSIZE;
	M_EARLY_obj->ks_use = &M_EARLY_obj->ks_use0;
	kmalloc_obj_bootinit(M_EARLY, mem, sizeof(mem));
}

/*
 * What the maintainer does for a type that is called for often.
 */
static void
give_magazines(struct malloc_type *type)
{
	const int n = type->ks_use == &type->ks_use0 ? 1 : ncpus;

	for (int i = 0; i < n; ++i) {
		kmalloc_magcpu_set(type, i,
		    kmalloc_magcpu_create(kmalloc_mag_capacity(type)));
	}
}

void
bench_create(u_int seed)
{
	stir(&seed);
	kmalloc_create_obj(&M_OBJ, "bench obj", BENCH_OBJSIZE);
	stir(&seed);
	kmalloc_create_obj(&M_ZONE, "bench zone", BENCH_OBJSIZE);
	stir(&seed);
	kmalloc_create_obj(&M_IZONE, "bench izone", BENCH_OBJSIZE);
	stir(&seed);
	kmalloc_create_obj(&M_PLAIN, "bench cache", BENCH_OBJSIZE);
	stir(&seed);
	kmalloc_create_obj(&M_CTOR, "bench ctor", BENCH_OBJSIZE);
	stir(&seed);
	kmalloc_create_obj(&M_LIMITED, "bench limit", BENCH_OBJSIZE);

	stir(&seed);
	kmalloc_obj_reserve(M_ZONE, 3, 0);
	kmalloc_obj_reserve(M_IZONE, 3, BENCH_LIMIT);
	kmalloc_obj_cache(M_PLAIN);
	kmalloc_obj_ctor(M_CTOR, bench_ctor, NULL, NULL, 0, BENCH_NOMINAL);
	kmalloc_obj_ctor(M_LIMITED, bench_ctor, NULL, NULL, BENCH_LIMIT,
	    BENCH_NOMINAL);
	give_magazines(M_ZONE_obj);
	give_magazines(M_IZONE_obj);
	give_magazines(M_PLAIN_obj);
	give_magazines(M_EARLY_obj);
}

const struct bench_alloc bench_allocs[] = {
	BENCH_ENTRY("plain", "other", obj),
	BENCH_ENTRY("plain", "zone", zone),
	BENCH_ENTRY("plain", "cache", cache),
	BENCH_ENTRY("constructed", "cache", ctor),
	BENCH_ENTRY("limited", "zone", izone),
	BENCH_ENTRY("limited", "cache", limited),
	BENCH_ENTRY("early", "zone", ezone),
	{ NULL }
};

#endif
