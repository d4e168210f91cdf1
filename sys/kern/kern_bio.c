/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Disk I/O requests, see <sys/bio.h>.
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
	bio->bio_flags &= ~(BIO_DONE | BIO_WANT);
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
	crit_enter();
	bio->bio_flags |= BIO_DONE;
	if (bio->bio_flags & BIO_WANT) {
		bio->bio_flags &= ~BIO_WANT;
		wakeup(bio);
	}
	crit_exit();
}

/*
 * Wait for a request without bio_done; returns its error.
 */
int
biowait(struct bio *bio, const char *wmesg)
{
	crit_enter();
	while ((bio->bio_flags & BIO_DONE) == 0) {
		bio->bio_flags |= BIO_WANT;
		tsleep(bio, 0, wmesg, 0);
	}
	crit_exit();
	return (bio->bio_error);
}
