/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The swap pager: anonymous pages on a swap disk.
 *
 * A swap device is an array of page-sized blocks, a bit each in swap_bitmap.
 * Which block holds which page of an object is recorded in swblocks, each
 * for SWAP_META_PAGES adjacent pages, in a tree of the object's.
 *
 * Writing must not need memory
 *	The page-out daemon writes because memory is short, so:
 *	- Buffers are a fixed pool.  Four writes at once (nsw_wcount_async)
 *	  keep a disk busy; for a fifth the daemon sleeps till one is done.
 *	- The disk takes physical pages and neither it nor the driver
 *	  allocates.
 *	- Before a write is issued, its swblock must exist, which is the one
 *	  allocation there is.  SWAPMETA, the zone they come from, is
 *	  ZONE_INTERRUPT: it has address space and page tables in advance, so
 *	  one free page serves a dozen swblocks and several hundred writes;
 *	  that page may be the very last.  If even that is missing,
 *	  swp_pager_meta_build() waits for any page to be freed.
 *	- SWAPMETA has a limit, and what other processors hold free cannot be
 *	  had.  Memory so sparse that its pages need a swblock each can reach
 *	  it long before swap is full, and the daemon then waits till some of
 *	  that memory is given up.
 *
 * A page and its block
 *	A write leaves the page clean and its block valid (PG_SWAPPED); the
 *	page may then be freed, and read in again.  A page that is dirtied
 *	loses its block at once.  Pages under a write are soft-busy and
 *	mapped nowhere writable, so they cannot change; the write's end, in the
 *	disk's interrupt thread, marks them clean.
 *
 * Locking
 *	The object's token protects its swblocks.  swap_spin protects the
 *	bitmap, a pool's spinlock the pool.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/bio.h>
#include <sys/conf.h>
#include <sys/disk.h>
#include <sys/globaldata.h>
#include <sys/kernel.h>
#include <sys/spinlock2.h>
#include <sys/sysctl.h>
#include <sys/vmmeter.h>
#include <vm/vm.h>
#include <vm/vm_extern.h>
#include <vm/vm_kern.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_page2.h>
#include <vm/vm_pageout.h>
#include <vm/vm_zone.h>
#include <vm/swap_pager.h>

#define	SWAP_READAHEAD	8	/* pages read at once, at most */
#define	NSW_RCOUNT	4	/* reads in progress */

struct swbuf {
	struct bio	sw_bio;
	SLIST_ENTRY(swbuf) sw_link;
	vm_object_t	sw_object;
	int		sw_npages;
	vm_page_t	sw_m[SWB_NPAGES];
	vm_paddr_t	sw_pa[SWB_NPAGES];
};

struct swpool {
	struct spinlock	spin;
	SLIST_HEAD(, swbuf) free;
	const char	*wmesg;
};

static struct swbuf swbufs[NSW_RCOUNT + NSW_WCOUNT_ASYNC];
static struct swpool nsw_rpool;
static struct swpool nsw_wpool;

static vm_zone_t swap_zone;

int swap_pager_full = 1;
int swap_pager_almost_full = 1;
swblk_t vm_swap_size;
swblk_t vm_swap_max;
static int nswap_lowat;			/* almost full below this */

static cdev_t swapdev;
static struct spinlock swap_spin = SPINLOCK_INITIALIZER(swap_spin, "swap");
static uint64_t *swap_bitmap;		/* a bit a block, set: in use */
static swblk_t swap_rover;		/* where to look first */

SYSCTL_LONG(_vm, OID_AUTO, swap_size, CTLFLAG_RD, &vm_swap_max, 0,
    "swap blocks (pages) in all");
SYSCTL_LONG(_vm, OID_AUTO, swap_free, CTLFLAG_RD, &vm_swap_size, 0,
    "swap blocks free");

RB_GENERATE2(swblock_rb_tree, swblock, swb_entry, rb_swblock_compare,
    vm_pindex_t, swb_index);

int
rb_swblock_compare(struct swblock *a, struct swblock *b)
{
	if (a->swb_index < b->swb_index)
		return (-1);
	return (a->swb_index > b->swb_index);
}

/*
 * Start-up.
 */
