/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * epoll: waiting for any of many files.
 *
 * An instance is a file with a list of other files and what to wait for.  The
 * entries live as long as the instance, so they come from a zone of its own,
 * which goes with it.  An entry refers to a file without holding it: with its
 * last reference a file leaves all instances it is in (f_epolls says whether
 * there are any).
 *
 * ep_lock protects an instance's list, epoll_lock the list of instances; the
 * latter comes first.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/globaldata.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/sysent.h>

#include <vm/vm_zone.h>

static MALLOC_DEFINE(M_EPOLL, "epoll", "epoll instances");

#define	EPOLL_CTL_ADD	1
#define	EPOLL_CTL_DEL	2
#define	EPOLL_CTL_MOD	3

#define	EPOLLONESHOT	(1U << 30)
#define	EPOLL_EVENTS	(POLLIN | POLLOUT)
#define	EPOLL_ALWAYS	(POLLERR | POLLHUP)
#define	EPOLL_BATCH	16

struct epoll_event {
	uint32_t	events;
	uint64_t	data;
} __packed;

struct epitem {
	TAILQ_ENTRY(epitem) ei_link;
	struct file	*ei_fp;
	int		ei_fd;
	struct epoll_event ei_event;
};

TAILQ_HEAD(epitems, epitem);

struct epoll {
	LIST_ENTRY(epoll) ep_link;
	struct lock	ep_lock;
	struct epitems	ep_items;
	vm_zone_t	ep_zone;	/* of them */
};

static LIST_HEAD(, epoll) epolls = LIST_HEAD_INITIALIZER(epolls);
static struct lock epoll_lock = LOCK_INITIALIZER("epolls", 0, 0);

static struct epoll *
epoll_create(void)
{
	struct epoll *ep;

	ep = kmalloc(sizeof(*ep), M_EPOLL, M_WAITOK | M_ZERO);
	ep->ep_zone = zinit("EPOLL", sizeof(struct epitem), 0,
	    ZONE_DESTROYABLE);
	if (ep->ep_zone == NULL) {
		kfree(ep, M_EPOLL);
		return (NULL);
	}
	lockinit(&ep->ep_lock, "epoll", 0, 0);
	TAILQ_INIT(&ep->ep_items);
	lockmgr(&epoll_lock, LK_EXCLUSIVE);
	LIST_INSERT_HEAD(&epolls, ep, ep_link);
	lockmgr(&epoll_lock, LK_RELEASE);
	return (ep);
}

static void
epoll_remove(struct epoll *ep, struct epitem *ei)
{
	TAILQ_REMOVE(&ep->ep_items, ei, ei_link);
	atomic_add_int(&ei->ei_fp->f_epolls, -1);
	zfree(ep->ep_zone, ei);
}

static void
epoll_destroy(struct epoll *ep)
{
	struct epitem *ei;

	lockmgr(&epoll_lock, LK_EXCLUSIVE);
	LIST_REMOVE(ep, ep_link);
	while ((ei = TAILQ_FIRST(&ep->ep_items)) != NULL)
		epoll_remove(ep, ei);
	lockmgr(&epoll_lock, LK_RELEASE);
	zdestroy(ep->ep_zone);
	lockuninit(&ep->ep_lock);
	kfree(ep, M_EPOLL);
}

/*
 * A file goes.
 */
void
epoll_forget(struct file *fp)
{
	struct epitem *ei, *next;
	struct epoll *ep;

	lockmgr(&epoll_lock, LK_EXCLUSIVE);
	LIST_FOREACH(ep, &epolls, ep_link) {
		lockmgr(&ep->ep_lock, LK_EXCLUSIVE);
		TAILQ_FOREACH_MUTABLE(ei, &ep->ep_items, ei_link, next) {
			if (ei->ei_fp == fp)
				epoll_remove(ep, ei);
		}
		lockmgr(&ep->ep_lock, LK_RELEASE);
	}
	lockmgr(&epoll_lock, LK_RELEASE);
}

/*
 * File operations.
 */
static int
epoll_rw(struct file *fp, struct uio *uio, int flags)
{
	return (EINVAL);
}

static int
epoll_poll(struct file *fp, int events)
{
	return (0);
}

static int
epoll_stat(struct file *fp, struct stat *st)
{
	bzero(st, sizeof(*st));
	st->st_mode = 0600;
	return (0);
}

static int
epoll_close(struct file *fp)
{
	epoll_destroy(fp->f_data);
	return (0);
}

static const struct fileops epoll_fileops = {
	.fo_read = epoll_rw,
	.fo_write = epoll_rw,
	.fo_ioctl = nofo_ioctl,
	.fo_poll = epoll_poll,
	.fo_stat = epoll_stat,
	.fo_close = epoll_close,
};

static int
holdepoll(struct proc *p, register_t fd, struct file **fpp)
{
	struct file *fp = holdfp(p, fd, 0);

	if (fp == NULL)
		return (EBADF);
	if (fp->f_ops != &epoll_fileops) {
		fdrop(fp);
		return (EINVAL);
	}
	*fpp = fp;
	return (0);
}

/*
 * System calls.
 */
static int
kern_epoll_create(struct proc *p, int flags, register_t *res)
{
	struct epoll *ep = epoll_create();

	if (ep == NULL)
		return (ENOMEM);
	return (fdinstall(p, falloc(O_RDWR, &epoll_fileops, ep), 0,
	    (flags & O_CLOEXEC) != 0, res));
}

