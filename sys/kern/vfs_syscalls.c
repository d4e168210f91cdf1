/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls on path names.
 *
 * Each call copies its path into a buffer from namei_oc and finds out where a
 * relative one starts: at a directory's descriptor or in the working
 * directory.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/malloc.h>
#include <sys/namei.h>
#include <sys/objcache.h>
#include <sys/proc.h>
#include <sys/stat.h>
#include <sys/sysent.h>
#include <sys/vmmeter.h>
#include <vfs/tmpfs/tmpfs.h>

#include <vm/vm.h>
#include <vm/swap_pager.h>

struct namei {
	char		*path;		/* MAXPATHLEN bytes */
	struct tmpfs_node *start;	/* referenced */
};

int
at_start(struct proc *p, int dirfd, struct tmpfs_node **startp)
{
	struct file *fp;
	int error = 0;

	if (dirfd == AT_FDCWD) {
		*startp = p->p_cwd;
		tmpfs_node_ref(*startp);
		return (0);
	}
	fp = holdfp(p, dirfd, 0);
	if (fp == NULL)
		return (EBADF);
	if (fp->f_node == NULL) {
		error = ENOTDIR;
	} else {
		*startp = fp->f_node;
		tmpfs_node_ref(*startp);
	}
	fdrop(fp);
	return (error);
}

static void
namei_done(struct namei *nd)
{
	if (nd->start != NULL)
		tmpfs_node_rele(nd->start);
	objcache_put(namei_oc, nd->path);
}

/*
 * 0: namei_done() must follow.
 */
static int
namei(struct proc *p, int dirfd, register_t upath, struct namei *nd)
{
	int error;

	nd->start = NULL;
	nd->path = objcache_get(namei_oc, M_WAITOK);
	error = copyinstr((const void *)upath, nd->path, MAXPATHLEN, NULL);
	if (error == 0)
		error = at_start(p, dirfd, &nd->start);
	if (error)
		namei_done(nd);
	return (error);
}

/*
 * The node of a path, referenced.
 */
static int
namei_node(struct proc *p, int dirfd, register_t upath, boolean_t follow,
    struct tmpfs_node **nodep)
{
	struct namei nd;
	int error;

	error = namei(p, dirfd, upath, &nd);
	if (error)
		return (error);
	error = tmpfs_lookup(nd.start, nd.path, follow, nodep);
	namei_done(&nd);
	return (error);
}

static int
kern_openat(struct proc *p, int dirfd, register_t upath, int flags,
    mode_t mode, register_t *res)
{
	struct file *fp;
	char *path;
	int error;

	path = objcache_get(namei_oc, M_WAITOK);
	error = copyinstr((const void *)upath, path, MAXPATHLEN, NULL);
	if (error == 0)
		error = tmpfs_open(p, dirfd, path, flags,
		    mode & ALLPERMS & ~p->p_umask, &fp);
	objcache_put(namei_oc, path);
	if (error)
		return (error);
	return (fdinstall(p, fp, 0, (flags & O_CLOEXEC) != 0, res));
}

int
sys_open(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_openat(p, AT_FDCWD, a[0], a[1], a[2], res));
}

int
sys_openat(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_openat(p, a[0], a[1], a[2], a[3], res));
}

int
sys_creat(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_openat(p, AT_FDCWD, a[0], O_WRONLY | O_CREAT | O_TRUNC,
	    a[1], res));
}

static int
kern_statat(struct proc *p, int dirfd, register_t upath, boolean_t follow,
    register_t ubuf)
{
	struct tmpfs_node *node;
	struct stat st;
	int error;

	error = namei_node(p, dirfd, upath, follow, &node);
	if (error)
		return (error);
	tmpfs_getattr(node, &st);
	tmpfs_node_rele(node);
	return (copyout(&st, (void *)ubuf, sizeof(st)));
}

int
sys_stat(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_statat(p, AT_FDCWD, a[0], TRUE, a[1]));
}

int
sys_lstat(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_statat(p, AT_FDCWD, a[0], FALSE, a[1]));
}

int
sys_newfstatat(struct proc *p, const register_t *a, register_t *res)
{
	const register_t fargs[] = { a[0], a[2] };

	if ((a[3] & AT_EMPTY_PATH) && fubyte((const uint8_t *)a[1]) == 0)
		return (sys_fstat(p, fargs, res));
	return (kern_statat(p, a[0], a[1], (a[3] & AT_SYMLINK_NOFOLLOW) == 0,
	    a[2]));
}