void
swap_pager_swap_init(void)
{
	int i, n, wanted;

	spin_init(&nsw_rpool.spin, "swrpool");
	spin_init(&nsw_wpool.spin, "swwpool");
	nsw_rpool.wmesg = "swrbuf";
	nsw_wpool.wmesg = "swwbuf";
	for (i = 0; i < NELEM(swbufs); ++i)
		SLIST_INSERT_HEAD(i < NSW_RCOUNT ? &nsw_rpool.free :
		    &nsw_wpool.free, &swbufs[i], sw_link);

	/*
	 * A swblock for every other page of RAM: enough for 16 times as much
	 * swap as RAM.  They get their address space now; where that is
	 * short, two thirds of them will have to do, or two thirds of that.
	 */
	wanted = vmstats.v_page_count / 2;
	n = wanted;
	do {
		swap_zone = zinit("SWAPMETA", sizeof(struct swblock), n,
		    ZONE_INTERRUPT);
		if (swap_zone != NULL)
			break;
		n -= howmany(n, 3);
	} while (n > 0);
	if (swap_zone == NULL)
		panic("swap: no address space for a single swblock");
	if (n != wanted)
		kprintf("swap: address space for %d swblocks, not %d\n", n,
		    wanted);
}

static void
swap_pager_swapon(void *dummy __unused)
{
	struct disk *disk;
	vm_size_t bytes;
	swblk_t blk;

	if ((disk = disk_locate("vbd0")) == NULL) {
		kprintf("swap: no disk vbd0, running without swap\n");
		return;
	}
	vm_swap_max = disk->d_info.d_media_size / PAGE_SIZE;
	bytes = howmany(vm_swap_max, 64) * sizeof(uint64_t);
	swap_bitmap = (void *)kmem_alloc(kernel_map, bytes, VM_SUBSYS_BUF);
	if (swap_bitmap == NULL)
		panic("swap: no address space for the bitmap");
	/* Bits behind the end of the last word are in use for ever. */
	for (blk = vm_swap_max; blk < roundup2(vm_swap_max, 64); ++blk)
		swap_bitmap[blk / 64] |= 1UL << blk % 64;
	swapdev = disk->d_rawdev;
	vm_swap_size = vm_swap_max;
	nswap_lowat = vm_swap_max * 4 / 100;
	swap_pager_full = 0;
	swap_pager_almost_full = 0;
	kprintf("swap: %ld MB on %s\n", vm_swap_max / (1024 * 1024 / PAGE_SIZE),
	    disk->d_name);
}
SYSINIT(swapon, SI_SUB_KTHREAD_VM, SI_ORDER_FIRST, swap_pager_swapon, NULL);

/*
 * Buffers.
 */
static struct swbuf *
swbuf_get(struct swpool *pool)
{
	struct swbuf *bp;

	spin_lock(&pool->spin);
	while ((bp = SLIST_FIRST(&pool->free)) == NULL)
		ssleep(pool, &pool->spin, 0, pool->wmesg, 0);
	SLIST_REMOVE_HEAD(&pool->free, sw_link);
	spin_unlock(&pool->spin);
	bio_init(&bp->sw_bio);
	return (bp);
}

static void
swbuf_put(struct swpool *pool, struct swbuf *bp)
{
	spin_lock(&pool->spin);
	SLIST_INSERT_HEAD(&pool->free, bp, sw_link);
	spin_unlock(&pool->spin);
	wakeup_one(pool);
}

static void
swbuf_start(struct swbuf *bp, buf_cmd_t cmd, swblk_t blk, biodone_t *done)
{
	struct bio *bio = &bp->sw_bio;
	int i;

	for (i = 0; i < bp->sw_npages; ++i)
		bp->sw_pa[i] = VM_PAGE_TO_PHYS(bp->sw_m[i]);
	bio->bio_cmd = cmd;
	bio->bio_offset = (off_t)blk << PAGE_SHIFT;
	bio->bio_bcount = (size_t)bp->sw_npages << PAGE_SHIFT;
	bio->bio_pages = bp->sw_pa;
	bio->bio_done = done;
	bio->bio_caller_info1 = bp;
	dev_dstrategy(swapdev, bio);
}

cdev_t
swap_pager_device(void)
{
	return (swapdev);
}

/*
 * Swap space.
 */
static boolean_t
swp_pager_test(swblk_t blk)
{
	return ((swap_bitmap[blk / 64] >> blk % 64) & 1);
}

/*
 * npages adjacent blocks, or SWAPBLK_NONE.
 */
