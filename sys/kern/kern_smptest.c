/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stress of what processors share, at boot, when smptest=1 is in the kernel
 * environment: one thread a processor, all in the same test at the same time.
 * What is counted under a lock must add up, what is handed over must arrive
 * once and as it was, what an allocator gives out must be nobody else's.
 * Whatever does not hold panics; a lost wakeup shows as no progress.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/objcache.h>
#include <sys/thread.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>

#include <vm/vm.h>
#include <vm/vm_zone.h>
#include <vm/vm_map.h>
#include <vm/vm_kern.h>
#include <vm/vm_extern.h>
#include <vm/pmap.h>

#define	SMPTEST_IPIS	2000		/* a thread */
#define	SMPTEST_SLOTS	64		/* where objects change hands */
#define	SMPTEST_LIMIT	8

#define	CHECK(cond) do {						\
	if (!(cond))							\
		panic("smptest: %s:%d: %s", __func__, __LINE__, #cond);	\
} while (0)

static int smptest;
TUNABLE_INT("smptest", &smptest);

static MALLOC_DEFINE(M_SMPTEST, "smptest", "test of several processors");
static MALLOC_DEFINE(M_SMPCACHE, "smptest cache", "its cache");

struct smp_item {
	void		*scratch[2];	/* the allocator's while it is free */
	u_long		owner;		/* who filled it in */
	u_long		payload[12];
};

static MALLOC_DEFINE_OBJ(M_SMPOBJ, sizeof(struct smp_item), "smptest obj",
    "its objects");

static struct spinlock smp_spin = SPINLOCK_INITIALIZER(&smp_spin, "smptest");
static struct lwkt_token smp_token[2];
static struct lock smp_lock = LOCK_INITIALIZER("smptest", 0, 0);
static u_long smp_count;		/* under the lock of the test */
static u_long smp_shared;		/* equals smp_count when nobody writes */
static volatile u_int smp_finished;
static volatile u_int smp_ipis;
static vm_zone_t smp_intzone;
static vm_zone_t smp_zone;
static struct objcache *smp_cache;
static struct objcache *smp_limited;
static struct smp_item *volatile smp_slots[SMPTEST_SLOTS];
static volatile u_int smp_ball;

static void
smp_spin_test(int me, int round)
{
	spin_lock(&smp_spin);
	++smp_count;
	spin_unlock(&smp_spin);
}

/*
 * Two tokens, in both orders, and a sleep that loses them.
 */
static void
smp_token_test(int me, int round)
{
	lwkt_token_t a = &smp_token[me & 1], b = &smp_token[~me & 1];

	lwkt_gettoken(a);
	lwkt_gettoken(b);
	ASSERT_LWKT_TOKEN_HELD(a);
	++smp_count;
	if (round % 256 == 255) {
		tsleep(&smp_token, 0, "smptok", 1);
		ASSERT_LWKT_TOKEN_HELD(a);
		ASSERT_LWKT_TOKEN_HELD(b);
	}
	lwkt_reltoken(b);
	lwkt_reltoken(a);
}

static void
smp_lock_test(int me, int round)
{
	if (round % 4 == me % 4) {
		lockmgr(&smp_lock, LK_SHARED);
		CHECK(smp_shared == smp_count);
		lockmgr(&smp_lock, LK_RELEASE);
	}
	lockmgr(&smp_lock, LK_EXCLUSIVE);
	++smp_count;
	if (round % 64 == 0)
		lwkt_yield();
	++smp_shared;
	lockmgr(&smp_lock, LK_RELEASE);
}

/*
 * A ball goes round: every thread waits for its turn, and a wakeup that gets
 * lost stops everything.
 */
static void
smp_wakeup_test(int me, int round)
{
	while (smp_ball % ncpus != (u_int)me) {
		tsleep_interlock(&smp_ball, 0);
		if (smp_ball % ncpus == (u_int)me)
			tsleep_remove(curthread);
		else
			tsleep(&smp_ball, PINTERLOCKED, "smpball", 0);
	}
	++smp_count;
	atomic_add_int(&smp_ball, 1);
	wakeup(&smp_ball);
}

