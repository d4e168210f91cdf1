/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an allocation and its free cost, in instructions.
 *
 * boot-tests/bench adds this file to a kernel tree and converts that like any
 * other, so that baseline and converted kernel run the same source.  Under
 * QEMU's -icount the time stamp counter counts instructions.
 *
 *	hot	one object, got and given back over and over
 *	stack	ALLOCBENCH_OBJS objects got, then given back: slabs, magazines
 *		and lists turn over
 *
 *	cpus	as stack, on n processors at once, for each n there is
 *
 * The least of ALLOCBENCH_ROUNDS rounds counts; interrupts are off during a
 * round, after a first one has brought what there is to bring, but not on
 * several processors, which wait for each other.  Instructions are counted of
 * all processors together; one that is idle executes none.
 *
 * kern.bench_busy is the instructions executed since boot: idle time passes
 * without any, but the counter goes on.  bench has lwkt_note_idle() call
 * allocbench_idle().
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/malloc.h>
#include <sys/objcache.h>
#include <sys/sysctl.h>
#include <sys/thread.h>
#include <sys/globaldata.h>

#include <sys/thread2.h>

#include <machine/cpufunc.h>

#include <vm/vm.h>
#include <vm/vm_zone.h>

#define	ALLOCBENCH_PAIRS	10000
#define	ALLOCBENCH_OBJS		4000
#define	ALLOCBENCH_ROUNDS	5
#define	ALLOCBENCH_CPUOBJS	(ALLOCBENCH_OBJS / 8)
#define	ALLOCBENCH_CPUROUNDS	20

void	allocbench_idle(int was, int is);

struct bench_obj {
	u_long		payload[32];
};

static MALLOC_DEFINE(M_BENCH, "bench", "benchmark's pointers");
static MALLOC_DEFINE(M_BENCHSIMPLE, "bench simple", "benchmark's cache");
static MALLOC_DEFINE(M_BENCHCTOR, "bench ctor", "benchmark's cache");
static MALLOC_DEFINE(M_BENCHLIMIT, "bench limit", "benchmark's cache");
static MALLOC_DEFINE_OBJ(M_BENCHOBJ, sizeof(struct bench_obj), "bench obj",
    "benchmark of kmalloc_obj");

static vm_zone_t bench_zone;
static struct objcache *bench_simple;
static struct objcache *bench_cache;
static struct objcache *bench_limited;
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

/*
 * One processor's part.
 */
#define	ALLOCBENCH_CPU(func, get, put)					\
static void								\
func(void **objs)							\
{									\
	void *p;							\
	int round, n;							\
									\
	for (round = 0; round < ALLOCBENCH_CPUROUNDS; ++round) {	\
		for (n = 0; n < ALLOCBENCH_CPUOBJS; ++n)		\
			objs[n] = get;					\
		for (n = 0; n < ALLOCBENCH_CPUOBJS; ++n) {		\
			p = objs[n];					\
			put;						\
		}							\
	}								\
}

ALLOCBENCH_CPU(cpu_zone, zalloc(bench_zone), zfree(bench_zone, p))
ALLOCBENCH_CPU(cpu_obj, kmalloc_obj(sizeof(struct bench_obj), M_BENCHOBJ,
    M_WAITOK), kfree_obj(p, M_BENCHOBJ))
ALLOCBENCH_CPU(cpu_simple, objcache_get(bench_simple, M_WAITOK),
    objcache_put(bench_simple, p))
ALLOCBENCH_CPU(cpu_ctor, objcache_get(bench_cache, M_WAITOK),
    objcache_put(bench_cache, p))
ALLOCBENCH_CPU(cpu_limit, objcache_get(bench_limited, M_WAITOK),
    objcache_put(bench_limited, p))

static void (*bench_func)(void **);
static volatile u_int bench_want, bench_ready, bench_done;
static volatile uint64_t bench_start, bench_end;

static void
allocbench_thread(void *arg)
{
	int cpu = (intptr_t)arg;

	if (atomic_fetchadd_int(&bench_ready, 1) + 1 == bench_want)
		bench_start = rdtsc();
	while (bench_start == 0)
		cpu_pause();
	bench_func(bench_objs + cpu * ALLOCBENCH_CPUOBJS);
	if (atomic_fetchadd_int(&bench_done, 1) + 1 == bench_want) {
		bench_end = rdtsc();
		wakeup((void *)(uintptr_t)&bench_done);
	}
	kthread_exit();
}

static void
allocbench_cpus(const char *name, void (*func)(void **))
{
	int cpu, n;

	bench_func = func;
	for (n = 1; n <= ncpus; ++n) {
		bench_want = n;
		bench_ready = bench_done = 0;
		bench_start = 0;
		/* The last one is more urgent than we are, on our processor. */
		for (cpu = n - 1; cpu >= 0; --cpu)
			lwkt_create(allocbench_thread, (void *)(intptr_t)cpu,
			    NULL, NULL, 0, cpu, "bench%d", cpu);
		while (bench_done != n) {
			tsleep_interlock((void *)(uintptr_t)&bench_done, 0);
			if (bench_done == n)
				tsleep_remove(curthread);
			else
				tsleep((void *)(uintptr_t)&bench_done,
				    PINTERLOCKED, "bench", 0);
		}
		kprintf("bench: %s cpus %d %lu\n", name, n,
		    (bench_end - bench_start) / n / ALLOCBENCH_CPUOBJS /
		    ALLOCBENCH_CPUROUNDS);
	}
}

static u_long bench_idle;
static uint64_t bench_since;

/*
 * The idle thread was, or is, the one that runs.  With several processors this
 * would be the times when all are idle; nobody asks for those.
 */
void
allocbench_idle(int was, int is)
{
	if (is)
		bench_since = rdtsc();
	else if (was)
		bench_idle += rdtsc() - bench_since;
}

static int
sysctl_bench_busy(SYSCTL_HANDLER_ARGS)
{
	long busy = rdtsc() - bench_idle;

	return (sysctl_handle_long(oidp, &busy, 0, req));
}
SYSCTL_PROC(_kern, OID_AUTO, bench_busy, CTLTYPE_LONG | CTLFLAG_RD, NULL, 0,
    sysctl_bench_busy, "L", "instructions executed");

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
allocbench_limit(void)
{
	bench_limited = objcache_create_mbacked(M_BENCHLIMIT,
	    sizeof(struct bench_obj), 2 * ALLOCBENCH_OBJS, 0, bench_ctor, NULL,
	    NULL);
	ALLOCBENCH("cache-limit", objcache_get(bench_limited, M_WAITOK),
	    objcache_put(bench_limited, p));
}

static void
allocbench_run(void *dummy)
{
	bench_objs = kmalloc(ALLOCBENCH_OBJS * sizeof(*bench_objs), M_BENCH,
	    M_WAITOK);
	allocbench_zone();
	allocbench_simple();
	allocbench_ctor();
	allocbench_limit();
	allocbench_obj();
	if (ncpus > 1) {
		allocbench_cpus("zone", cpu_zone);
		allocbench_cpus("cache", cpu_simple);
		allocbench_cpus("cache-ctor", cpu_ctor);
		allocbench_cpus("cache-limit", cpu_limit);
		allocbench_cpus("obj", cpu_obj);
	}
	kfree(bench_objs, M_BENCH);
	kprintf("bench: busy %lu\n", rdtsc() - bench_idle);
}
SYSINIT(allocbench, SI_SUB_KTHREAD_VM, SI_ORDER_ANY, allocbench_run, NULL);
