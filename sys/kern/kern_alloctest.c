/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Self-test of the allocators, at boot, when alloctest=1 is in the kernel
 * environment.  It asks only for what must hold before and after a migration:
 * fresh items of a zone are zero but for two words, recycled ones keep the
 * rest; an object is constructed once; a full cache makes its callers wait.
 * Whatever does not hold panics.  alloctest=2 gives the same memory back twice,
 * which must panic.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/kthread.h>
#include <sys/malloc.h>
#include <sys/objcache.h>
#include <sys/thread.h>

#include <vm/vm.h>
#include <vm/vm_zone.h>

#define	ALLOCTEST_ITEMS		3000
#define	ALLOCTEST_LIMIT		8
#define	ALLOCTEST_OBJS_MAX	4096

#define	CHECK(cond) do {						\
	if (!(cond))							\
		panic("alloctest: %s:%d: %s", __func__, __LINE__, #cond); \
} while (0)

static MALLOC_DEFINE(M_ATEST, "alloctest", "self-test of the allocators");
static MALLOC_DEFINE(M_ATESTCACHE, "alloctest cache", "self-test's cache");

struct atest_item {
	void		*scratch[2];	/* may change while the item is free */
	u_long		payload[10];
};

static MALLOC_DEFINE_OBJ(M_ATESTOBJ, sizeof(struct atest_item),
    "alloctest obj", "self-test of kmalloc_obj");

struct atest_obj {
	int		constructed;
	u_long		payload[20];
};

static vm_zone_t atest_intzone;
static vm_zone_t atest_zone;
static struct objcache *atest_oc;
static int atest_ctors, atest_dtors;
static globaldata_t atest_gd;		/* where atest_objcache() runs */

static int alloctest;
TUNABLE_INT("alloctest", &alloctest);

static bool
payload_is(const struct atest_item *item, u_long value)
{
	size_t i;

	for (i = 0; i < NELEM(item->payload); ++i) {
		if (item->payload[i] != value)
			return (false);
	}
	return (true);
}

static void
payload_set(struct atest_item *item, u_long value)
{
	size_t i;

	for (i = 0; i < NELEM(item->payload); ++i)
		item->payload[i] = value;
}

/*
 * Powers of two are aligned to themselves up to 8192 bytes, to a page beyond,
 * as in DragonFly: drivers rely on it.  Enough of them to fill more than one
 * slab, since the first of each is aligned to anything.
 */
static void
atest_aligned(unsigned long size, unsigned long align)
{
	const int n = 2 * howmany(128 * 1024, size);
	u_char **p;
	int i;

	p = kmalloc(n * sizeof(*p), M_ATEST, M_WAITOK);
	for (i = 0; i < n; ++i) {
		p[i] = kmalloc(size, M_ATEST, M_WAITOK);
		CHECK(((uintptr_t)p[i] & (align - 1)) == 0);
	}
	for (i = 0; i < n; ++i)
		kfree(p[i], M_ATEST);
	kfree(p, M_ATEST);
}

static void
atest_kmalloc(void)
{
	unsigned long size;
	u_char *p;
	char *s;
	size_t i;

	for (size = 1; size <= 64 * 1024; size += 1 + size / 3) {
		p = kmalloc(size, M_ATEST, M_WAITOK | M_ZERO);
		CHECK(kmalloc_usable_size(p) >= size);
		for (i = 0; i < size; ++i) {
			CHECK(p[i] == 0);
			p[i] = i;
		}
		p = krealloc(p, 2 * size, M_ATEST, M_WAITOK);
		for (i = 0; i < size; ++i)
			CHECK(p[i] == (u_char)i);
		kfree(p, M_ATEST);
	}
	for (size = 8; size <= 8192; size <<= 1)
		atest_aligned(size, size);
	for (; size <= 128 * 1024; size <<= 1)
		atest_aligned(size, PAGE_SIZE);
	s = kstrdup("a string", M_ATEST);
	CHECK(strcmp(s, "a string") == 0);
	kfree(s, M_ATEST);
	kprintf("alloctest: kmalloc ok\n");
}

static void
atest_free_twice(void)
{
	void *p;

	p = kmalloc(100, M_ATEST, M_WAITOK);
	kfree(p, M_ATEST);
	kfree(p, M_ATEST);
	verdict_fail("alloctest: memory was given back twice");
}

static void
atest_kmalloc_obj(void)
{
	struct atest_item **items;
	long i;

	items = kmalloc(ALLOCTEST_ITEMS * sizeof(*items), M_ATEST, M_WAITOK);
	for (i = 0; i < ALLOCTEST_ITEMS; ++i) {
		items[i] = kmalloc_obj(sizeof(struct atest_item), M_ATESTOBJ,
		    M_WAITOK | M_ZERO);
		CHECK(payload_is(items[i], 0));
		payload_set(items[i], i);
	}
	for (i = 0; i < ALLOCTEST_ITEMS; ++i)
		CHECK(payload_is(items[i], i));
	for (i = 0; i < ALLOCTEST_ITEMS; ++i)
		kfree_obj(items[i], M_ATESTOBJ);
	kfree(items, M_ATEST);
	kprintf("alloctest: kmalloc_obj ok\n");
}

