/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices by number, and the simple ones: null, zero, random.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/biotrace.h>
#include <sys/file.h>
#include <sys/kernel.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <vfs/tmpfs/tmpfs.h>

#define	makedev(x, y)	((x) << 8 | (y))

static int
null_read(struct file *fp, struct uio *uio, int flags)
{
	return (0);
}

static int
null_write(struct file *fp, struct uio *uio, int flags)
{
	uio->uio_resid = 0;
	return (0);
}

static int
zero_read(struct file *fp, struct uio *uio, int flags)
{
	static char zeroes[PAGE_SIZE];
	int error = 0;

	while (uio->uio_resid != 0 && error == 0)
		error = uiomove(zeroes, sizeof(zeroes), uio);
	return (error);
}

static int
random_read(struct file *fp, struct uio *uio, int flags)
{
	u_long v;
	int error = 0;

	while (uio->uio_resid != 0 && error == 0) {
		v = krandom();
		error = uiomove(&v, sizeof(v), uio);
	}
	return (error);
}

static int
dev_stat(struct file *fp, struct stat *st)
{
	tmpfs_getattr(fp->f_node, st);
	return (0);
}

static int
dev_close(struct file *fp)
{
	return (0);
}

static const struct fileops null_fileops = {
	null_read, null_write, nofo_ioctl, always_poll, dev_stat, dev_close
};
static const struct fileops zero_fileops = {
	zero_read, null_write, nofo_ioctl, always_poll, dev_stat, dev_close
};
static const struct fileops random_fileops = {
	random_read, null_write, nofo_ioctl, always_poll, dev_stat, dev_close
};

static const struct {
	const char	*path;
	dev_t		rdev;
	const struct fileops *ops;
} devices[] = {
	{ "/dev/null", makedev(1, 3), &null_fileops },
	{ "/dev/zero", makedev(1, 5), &zero_fileops },
	{ "/dev/random", makedev(1, 8), &random_fileops },
	{ "/dev/urandom", makedev(1, 9), &random_fileops },
	{ "/dev/biotrace", makedev(10, 0), &biotrace_fileops },
	{ "/dev/tty", makedev(5, 0), &cons_fileops },
	{ "/dev/console", makedev(5, 1), &cons_fileops },
};

const struct fileops *
dev_fileops(dev_t rdev)
{
	int i;

	for (i = 0; i < NELEM(devices); ++i) {
		if (devices[i].rdev == rdev)
			return (devices[i].ops);
	}
	return (NULL);
}

static void
devfs_init(void *dummy)
{
	struct tmpfs_node *root = tmpfs_root();
	int i;

	for (i = 0; i < NELEM(devices); ++i) {
		if (tmpfs_create(root, devices[i].path, S_IFCHR | 0666,
		    devices[i].rdev, NULL) != 0)
			panic("cannot make %s", devices[i].path);
	}
	tmpfs_node_rele(root);
}
SYSINIT(devfs, SI_SUB_ROOT_CONF, SI_ORDER_ANY, devfs_init, NULL);
