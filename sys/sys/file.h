/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Open files.  Descriptors of any number of processes refer to a struct file;
 * f_count says how many, and calls in progress.  The last one closes it.
 */
#ifndef _SYS_FILE_H_
#define	_SYS_FILE_H_

#include <sys/types.h>

struct file;
struct proc;
struct stat;
struct tmpfs_node;
struct uio;

/*
 * fo_read and fo_write use uio_offset as the place and may advance f_offset
 * (FOF_OFFSET in flags: uio_offset counts, f_offset does not).  fo_poll must
 * not block.
 */
struct fileops {
	int	(*fo_read)(struct file *fp, struct uio *uio, int flags);
	int	(*fo_write)(struct file *fp, struct uio *uio, int flags);
	int	(*fo_ioctl)(struct file *fp, u_long com, void *udata,
		    struct proc *p);
	int	(*fo_poll)(struct file *fp, int events);
	int	(*fo_stat)(struct file *fp, struct stat *st);
	int	(*fo_close)(struct file *fp);
};

#define	FOF_OFFSET	1

struct file {
	const struct fileops *f_ops;
	void		*f_data;
	struct tmpfs_node *f_node;	/* NULL if it has no name */
	off_t		f_offset;
	int		f_flag;		/* O_*, FREAD, FWRITE */
	u_int		f_count;
	u_int		f_epolls;	/* epoll instances it is in */
};

struct fdnode {
	struct file	*fp;
	boolean_t	cloexec;
};

struct pollfd {
	int	fd;
	short	events;
	short	revents;
};

#define	POLLIN		0x0001
#define	POLLOUT		0x0004
#define	POLLERR		0x0008
#define	POLLHUP		0x0010
#define	POLLNVAL	0x0020

#ifdef _KERNEL

/* A file with one reference and no operations yet.  May block. */
struct file *falloc(int flag, const struct fileops *ops, void *data);
void	fhold(struct file *fp);
int	fdrop(struct file *fp);

/* The file of a descriptor, held; or NULL. */
struct file *holdfp(struct proc *p, register_t fd, int flag);

/* Enter fp, whose reference goes to the descriptor; EMFILE drops it. */
int	fdinstall(struct proc *p, struct file *fp, int min, boolean_t cloexec,
	    register_t *fd);
void	fdcopy(struct proc *p1, struct proc *p2);
void	fdcloseexec(struct proc *p);
void	fdfree(struct proc *p);
int	nofo_ioctl(struct file *, u_long, void *, struct proc *);
int	always_poll(struct file *, int events);

/* A character device, by number; NULL if there is none. */
const struct fileops *dev_fileops(dev_t rdev);
extern const struct fileops cons_fileops;

/* Something poll() may wait for, asleep on selwait, has happened. */
void	pollwakeup(void);
extern int selwait;

/* Take a file that goes out of all epoll instances.  May block. */
void	epoll_forget(struct file *fp);

/*
 * Wait until one of n descriptors is ready or timo ticks have passed (0: do not
 * wait, -1: for ever).  *ready is how many are.  EINTR.
 */
int	kern_poll(struct proc *p, struct pollfd *fds, int n, int timo,
	    register_t *ready);

#endif

#endif
