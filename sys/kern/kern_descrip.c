/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors.
 *
 * Only its own thread changes a process's table, so the table needs no lock;
 * files are common property and counted with atomic operations.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/stat.h>
#include <sys/sysent.h>
#include <vfs/tmpfs/tmpfs.h>

static MALLOC_DEFINE_OBJ(M_FILE, sizeof(struct file), "file", "open files");

#define	F_DUPFD		0
#define	F_GETFD		1
#define	F_SETFD		2
#define	F_GETFL		3
#define	F_SETFL		4
#define	F_DUPFD_CLOEXEC	1030

#define	FD_CLOEXEC	1
#define	F_CHANGEABLE	(O_APPEND | O_NONBLOCK)

struct file *
falloc(int flag, const struct fileops *ops, void *data)
{
	struct file *fp;

	fp = kmalloc_obj(sizeof(*fp), M_FILE, M_WAITOK | M_ZERO);
	fp->f_ops = ops;
	fp->f_data = data;
	fp->f_flag = flag;
	fp->f_count = 1;
	return (fp);
}

void
fhold(struct file *fp)
{
	atomic_add_int(&fp->f_count, 1);
}

/*
 * Drop a reference; the last one closes.  May block.
 */
int
fdrop(struct file *fp)
{
	int error;

	KKASSERT(fp->f_count > 0);
	if (atomic_fetchadd_int(&fp->f_count, -1) != 1)
		return (0);
	if (fp->f_epolls != 0)
		epoll_forget(fp);
	error = fp->f_ops->fo_close(fp);
	if (fp->f_node != NULL)
		tmpfs_node_rele(fp->f_node);
	kfree_obj(fp, M_FILE);
	return (error);
}

struct file *
holdfp(struct proc *p, register_t fd, int flag)
{
	struct file *fp;

	if (fd < 0 || fd >= NOFILE || (fp = p->p_fd[fd].fp) == NULL ||
	    (fp->f_flag & flag) != flag)
		return (NULL);
	fhold(fp);
	return (fp);
}

int
fdinstall(struct proc *p, struct file *fp, int min, boolean_t cloexec,
    register_t *fdp)
{
	int fd;

	for (fd = min; fd < NOFILE; ++fd) {
		if (p->p_fd[fd].fp == NULL)
			break;
	}
	if (fd == NOFILE) {
		fdrop(fp);
		return (EMFILE);
	}
	p->p_fd[fd].fp = fp;
	p->p_fd[fd].cloexec = cloexec;
	*fdp = fd;
	return (0);
}

static int
fdclose(struct proc *p, int fd)
{
	struct file *fp = p->p_fd[fd].fp;

	if (fp == NULL)
		return (EBADF);
	p->p_fd[fd].fp = NULL;
	return (fdrop(fp));
}

void
fdcopy(struct proc *p1, struct proc *p2)
{
	int fd;

	for (fd = 0; fd < NOFILE; ++fd) {
		p2->p_fd[fd] = p1->p_fd[fd];
		if (p2->p_fd[fd].fp != NULL)
			fhold(p2->p_fd[fd].fp);
	}
}

void
fdcloseexec(struct proc *p)
{
	int fd;

	for (fd = 0; fd < NOFILE; ++fd) {
		if (p->p_fd[fd].fp != NULL && p->p_fd[fd].cloexec)
			fdclose(p, fd);
	}
}

void
fdfree(struct proc *p)
{
	int fd;

	for (fd = 0; fd < NOFILE; ++fd) {
		if (p->p_fd[fd].fp != NULL)
			fdclose(p, fd);
	}
}

/*
 * System calls.
 */
int
sys_close(struct proc *p, const register_t *a, register_t *res)
{
	if (a[0] < 0 || a[0] >= NOFILE)
		return (EBADF);
	return (fdclose(p, a[0]));
}

int
sys_dup(struct proc *p, const register_t *a, register_t *res)
{
	struct file *fp = holdfp(p, a[0], 0);

	return (fp == NULL ? EBADF : fdinstall(p, fp, 0, FALSE, res));
}

static int
kern_dup2(struct proc *p, register_t from, register_t to, boolean_t cloexec,
    register_t *res)
{
	struct file *fp;

	if (to < 0 || to >= NOFILE)
		return (EBADF);
	fp = holdfp(p, from, 0);
	if (fp == NULL)
		return (EBADF);
	if (from == to) {
		fdrop(fp);
	} else {
		if (p->p_fd[to].fp != NULL)
			fdclose(p, to);
		p->p_fd[to].fp = fp;
		p->p_fd[to].cloexec = cloexec;
	}
	*res = to;
	return (0);
}

int
sys_dup2(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_dup2(p, a[0], a[1], FALSE, res));
}

int
sys_dup3(struct proc *p, const register_t *a, register_t *res)
{
	if (a[0] == a[1])
		return (EINVAL);
	return (kern_dup2(p, a[0], a[1], (a[2] & O_CLOEXEC) != 0, res));
}

int
sys_fcntl(struct proc *p, const register_t *a, register_t *res)
{
	struct file *fp = holdfp(p, a[0], 0);
	int error = 0;

	if (fp == NULL)
		return (EBADF);
	switch (a[1]) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (a[2] < 0 || a[2] >= NOFILE)
			break;
		return (fdinstall(p, fp, a[2], a[1] == F_DUPFD_CLOEXEC, res));
	case F_GETFD:
		*res = p->p_fd[a[0]].cloexec ? FD_CLOEXEC : 0;
		goto done;
	case F_SETFD:
		p->p_fd[a[0]].cloexec = (a[2] & FD_CLOEXEC) != 0;
		goto done;
	case F_GETFL:
		*res = fp->f_flag & ~(FREAD | FWRITE);
		goto done;
	case F_SETFL:
		fp->f_flag = (fp->f_flag & ~F_CHANGEABLE) |
		    (a[2] & F_CHANGEABLE);
		goto done;
	}
	error = EINVAL;
done:
	fdrop(fp);
	return (error);
}
