/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls on open files of any kind: read, write, ioctl, poll.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/stat.h>
#include <sys/sysent.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <vfs/tmpfs/tmpfs.h>

static MALLOC_DEFINE(M_SENDFILE, "sendfile", "data on their way");
static MALLOC_DEFINE(M_SELECT, "select", "poll descriptors");

int selwait;				/* poll() sleeps here */

int
uiomove(void *cp, size_t n, struct uio *uio)
{
	int error = 0;

	n = szmin(n, uio->uio_resid);
	if (uio->uio_segflg == UIO_SYSSPACE) {
		if (uio->uio_rw == UIO_READ)
			bcopy(cp, uio->uio_base, n);
		else
			bcopy(uio->uio_base, cp, n);
	} else if (uio->uio_rw == UIO_READ) {
		error = copyout(cp, uio->uio_base, n);
	} else {
		error = copyin(uio->uio_base, cp, n);
	}
	if (error == 0) {
		uio->uio_base += n;
		uio->uio_resid -= n;
		uio->uio_offset += n;
	}
	return (error);
}

int
nofo_ioctl(struct file *fp, u_long com, void *udata, struct proc *p)
{
	return (ENOTTY);
}

int
always_poll(struct file *fp, int events)
{
	return (events & (POLLIN | POLLOUT));
}

/*
 * One piece.  What was moved before an error counts more than the error.
 */
static int
file_rw(struct file *fp, enum uio_rw rw, void *base, size_t len,
    off_t offset, int flags, register_t *res)
{
	struct uio uio = { base, len, offset, rw, UIO_USERSPACE };
	int error;

	if ((ssize_t)len < 0)
		return (EINVAL);
	if (rw == UIO_READ)
		error = fp->f_ops->fo_read(fp, &uio, flags);
	else
		error = fp->f_ops->fo_write(fp, &uio, flags);
	*res += len - uio.uio_resid;
	if (error == EPIPE && rw == UIO_WRITE)
		psignal(curproc, SIGPIPE);
	return (uio.uio_resid != len ? 0 : error);
}

static int
kern_rw(struct proc *p, const register_t *a, enum uio_rw rw, off_t offset,
    int flags, register_t *res)
{
	struct file *fp;
	int error;

	fp = holdfp(p, a[0], rw == UIO_READ ? FREAD : FWRITE);
	if (fp == NULL)
		return (EBADF);
	error = file_rw(fp, rw, (void *)a[1], a[2], offset, flags, res);
	fdrop(fp);
	return (error);
}

static int
kern_rwv(struct proc *p, const register_t *a, enum uio_rw rw, register_t *res)
{
	struct iovec iov[IOV_MAX];
	struct file *fp;
	int error, i;
	register_t before;

	if (a[2] < 0 || a[2] > IOV_MAX)
		return (EINVAL);
	error = copyin((const void *)a[1], iov, a[2] * sizeof(iov[0]));
	if (error)
		return (error);
	fp = holdfp(p, a[0], rw == UIO_READ ? FREAD : FWRITE);
	if (fp == NULL)
		return (EBADF);
	for (i = 0; i < a[2] && error == 0; ++i) {
		if (iov[i].iov_len == 0)
			continue;
		before = *res;
		error = file_rw(fp, rw, iov[i].iov_base, iov[i].iov_len, 0, 0,
		    res);
		if (*res - before != iov[i].iov_len)
			break;
	}
	fdrop(fp);
	return (*res != 0 ? 0 : error);
}

int
sys_read(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_rw(p, a, UIO_READ, 0, 0, res));
}

int
sys_write(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_rw(p, a, UIO_WRITE, 0, 0, res));
}

int
sys_readv(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_rwv(p, a, UIO_READ, res));
}

int
sys_writev(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_rwv(p, a, UIO_WRITE, res));
}

static int
kern_prw(struct proc *p, const register_t *a, enum uio_rw rw, register_t *res)
{
	struct file *fp = holdfp(p, a[0], 0);
	int error = 0;

	if (fp == NULL)
		return (EBADF);
	if (fp->f_node == NULL || !S_ISREG(fp->f_node->tn_mode))
		error = ESPIPE;
	else if (a[3] < 0)
		error = EINVAL;
	fdrop(fp);
	return (error != 0 ? error : kern_rw(p, a, rw, a[3], FOF_OFFSET, res));
}

int
sys_pread64(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_prw(p, a, UIO_READ, res));
}

int
sys_pwrite64(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_prw(p, a, UIO_WRITE, res));
}

static int
file_seek(struct file *fp, off_t off, int whence, register_t *res)
{
	struct tmpfs_node *node = fp->f_node;
	int error = 0;

	if (node == NULL ||
	    (!S_ISREG(node->tn_mode) && !S_ISDIR(node->tn_mode)))
		return (ESPIPE);
	lockmgr(&node->tn_lock, LK_EXCLUSIVE);
	if (whence == 1)
		off += fp->f_offset;
	else if (whence == 2)
		off += node->tn_size;
	else if (whence != 0)
		error = EINVAL;
	if (off < 0)
		error = EINVAL;
	if (error == 0)
		*res = fp->f_offset = off;
	lockmgr(&node->tn_lock, LK_RELEASE);
	return (error);
}

int
sys_lseek(struct proc *p, const register_t *a, register_t *res)
{
	struct file *fp = holdfp(p, a[0], 0);
	int error;

	if (fp == NULL)
		return (EBADF);
	error = file_seek(fp, a[1], a[2], res);
	fdrop(fp);
	return (error);
}