/* Everything is allowed but to execute what is not executable. */
static int
kern_accessat(struct proc *p, int dirfd, register_t upath, int mode)
{
	struct tmpfs_node *node;
	int error;

	error = namei_node(p, dirfd, upath, TRUE, &node);
	if (error)
		return (error);
	if ((mode & 1) && (node->tn_mode & 0111) == 0)
		error = EACCES;
	tmpfs_node_rele(node);
	return (error);
}

int
sys_access(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_accessat(p, AT_FDCWD, a[0], a[1]));
}

int
sys_faccessat(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_accessat(p, a[0], a[1], a[2]));
}

static int
kern_readlinkat(struct proc *p, int dirfd, register_t upath, register_t ubuf,
    size_t size, register_t *res)
{
	struct tmpfs_node *node;
	int error;

	error = namei_node(p, dirfd, upath, FALSE, &node);
	if (error)
		return (error);
	if (S_ISLNK(node->tn_mode)) {
		*res = szmin(size, node->tn_size);
		error = copyout(node->tn_target, (void *)ubuf, *res);
	} else {
		error = EINVAL;
	}
	tmpfs_node_rele(node);
	return (error);
}

int
sys_readlink(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_readlinkat(p, AT_FDCWD, a[0], a[1], a[2], res));
}

int
sys_readlinkat(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_readlinkat(p, a[0], a[1], a[2], a[3], res));
}

static int
kern_create(struct proc *p, int dirfd, register_t upath, mode_t mode,
    dev_t rdev, const char *target)
{
	struct namei nd;
	int error;

	error = namei(p, dirfd, upath, &nd);
	if (error)
		return (error);
	error = tmpfs_create(nd.start, nd.path, mode, rdev, target);
	namei_done(&nd);
	return (error);
}

int
sys_mkdir(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_create(p, AT_FDCWD, a[0],
	    S_IFDIR | (a[1] & ALLPERMS & ~p->p_umask), 0, NULL));
}

int
sys_mkdirat(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_create(p, a[0], a[1],
	    S_IFDIR | (a[2] & ALLPERMS & ~p->p_umask), 0, NULL));
}

static int
kern_mknodat(struct proc *p, int dirfd, register_t upath, mode_t mode,
    dev_t rdev)
{
	mode_t type = mode & S_IFMT;

	if (type == 0)
		type = S_IFREG;
	if (type != S_IFREG && type != S_IFCHR)
		return (EPERM);
	return (kern_create(p, dirfd, upath,
	    type | (mode & ALLPERMS & ~p->p_umask), rdev, NULL));
}

int
sys_mknod(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_mknodat(p, AT_FDCWD, a[0], a[1], a[2]));
}

int
sys_mknodat(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_mknodat(p, a[0], a[1], a[2], a[3]));
}

static int
kern_symlinkat(struct proc *p, register_t utarget, int dirfd, register_t upath)
{
	char *target;
	int error;

	target = objcache_get(namei_oc, M_WAITOK);
	error = copyinstr((const void *)utarget, target, MAXPATHLEN, NULL);
	if (error == 0)
		error = kern_create(p, dirfd, upath, S_IFLNK | 0777, 0,
		    target);
	objcache_put(namei_oc, target);
	return (error);
}

int
sys_symlink(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_symlinkat(p, a[0], AT_FDCWD, a[1]));
}

int
sys_symlinkat(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_symlinkat(p, a[0], a[1], a[2]));
}

static int
kern_unlinkat(struct proc *p, int dirfd, register_t upath, boolean_t dir)
{
	struct namei nd;
	int error;

	error = namei(p, dirfd, upath, &nd);
	if (error)
		return (error);
	error = tmpfs_remove(nd.start, nd.path, dir);
	namei_done(&nd);
	return (error);
}

int
sys_unlink(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_unlinkat(p, AT_FDCWD, a[0], FALSE));
}

int
sys_rmdir(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_unlinkat(p, AT_FDCWD, a[0], TRUE));
}

int
sys_unlinkat(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_unlinkat(p, a[0], a[1], (a[2] & AT_REMOVEDIR) != 0));
}