static void
smp_migrate_test(int me, int round)
{
	int cpu = (me + round) % ncpus;

	lwkt_setcpu_self(globaldata_find(cpu));
	CHECK(mycpuid == cpu && curthread->td_gd == mycpu);
}

static void
smp_ipi_func(void *arg)
{
	atomic_add_int(&smp_ipis, 1);
}

static void
smp_ipiq_test(int me, int round)
{
	lwkt_send_ipiq(globaldata_find((me + round) % ncpus), smp_ipi_func,
	    NULL);
}

/*
 * Fill an item, leave it in a slot and take what another left there, which is
 * checked and freed: mostly another processor's.
 */
static void
smp_exchange(int me, int round, struct smp_item *(*get)(void),
    void (*put)(struct smp_item *))
{
	struct smp_item *item;
	size_t i;

	item = get();
	CHECK(item != NULL);
	item->owner = (u_long)me << 32 | round;
	for (i = 0; i < NELEM(item->payload); ++i)
		item->payload[i] = item->owner ^ (u_long)item ^ i;
	item = (void *)atomic_swap_long((u_long *)(uintptr_t)
	    &smp_slots[(me + round * 7) % SMPTEST_SLOTS], (u_long)item);
	if (item == NULL)
		return;
	for (i = 0; i < NELEM(item->payload); ++i)
		CHECK(item->payload[i] == (item->owner ^ (u_long)item ^ i));
	put(item);
}

