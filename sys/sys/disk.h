/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The disk layer: see kern/subr_disk.c.
 */

#ifndef _SYS_DISK_H_
#define	_SYS_DISK_H_

#include <sys/types.h>
#include <sys/queue.h>

#ifdef _KERNEL

struct disk_info {
	uint64_t	d_media_size;		/* bytes */
	uint64_t	d_media_blocks;		/* blocks of d_media_blksize */
	int		d_media_blksize;	/* bytes */
};

struct disk {
	const char	*d_name;	/* "vbd0" */
	int		d_unit;
	cdev_t		d_rawdev;
	struct disk_info d_info;
	uint64_t	d_syncs;	/* sync messages handled */
	int		d_attached;	/* the disk thread has announced it */
	LIST_ENTRY(disk) d_list;
};

/*
 * Called by a driver when a disk is ready for I/O.  The structure is the
 * driver's, must stay, and comes with d_name, d_rawdev and d_info filled in.
 * The rest of the attachment is done by the disk thread.  May block.
 */
void	disk_create(int unit, struct disk *dp);

/* A disk the thread has attached, by name; NULL if there is none. */
struct disk *disk_locate(const char *name);

/*
 * Post a message to the disk thread; the second form waits until it has been
 * handled.  Both may block for a message buffer: never call them from the I/O
 * path.
 */
void	disk_msg_send(uint32_t cmd, void *load, void *load2);
void	disk_msg_send_sync(uint32_t cmd, void *load, void *load2);

#define	DISK_DISK_PROBE		1	/* load: struct disk to announce */
#define	DISK_SYNC		2	/* load: struct disk, or NULL for all */

#endif	/* _KERNEL */

#endif	/* !_SYS_DISK_H_ */
