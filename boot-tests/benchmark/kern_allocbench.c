/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an allocation and its free cost, in instructions.
 *
 * boot-tests/bench adds this file to a kernel tree and converts that like any
 * other, so that baseline and converted kernel run the same source.  Under QEMU's
 * -icount the time stamp counter counts instructions.
 *
 *	hot	one object, got and given back over and over
 *	stack	ALLOCBENCH_OBJS objects got, then given back: slabs, magazines
 *		and lists turn over
 *
 * The least of ALLOCBENCH_ROUNDS rounds counts; interrupts are off during a
 * round, after a first one has brought what there is to bring.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/objcache.h>

#include <machine/cpufunc.h>

#include <vm/vm.h>
#include <vm/vm_zone.h>

#define	ALLOCBENCH_PAIRS	10000
#define	ALLOCBENCH_OBJS		4000
#define	ALLOCBENCH_ROUNDS	5

struct bench_obj {
	u_long		payload[32];
};

static MALLOC_DEFINE(M_BENCH, "bench", "benchmark's pointers");
static MALLOC_DEFINE(M_BENCHSIMPLE, "bench simple", "benchmark's cache");
static MALLOC_DEFINE(M_BENCHCTOR, "bench ctor", "benchmark's cache");
static MALLOC_DEFINE_OBJ(M_BENCHOBJ, sizeof(struct bench_obj), "bench obj",
    "benchmark of kmalloc_obj");

static vm_zone_t bench_zone;
static struct objcache *bench_simple;
static struct objcache *bench_cache;
static void **bench_objs;

static bool
bench_ctor(void *obj, void *privdata, int ocflags)
{
	struct bench_obj *bo = obj;

	bo->payload[0] = 1;
	return (true);
}

/*
 * get is an expression, put(p) gives p back.
 */
#define	ALLOCBENCH(name, get, put) do {					\
	uint64_t hot = ~(uint64_t)0, stack = ~(uint64_t)0, t;		\
	void *p;							\
	int round, n;							\
									\
	for (round = 0; round <= ALLOCBENCH_ROUNDS; ++round) {		\
		if (round != 0)						\
			cpu_disable_intr();				\
		t = rdtsc();						\
		for (n = 0; n < ALLOCBENCH_PAIRS; ++n) {		\
			p = get;					\
			put;						\
		}							\
		t = rdtsc() - t;					\
		if (round != 0)						\
			hot = MIN(hot, t);				\
		t = rdtsc();						\
		for (n = 0; n < ALLOCBENCH_OBJS; ++n)			\
			bench_objs[n] = get;				\
		for (n = 0; n < ALLOCBENCH_OBJS; ++n) {			\
			p = bench_objs[n];				\
			put;						\
		}							\
		t = rdtsc() - t;					\
		if (round != 0) {					\
			stack = MIN(stack, t);				\
			cpu_enable_intr();				\
		}							\
	}								\
	kprintf("bench: %s hot %lu stack %lu\n", name,			\
	    hot / ALLOCBENCH_PAIRS, stack / ALLOCBENCH_OBJS);		\
} while (0)

static void
allocbench_zone(void)
{
	bench_zone = zinit("BENCH ZONE", sizeof(struct bench_obj),
	    2 * ALLOCBENCH_OBJS, ZONE_INTERRUPT);
	ALLOCBENCH("zone", zalloc(bench_zone), zfree(bench_zone, p));
}

static void
allocbench_obj(void)
{
	ALLOCBENCH("obj", kmalloc_obj(sizeof(struct bench_obj), M_BENCHOBJ,
	    M_WAITOK), kfree_obj(p, M_BENCHOBJ));
}

static void
allocbench_simple(void)
{
	bench_simple = objcache_create_simple(M_BENCHSIMPLE,
	    sizeof(struct bench_obj));
	ALLOCBENCH("cache", objcache_get(bench_simple, M_WAITOK),
	    objcache_put(bench_simple, p));
}

static void
allocbench_ctor(void)
{
	bench_cache = objcache_create_mbacked(M_BENCHCTOR,
	    sizeof(struct bench_obj), 0, 0, bench_ctor, NULL, NULL);
	ALLOCBENCH("cache-ctor", objcache_get(bench_cache, M_WAITOK),
	    objcache_put(bench_cache, p));
}

static void
allocbench_run(void *dummy)
{
	bench_objs = kmalloc(ALLOCBENCH_OBJS * sizeof(*bench_objs), M_BENCH,
	    M_WAITOK);
	allocbench_zone();
	allocbench_simple();
	allocbench_ctor();
	allocbench_obj();
	kfree(bench_objs, M_BENCH);
}
SYSINIT(allocbench, SI_SUB_KTHREAD_VM, SI_ORDER_ANY, allocbench_run, NULL);
