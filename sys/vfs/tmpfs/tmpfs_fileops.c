/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tmpfs: file data and directory contents.
 *
 * Data are copied between a page of the file's object and the user while the
 * page is wired but not busied: the user's memory may have to be paged in,
 * and may even be a mapping of that very page.  tn_lock, held exclusively
 * during the call, keeps the page in the file; it also makes a call atomic.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/malloc.h>
#include <sys/namei.h>
#include <sys/objcache.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <vfs/procfs/procfs.h>
#include <vfs/tmpfs/tmpfs.h>

#include <vm/vm.h>
#include <vm/vm_extern.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_page2.h>

struct linux_dirent64 {
	uint64_t	d_ino;
	int64_t		d_off;
	uint16_t	d_reclen;
	uint8_t		d_type;
	char		d_name[];
};

#define	DT_SHIFT	12		/* of the type in a mode */
#define	DIRENT_MAX	roundup2(sizeof(struct linux_dirent64) +	\
	TMPFS_NAME_MAX + 1, 8)

static const char tmpfs_hole[PAGE_SIZE];

struct vm_object *
tmpfs_object(struct tmpfs_node *node)
{
	vm_object_reference_quick(node->tn_object);
	return (node->tn_object);
}

/*
 * Move at most n bytes between the uio and one page.
 */
static int
tmpfs_uiomove_page(struct tmpfs_node *node, struct uio *uio, size_t n)
{
	size_t off = uio->uio_offset & PAGE_MASK;
	boolean_t write = (uio->uio_rw == UIO_WRITE);
	vm_page_t m;
	int error;

	m = vm_fault_object_page(node->tn_object,
	    OFF_TO_IDX(uio->uio_offset), write, &error);
	if (error)
		return (error);
	if (m == NULL)
		return (uiomove(__DECONST(char *, tmpfs_hole), n, uio));
	if (write)
		vm_page_dirtied(m);
	vm_page_wire(m);
	vm_page_wakeup(m);
	error = uiomove((char *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)) + off, n,
	    uio);
	vm_page_busy_wait(m, FALSE, "tmpfsw");
	vm_page_unwire(m, TRUE);
	vm_page_wakeup(m);
	return (error);
}

static int
tmpfs_uiomove(struct tmpfs_node *node, struct uio *uio)
{
	size_t n;
	int error = 0;

	while (uio->uio_resid > 0 && error == 0) {
		n = szmin(uio->uio_resid,
		    PAGE_SIZE - (uio->uio_offset & PAGE_MASK));
		if (uio->uio_rw == UIO_READ) {
			if (uio->uio_offset >= node->tn_size)
				break;
			n = szmin(n, node->tn_size - uio->uio_offset);
		}
		error = tmpfs_uiomove_page(node, uio, n);
	}
	return (error);
}

static void
tmpfs_setsize(struct tmpfs_node *node, off_t size)
{
	vm_object_t object = node->tn_object;

	vm_object_hold(object);
	object->size = OFF_TO_IDX(round_page(size));
	node->tn_size = size;
	vm_object_drop(object);
}

/*
 * Make the file shorter.  What is cut off must read as zero if it grows
 * again.  tn_lock is held.
 */
static int
tmpfs_cut(struct tmpfs_node *node, off_t size)
{
	vm_object_t object = node->tn_object;
	vm_pindex_t pages = OFF_TO_IDX(round_page(size));
	vm_page_t m;
	int error = 0;

	vm_object_hold(object);
	vm_object_page_remove(object, pages, (vm_pindex_t)-1, FALSE);
	vm_object_drop(object);
	if (size & PAGE_MASK) {
		m = vm_fault_object_page(object, pages - 1, FALSE, &error);
		if (m != NULL) {
			vm_page_dirtied(m);
			bzero((char *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)) +
			    (size & PAGE_MASK), PAGE_SIZE - (size & PAGE_MASK));
			vm_page_activate(m);
			vm_page_wakeup(m);
		}
	}
	if (error == 0)
		tmpfs_setsize(node, size);
	return (error);
}

