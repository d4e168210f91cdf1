/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The disk layer: what happens to a disk besides I/O.
 *
 * Drivers must not do slow things where they find a disk, so attachment and
 * periodic syncs are messages to one thread, disk_msg_core().  I/O never comes
 * through here: dev_dstrategy() calls the driver directly and allocates
 * nothing, while a message is memory, of a cache with a limit.  A sender
 * sleeps at the limit until the thread has caught up, so the thread itself
 * must never send.
 *
 * disk_spin protects the queue of messages and the list of disks.  Disks are
 * never removed.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/bio.h>
#include <sys/conf.h>
#include <sys/disk.h>
#include <sys/kthread.h>
#include <sys/malloc.h>
#include <sys/objcache.h>
#include <sys/queue.h>
#include <sys/spinlock.h>
#include <sys/sysctl.h>
#include <sys/thread.h>

#include <sys/spinlock2.h>

static MALLOC_DEFINE(M_DISK, "disk", "disk messages");

#define	DISK_MSG_LIMIT		16
#define	DISK_SYNC_INTERVAL	30	/* seconds */

struct disk_msg {
	STAILQ_ENTRY(disk_msg) link;
	uint32_t	cmd;
	void		*load;
	void		*load2;
	volatile int	*donep;		/* set and woken when handled */
};

static struct objcache_malloc_args disk_msg_malloc_args = {
	sizeof(struct disk_msg), M_DISK
};

static struct objcache *disk_msg_cache;
static struct spinlock disk_spin = SPINLOCK_INITIALIZER(&disk_spin, "disk");
static STAILQ_HEAD(, disk_msg) disk_msgs = STAILQ_HEAD_INITIALIZER(disk_msgs);
static LIST_HEAD(, disk) disks = LIST_HEAD_INITIALIZER(disks);

static long disk_nmsgs;
SYSCTL_LONG(_kern, OID_AUTO, disk_msgs, CTLFLAG_RD, &disk_nmsgs, 0,
    "messages the disk thread has handled");

static void
disk_msg_post(struct disk_msg *msg)
{
	spin_lock(&disk_spin);
	STAILQ_INSERT_TAIL(&disk_msgs, msg, link);
	spin_unlock(&disk_spin);
	wakeup(&disk_msgs);
}

static struct disk_msg *
disk_msg_get(uint32_t cmd, void *load, void *load2)
{
	struct disk_msg *msg;

	msg = objcache_get(disk_msg_cache, M_WAITOK);
	msg->cmd = cmd;
	msg->load = load;
	msg->load2 = load2;
	msg->donep = NULL;
	return (msg);
}

void
disk_msg_send(uint32_t cmd, void *load, void *load2)
{
	disk_msg_post(disk_msg_get(cmd, load, load2));
}

void
disk_msg_send_sync(uint32_t cmd, void *load, void *load2)
{
	struct disk_msg *msg;
	volatile int done = 0;

	msg = disk_msg_get(cmd, load, load2);
	msg->donep = &done;
	disk_msg_post(msg);
	spin_lock(&disk_spin);
	while (!done)
		ssleep(&done, &disk_spin, 0, "dskmsg", 0);
	spin_unlock(&disk_spin);
}

static void
disk_attach(struct disk *dp)
{
	kprintf("%s: %lu MB, %d bytes a sector\n", dp->d_name,
	    (u_long)(dp->d_info.d_media_size >> 20),
	    dp->d_info.d_media_blksize);
	spin_lock(&disk_spin);
	dp->d_attached = 1;
	LIST_INSERT_HEAD(&disks, dp, d_list);
	spin_unlock(&disk_spin);
}

/*
 * Have the device write its cache back.
 */
static void
disk_flush(struct disk *dp)
{
	struct bio bio;
	int error;

	bio_init(&bio);
	bio.bio_cmd = BUF_CMD_FLUSH;
	dev_dstrategy(dp->d_rawdev, &bio);
	error = biowait(&bio, "dskflsh");
	if (error)
		kprintf("%s: flush failed, error %d\n", dp->d_name, error);
	++dp->d_syncs;
}

static void
disk_msg_handle(struct disk_msg *msg)
{
	struct disk *dp;

	switch (msg->cmd) {
	case DISK_DISK_PROBE:
		disk_attach(msg->load);
		break;
	case DISK_SYNC:
		if (msg->load != NULL) {
			disk_flush(msg->load);
			break;
		}
		LIST_FOREACH(dp, &disks, d_list)
			disk_flush(dp);
		break;
	default:
		panic("disk_msg_core: unknown message %u", msg->cmd);
	}
}

static void
disk_msg_core(void)
{
	struct disk_msg *msg;

	spin_lock(&disk_spin);
	for (;;) {
		while ((msg = STAILQ_FIRST(&disk_msgs)) == NULL)
			ssleep(&disk_msgs, &disk_spin, 0, "dskidle", 0);
		STAILQ_REMOVE_HEAD(&disk_msgs, link);
		spin_unlock(&disk_spin);

		disk_msg_handle(msg);
		++disk_nmsgs;

		spin_lock(&disk_spin);
		if (msg->donep != NULL) {
			*msg->donep = 1;
			wakeup(msg->donep);
		}
		spin_unlock(&disk_spin);
		objcache_put(disk_msg_cache, msg);
		spin_lock(&disk_spin);
	}
}

static void
disk_sync_thread(void)
{
	for (;;) {
		tsleep(&disks, 0, "dsksync", DISK_SYNC_INTERVAL * hz);
		disk_msg_send(DISK_SYNC, NULL, NULL);
	}
}

void
disk_create(int unit, struct disk *dp)
{
	dp->d_unit = unit;
	dp->d_rawdev->si_disk = dp;
	disk_msg_send_sync(DISK_DISK_PROBE, dp, NULL);
}

struct disk *
disk_locate(const char *name)
{
	struct disk *dp;

	spin_lock(&disk_spin);
	LIST_FOREACH(dp, &disks, d_list) {
		if (strcmp(dp->d_name, name) == 0)
			break;
	}
	spin_unlock(&disk_spin);
	return (dp);
}

static struct thread *disk_msg_td;
static struct thread *disk_sync_td;
static struct kproc_desc disk_msg_kp = {
	"disk_msg_core",
	disk_msg_core,
	&disk_msg_td
};
static struct kproc_desc disk_sync_kp = {
	"disk_sync",
	disk_sync_thread,
	&disk_sync_td
};

static void
disk_init(void *dummy)
{
	disk_msg_cache = objcache_create("disk-msg-cache", DISK_MSG_LIMIT, 0,
	    NULL, NULL, NULL, objcache_malloc_alloc, objcache_malloc_free,
	    &disk_msg_malloc_args);
	kproc_start(&disk_msg_kp);
}
SYSINIT(disk_init, SI_SUB_PRE_DRIVERS, SI_ORDER_FIRST, disk_init, NULL);
SYSINIT(disk_sync, SI_SUB_KTHREAD_UPDATE, SI_ORDER_ANY, kproc_start,
    &disk_sync_kp);