swblk_t
swp_pager_getswapspace(int npages)
{
	swblk_t blk, run, seen;
	boolean_t warn;

	spin_lock(&swap_spin);
	if (vm_swap_size < npages) {
		warn = (vm_swap_size == 0 && swap_pager_full == 0);
		swap_pager_full = (vm_swap_size == 0);
		spin_unlock(&swap_spin);
		if (warn)
			kprintf("swap_pager: out of swap space\n");
		return (SWAPBLK_NONE);
	}
	blk = swap_rover;
	run = 0;
	for (seen = 0; seen < vm_swap_max + npages && run < npages; ++seen) {
		if (blk == vm_swap_max) {
			blk = 0;
			run = 0;
		}
		if (run == 0 && blk % 64 == 0 &&
		    swap_bitmap[blk / 64] == ~0UL &&
		    blk + 64 <= vm_swap_max) {
			blk += 64;
			seen += 63;
			continue;
		}
		run = swp_pager_test(blk) ? 0 : run + 1;
		++blk;
	}
	if (run < npages) {
		spin_unlock(&swap_spin);
		return (SWAPBLK_NONE);
	}
	swap_rover = blk;
	vm_swap_size -= npages;
	swap_pager_almost_full = (vm_swap_size < nswap_lowat);
	for (; run > 0; --run) {
		--blk;
		swap_bitmap[blk / 64] |= 1UL << blk % 64;
	}
	spin_unlock(&swap_spin);
	return (blk);
}

void
swp_pager_freeswapspace(swblk_t blk, int npages)
{
	spin_lock(&swap_spin);
	for (; npages > 0; --npages, ++blk) {
		KASSERT(swp_pager_test(blk), ("swap: block %ld is free", blk));
		swap_bitmap[blk / 64] &= ~(1UL << blk % 64);
		++vm_swap_size;
	}
	swap_pager_full = 0;
	swap_pager_almost_full = (vm_swap_size < nswap_lowat);
	spin_unlock(&swap_spin);
}

/*
 * Swap metadata.  The object must be held.
 */
static struct swblock *
swp_pager_lookup(vm_object_t object, vm_pindex_t index)
{
	ASSERT_LWKT_TOKEN_HELD(&object->token);
	return (RB_LOOKUP(swblock_rb_tree, &object->swblock_root,
	    index & ~(vm_pindex_t)SWAP_META_MASK));
}

/*
 * The swblock that covers index, made if need be.  May block.
 */
static struct swblock *
swp_pager_meta_make(vm_object_t object, vm_pindex_t index)
{
	struct swblock *swap;
	int i;

	object->type = OBJT_SWAP;
	while ((swap = swp_pager_lookup(object, index)) == NULL) {
		if ((swap = zalloc(swap_zone)) == NULL) {
			vm_wait(0);
			continue;
		}
		for (i = 0; i < SWAP_META_PAGES; ++i)
			swap->swb_pages[i] = SWAPBLK_NONE;
		swap->swb_count = 0;
		swap->swb_index = rounddown2(index, SWAP_META_PAGES);
		if (RB_INSERT(swblock_rb_tree, &object->swblock_root,
		    swap) == NULL) {
			++object->swblock_count;
			break;
		}
		/* zalloc() slept and someone else was here. */
		zfree(swap_zone, swap);
	}
	return (swap);
}

/*
 * Record that page index is in block swapblk.  May block.
 */
static void
swp_pager_meta_build(vm_object_t object, vm_pindex_t index, swblk_t swapblk)
{
	struct swblock *swap;
	swblk_t old;

	swap = swp_pager_meta_make(object, index);
	index &= SWAP_META_MASK;
	old = swap->swb_pages[index];
	swap->swb_pages[index] = swapblk;
	if (old == SWAPBLK_NONE)
		++swap->swb_count;
	else
		swp_pager_freeswapspace(old, 1);
}

struct swfreeinfo {
	vm_object_t	object;
	vm_pindex_t	begi;	/* first page */
	vm_pindex_t	endi;	/* last page */
};

static int
rb_swblock_scancmp(struct swblock *swap, void *data)
{
	struct swfreeinfo *info = data;

	if (swap->swb_index + SWAP_META_MASK < info->begi)
		return (-1);
	return (swap->swb_index > info->endi);
}

static int
swp_pager_meta_free_callback(struct swblock *swap, void *data)
{
	struct swfreeinfo *info = data;
	vm_object_t object = info->object;
	vm_pindex_t index;
	int i;

	for (i = 0; i < SWAP_META_PAGES && swap->swb_count > 0; ++i) {
		index = swap->swb_index + i;
		if (index < info->begi || index > info->endi ||
		    swap->swb_pages[i] == SWAPBLK_NONE)
			continue;
		swp_pager_freeswapspace(swap->swb_pages[i], 1);
		swap->swb_pages[i] = SWAPBLK_NONE;
		--swap->swb_count;
	}
	if (swap->swb_count == 0) {
		RB_REMOVE(swblock_rb_tree, &object->swblock_root, swap);
		--object->swblock_count;
		zfree(swap_zone, swap);
	}
	return (0);
}

