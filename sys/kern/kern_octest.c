/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What object caches promise, in figures, at boot, when octest=1 is in the
 * kernel environment: how many objects may be out before a caller sleeps or
 * fails, how many a burst constructs, what is given back.  Each figure is
 * printed beside the one that objcache's rules give; if any differs the machine
 * stops with that verdict, after the last.  octest=2 destroys a cache while one
 * of its objects is out.
 *
 * The rules, of a limit L and a nominal number of free objects (half of L, or
 * 128, if none is given): a magazine holds 1/(2 * (ncpus + 1)) of the nominal
 * number and one, at least four, and what makes it end with a cache line; there
 * are two for each cpu and as many as the nominal number fills, rounded up, at
 * least two, in the depot.  L and what the magazines of all cpus hold may be
 * out.  What the magazines of one cpu and of the depot hold stays constructed.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/objcache.h>
#include <sys/thread.h>

#define	OCTEST_MAX	4096		/* objects that may be out */
#define	OCTEST_ROUNDS	1000
#define	OCTEST_BURST	256

/* Limits and nominal numbers, 0: none given. */
#define	ONE_LIMIT	1
#define	FEW_LIMIT	8
#define	MANY_LIMIT	1000
#define	NOM_LIMIT	1000
#define	NOM_CACHE	100
#define	BIG_CACHE	600

static MALLOC_DEFINE(M_OCTEST, "octest", "test of object caches");
static MALLOC_DEFINE(M_OCTEST1, "octest1", "a cache with a limit of one");
static MALLOC_DEFINE(M_OCTEST8, "octest8", "a cache with a small limit");
static MALLOC_DEFINE(M_OCTEST1000, "octest1000", "a cache with a large limit");
static MALLOC_DEFINE(M_OCTESTNOM, "octestnom", "a cache that keeps few");
static MALLOC_DEFINE(M_OCTESTFREE, "octestfree", "a cache without a limit");
static MALLOC_DEFINE(M_OCTESTBIG, "octestbig", "a cache that keeps many");

struct octest_obj {
	u_long		state;
	u_long		payload[8];
};
#define	OCTEST_CONSTRUCTED	0x6f637465UL

/* What has happened to a cache's objects. */
struct octest_count {
	long		ctors;
	long		dtors;
	long		failures;	/* constructions that are to fail */
};

static struct objcache *one_cache;
static struct objcache *few_cache;
static struct objcache *many_cache;
static struct objcache *nom_cache;
static struct objcache *free_cache;
static struct objcache *big_cache;
static struct octest_count one_count, few_count, many_count, nom_count;
static struct octest_count free_count, big_count;

static struct octest_obj **octest_objs;
static struct thread *octest_sleeper;
static struct octest_obj *volatile octest_got;
static int octest_differ;

static int octest;
TUNABLE_INT("octest", &octest);

static void
octest_is(const char *cache, const char *what, long figure, long rule)
{
	if (figure == rule) {
		kprintf("octest: %s: %s: %ld\n", cache, what, figure);
	} else {
		kprintf("octest: %s: %s: %ld, expected %ld\n", cache, what,
		    figure, rule);
		++octest_differ;
	}
}

static int
octest_nominal(int limit, int nominal)
{
	if (nominal == 0)
		nominal = limit / 2;
	if (limit != 0 && nominal > limit)
		nominal = limit;
	return (nominal != 0 ? nominal : 128);
}

static int
octest_magazine(int limit, int nominal)
{
	int line = __VM_CACHELINE_SIZE / sizeof(void *);
	int rounds = octest_nominal(limit, nominal) / (ncpus + 1) / 2 + 1;

	return (roundup(imax(rounds, 4) + 2, line) - 2);
}

/* Objects that may be out. */
static int
octest_most(int limit, int nominal)
{
	return (limit + 2 * ncpus * octest_magazine(limit, nominal));
}