static int
kern_two_paths(struct proc *p, int fd1, register_t path1, int fd2,
    register_t path2, int (*func)(struct tmpfs_node *, const char *,
    struct tmpfs_node *, const char *))
{
	struct namei nd1, nd2;
	int error;

	error = namei(p, fd1, path1, &nd1);
	if (error)
		return (error);
	error = namei(p, fd2, path2, &nd2);
	if (error == 0) {
		error = func(nd1.start, nd1.path, nd2.start, nd2.path);
		namei_done(&nd2);
	}
	namei_done(&nd1);
	return (error);
}

int
sys_rename(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_two_paths(p, AT_FDCWD, a[0], AT_FDCWD, a[1],
	    tmpfs_rename));
}

int
sys_renameat(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_two_paths(p, a[0], a[1], a[2], a[3], tmpfs_rename));
}

int
sys_renameat2(struct proc *p, const register_t *a, register_t *res)
{
	return (a[4] != 0 ? EINVAL : sys_renameat(p, a, res));
}

int
sys_link(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_two_paths(p, AT_FDCWD, a[0], AT_FDCWD, a[1], tmpfs_link));
}

int
sys_linkat(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_two_paths(p, a[0], a[1], a[2], a[3], tmpfs_link));
}

/* Takes the reference over. */
static int
kern_chdir(struct proc *p, struct tmpfs_node *node)
{
	struct tmpfs_node *old = p->p_cwd;

	if (!S_ISDIR(node->tn_mode)) {
		tmpfs_node_rele(node);
		return (ENOTDIR);
	}
	p->p_cwd = node;
	tmpfs_node_rele(old);
	return (0);
}

int
sys_chdir(struct proc *p, const register_t *a, register_t *res)
{
	struct tmpfs_node *node;
	int error;

	error = namei_node(p, AT_FDCWD, a[0], TRUE, &node);
	return (error != 0 ? error : kern_chdir(p, node));
}

int
sys_fchdir(struct proc *p, const register_t *a, register_t *res)
{
	struct tmpfs_node *node;
	int error;

	error = at_start(p, a[0], &node);
	return (error != 0 ? error : kern_chdir(p, node));
}

int
sys_getcwd(struct proc *p, const register_t *a, register_t *res)
{
	const char *path;
	char *buf;
	int error;

	buf = objcache_get(namei_oc, M_WAITOK);
	error = tmpfs_getcwd(p->p_cwd, buf, szmin(a[1], MAXPATHLEN), &path);
	if (error == 0) {
		*res = strlen(path) + 1;
		error = copyout(path, (void *)a[0], *res);
	}
	objcache_put(namei_oc, buf);
	return (error);
}

int
sys_getdents64(struct proc *p, const register_t *a, register_t *res)
{
	struct file *fp = holdfp(p, a[0], FREAD);
	size_t done = 0;
	int error = ENOTDIR;

	if (fp == NULL)
		return (EBADF);
	if (fp->f_node != NULL && S_ISDIR(fp->f_node->tn_mode))
		error = tmpfs_getdents(fp, (char *)a[1], (uint32_t)a[2],
		    &done);
	fdrop(fp);
	*res = done;
	return (error);
}

int
sys_truncate(struct proc *p, const register_t *a, register_t *res)
{
	struct tmpfs_node *node;
	int error;

	error = namei_node(p, AT_FDCWD, a[0], TRUE, &node);
	if (error)
		return (error);
	error = tmpfs_truncate(node, a[1]);
	tmpfs_node_rele(node);
	return (error);
}

int
sys_ftruncate(struct proc *p, const register_t *a, register_t *res)
{
	struct file *fp = holdfp(p, a[0], FWRITE);
	int error = EINVAL;

	if (fp == NULL)
		return (EBADF);
	if (fp->f_node != NULL)
		error = tmpfs_truncate(fp->f_node, a[1]);
	fdrop(fp);
	return (error);
}

/* Takes the reference over. */
static int
kern_chmod(struct tmpfs_node *node, mode_t mode)
{
	node->tn_mode = (node->tn_mode & S_IFMT) | (mode & ALLPERMS);
	tmpfs_node_rele(node);
	return (0);
}

int
sys_chmod(struct proc *p, const register_t *a, register_t *res)
{
	struct tmpfs_node *node;
	int error;

	error = namei_node(p, AT_FDCWD, a[0], TRUE, &node);
	return (error != 0 ? error : kern_chmod(node, a[1]));
}

