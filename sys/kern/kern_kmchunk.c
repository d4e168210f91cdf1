/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory under kmalloc().
 *
 * Sizes up to KMCHUNK_MAX are rounded up to a power of two or to three
 * quarters of one: 16, 24, 32, 48, ... 12288, 16384.  A chunk is aligned to the
 * largest power of two that divides its size, so powers of two are aligned to
 * themselves.  Anything larger is a run of pages; ku_pagecnt of the first page
 * says how many, and is zero for the pages of chunks.
 *
 * Chunks of one size are cut from slabs of 128 KB, aligned to that: masking a
 * chunk's address finds its slab, whose bitmap says which chunks are free.  A
 * bucket, one for each size, lists the slabs that have any.
 *
 * Each cpu keeps up to sixteen free chunks of a size on a stack of its own and
 * uses it in a critical section, without a lock.  An empty stack is half filled
 * from the bucket, a full one half emptied into it, so the bucket's spinlock is
 * taken once in several calls.  It does not matter which cpu frees what another
 * one allocated.
 *
 * A slab that became wholly free leaves its bucket, unless it is the only one
 * there, and waits for a new size on the list of idle slabs.  Slabs beyond
 * KMCHUNK_IDLE go back to the VM, but only from allocations that may block:
 * freeing a chunk must not touch kernel_map.
 *
 * options SLAB_DEBUG: each slab records who has got chunks of it since they
 * have had this size, as far as there is room.  The record is printed when one
 * of its chunks is freed that is not out.
 *
 * Locks: a bucket's spin, then kmchunk_idle.spin.  Neither is held across
 * kmem_slab_alloc() or kmem_slab_free().
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/queue.h>
#include <sys/slaballoc.h>
#include <sys/spinlock.h>
#include <sys/thread.h>
#include <sys/globaldata.h>

#include <vm/vm.h>
#include <vm/pmap.h>
#include <vm/vm_page.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>

#define	KMCHUNK_SLAB	((size_t)128 * 1024)	/* bytes, and alignment */
#define	KMCHUNK_MAGIC	0x6b6d6368
#define	KMCHUNK_IDLE	8			/* idle slabs kept */
#define	KMCHUNK_BITS	64
#define	KMCHUNK_SOURCES	32			/* a slab records */

#ifdef SLAB_DEBUG
struct kmchunk_source {
	const char	*file;		/* NULL: and those after it are free */
	int		line;
};
#endif

/*
 * At the base of every slab.  Bit i of free[] is set while chunk i is neither
 * handed out nor on some cpu's stack.
 */
struct kmchunk_slab {
	uint32_t	magic;
	u_int		class;
	LIST_ENTRY(kmchunk_slab) link;	/* bucket, if nfree > 0; or idle */
	char		*base;		/* chunk 0 */
	size_t		size;		/* bytes a chunk */
	u_int		nchunks;
	u_int		nfree;
	u_int		hint;		/* no free chunk in words before this */
#ifdef SLAB_DEBUG
	struct kmchunk_source source[KMCHUNK_SOURCES];	/* bucket's spin */
#endif
	uint64_t	free[];
};

LIST_HEAD(kmchunk_list, kmchunk_slab);

struct kmchunk_bucket {
	struct spinlock	spin;
	struct kmchunk_list slabs;	/* those with something free */
	size_t		size;		/* bytes a chunk */
	u_int		depth;		/* chunks a cpu may keep */
};

static struct kmchunk_bucket kmchunk_buckets[KMCHUNK_CLASSES];

static struct {
	struct spinlock	spin;
	struct kmchunk_list slabs;
	u_int		count;
} kmchunk_idle;

static u_int
kmchunk_class(size_t bytes)
{
	int e;

	if (bytes <= 16)
		return (0);
	e = flsl(bytes - 1);
	return (2 * (e - 4) - (bytes <= ((size_t)3 << (e - 2))));
}

static void
kmeminit(void *dummy)
{
	struct kmchunk_bucket *bucket;
	u_int class;

	spin_init(&kmchunk_idle.spin, "kmidle");
	LIST_INIT(&kmchunk_idle.slabs);
	for (class = 0; class < KMCHUNK_CLASSES; ++class) {
		bucket = &kmchunk_buckets[class];
		spin_init(&bucket->spin, "kmchunk");
		LIST_INIT(&bucket->slabs);
		bucket->size = (class & 1) ?
		    (size_t)24 << (class / 2) : (size_t)16 << (class / 2);
		bucket->depth = ulmin(KMCHUNK_DEPTH,
		    ulmax(2, KMCHUNK_MAX / bucket->size));
		KKASSERT(kmchunk_class(bucket->size) == class);
	}
}
SYSINIT(kmem, SI_BOOT1_ALLOCATOR, SI_ORDER_FIRST, kmeminit, NULL);

