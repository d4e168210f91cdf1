/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_SWAP_PAGER_H_
#define	_VM_SWAP_PAGER_H_

/*
 * Anonymous memory on a swap device.  The theory is in swap_pager.c.
 */

#include <sys/types.h>
#include <vm/vm_object.h>

typedef int64_t swblk_t;	/* a page-sized block of swap */

#define	SWAPBLK_NONE	((swblk_t)-1)

#define	NSW_WCOUNT_ASYNC 4			/* writes in progress */
#define	SWB_NPAGES	16			/* pages in one I/O */
#define	SWAP_META_PAGES	(SWB_NPAGES * 2)	/* pages of one swblock */
#define	SWAP_META_MASK	(SWAP_META_PAGES - 1)

/*
 * Where SWAP_META_PAGES adjacent pages of an object are on swap.
 */
struct swblock {
	RB_ENTRY(swblock) swb_entry;
	vm_pindex_t	swb_index;	/* first page, aligned */
	int		swb_count;	/* blocks in swb_pages */
	swblk_t		swb_pages[SWAP_META_PAGES];
};

#ifdef _KERNEL

extern int swap_pager_full;		/* no swap block is free */
extern int swap_pager_almost_full;
extern swblk_t vm_swap_size;		/* blocks free */
extern swblk_t vm_swap_max;		/* blocks in all */

void	swap_pager_swap_init(void);

/*
 * Write count busied pages of object with adjacent indexes, soft-busy and
 * counted as paging in progress.  rtvals gets VM_PAGER_PEND, and the end of
 * the write undoes both; or VM_PAGER_FAIL (no swap space), and the caller
 * does.  May block.
 */
void	swap_pager_putpages(vm_object_t object, vm_page_t *m, int count,
	    int *rtvals);

/*
 * Read a busied page in, and neighbours.  VM_PAGER_OK or VM_PAGER_ERROR.
 * Blocks.
 */
int	swap_pager_getpage(vm_object_t object, vm_page_t m);

/* A busied page was dirtied: its block is stale. */
void	swap_pager_unswapped(vm_page_t m);
boolean_t swap_pager_haspage_locked(vm_object_t object, vm_pindex_t pindex);
void	swap_pager_freespace(vm_object_t object, vm_pindex_t start,
	    vm_pindex_t size);
void	swap_pager_freespace_all(vm_object_t object);

/*
 * Move the blocks of src, which has no pages, to dst, src's page offset being
 * dst's page 0; those that dst has no use for are freed.  Both objects are
 * held.  FALSE: this may have slept, and is not done.
 */
boolean_t swap_pager_copy(vm_object_t src, vm_object_t dst, vm_pindex_t offset);

/*
 * For swap_raw.c and kern_dmatest.c: adjacent blocks, or SWAPBLK_NONE; and the
 * disk.
 */
swblk_t	swp_pager_getswapspace(int npages);
void	swp_pager_freeswapspace(swblk_t blk, int npages);
cdev_t	swap_pager_device(void);

#define	VM_PAGER_OK	0
#define	VM_PAGER_FAIL	2
#define	VM_PAGER_PEND	3
#define	VM_PAGER_ERROR	4

#endif /* _KERNEL */

#endif /* _VM_SWAP_PAGER_H_ */