#define	SMP_ALLOCATOR(name, getexpr, putexpr)				\
static struct smp_item *						\
smp_##name##_get(void)							\
{									\
	return (getexpr);						\
}									\
static void								\
smp_##name##_put(struct smp_item *item)					\
{									\
	putexpr;							\
}									\
static void								\
smp_##name##_test(int me, int round)					\
{									\
	smp_exchange(me, round, smp_##name##_get, smp_##name##_put);	\
}									\
static void								\
smp_##name##_drain(void)						\
{									\
	struct smp_item *item;						\
	int i;								\
									\
	for (i = 0; i < SMPTEST_SLOTS; ++i) {				\
		if ((item = smp_slots[i]) != NULL)			\
			smp_##name##_put(item);				\
		smp_slots[i] = NULL;					\
	}								\
}

SMP_ALLOCATOR(kmalloc,
    kmalloc(sizeof(struct smp_item), M_SMPTEST, M_WAITOK),
    kfree(item, M_SMPTEST))
SMP_ALLOCATOR(kmalloc_obj,
    kmalloc_obj(sizeof(struct smp_item), M_SMPOBJ, M_WAITOK),
    kfree_obj(item, M_SMPOBJ))
SMP_ALLOCATOR(intzone, zalloc(smp_intzone), zfree(smp_intzone, item))
SMP_ALLOCATOR(zone, zalloc(smp_zone), zfree(smp_zone, item))
SMP_ALLOCATOR(cache, objcache_get(smp_cache, M_WAITOK),
    objcache_put(smp_cache, item))

/*
 * More threads than objects: most sleep for one.
 */
static void
smp_limit_test(int me, int round)
{
	struct smp_item *item;

	item = objcache_get(smp_limited, M_WAITOK);
	CHECK(item != NULL);
	item->owner = me;
	lwkt_yield();
	CHECK(item->owner == (u_long)me);
	objcache_put(smp_limited, item);
}

/*
 * Kernel memory that is mapped, used and unmapped again and again: the same
 * addresses get other pages, which a stale TLB entry would miss.
 */
static void
smp_kmem_test(int me, int round)
{
	volatile u_long *p;
	vm_offset_t va;
	u_long mark = (u_long)me << 32 | round;
	int i;

	va = kmem_alloc3(kernel_map, 4 * PAGE_SIZE, VM_SUBSYS_UNKNOWN, 0);
	CHECK(va != 0);
	for (i = 0; i < 4; ++i) {
		p = (u_long *)(va + i * PAGE_SIZE);
		CHECK(*p == 0);
		*p = mark;
		CHECK(*(u_long *)PHYS_TO_DMAP(pmap_kextract((vm_offset_t)p)) ==
		    mark);
	}
	kmem_free(kernel_map, va, 4 * PAGE_SIZE);
}

static const struct smp_test {
	const char	*name;
	void		(*func)(int me, int round);
	void		(*drain)(void);
	int		rounds;		/* a thread */
	boolean_t	counts;		/* smp_count, once a round */
} smp_tests[] = {
	{ "spinlock", smp_spin_test, NULL, 2000, TRUE },
	{ "token", smp_token_test, NULL, 2000, TRUE },
	{ "lockmgr", smp_lock_test, NULL, 2000, TRUE },
	{ "wakeup", smp_wakeup_test, NULL, 500, TRUE },
	{ "migration", smp_migrate_test, NULL, 100, FALSE },
	{ "ipiq", smp_ipiq_test, NULL, SMPTEST_IPIS, FALSE },
	{ "kmalloc", smp_kmalloc_test, smp_kmalloc_drain, 2000, FALSE },
	{ "kmalloc_obj", smp_kmalloc_obj_test, smp_kmalloc_obj_drain, 2000,
	    FALSE },
	{ "zalloc interrupt", smp_intzone_test, smp_intzone_drain, 2000,
	    FALSE },
	{ "zalloc", smp_zone_test, smp_zone_drain, 2000, FALSE },
	{ "objcache", smp_cache_test, smp_cache_drain, 2000, FALSE },
	{ "objcache limit", smp_limit_test, NULL, 500, FALSE },
	{ "kmem", smp_kmem_test, NULL, 100, FALSE },
};

static const struct smp_test *smp_current;

static void
smp_thread(void *arg)
{
	int me = (intptr_t)arg, round;

	for (round = 0; round < smp_current->rounds; ++round) {
		smp_current->func(me, round);
		atomic_add_long(&watchdog_work, 1);
	}
	if (atomic_fetchadd_int(&smp_finished, 1) + 1 == (u_int)ncpus)
		wakeup((void *)(uintptr_t)&smp_finished);
	kthread_exit();
}

static void
smp_run_test(const struct smp_test *test)
{
	int cpu;

	smp_current = test;
	smp_count = smp_shared = 0;
	smp_ball = 0;
	smp_finished = 0;
	for (cpu = 0; cpu < ncpus; ++cpu)
		lwkt_create(smp_thread, (void *)(intptr_t)cpu, NULL, NULL, 0,
		    cpu, "smptest%d", cpu);
	while (smp_finished != (u_int)ncpus) {
		tsleep_interlock(&smp_finished, 0);
		if (smp_finished == (u_int)ncpus)
			tsleep_remove(curthread);
		else
			tsleep(&smp_finished, PINTERLOCKED, "smptest", 0);
	}
	if (test->counts)
		CHECK(smp_count == (u_long)ncpus * test->rounds);
	if (test->drain != NULL)
		test->drain();
	kprintf("smptest: %s ok\n", test->name);
}

static void
smp_run(void *dummy)
{
	size_t i;

	if (smptest == 0)
		return;
	lwkt_token_init(&smp_token[0], "smptest0");
	lwkt_token_init(&smp_token[1], "smptest1");
	smp_intzone = zinit("SMPTEST INTZONE", sizeof(struct smp_item),
	    32 * 1024, ZONE_INTERRUPT);
	smp_zone = zinit("SMPTEST ZONE", sizeof(struct smp_item), 0,
	    ZONE_DESTROYABLE);
	smp_cache = objcache_create_simple(M_SMPCACHE, sizeof(struct smp_item));
	smp_limited = objcache_create_mbacked(M_SMPCACHE,
	    sizeof(struct smp_item), SMPTEST_LIMIT, 0, NULL, NULL, NULL);
	for (i = 0; i < NELEM(smp_tests); ++i)
		smp_run_test(&smp_tests[i]);
	while (smp_ipis != (u_int)ncpus * SMPTEST_IPIS)
		tsleep(&smp_ipis, 0, "smpipi", 1);
	objcache_destroy(smp_limited);
	objcache_destroy(smp_cache);
	zdestroy(smp_zone);
	kprintf("smptest: passed on %d processors\n", ncpus);
}
SYSINIT(smptest, SI_SUB_KTHREAD_VM, SI_ORDER_ANY, smp_run, NULL);
