/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Disk I/O requests.
 *
 * The caller owns the bio and, until it is done, lends the driver the memory
 * it names: either bio_pages, an array of page frames (each a whole page but
 * for the last, which bio_bcount may end early), or, if that is NULL,
 * bio_data, a kernel virtual address.  A single frame may be any physical
 * address: a segment of up to PAGE_SIZE bytes, and nobody looks where it ends.
 * dev_dstrategy() queues the request and returns; it may sleep for a slot of
 * the driver's ring but never allocates memory.  On completion the driver
 * calls biodone() from its interrupt thread: that calls bio_done if set, else
 * wakes who sleeps in biowait().
 */
#ifndef _SYS_BIO_H_
#define	_SYS_BIO_H_

#include <sys/types.h>
#include <sys/param.h>
#include <sys/queue.h>

struct bio;

typedef void biodone_t(struct bio *);

typedef enum buf_cmd {
	BUF_CMD_DONE = 0,
	BUF_CMD_READ,
	BUF_CMD_WRITE,
	BUF_CMD_FLUSH
} buf_cmd_t;

#define	BIO_MAXPAGES	(MAXPHYS / PAGE_SIZE)

struct bio {
	TAILQ_ENTRY(bio) bio_act;	/* of whoever queues it */
	buf_cmd_t	bio_cmd;
	u_int		bio_flags;	/* BIO_* */
	cdev_t		bio_dev;	/* set by dev_dstrategy() */
	off_t		bio_offset;	/* bytes, DEV_BSIZE aligned */
	size_t		bio_bcount;	/* bytes, DEV_BSIZE multiple */
	vm_paddr_t	*bio_pages;	/* page frames, or NULL */
	void		*bio_data;	/* else kernel address */
	biodone_t	*bio_done;	/* NULL: biowait() */
	int		bio_error;	/* errno, valid once done */
	int		bio_due;	/* kern_biodelay.c: when to start it */
	void		*bio_caller_info1;
	void		*bio_caller_info2;
};

#define	BIO_DONE	0x00000001	/* completed */

void	bio_init(struct bio *);
void	dev_dstrategy(cdev_t dev, struct bio *bio);
void	biodone(struct bio *bio);
int	biowait(struct bio *bio, const char *wmesg);

/* kern_biodelay.c: start the request bio_delay_ticks from now. */
extern int bio_delay_ticks;		/* 0: at once, not through here */
void	bio_delay(struct bio *);

#endif