/* Free objects that stay constructed, for a thread that keeps to its cpu. */
static int
octest_kept(int limit, int nominal)
{
	int rounds = octest_magazine(limit, nominal);

	return (rounds * (2 + imax(2,
	    octest_nominal(limit, nominal) / rounds + 1)));
}

static bool
octest_ctor(void *obj, void *privdata, int ocflags)
{
	struct octest_count *count = privdata;
	struct octest_obj *o = obj;

	if (count->failures > 0) {
		--count->failures;
		return (false);
	}
	o->state = OCTEST_CONSTRUCTED;
	++count->ctors;
	return (true);
}

static void
octest_dtor(void *obj, void *privdata)
{
	struct octest_count *count = privdata;
	struct octest_obj *o = obj;

	if (o->state != OCTEST_CONSTRUCTED)
		panic("octest: %p is destroyed, but was not constructed", o);
	o->state = 0;
	++count->dtors;
}

/*
 * Take what is to be had without waiting, beyond the first n.  Returns how many
 * are out then.
 */
static int
octest_take(struct objcache *oc, int n)
{
	while (n < OCTEST_MAX &&
	    (octest_objs[n] = objcache_get(oc, M_NOWAIT)) != NULL) {
		if (octest_objs[n]->state != OCTEST_CONSTRUCTED)
			panic("octest: %p is not constructed", octest_objs[n]);
		++n;
	}
	return (n);
}

static void
octest_put(struct objcache *oc, int n)
{
	while (n > 0)
		objcache_put(oc, octest_objs[--n]);
}

/*
 * A limit holds for who does not wait, as often as he asks, and whether or not
 * he says that he would sleep.  An object that is destroyed or whose
 * constructor fails is one that there is not.
 */
static void
octest_limit(struct objcache *oc, struct octest_count *count, const char *name,
    int limit, int nominal)
{
	int most = octest_most(limit, nominal);
	long dtors;
	int n;

	n = octest_take(oc, 0);
	octest_is(name, "objects before one is refused", n, most);
	octest_is(name, "refused with M_WAITOK and M_NULLOK",
	    objcache_get(oc, M_WAITOK | M_NULLOK) == NULL, 1);
	octest_is(name, "constructed ones then", count->ctors - count->dtors,
	    n);

	dtors = count->dtors;
	objcache_dtor(oc, octest_objs[--n]);
	octest_is(name, "destroyed by objcache_dtor()", count->dtors - dtors,
	    1);
	count->failures = 1;
	octest_is(name, "refused as the constructor fails",
	    objcache_get(oc, M_NOWAIT) == NULL, 1);
	octest_is(name, "had in its place", octest_take(oc, n) - n, 1);
	octest_put(oc, n + 1);

	n = octest_take(oc, 0);
	octest_is(name, "objects the second time", n, most);
	octest_put(oc, n);
}

static void
octest_sleep(struct objcache *oc)
{
	octest_got = objcache_get(oc, M_WAITOK);
	wakeup(&octest_got);
	lwkt_exit();
}

static void
octest_sleep_few(void *dummy)
{
	octest_sleep(few_cache);
}

static void
octest_sleep_many(void *dummy)
{
	octest_sleep(many_cache);
}

/*
 * A thread on that cpu that wants an object when there are none, asleep.
 */
static void
octest_sleeper_start(void (*sleep)(void *), const char *name, int cpu)
{
	octest_got = NULL;
	lwkt_create(sleep, NULL, &octest_sleeper, NULL, TDF_NOSTART,
	    cpu, "octest");
	lwkt_schedule(octest_sleeper);
	while (octest_got == NULL &&
	    (octest_sleeper->td_flags & TDF_TSLEEPQ) == 0)
		lwkt_yield();
	octest_is(name, "asleep at the limit", octest_got == NULL, 1);
}

static struct octest_obj *
octest_sleeper_got(void)
{
	while (octest_got == NULL) {
		tsleep_interlock(&octest_got, 0);
		if (octest_got == NULL)
			tsleep(&octest_got, PINTERLOCKED, "octest", 0);
		else
			tsleep_remove(curthread);
	}
	return (octest_got);
}

