/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Disk I/O requests, see <sys/bio.h>.
 *
 * Only BIO_DONE, set atomically, passes a request between processors: what it
 * says, bio_error above all, is written before and read after.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/bio.h>
#include <sys/biotrace.h>
#include <sys/conf.h>
#include <sys/thread2.h>

void
bio_init(struct bio *bio)
{
	bzero(bio, sizeof(*bio));
}

const char *
devtoname(cdev_t dev)
{
	return (dev != NULL ? dev->si_name : "#nodev");
}

/*
 * Start the request; may block, but not for memory.  A request the device
 * cannot hold is done at once, with EINVAL.
 */
void
dev_dstrategy(cdev_t dev, struct bio *bio)
{
	KKASSERT(bio->bio_cmd != BUF_CMD_DONE);
	KKASSERT(bio->bio_bcount <= MAXPHYS);
	bio->bio_dev = dev;
	bio->bio_flags &= ~BIO_DONE;
	bio->bio_error = 0;
	if (bio->bio_cmd != BUF_CMD_FLUSH && (bio->bio_bcount == 0 ||
	    bio->bio_offset < 0 ||
	    (bio->bio_offset & DEV_BMASK) != 0 ||
	    (bio->bio_bcount & DEV_BMASK) != 0 ||
	    bio->bio_offset + (off_t)bio->bio_bcount > dev->si_bytes)) {
		kprintf("%s: bad request: offset %ld, %zu bytes\n",
		    devtoname(dev), bio->bio_offset, bio->bio_bcount);
		bio->bio_error = EINVAL;
		biodone(bio);
		return;
	}
	if (__predict_false(bio_delay_ticks != 0))
		bio_delay(bio);
	else
		dev->si_strategy(dev, bio);
}

/*
 * The driver has finished.  With bio_done set the bio belongs to that
 * function from here on.
 */
void
biodone(struct bio *bio)
{
	if (biotrace_on)
		biotrace_done(bio);
	bio->bio_cmd = BUF_CMD_DONE;
	if (bio->bio_done != NULL) {
		bio->bio_flags |= BIO_DONE;
		bio->bio_done(bio);
		return;
	}
	/* From BIO_DONE on the bio is its owner's again. */
	atomic_set_int(&bio->bio_flags, BIO_DONE);
	wakeup(bio);
}

/*
 * Wait for a request without bio_done; returns its error.
 */
int
biowait(struct bio *bio, const char *wmesg)
{
	while ((atomic_load_acq_int(&bio->bio_flags) & BIO_DONE) == 0) {
		tsleep_interlock(bio, 0);
		if (bio->bio_flags & BIO_DONE)
			tsleep_remove(curthread);
		else
			tsleep(bio, PINTERLOCKED, wmesg, 0);
	}
	return (bio->bio_error);
}