/*
 * From a file of the file system, at *offp, to any file: what was written
 * counts, and moves *offp.
 */
static int
file_copy(struct file *from, off_t *offp, struct file *to, size_t count,
    register_t *res)
{
	struct uio uio;
	size_t n, done;
	char *buf;
	int error = 0;

	buf = kmalloc(PAGE_SIZE, M_SENDFILE, M_WAITOK);
	while (count != 0 && error == 0) {
		n = szmin(count, PAGE_SIZE);
		uio = (struct uio){ buf, n, *offp, UIO_READ, UIO_SYSSPACE };
		error = from->f_ops->fo_read(from, &uio, FOF_OFFSET);
		n -= uio.uio_resid;
		if (error || n == 0)
			break;
		uio = (struct uio){ buf, n, 0, UIO_WRITE, UIO_SYSSPACE };
		error = to->f_ops->fo_write(to, &uio, 0);
		done = n - uio.uio_resid;
		if (error == EPIPE)
			psignal(curproc, SIGPIPE);
		*offp += done;
		*res += done;
		count -= done;
	}
	kfree(buf, M_SENDFILE);
	return (*res != 0 ? 0 : error);
}

int
sys_sendfile(struct proc *p, const register_t *a, register_t *res)
{
	struct file *to = holdfp(p, a[0], FWRITE);
	struct file *from = holdfp(p, a[1], FREAD);
	register_t place;
	off_t off;
	int error;

	if (to == NULL || from == NULL)
		error = EBADF;
	else if (from->f_node == NULL || !S_ISREG(from->f_node->tn_mode))
		error = EINVAL;
	else if (a[2] != 0)
		error = copyin((const void *)a[2], &off, sizeof(off));
	else
		error = file_seek(from, 0, 1, &off);
	if (error == 0)
		error = file_copy(from, &off, to, a[3], res);
	if (error == 0)
		error = a[2] != 0 ?
		    copyout(&off, (void *)a[2], sizeof(off)) :
		    file_seek(from, off, 0, &place);
	if (to != NULL)
		fdrop(to);
	if (from != NULL)
		fdrop(from);
	return (error);
}

int
sys_ioctl(struct proc *p, const register_t *a, register_t *res)
{
	struct file *fp = holdfp(p, a[0], 0);
	int error;

	if (fp == NULL)
		return (EBADF);
	error = fp->f_ops->fo_ioctl(fp, a[1], (void *)a[2], p);
	fdrop(fp);
	return (error);
}

int
sys_fstat(struct proc *p, const register_t *a, register_t *res)
{
	struct file *fp = holdfp(p, a[0], 0);
	struct stat st;
	int error;

	if (fp == NULL)
		return (EBADF);
	error = fp->f_ops->fo_stat(fp, &st);
	fdrop(fp);
	return (error != 0 ? error : copyout(&st, (void *)a[1], sizeof(st)));
}

/*
 * poll().
 */
void
pollwakeup(void)
{
	wakeup(&selwait);
}

static int
poll_scan(struct proc *p, struct pollfd *fds, int n)
{
	struct file *fp;
	int i, ready = 0;

	for (i = 0; i < n; ++i) {
		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		if (fds[i].fd >= NOFILE ||
		    (fp = p->p_fd[fds[i].fd].fp) == NULL)
			fds[i].revents = POLLNVAL;
		else
			fds[i].revents = fp->f_ops->fo_poll(fp,
			    fds[i].events | POLLERR | POLLHUP);
		if (fds[i].revents != 0)
			++ready;
	}
	return (ready);
}

int
kern_poll(struct proc *p, struct pollfd *fds, int n, int timo,
    register_t *ready)
{
	int end = ticks + timo, error = 0;

	while (error == 0) {
		tsleep_interlock(&selwait, 0);
		*ready = poll_scan(p, fds, n);
		if (*ready != 0 || timo == 0 ||
		    (timo > 0 && end - ticks <= 0)) {
			tsleep_remove(curthread);
			break;
		}
		error = tsleep(&selwait, PCATCH | PINTERLOCKED, "poll",
		    timo > 0 ? end - ticks : 0);
		if (error == EWOULDBLOCK)
			error = 0;
		else if (error == ERESTART)
			error = EINTR;
	}
	return (error);
}

static int
poll_user(struct proc *p, const register_t *a, int timo, register_t *res)
{
	struct pollfd *fds;
	size_t size = a[1] * sizeof(*fds);
	int error;

	if (a[1] < 0 || a[1] > NOFILE)
		return (EINVAL);
	fds = kmalloc(size + 1, M_SELECT, M_WAITOK);
	error = copyin((const void *)a[0], fds, size);
	if (error == 0)
		error = kern_poll(p, fds, a[1], timo, res);
	if (error == 0)
		error = copyout(fds, (void *)a[0], size);
	kfree(fds, M_SELECT);
	return (error);
}

int
sys_poll(struct proc *p, const register_t *a, register_t *res)
{
	int ms = a[2];

	if (ms > 0)
		ms = imin(ms, INT_MAX / hz) * hz / 1000 + 1;
	return (poll_user(p, a, ms, res));
}

/* The signal mask is not looked at. */
int
sys_ppoll(struct proc *p, const register_t *a, register_t *res)
{
	struct timespec ts;
	int error, timo = -1;

	if (a[2] != 0) {
		error = copyin((const void *)a[2], &ts, sizeof(ts));
		if (error)
			return (error);
		timo = ts.tv_sec == 0 && ts.tv_nsec == 0 ? 0 :
		    tstohz_high(&ts);
	}
	return (poll_user(p, a, timo, res));
}