static int
tmpfs_read(struct file *fp, struct uio *uio, int flags)
{
	struct tmpfs_node *node = fp->f_node;
	int error;

	if (S_ISDIR(node->tn_mode))
		return (EISDIR);
	lockmgr(&node->tn_lock, LK_EXCLUSIVE);
	if ((flags & FOF_OFFSET) == 0)
		uio->uio_offset = fp->f_offset;
	error = tmpfs_uiomove(node, uio);
	if ((flags & FOF_OFFSET) == 0)
		fp->f_offset = uio->uio_offset;
	lockmgr(&node->tn_lock, LK_RELEASE);
	return (error);
}

/*
 * tn_lock is held.  The object grows first, as only then it may have the new
 * pages; what cannot be filled is cut off again.
 */
static int
tmpfs_write_locked(struct tmpfs_node *node, struct uio *uio)
{
	off_t osize = node->tn_size;
	int error;

	if (uio->uio_resid > TMPFS_SIZE_MAX ||
	    uio->uio_offset > TMPFS_SIZE_MAX - (off_t)uio->uio_resid)
		return (EFBIG);
	if (uio->uio_offset + (off_t)uio->uio_resid > osize)
		tmpfs_setsize(node, uio->uio_offset + uio->uio_resid);
	error = tmpfs_uiomove(node, uio);
	if (error && node->tn_size > MAX(uio->uio_offset, osize) &&
	    tmpfs_cut(node, MAX(uio->uio_offset, osize)) != 0)
		error = EIO;
	getnanouptime(&node->tn_mtime);
	return (error);
}

static int
tmpfs_write(struct file *fp, struct uio *uio, int flags)
{
	struct tmpfs_node *node = fp->f_node;
	int error;

	lockmgr(&node->tn_lock, LK_EXCLUSIVE);
	if ((flags & FOF_OFFSET) == 0)
		uio->uio_offset = fp->f_offset;
	if (fp->f_flag & O_APPEND)
		uio->uio_offset = node->tn_size;
	error = tmpfs_write_locked(node, uio);
	if ((flags & FOF_OFFSET) == 0)
		fp->f_offset = uio->uio_offset;
	lockmgr(&node->tn_lock, LK_RELEASE);
	return (error);
}

int
tmpfs_truncate(struct tmpfs_node *node, off_t size)
{
	int error = 0;

	if (!S_ISREG(node->tn_mode) || node->tn_proc != NULL || size < 0)
		return (EINVAL);
	if (size > TMPFS_SIZE_MAX)
		return (EFBIG);
	lockmgr(&node->tn_lock, LK_EXCLUSIVE);
	if (size < node->tn_size)
		error = tmpfs_cut(node, size);
	else
		tmpfs_setsize(node, size);
	getnanouptime(&node->tn_mtime);
	lockmgr(&node->tn_lock, LK_RELEASE);
	return (error);
}

static int
tmpfs_stat(struct file *fp, struct stat *st)
{
	tmpfs_getattr(fp->f_node, st);
	return (0);
}

static int
tmpfs_close(struct file *fp)
{
	return (0);
}

const struct fileops tmpfs_fileops = {
	.fo_read = tmpfs_read,
	.fo_write = tmpfs_write,
	.fo_ioctl = nofo_ioctl,
	.fo_poll = always_poll,
	.fo_stat = tmpfs_stat,
	.fo_close = tmpfs_close,
};

/*
 * Directories.
 */
static size_t
tmpfs_dirent_fill(struct linux_dirent64 *d, const char *name,
    struct tmpfs_node *node, off_t next)
{
	size_t len = strlen(name) + 1;

	bzero(d, DIRENT_MAX);
	d->d_ino = node->tn_ino;
	d->d_off = next;
	d->d_type = (node->tn_mode & S_IFMT) >> DT_SHIFT;
	d->d_reclen = roundup2(offsetof(struct linux_dirent64, d_name) + len,
	    8);
	bcopy(name, d->d_name, len);
	return (d->d_reclen);
}

/*
 * The entry at or after *offp, which is moved behind it; 0 at the end.
 */