/*
 * A sleeper has an object as soon as one is put on his cpu, or the limit is
 * raised; and wherever he is, as soon as fewer are out than the limit says,
 * also if none of what is put has to be destroyed.  Who lowers a limit takes
 * nothing away.
 */
static void
octest_sleepers(void)
{
	int n, destroyed = 0;
	long dtors;

	n = octest_take(few_cache, 0);
	octest_sleeper_start(octest_sleep_few, "octest8", 0);
	objcache_put(few_cache, octest_objs[--n]);
	octest_objs[n++] = octest_sleeper_got();

	octest_sleeper_start(octest_sleep_few, "octest8", 0);
	objcache_set_cluster_limit(few_cache, FEW_LIMIT + 3);
	octest_objs[n++] = octest_sleeper_got();
	n = octest_take(few_cache, n);
	octest_is("octest8", "objects with its limit raised by three", n,
	    octest_most(FEW_LIMIT, 0) + 3);

	objcache_set_cluster_limit(few_cache, FEW_LIMIT);
	do {
		objcache_dtor(few_cache, octest_objs[--n]);
		++destroyed;
		octest_objs[n] = objcache_get(few_cache, M_NOWAIT);
	} while (octest_objs[n] == NULL);
	octest_is("octest8", "destroyed before one can be had, lowered again",
	    destroyed, 3 + 1);
	octest_put(few_cache, n + 1);

	n = octest_take(many_cache, 0);
	octest_sleeper_start(octest_sleep_many, "octest1000", ncpus - 1);
	dtors = many_count.dtors;
	while (n >= MANY_LIMIT)
		objcache_put(many_cache, octest_objs[--n]);
	octest_objs[n++] = octest_sleeper_got();
	octest_is("octest1000", "destroyed meanwhile",
	    many_count.dtors - dtors, 0);
	octest_put(many_cache, n);
}

/*
 * What bursts of a fresh cache construct: the first as many as it takes, each
 * later one what was not kept.
 */
static void
octest_bursts(struct objcache *oc, struct octest_count *count,
    const char *name, int limit, int nominal)
{
	int i, n;

	for (i = 0; i < OCTEST_ROUNDS; ++i) {
		for (n = 0; n < OCTEST_BURST; ++n)
			octest_objs[n] = objcache_get(oc, M_WAITOK);
		octest_put(oc, n);
	}
	octest_is(name, "constructed by 1000 bursts of 256", count->ctors,
	    OCTEST_BURST + (OCTEST_ROUNDS - 1L) *
	    imax(0, OCTEST_BURST - octest_kept(limit, nominal)));
	octest_is(name, "kept", count->ctors - count->dtors,
	    imin(OCTEST_BURST, octest_kept(limit, nominal)));
}

/*
 * Everything idle is given back, the first of the list is asked first, and its
 * limit is as it was.
 */
static void
octest_reclaim(void)
{
	struct objcache *list[] = { nom_cache, big_cache };
	long big_dtors = big_count.dtors;
	long before;
	int n;

	for (;;) {
		before = nom_count.dtors;
		if (!objcache_reclaimlist(list, 2) ||
		    big_count.dtors != big_dtors)
			break;
		octest_is("octestnom", "given back, as said",
		    nom_count.dtors != before, 1);
	}
	octest_is("octestnom", "left when octestbig is asked",
	    nom_count.ctors - nom_count.dtors, 0);
	while (objcache_reclaimlist(list, 2))
		;
	octest_is("octestbig", "left", big_count.ctors - big_count.dtors, 0);
	n = octest_take(nom_cache, 0);
	octest_is("octestnom", "objects then", n,
	    octest_most(NOM_LIMIT, NOM_CACHE));
	octest_put(nom_cache, n);
}