static void
swp_pager_meta_free(vm_object_t object, vm_pindex_t index, vm_pindex_t count)
{
	struct swfreeinfo info = { object, index, index + count - 1 };

	ASSERT_LWKT_TOKEN_HELD(&object->token);
	if (object->swblock_count != 0 && count != 0)
		RB_SCAN(swblock_rb_tree, &object->swblock_root,
		    rb_swblock_scancmp, swp_pager_meta_free_callback, &info);
}

static void
swp_pager_meta_free_all(vm_object_t object)
{
	swp_pager_meta_free(object, 0, ~(vm_pindex_t)0);
	KKASSERT(object->swblock_count == 0);
}

/*
 * The block of a page, or SWAPBLK_NONE.
 */
static swblk_t
swp_pager_meta_ctl(vm_object_t object, vm_pindex_t index)
{
	struct swblock *swap;

	swap = swp_pager_lookup(object, index);
	return (swap == NULL ? SWAPBLK_NONE :
	    swap->swb_pages[index & SWAP_META_MASK]);
}

/*
 * What the rest of the VM calls.
 */
boolean_t
swap_pager_haspage_locked(vm_object_t object, vm_pindex_t pindex)
{
	return (swp_pager_meta_ctl(object, pindex) != SWAPBLK_NONE);
}

void
swap_pager_freespace(vm_object_t object, vm_pindex_t start, vm_pindex_t size)
{
	swp_pager_meta_free(object, start, size);
}

void
swap_pager_freespace_all(vm_object_t object)
{
	swp_pager_meta_free_all(object);
}

/*
 * The first block of a swblock: its place, or SWAP_META_PAGES if there is
 * none.
 */
static int
swp_pager_meta_first(struct swblock *swap)
{
	int i;

	for (i = 0; i < SWAP_META_PAGES; ++i) {
		if (swap->swb_pages[i] != SWAPBLK_NONE)
			break;
	}
	return (i);
}

/*
 * A block moves only when dst's swblock is there already.  While that one is
 * made both tokens may be lost; paging in progress keeps dst alive.
 */
boolean_t
swap_pager_copy(vm_object_t src, vm_object_t dst, vm_pindex_t offset)
{
	struct swblock *swap, *dswap;
	vm_pindex_t index, dindex;
	int i;

	while ((swap = RB_ROOT(&src->swblock_root)) != NULL) {
		i = swp_pager_meta_first(swap);
		index = swap->swb_index + i;
		dindex = index - offset;
		if (i == SWAP_META_PAGES || index < offset ||
		    dindex >= dst->size ||
		    vm_page_lookup(dst, dindex) != NULL ||
		    swap_pager_haspage_locked(dst, dindex)) {
			swp_pager_meta_free(src, swap->swb_index,
			    i == SWAP_META_PAGES ? SWAP_META_PAGES : i + 1);
			continue;
		}
		dswap = swp_pager_lookup(dst, dindex);
		if (dswap == NULL) {
			vm_object_pip_add(dst, 1);
			swp_pager_meta_make(dst, dindex);
			vm_object_pip_wakeup(dst);
			return (FALSE);
		}
		dswap->swb_pages[dindex & SWAP_META_MASK] = swap->swb_pages[i];
		++dswap->swb_count;
		swap->swb_pages[i] = SWAPBLK_NONE;
		if (--swap->swb_count == 0)
			swp_pager_meta_free(src, swap->swb_index,
			    SWAP_META_PAGES);
	}
	return (TRUE);
}

void
swap_pager_unswapped(vm_page_t m)
{
	vm_object_t object = m->object;

	KKASSERT(m->busy_count & PBUSY_LOCKED);
	vm_object_hold(object);
	swp_pager_meta_free(object, m->pindex, 1);
	vm_page_flag_clear(m, PG_SWAPPED);
	vm_object_drop(object);
}

/*
 * Add to a read the pages behind m whose blocks follow blk, if there is
 * memory to spare.
 */
static void
swap_pager_readahead(struct swbuf *bp, vm_object_t object, vm_page_t m,
    swblk_t blk)
{
	vm_pindex_t pindex;
	vm_page_t ahead;
	int n;

	for (n = 1; n < SWAP_READAHEAD && !vm_paging_wait(); ++n) {
		pindex = m->pindex + n;
		if (pindex >= object->size ||
		    swp_pager_meta_ctl(object, pindex) != blk + n ||
		    vm_page_lookup(object, pindex) != NULL)
			break;
		ahead = vm_page_alloc(object, pindex, VM_ALLOC_QUICK);
		if (ahead == NULL)
			break;
		bp->sw_m[n] = ahead;
	}
	bp->sw_npages = n;
}

