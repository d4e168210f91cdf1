/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the swap disk does by itself, to compare paging with.
 *
 * vm.swap_raw.pages=N reserves N adjacent swap blocks, writes and then reads
 * them through the disk's driver, in requests as large as page-out's and as
 * many at once, and frees them again.  vm.swap_raw.write_ticks and read_ticks
 * tell how many clock ticks each took.  ENOSPC: there are not that many
 * adjacent blocks.
 *
 * swap_raw_lock serialises the measurements.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/bio.h>
#include <sys/conf.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <vm/vm.h>
#include <vm/pmap.h>
#include <vm/swap_pager.h>

#define	RAW_BYTES	(SWB_NPAGES * PAGE_SIZE)

static struct lock swap_raw_lock = LOCK_INITIALIZER("swapraw", 0, 0);
static long swap_raw_write_ticks;
static long swap_raw_read_ticks;

/*
 * One request a buffer, all over [blk, blk + npages).  Returns 0 or errno;
 * *ticksp is how long it took.
 */
static int
swap_raw_run(buf_cmd_t cmd, char *data, swblk_t blk, long npages,
    long *ticksp)
{
	static struct bio bios[NSW_WCOUNT_ASYNC];
	long start = sbticks, i, n;
	int error = 0;
	struct bio *bio;

	for (i = 0; i < NELEM(bios); ++i) {
		bio_init(&bios[i]);
		bios[i].bio_flags = BIO_DONE;
	}
	for (i = 0; i < npages / SWB_NPAGES + NELEM(bios); ++i) {
		bio = &bios[i % NELEM(bios)];
		if ((n = biowait(bio, "swapraw")) != 0)
			error = n;
		bio_init(bio);
		bio->bio_flags = BIO_DONE;
		if (i >= npages / SWB_NPAGES || error != 0)
			continue;
		bio->bio_cmd = cmd;
		bio->bio_offset = (off_t)(blk + i * SWB_NPAGES) << PAGE_SHIFT;
		bio->bio_bcount = RAW_BYTES;
		bio->bio_data = data;
		dev_dstrategy(swap_pager_device(), bio);
	}
	*ticksp = sbticks - start;
	return (error);
}

static int
swap_raw(long npages)
{
	char *data;
	swblk_t blk;
	int error;

	if ((blk = swp_pager_getswapspace(npages)) == SWAPBLK_NONE)
		return (ENOSPC);
	data = kmalloc(RAW_BYTES, M_TEMP, M_WAITOK | M_ZERO);
	error = swap_raw_run(BUF_CMD_WRITE, data, blk, npages,
	    &swap_raw_write_ticks);
	if (error == 0)
		error = swap_raw_run(BUF_CMD_READ, data, blk, npages,
		    &swap_raw_read_ticks);
	kfree(data, M_TEMP);
	swp_pager_freeswapspace(blk, npages);
	return (error);
}

static int
sysctl_swap_raw(SYSCTL_HANDLER_ARGS)
{
	long npages = 0;
	int error;

	error = sysctl_handle_long(oidp, &npages, 0, req);
	if (error || req->newptr == NULL)
		return (error);
	if (npages <= 0 || npages % SWB_NPAGES != 0 || npages > vm_swap_max)
		return (EINVAL);
	lockmgr(&swap_raw_lock, LK_EXCLUSIVE);
	error = swap_raw(npages);
	lockmgr(&swap_raw_lock, LK_RELEASE);
	return (error);
}

SYSCTL_NODE(_vm, OID_AUTO, swap_raw, CTLFLAG_RW, NULL, "The disk by itself");
SYSCTL_PROC(_vm_swap_raw, OID_AUTO, pages, CTLTYPE_LONG | CTLFLAG_RW, NULL, 0,
    sysctl_swap_raw, "L", "pages to write and read");
SYSCTL_LONG(_vm_swap_raw, OID_AUTO, write_ticks, CTLFLAG_RD,
    &swap_raw_write_ticks, 0, "ticks that writing took");
SYSCTL_LONG(_vm_swap_raw, OID_AUTO, read_ticks, CTLFLAG_RD,
    &swap_raw_read_ticks, 0, "ticks that reading took");
