/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record of disk I/O, for /dev/biotrace.
 *
 * While kern.biotrace.on is set, each request that a disk has completed leaves
 * a record, made by the disk's interrupt thread.  That one must not wait, for
 * page-out waits for it: it takes what the zone has or else only counts what
 * was dropped.  Reading gives a line for each record, and takes it.
 *
 * biotrace_spin protects the queue and the counters.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/bio.h>
#include <sys/biotrace.h>
#include <sys/conf.h>
#include <sys/file.h>
#include <sys/kernel.h>
#include <sys/queue.h>
#include <sys/spinlock2.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/uio.h>
#include <vfs/tmpfs/tmpfs.h>

#include <vm/vm_zone.h>

#define	BIOTRACE_MAX	512		/* records */
#define	BIOTRACE_LINE	96

struct biotrace {
	STAILQ_ENTRY(biotrace) bt_link;
	cdev_t		bt_dev;
	off_t		bt_offset;	/* bytes */
	size_t		bt_bcount;
	buf_cmd_t	bt_cmd;
	int		bt_error;
	int		bt_ticks;
};

int biotrace_on;

static vm_zone_t biotrace_zone;
static struct spinlock biotrace_spin =
    SPINLOCK_INITIALIZER(&biotrace_spin, "biotrace");
static STAILQ_HEAD(, biotrace) biotraces = STAILQ_HEAD_INITIALIZER(biotraces);
static long biotrace_recorded, biotrace_dropped;

SYSCTL_NODE(_kern, OID_AUTO, biotrace, CTLFLAG_RW, NULL, "record of disk I/O");
SYSCTL_INT(_kern_biotrace, OID_AUTO, on, CTLFLAG_RW, &biotrace_on, 0,
    "disk I/O is recorded");
SYSCTL_LONG(_kern_biotrace, OID_AUTO, recorded, CTLFLAG_RD,
    &biotrace_recorded, 0, "requests recorded");
SYSCTL_LONG(_kern_biotrace, OID_AUTO, dropped, CTLFLAG_RD,
    &biotrace_dropped, 0, "requests there was no record for");

static void
biotrace_init(void *dummy)
{
	biotrace_zone = zinit("BIOTRACE", sizeof(struct biotrace),
	    BIOTRACE_MAX, ZONE_INTERRUPT);
	if (biotrace_zone == NULL)
		panic("biotrace_init: no address space");
}
SYSINIT(biotrace, SI_SUB_PRE_DRIVERS, SI_ORDER_ANY, biotrace_init, NULL);

/*
 * A request is done; from the disk's interrupt thread.
 */
void
biotrace_done(const struct bio *bio)
{
	struct biotrace *bt;

	bt = zalloc(biotrace_zone);
	if (bt != NULL) {
		bt->bt_dev = bio->bio_dev;
		bt->bt_offset = bio->bio_offset;
		bt->bt_bcount = bio->bio_bcount;
		bt->bt_cmd = bio->bio_cmd;
		bt->bt_error = bio->bio_error;
		bt->bt_ticks = ticks;
	}
	spin_lock(&biotrace_spin);
	if (bt != NULL) {
		STAILQ_INSERT_TAIL(&biotraces, bt, bt_link);
		++biotrace_recorded;
	} else {
		++biotrace_dropped;
	}
	spin_unlock(&biotrace_spin);
}

static int
biotrace_format(const struct biotrace *bt, char *line)
{
	static const char cmds[] = "?RWF";

	return (ksnprintf(line, BIOTRACE_LINE, "%d %s %c %ld %zu %d\n",
	    bt->bt_ticks, devtoname(bt->bt_dev), cmds[bt->bt_cmd],
	    bt->bt_offset, bt->bt_bcount, bt->bt_error));
}

/*
 * Whole lines, as many as there are and fit.
 */
static int
biotrace_read(struct file *fp, struct uio *uio, int flags)
{
	char line[BIOTRACE_LINE];
	struct biotrace *bt;
	int error = 0;
	size_t len;

	while (error == 0) {
		spin_lock(&biotrace_spin);
		bt = STAILQ_FIRST(&biotraces);
		if (bt != NULL) {
			len = biotrace_format(bt, line);
			if (len <= uio->uio_resid)
				STAILQ_REMOVE_HEAD(&biotraces, bt_link);
			else
				bt = NULL;
		}
		spin_unlock(&biotrace_spin);
		if (bt == NULL)
			break;
		zfree(biotrace_zone, bt);
		error = uiomove(line, len, uio);
	}
	return (error);
}

static int
biotrace_write(struct file *fp, struct uio *uio, int flags)
{
	return (EPERM);
}

static int
biotrace_stat(struct file *fp, struct stat *st)
{
	tmpfs_getattr(fp->f_node, st);
	return (0);
}

static int
biotrace_close(struct file *fp)
{
	return (0);
}

const struct fileops biotrace_fileops = {
	.fo_read = biotrace_read,
	.fo_write = biotrace_write,
	.fo_ioctl = nofo_ioctl,
	.fo_poll = always_poll,
	.fo_stat = biotrace_stat,
	.fo_close = biotrace_close,
};