static size_t
tmpfs_dirent_get(struct tmpfs_node *dir, off_t *offp, struct linux_dirent64 *d)
{
	char name[TMPFS_NAME_MAX + 1];
	struct tmpfs_node node;
	struct tmpfs_dirent *de;

	if (*offp == 0) {
		*offp = 1;
		return (tmpfs_dirent_fill(d, ".", dir, *offp));
	}
	if (*offp == 1) {
		*offp = TMPFS_COOKIE_FIRST;
		return (tmpfs_dirent_fill(d, "..", dir->tn_dir.parent != NULL ?
		    dir->tn_dir.parent : dir, *offp));
	}
	if (dir->tn_proc != NULL) {
		if (!procfs_readdir(dir, offp, name, &node))
			return (0);
		return (tmpfs_dirent_fill(d, name, &node, *offp));
	}
	TAILQ_FOREACH(de, &dir->tn_dir.entries, td_link) {
		if (de->td_cookie >= *offp)
			break;
	}
	if (de == NULL)
		return (0);
	*offp = de->td_cookie + 1;
	return (tmpfs_dirent_fill(d, de->td_name, de->td_node, *offp));
}

int
tmpfs_getdents(struct file *fp, char *ubuf, size_t size, size_t *done)
{
	struct tmpfs_node *dir = fp->f_node;
	struct linux_dirent64 *d;
	off_t off = fp->f_offset;
	size_t len;
	int error = 0;

	*done = 0;
	d = objcache_get(namei_oc, M_WAITOK);
	CTASSERT(DIRENT_MAX <= MAXPATHLEN);
	for (;;) {
		lockmgr(&dir->tn_mount->tm_lock, LK_SHARED);
		len = tmpfs_dirent_get(dir, &off, d);
		lockmgr(&dir->tn_mount->tm_lock, LK_RELEASE);
		if (len == 0)
			break;
		if (len > size - *done) {
			if (*done == 0)
				error = EINVAL;
			break;
		}
		error = copyout(d, ubuf + *done, len);
		if (error)
			break;
		*done += len;
		fp->f_offset = off;
	}
	objcache_put(namei_oc, d);
	return (error);
}

/*
 * For the kernel itself.
 */
int
tmpfs_kern_read(struct tmpfs_node *node, void *buf, size_t len, off_t offset,
    size_t *done)
{
	struct uio uio = { buf, len, offset, UIO_READ, UIO_SYSSPACE };
	int error;

	lockmgr(&node->tn_lock, LK_EXCLUSIVE);
	error = tmpfs_uiomove(node, &uio);
	lockmgr(&node->tn_lock, LK_RELEASE);
	*done = len - uio.uio_resid;
	return (error);
}

/*
 * A file, directory (which may be there already) or symbolic link with the
 * given contents.
 */
int
tmpfs_kern_create(const char *path, mode_t mode, const void *data, size_t size)
{
	struct uio uio = { __DECONST(char *, data), size, 0, UIO_WRITE,
	    UIO_SYSSPACE };
	struct tmpfs_node *root = tmpfs_root(), *node;
	char *target = NULL;
	int error;

	if (S_ISLNK(mode)) {
		target = objcache_get(namei_oc, M_WAITOK);
		size = szmin(size, MAXPATHLEN - 1);
		bcopy(data, target, size);
		target[size] = '\0';
	}
	error = tmpfs_create(root, path, mode, 0, target);
	if (target != NULL)
		objcache_put(namei_oc, target);
	if (error == EEXIST && S_ISDIR(mode))
		error = 0;
	if (error == 0 && S_ISREG(mode) && size != 0) {
		error = tmpfs_lookup(root, path, FALSE, &node);
		if (error == 0) {
			lockmgr(&node->tn_lock, LK_EXCLUSIVE);
			error = tmpfs_write_locked(node, &uio);
			lockmgr(&node->tn_lock, LK_RELEASE);
			tmpfs_node_rele(node);
		}
	}
	tmpfs_node_rele(root);
	return (error);
}