static void
octest_destroyed(const char *name, const struct octest_count *count)
{
	octest_is(name, "left when it is destroyed",
	    count->ctors - count->dtors, 0);
}

static void
octest_create(void)
{
	octest_objs = kmalloc(OCTEST_MAX * sizeof(*octest_objs), M_OCTEST,
	    M_WAITOK);
	one_cache = objcache_create_mbacked(M_OCTEST1,
	    sizeof(struct octest_obj), ONE_LIMIT, 0, octest_ctor, octest_dtor,
	    &one_count);
	few_cache = objcache_create_mbacked(M_OCTEST8,
	    sizeof(struct octest_obj), FEW_LIMIT, 0, octest_ctor, octest_dtor,
	    &few_count);
	many_cache = objcache_create_mbacked(M_OCTEST1000,
	    sizeof(struct octest_obj), MANY_LIMIT, 0, octest_ctor, octest_dtor,
	    &many_count);
	nom_cache = objcache_create_mbacked(M_OCTESTNOM,
	    sizeof(struct octest_obj), NOM_LIMIT, NOM_CACHE, octest_ctor,
	    octest_dtor, &nom_count);
	free_cache = objcache_create_mbacked(M_OCTESTFREE,
	    sizeof(struct octest_obj), 0, 0, octest_ctor, octest_dtor,
	    &free_count);
	big_cache = objcache_create_mbacked(M_OCTESTBIG,
	    sizeof(struct octest_obj), 0, BIG_CACHE, octest_ctor, octest_dtor,
	    &big_count);
}

static void
octest_rules(void)
{
	octest_bursts(many_cache, &many_count, "octest1000", MANY_LIMIT, 0);
	octest_bursts(nom_cache, &nom_count, "octestnom", NOM_LIMIT,
	    NOM_CACHE);
	octest_bursts(free_cache, &free_count, "octestfree", 0, 0);
	octest_bursts(big_cache, &big_count, "octestbig", 0, BIG_CACHE);
	octest_limit(one_cache, &one_count, "octest1", ONE_LIMIT, 0);
	octest_limit(few_cache, &few_count, "octest8", FEW_LIMIT, 0);
	octest_limit(many_cache, &many_count, "octest1000", MANY_LIMIT, 0);
	octest_limit(nom_cache, &nom_count, "octestnom", NOM_LIMIT, NOM_CACHE);
	octest_sleepers();
	octest_reclaim();

	objcache_destroy(one_cache);
	objcache_destroy(few_cache);
	objcache_destroy(many_cache);
	objcache_destroy(nom_cache);
	objcache_destroy(free_cache);
	objcache_destroy(big_cache);
	octest_destroyed("octest1", &one_count);
	octest_destroyed("octest8", &few_count);
	octest_destroyed("octest1000", &many_count);
	octest_destroyed("octestnom", &nom_count);
	octest_destroyed("octestfree", &free_count);
	octest_destroyed("octestbig", &big_count);
	kfree(octest_objs, M_OCTEST);
}

/*
 * The object that is out stays as it is, and is lost.
 */
static void
octest_destroy_used(void)
{
	struct octest_obj *out;

	out = objcache_get(one_cache, M_WAITOK);
	octest_put(one_cache, octest_take(one_cache, 0));
	objcache_destroy(one_cache);
	octest_is("octest1", "left when it is destroyed",
	    one_count.ctors - one_count.dtors, 1);
	octest_is("octest1", "that one is constructed",
	    out->state == OCTEST_CONSTRUCTED, 1);
}

static void
octest_run(void *dummy)
{
	if (octest == 0)
		return;
	octest_create();
	if (octest == 2)
		octest_destroy_used();
	else
		octest_rules();
	if (octest_differ != 0) {
		verdict_fail("octest: %d figures are not those of objcache",
		    octest_differ);
	}
	kprintf("octest: passed\n");
}
SYSINIT(octest, SI_SUB_KTHREAD_VM, SI_ORDER_ANY, octest_run, NULL);