int
sys_epoll_create(struct proc *p, const register_t *a, register_t *res)
{
	return ((int)a[0] <= 0 ? EINVAL : kern_epoll_create(p, 0, res));
}

int
sys_epoll_create1(struct proc *p, const register_t *a, register_t *res)
{
	return ((a[0] & ~O_CLOEXEC) ? EINVAL :
	    kern_epoll_create(p, a[0], res));
}

static int
epoll_ctl(struct epoll *ep, int op, int fd, struct file *fp,
    const struct epoll_event *event)
{
	struct epitem *ei;
	int error = 0;

	lockmgr(&ep->ep_lock, LK_EXCLUSIVE);
	TAILQ_FOREACH(ei, &ep->ep_items, ei_link) {
		if (ei->ei_fp == fp && ei->ei_fd == fd)
			break;
	}
	if (op != EPOLL_CTL_ADD && ei == NULL) {
		error = ENOENT;
	} else if (op == EPOLL_CTL_ADD && ei != NULL) {
		error = EEXIST;
	} else if (op == EPOLL_CTL_DEL) {
		epoll_remove(ep, ei);
	} else {
		if (ei == NULL) {
			ei = zalloc(ep->ep_zone);
			ei->ei_fp = fp;
			ei->ei_fd = fd;
			atomic_add_int(&fp->f_epolls, 1);
			TAILQ_INSERT_TAIL(&ep->ep_items, ei, ei_link);
		}
		ei->ei_event = *event;
	}
	lockmgr(&ep->ep_lock, LK_RELEASE);
	if (error == 0)
		pollwakeup();
	return (error);
}

int
sys_epoll_ctl(struct proc *p, const register_t *a, register_t *res)
{
	struct epoll_event event;
	struct file *efp, *fp;
	int error;

	if (a[1] < EPOLL_CTL_ADD || a[1] > EPOLL_CTL_MOD)
		return (EINVAL);
	if (a[1] != EPOLL_CTL_DEL) {
		error = copyin((const void *)a[3], &event, sizeof(event));
		if (error)
			return (error);
	}
	error = holdepoll(p, a[0], &efp);
	if (error)
		return (error);
	fp = holdfp(p, a[2], 0);
	if (fp == NULL) {
		error = EBADF;
	} else {
		if (fp->f_ops == &epoll_fileops)
			error = EINVAL;
		else
			error = epoll_ctl(efp->f_data, a[1], a[2], fp,
			    &event);
		fdrop(fp);
	}
	fdrop(efp);
	return (error);
}

/*
 * Events there are, max at most.  Those reported go to the end of the list,
 * so that the others have their turn.  On return the caller is queued for
 * what will happen next.
 */
static int
epoll_scan(struct epoll *ep, struct epoll_event *events, int max)
{
	struct epitem *ei, *next, *last;
	uint32_t revents;
	int n = 0;

	lockmgr(&ep->ep_lock, LK_EXCLUSIVE);
	tsleep_interlock(&selwait, 0);
	last = TAILQ_LAST(&ep->ep_items, epitems);
	TAILQ_FOREACH_MUTABLE(ei, &ep->ep_items, ei_link, next) {
		if (n == max)
			break;
		revents = 0;
		if (ei->ei_event.events & (EPOLL_EVENTS | EPOLL_ALWAYS))
			revents = ei->ei_fp->f_ops->fo_poll(ei->ei_fp,
			    (ei->ei_event.events & EPOLL_EVENTS) |
			    EPOLL_ALWAYS);
		if (revents != 0) {
			events[n].events = revents;
			events[n].data = ei->ei_event.data;
			++n;
			if (ei->ei_event.events & EPOLLONESHOT)
				ei->ei_event.events = 0;
			TAILQ_REMOVE(&ep->ep_items, ei, ei_link);
			TAILQ_INSERT_TAIL(&ep->ep_items, ei, ei_link);
		}
		if (ei == last)
			break;
	}
	lockmgr(&ep->ep_lock, LK_RELEASE);
	return (n);
}

int
sys_epoll_wait(struct proc *p, const register_t *a, register_t *res)
{
	struct epoll_event events[EPOLL_BATCH];
	int timo = a[3], end, error, n;
	struct file *efp;

	if (a[2] <= 0)
		return (EINVAL);
	error = holdepoll(p, a[0], &efp);
	if (error)
		return (error);
	if (timo > 0)
		timo = imin(timo, INT_MAX / hz) * hz / 1000 + 1;
	end = ticks + timo;
	for (;;) {
		n = epoll_scan(efp->f_data, events, lmin(a[2], EPOLL_BATCH));
		if (n != 0 || timo == 0 || (timo > 0 && end - ticks <= 0)) {
			tsleep_remove(curthread);
			break;
		}
		error = tsleep(&selwait, PCATCH | PINTERLOCKED, "epoll",
		    timo > 0 ? end - ticks : 0);
		if (error != 0 && error != EWOULDBLOCK) {
			error = EINTR;
			break;
		}
		error = 0;
	}
	fdrop(efp);
	if (error == 0) {
		*res = n;
		error = copyout(events, (void *)a[1], n * sizeof(events[0]));
	}
	return (error);
}
