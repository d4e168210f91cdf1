/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls on files: the console, and the initial ram disk, read-only.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/initrd.h>
#include <sys/malloc.h>
#include <sys/namei.h>
#include <sys/objcache.h>
#include <sys/proc.h>
#include <sys/sysent.h>
#include <sys/thread2.h>

#include <machine/md_var.h>

#define	O_ACCMODE	3
#define	O_RDONLY	0
#define	AT_EMPTY_PATH	0x1000

#define	IOV_MAX		64
#define	CONSOLE_CHUNK	256

struct iovec {
	void	*iov_base;
	size_t	iov_len;
};

/* struct stat of the x86-64 Linux interface */
struct linux_stat {
	uint64_t	st_dev;
	uint64_t	st_ino;
	uint64_t	st_nlink;
	uint32_t	st_mode;
	uint32_t	st_uid;
	uint32_t	st_gid;
	uint32_t	st_pad0;
	uint64_t	st_rdev;
	int64_t		st_size;
	int64_t		st_blksize;
	int64_t		st_blocks;
	int64_t		st_times[6];
	int64_t		st_unused[3];
};

static struct filedesc *
fd_get(struct proc *p, register_t fd)
{
	if (fd < 0 || fd >= NOFILE || p->p_fd[fd].fd_kind == FD_NONE)
		return (NULL);
	return (&p->p_fd[fd]);
}

/*
 * Look a user's path up.
 */
static int
lookup_user(const char *upath, struct initrd_file *file)
{
	char *path;
	int error;

	path = objcache_get(namei_oc, M_WAITOK);
	error = copyinstr(upath, path, MAXPATHLEN, NULL);
	if (error == 0)
		error = initrd_lookup(path, file);
	objcache_put(namei_oc, path);
	return (error);
}

static int
file_open(struct proc *p, const char *upath, register_t flags,
    register_t *res)
{
	struct initrd_file file;
	int error, fd;

	error = lookup_user(upath, &file);
	if (error)
		return (error);
	if ((flags & O_ACCMODE) != O_RDONLY)
		return (EROFS);
	if ((file.mode & S_IFMT) != S_IFREG)
		return (EACCES);
	for (fd = 0; fd < NOFILE; ++fd) {
		if (p->p_fd[fd].fd_kind == FD_NONE)
			break;
	}
	if (fd == NOFILE)
		return (EMFILE);
	p->p_fd[fd].fd_kind = FD_FILE;
	p->p_fd[fd].fd_file = file;
	p->p_fd[fd].fd_offset = 0;
	*res = fd;
	return (0);
}

int
sys_open(struct proc *p, const register_t *a, register_t *res)
{
	return (file_open(p, (const char *)a[0], a[1], res));
}

/* Directories cannot be opened, so paths are from the root in any case. */
int
sys_openat(struct proc *p, const register_t *a, register_t *res)
{
	return (file_open(p, (const char *)a[1], a[2], res));
}

int
sys_close(struct proc *p, const register_t *a, register_t *res)
{
	struct filedesc *fd = fd_get(p, a[0]);

	if (fd == NULL)
		return (EBADF);
	fd->fd_kind = FD_NONE;
	return (0);
}

int
sys_read(struct proc *p, const register_t *a, register_t *res)
{
	struct filedesc *fd = fd_get(p, a[0]);
	size_t len = a[2];
	int error;

	if (fd == NULL)
		return (EBADF);
	if (fd->fd_kind == FD_CONSOLE || fd->fd_offset < 0 ||
	    (size_t)fd->fd_offset >= fd->fd_file.size)
		return (0);
	len = szmin(len, fd->fd_file.size - fd->fd_offset);
	error = copyout(fd->fd_file.data + fd->fd_offset, (void *)a[1], len);
	if (error)
		return (error);
	fd->fd_offset += len;
	*res = len;
	return (0);
}

static int
console_write(const char *ubuf, size_t len)
{
	char buf[CONSOLE_CHUNK];
	size_t n;
	int error;

	for (; len != 0; len -= n, ubuf += n) {
		n = szmin(len, sizeof(buf));
		error = copyin(ubuf, buf, n);
		if (error)
			return (error);
		cnwrite(buf, n);
	}
	return (0);
}

static int
check_writable(struct proc *p, register_t fdno)
{
	struct filedesc *fd = fd_get(p, fdno);

	return (fd == NULL || fd->fd_kind != FD_CONSOLE ? EBADF : 0);
}

int
sys_write(struct proc *p, const register_t *a, register_t *res)
{
	int error;

	error = check_writable(p, a[0]);
	if (error == 0)
		error = console_write((const char *)a[1], a[2]);
	*res = a[2];
	return (error);
}

int
sys_writev(struct proc *p, const register_t *a, register_t *res)
{
	struct iovec iov[IOV_MAX];
	int error, i;

	error = check_writable(p, a[0]);
	if (error)
		return (error);
	if (a[2] < 0 || a[2] > IOV_MAX)
		return (EINVAL);
	error = copyin((const void *)a[1], iov, a[2] * sizeof(iov[0]));
	for (i = 0; i < a[2] && error == 0; ++i) {
		error = console_write(iov[i].iov_base, iov[i].iov_len);
		*res += iov[i].iov_len;
	}
	return (error);
}

int
sys_lseek(struct proc *p, const register_t *a, register_t *res)
{
	struct filedesc *fd = fd_get(p, a[0]);
	off_t off = a[1];

	if (fd == NULL)
		return (EBADF);
	if (fd->fd_kind != FD_FILE)
		return (ESPIPE);
	switch (a[2]) {
	case 0:
		break;
	case 1:
		off += fd->fd_offset;
		break;
	case 2:
		off += fd->fd_file.size;
		break;
	default:
		return (EINVAL);
	}
	if (off < 0)
		return (EINVAL);
	fd->fd_offset = off;
	*res = off;
	return (0);
}

static int
put_stat(const struct initrd_file *file, void *ubuf)
{
	struct linux_stat st;

	bzero(&st, sizeof(st));
	st.st_nlink = 1;
	st.st_blksize = PAGE_SIZE;
	if (file != NULL) {
		st.st_ino = file->ino;
		st.st_mode = file->mode;
		st.st_size = file->size;
		st.st_blocks = howmany(file->size, 512);
	} else {
		st.st_mode = S_IFCHR | 0600;
	}
	return (copyout(&st, ubuf, sizeof(st)));
}

int
sys_fstat(struct proc *p, const register_t *a, register_t *res)
{
	struct filedesc *fd = fd_get(p, a[0]);

	if (fd == NULL)
		return (EBADF);
	return (put_stat(fd->fd_kind == FD_FILE ? &fd->fd_file : NULL,
	    (void *)a[1]));
}

int
sys_stat(struct proc *p, const register_t *a, register_t *res)
{
	struct initrd_file file;
	int error;

	error = lookup_user((const char *)a[0], &file);
	return (error != 0 ? error : put_stat(&file, (void *)a[1]));
}

int
sys_newfstatat(struct proc *p, const register_t *a, register_t *res)
{
	const register_t fargs[] = { a[0], a[2] };
	const register_t pargs[] = { a[1], a[2] };

	if ((a[3] & AT_EMPTY_PATH) && fubyte((const uint8_t *)a[1]) == 0)
		return (sys_fstat(p, fargs, res));
	return (sys_stat(p, pargs, res));
}

int
sys_ioctl(struct proc *p, const register_t *a, register_t *res)
{
	return (fd_get(p, a[0]) == NULL ? EBADF : ENOTTY);
}