/*
 * Read the buffer's pages from blk on and wait: 0 or errno.
 */
static int
swap_pager_read(struct swbuf *bp, swblk_t blk)
{
	int error;

	mycpu->gd_cnt.v_swapin++;
	mycpu->gd_cnt.v_swappgsin += bp->sw_npages;
	swbuf_start(bp, BUF_CMD_READ, blk, NULL);
	error = biowait(&bp->sw_bio, "swread");
	if (error)
		kprintf("swap: error %d reading %d pages at block %ld\n",
		    error, bp->sw_npages, blk);
	return (error);
}

int
swap_pager_getpage(vm_object_t object, vm_page_t m)
{
	struct swbuf *bp;
	swblk_t blk;
	vm_page_t ahead;
	int error, i;

	bp = swbuf_get(&nsw_rpool);
	blk = swp_pager_meta_ctl(object, m->pindex);
	KKASSERT(blk != SWAPBLK_NONE);
	bp->sw_object = object;
	bp->sw_m[0] = m;
	swap_pager_readahead(bp, object, m, blk);
	error = swap_pager_read(bp, blk);
	for (i = 1; i < bp->sw_npages; ++i) {
		ahead = bp->sw_m[i];
		if (error) {
			vm_page_free(ahead);
			continue;
		}
		ahead->valid = VM_PAGE_BITS_ALL;
		vm_page_flag_set(ahead, PG_SWAPPED);
		vm_page_deactivate(ahead);
		vm_page_wakeup(ahead);
	}
	if (error && bp->sw_npages > 1) {
		/* The fault may lie with a page nobody asked for. */
		bp->sw_npages = 1;
		bio_init(&bp->sw_bio);
		error = swap_pager_read(bp, blk);
	}
	if (error == 0) {
		m->valid = VM_PAGE_BITS_ALL;
		vm_page_flag_set(m, PG_SWAPPED);
	}
	swbuf_put(&nsw_rpool, bp);
	return (error ? VM_PAGER_ERROR : VM_PAGER_OK);
}

/*
 * The end of a write, in the disk's interrupt thread.
 */
static void
swp_pager_async_iodone(struct bio *bio)
{
	struct swbuf *bp = bio->bio_caller_info1;
	vm_object_t object = bp->sw_object;
	vm_page_t m;
	int i;

	if (bio->bio_error)
		kprintf("swap: error %d writing %d pages at block %jd\n",
		    bio->bio_error, bp->sw_npages,
		    (intmax_t)(bio->bio_offset >> PAGE_SHIFT));
	for (i = 0; i < bp->sw_npages; ++i) {
		m = bp->sw_m[i];
		vm_page_busy_wait(m, FALSE, "swadpg");
		if (bio->bio_error) {
			swap_pager_unswapped(m);
			vm_page_activate(m);
		} else {
			vm_page_undirty(m);
			vm_page_flag_set(m, PG_SWAPPED);
			if (vm_paging_severe())
				vm_page_deactivate(m);
		}
		vm_page_io_finish(m);
		vm_page_wakeup(m);
	}
	vm_object_pip_wakeup_n(object, bp->sw_npages);
	swbuf_put(&nsw_wpool, bp);
}

void
swap_pager_putpages(vm_object_t object, vm_page_t *m, int count, int *rtvals)
{
	struct swbuf *bp;
	swblk_t blk;
	int i, j, n;

	vm_object_hold(object);
	for (i = 0; i < count; i += n) {
		n = min(SWB_NPAGES, count - i);
		/*
		 * Take smaller pieces if need be, but do not shred swap as
		 * long as there is enough.
		 */
		while ((blk = swp_pager_getswapspace(n)) == SWAPBLK_NONE &&
		    n > (swap_pager_almost_full ? 1 : 4))
			n >>= 1;
		if (blk == SWAPBLK_NONE) {
			for (j = 0; j < n; ++j)
				rtvals[i + j] = VM_PAGER_FAIL;
			continue;
		}
		bp = swbuf_get(&nsw_wpool);
		bp->sw_object = object;
		bp->sw_npages = n;
		for (j = 0; j < n; ++j) {
			swp_pager_meta_build(object, m[i + j]->pindex,
			    blk + j);
			bp->sw_m[j] = m[i + j];
			rtvals[i + j] = VM_PAGER_PEND;
		}
		mycpu->gd_cnt.v_swapout++;
		mycpu->gd_cnt.v_swappgsout += n;
		swbuf_start(bp, BUF_CMD_WRITE, blk, swp_pager_async_iodone);
	}
	vm_object_drop(object);
}