static int *
run_pagecnt(const void *ptr)
{
	return (&pmap_kvtom((vm_offset_t)ptr)->ku_pagecnt);
}

static struct kmchunk_slab *
slab_of(const void *chunk)
{
	struct kmchunk_slab *slab;

	slab = (void *)((uintptr_t)chunk & ~(KMCHUNK_SLAB - 1));
	if (slab->magic != KMCHUNK_MAGIC)
		panic("kfree: %p is not of kmalloc", chunk);
	return (slab);
}

#ifdef SLAB_DEBUG
void
kmchunk_record(void *chunk, const char *file, int line)
{
	struct kmchunk_bucket *bucket;
	struct kmchunk_source *source, *end;
	struct kmchunk_slab *slab;

	if (*run_pagecnt(chunk) > 0)
		return;
	slab = slab_of(chunk);
	bucket = &kmchunk_buckets[slab->class];
	source = slab->source;
	end = source + KMCHUNK_SOURCES;
	spin_lock(&bucket->spin);
	while (source < end && source->file != NULL &&
	    (source->file != file || source->line != line))
		++source;
	if (source < end) {
		source->file = file;
		source->line = line;
	}
	spin_unlock(&bucket->spin);
}

static void
slab_print_sources(const struct kmchunk_slab *slab)
{
	const struct kmchunk_source *source = slab->source;
	const struct kmchunk_source *end = source + KMCHUNK_SOURCES;

	for (; source < end && source->file != NULL; ++source)
		kprintf("kfree: of its slab, memory went to %s:%d\n",
		    source->file, source->line);
}
#else
#define	slab_print_sources(slab)	do { } while (0)
#endif

static void __dead2
slab_panic(const struct kmchunk_slab *slab, const void *chunk,
    const char *what)
{
	slab_print_sources(slab);
	panic("kfree: %p is %s", chunk, what);
}

static void
slab_format(struct kmchunk_slab *slab, u_int class)
{
	size_t size = kmchunk_buckets[class].size;
	size_t most, off;
	u_int i;

	most = howmany(KMCHUNK_SLAB / size, KMCHUNK_BITS);
	off = roundup2(__offsetof(struct kmchunk_slab, free[most]),
	    size & -size);
	bzero(slab, __offsetof(struct kmchunk_slab, free[most]));
	slab->magic = KMCHUNK_MAGIC;
	slab->class = class;
	slab->base = (char *)slab + off;
	slab->size = size;
	slab->nchunks = slab->nfree = (KMCHUNK_SLAB - off) / size;
	for (i = 0; i < slab->nchunks; ++i)
		slab->free[i / KMCHUNK_BITS] |= 1UL << (i % KMCHUNK_BITS);
}

static void *
slab_take(struct kmchunk_slab *slab)
{
	u_int bit;

	while (slab->free[slab->hint] == 0)
		++slab->hint;
	bit = ffsl(slab->free[slab->hint]) - 1;
	slab->free[slab->hint] &= ~(1UL << bit);
	--slab->nfree;
	return (slab->base + slab->size * (slab->hint * KMCHUNK_BITS + bit));
}

static void
slab_put(struct kmchunk_slab *slab, void *chunk)
{
	size_t off = (char *)chunk - slab->base;
	u_int i = off / slab->size;

	if (off % slab->size != 0 || i >= slab->nchunks)
		slab_panic(slab, chunk, "inside an allocation");
	if (slab->free[i / KMCHUNK_BITS] & (1UL << (i % KMCHUNK_BITS)))
		slab_panic(slab, chunk, "free already");
	slab->free[i / KMCHUNK_BITS] |= 1UL << (i % KMCHUNK_BITS);
	slab->hint = min(slab->hint, i / KMCHUNK_BITS);
	++slab->nfree;
}

static struct kmchunk_slab *
idle_get(u_int keep)
{
	struct kmchunk_slab *slab = NULL;

	spin_lock(&kmchunk_idle.spin);
	if (kmchunk_idle.count > keep) {
		slab = LIST_FIRST(&kmchunk_idle.slabs);
		LIST_REMOVE(slab, link);
		--kmchunk_idle.count;
	}
	spin_unlock(&kmchunk_idle.spin);
	return (slab);
}

static void
idle_put(struct kmchunk_slab *slab)
{
	slab->magic = 0;
	spin_lock(&kmchunk_idle.spin);
	LIST_INSERT_HEAD(&kmchunk_idle.slabs, slab, link);
	++kmchunk_idle.count;
	spin_unlock(&kmchunk_idle.spin);
}

/*
 * Half fill an empty stack, as far as there are chunks.  Critical section.
 */