int
sys_fchmod(struct proc *p, const register_t *a, register_t *res)
{
	struct tmpfs_node *node;
	int error;

	error = at_start(p, a[0], &node);
	return (error != 0 ? error : kern_chmod(node, a[1]));
}

int
sys_fchmodat(struct proc *p, const register_t *a, register_t *res)
{
	struct tmpfs_node *node;
	int error;

	error = namei_node(p, a[0], a[1], TRUE, &node);
	return (error != 0 ? error : kern_chmod(node, a[2]));
}

/*
 * Only the time of the last change is kept.  ts is that of the last access and
 * that of the last change, NULL: now.  Takes the reference over.
 */
static int
kern_settimes(struct tmpfs_node *node, const struct timespec *ts)
{
	struct timespec now;

	getnanouptime(&now);
	if (ts == NULL || ts[1].tv_nsec == UTIME_NOW)
		node->tn_mtime = now;
	else if (ts[1].tv_nsec != UTIME_OMIT)
		node->tn_mtime = ts[1];
	tmpfs_node_rele(node);
	return (0);
}

int
sys_utimensat(struct proc *p, const register_t *a, register_t *res)
{
	struct timespec ts[2];
	struct tmpfs_node *node;
	int error;

	if (a[2] != 0) {
		error = copyin((const void *)a[2], ts, sizeof(ts));
		if (error)
			return (error);
	}
	error = a[1] == 0 ? at_start(p, a[0], &node) : namei_node(p, a[0],
	    a[1], (a[3] & AT_SYMLINK_NOFOLLOW) == 0, &node);
	return (error != 0 ? error : kern_settimes(node, a[2] != 0 ? ts :
	    NULL));
}

int
sys_futimesat(struct proc *p, const register_t *a, register_t *res)
{
	struct tmpfs_node *node;
	struct timeval tv[2];
	struct timespec ts[2];
	int error, i;

	if (a[2] != 0) {
		error = copyin((const void *)a[2], tv, sizeof(tv));
		if (error)
			return (error);
		for (i = 0; i < 2; ++i) {
			ts[i].tv_sec = tv[i].tv_sec;
			ts[i].tv_nsec = tv[i].tv_usec * 1000;
		}
	}
	error = namei_node(p, a[0], a[1], TRUE, &node);
	return (error != 0 ? error : kern_settimes(node, a[2] != 0 ? ts :
	    NULL));
}

int
sys_utimes(struct proc *p, const register_t *a, register_t *res)
{
	const register_t args[] = { AT_FDCWD, a[0], a[1] };

	return (sys_futimesat(p, args, res));
}

/*
 * Memory and swap are what the file system has.  Takes the reference over.
 */
static int
kern_statfs(struct tmpfs_node *node, register_t ubuf)
{
	struct statfs sf;

	bzero(&sf, sizeof(sf));
	sf.f_type = node->tn_proc != NULL ? PROC_MAGIC : TMPFS_MAGIC;
	tmpfs_node_rele(node);
	sf.f_bsize = sf.f_frsize = PAGE_SIZE;
	sf.f_namelen = TMPFS_NAME_MAX;
	if (sf.f_type == TMPFS_MAGIC) {
		sf.f_blocks = vmstats.v_page_count + vm_swap_max;
		sf.f_bfree = vmstats.v_free_count + vm_swap_size;
		sf.f_bavail = sf.f_bfree;
	}
	return (copyout(&sf, (void *)ubuf, sizeof(sf)));
}

int
sys_statfs(struct proc *p, const register_t *a, register_t *res)
{
	struct tmpfs_node *node;
	int error;

	error = namei_node(p, AT_FDCWD, a[0], TRUE, &node);
	return (error != 0 ? error : kern_statfs(node, a[1]));
}

int
sys_fstatfs(struct proc *p, const register_t *a, register_t *res)
{
	struct tmpfs_node *node;
	int error;

	error = at_start(p, a[0], &node);
	return (error != 0 ? error : kern_statfs(node, a[1]));
}

int
sys_umask(struct proc *p, const register_t *a, register_t *res)
{
	*res = p->p_umask;
	p->p_umask = a[0] & 0777;
	return (0);
}