static void
atest_zalloc(void)
{
	struct atest_item **items;
	struct atest_item *item;
	long i;

	items = kmalloc(ALLOCTEST_ITEMS * sizeof(*items), M_ATEST, M_WAITOK);

	atest_intzone = zinit("ATEST INTZONE", sizeof(struct atest_item),
	    ALLOCTEST_ITEMS, ZONE_INTERRUPT);
	for (i = 0; i < ALLOCTEST_ITEMS; ++i) {
		item = zalloc(atest_intzone);
		CHECK(item != NULL && payload_is(item, 0));
		payload_set(item, ~i);
		items[i] = item;
	}
	for (i = 0; i < ALLOCTEST_ITEMS; ++i) {
		CHECK(payload_is(items[i], ~i));
		zfree(atest_intzone, items[i]);
	}
	item = zalloc(atest_intzone);
	CHECK(item != NULL && payload_is(item, item->payload[0]));
	zfree(atest_intzone, item);

	atest_zone = zinit("ATEST ZONE", sizeof(struct atest_item), 0,
	    ZONE_DESTROYABLE);
	for (i = 0; i < ALLOCTEST_ITEMS; ++i) {
		items[i] = zalloc(atest_zone);
		CHECK(payload_is(items[i], 0));
		payload_set(items[i], i);
	}
	for (i = 0; i < ALLOCTEST_ITEMS; ++i) {
		CHECK(payload_is(items[i], i));
		zfree(atest_zone, items[i]);
	}
	zdestroy(atest_zone);
	kfree(items, M_ATEST);
	kprintf("alloctest: zalloc ok\n");
}

static bool
atest_ctor(void *obj, void *privdata, int ocflags)
{
	struct atest_obj *ao = obj;

	CHECK(privdata == &atest_ctors);
	ao->constructed = 1;
	++atest_ctors;
	return (true);
}

static void
atest_dtor(void *obj, void *privdata)
{
	struct atest_obj *ao = obj;

	CHECK(ao->constructed == 1);
	ao->constructed = 0;
	++atest_dtors;
}

/*
 * Give one object of a cache at its limit back, when its owner has gone to
 * sleep for it: on the owner's cpu, this thread runs only then.  An object that
 * is put on another cpu wakes nobody here.
 */
static void
atest_putter(void *obj)
{
	lwkt_setcpu_self(atest_gd);
	objcache_put(atest_oc, obj);
	kthread_exit();
}

static void
atest_objcache(void)
{
	struct atest_obj **objs;
	int count, i;

	atest_oc = objcache_create_mbacked(M_ATESTCACHE,
	    sizeof(struct atest_obj), ALLOCTEST_LIMIT, 0, atest_ctor,
	    atest_dtor, &atest_ctors);
	objs = kmalloc(ALLOCTEST_OBJS_MAX * sizeof(*objs), M_ATEST, M_WAITOK);

	for (count = 0; count < ALLOCTEST_OBJS_MAX; ++count) {
		objs[count] = objcache_get(atest_oc, M_NOWAIT);
		if (objs[count] == NULL)
			break;
		CHECK(objs[count]->constructed == 1);
	}
	CHECK(count >= ALLOCTEST_LIMIT && count < ALLOCTEST_OBJS_MAX);
	CHECK(atest_ctors == count);

	atest_gd = mycpu;
	kthread_create(atest_putter, objs[--count], NULL, "atest");
	objs[count] = objcache_get(atest_oc, M_WAITOK);
	CHECK(objs[count] != NULL && objs[count]->constructed == 1);
	++count;
	CHECK(atest_ctors == count);

	objcache_dtor(atest_oc, objs[--count]);
	CHECK(atest_dtors == 1);
	for (i = 0; i < count; ++i)
		objcache_put(atest_oc, objs[i]);
	objcache_destroy(atest_oc);
	CHECK(atest_dtors == atest_ctors);
	kfree(objs, M_ATEST);
	kprintf("alloctest: objcache ok\n");
}

static void
atest_run(void *dummy)
{
	if (alloctest == 0)
		return;
	if (alloctest == 2)
		atest_free_twice();
	atest_kmalloc();
	atest_kmalloc_obj();
	atest_zalloc();
	atest_objcache();
	kprintf("alloctest: passed\n");
}
SYSINIT(alloctest, SI_SUB_KTHREAD_VM, SI_ORDER_ANY, atest_run, NULL);