static void
bucket_fill(struct kmchunk_bucket *bucket, struct kmchunk_stack *stack)
{
	struct kmchunk_slab *slab;

	spin_lock(&bucket->spin);
	while (stack->n < bucket->depth / 2) {
		slab = LIST_FIRST(&bucket->slabs);
		if (slab == NULL) {
			if ((slab = idle_get(0)) == NULL)
				break;
			slab_format(slab, bucket - kmchunk_buckets);
			LIST_INSERT_HEAD(&bucket->slabs, slab, link);
		}
		stack->chunk[stack->n++] = slab_take(slab);
		if (slab->nfree == 0)
			LIST_REMOVE(slab, link);
	}
	spin_unlock(&bucket->spin);
}

/*
 * Half empty a full stack: what was freed longest ago leaves it.  Critical
 * section.
 */
static void
bucket_drain(struct kmchunk_bucket *bucket, struct kmchunk_stack *stack)
{
	struct kmchunk_slab *slab;
	u_int i, n = stack->n / 2;

	spin_lock(&bucket->spin);
	for (i = 0; i < n; ++i) {
		slab = slab_of(stack->chunk[i]);
		slab_put(slab, stack->chunk[i]);
		if (slab->nfree == 1)
			LIST_INSERT_HEAD(&bucket->slabs, slab, link);
		if (slab->nfree == slab->nchunks &&
		    (LIST_FIRST(&bucket->slabs) != slab ||
		    LIST_NEXT(slab, link) != NULL)) {
			LIST_REMOVE(slab, link);
			idle_put(slab);
		}
	}
	spin_unlock(&bucket->spin);
	stack->n -= n;
	memmove(stack->chunk, stack->chunk + n, stack->n * sizeof(void *));
}

static void *
run_alloc(size_t bytes, int flags)
{
	void *run;

	bytes = round_page(bytes);
	run = kmem_slab_alloc(bytes, PAGE_SIZE, flags);
	if (run != NULL)
		*run_pagecnt(run) = bytes / PAGE_SIZE;
	return (run);
}

void *
kmchunk_alloc(size_t bytes, int flags)
{
	struct kmchunk_bucket *bucket;
	struct kmchunk_slab *slab;
	struct kmchunk_stack *stack;
	void *chunk;
	u_int class;

	KKASSERT(bytes > 0);
	if ((flags & M_RNOWAIT) == 0) {
		while ((slab = idle_get(KMCHUNK_IDLE)) != NULL)
			kmem_slab_free(slab, KMCHUNK_SLAB);
	}
	if (bytes > KMCHUNK_MAX)
		return (run_alloc(bytes, flags));

	class = kmchunk_class(bytes);
	bucket = &kmchunk_buckets[class];
	for (;;) {
		crit_enter();
		stack = &mycpu->gd_slab.stack[class];
		if (stack->n == 0)
			bucket_fill(bucket, stack);
		chunk = stack->n > 0 ? stack->chunk[--stack->n] : NULL;
		crit_exit();
		if (chunk != NULL)
			break;

		slab = kmem_slab_alloc(KMCHUNK_SLAB, KMCHUNK_SLAB,
		    flags & ~M_ZERO);
		if (slab == NULL)
			return (NULL);
		idle_put(slab);
	}
	if (flags & M_ZERO)
		bzero(chunk, bucket->size);
	return (chunk);
}

void
kmchunk_free(void *chunk)
{
	struct kmchunk_bucket *bucket;
	struct kmchunk_slab *slab;
	struct kmchunk_stack *stack;
	int pages, *pagecnt;

	pagecnt = run_pagecnt(chunk);
	if ((pages = *pagecnt) > 0) {
		if ((uintptr_t)chunk & PAGE_MASK)
			panic("kfree: %p is inside an allocation", chunk);
		*pagecnt = 0;
		kmem_slab_free(chunk, (size_t)pages * PAGE_SIZE);
		return;
	}

	slab = slab_of(chunk);
	bucket = &kmchunk_buckets[slab->class];
	crit_enter();
	stack = &mycpu->gd_slab.stack[slab->class];
#ifdef INVARIANTS
	for (u_int i = 0; i < stack->n; ++i) {
		if (stack->chunk[i] == chunk)
			slab_panic(slab, chunk, "free already");
	}
#endif
	if (stack->n == bucket->depth)
		bucket_drain(bucket, stack);
	stack->chunk[stack->n++] = chunk;
	crit_exit();
}

size_t
kmchunk_size(const void *chunk)
{
	int pages;

	if ((pages = *run_pagecnt(chunk)) > 0)
		return ((size_t)pages * PAGE_SIZE);
	return (slab_of(chunk)->size);
}

size_t
kmchunk_round(size_t bytes)
{
	if (bytes > KMCHUNK_MAX)
		return (round_page(bytes));
	return (kmchunk_buckets[kmchunk_class(bytes)].size);
}
