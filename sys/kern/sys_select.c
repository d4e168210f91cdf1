/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * select(), in terms of poll(): sets of descriptors become a list, and the list
 * sets.  Nothing is ever exceptional here.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/sysent.h>
#include <sys/time.h>

#define	SET_BITS	64
#define	SET_WORDS	howmany(NOFILE, SET_BITS)

enum { SEL_READ, SEL_WRITE, SEL_EXCEPT, SEL_SETS };

static MALLOC_DEFINE(M_SELECT, "select sets", "select descriptors");

static const struct {
	short	ask;
	short	ready;
} sel_events[SEL_SETS] = {
	{ POLLIN, POLLIN | POLLHUP | POLLERR },
	{ POLLOUT, POLLOUT | POLLERR },
	{ 0, 0 },
};

struct select {
	uint64_t	set[SEL_SETS][SET_WORDS];
	struct pollfd	fds[NOFILE];
	int		n;
};

static int
select_copyin(struct select *sel, int nfds, const register_t *a)
{
	size_t size = howmany(nfds, SET_BITS) * sizeof(uint64_t);
	int i, fd, error;
	short events;

	for (i = 0; i < SEL_SETS; ++i) {
		if (a[1 + i] == 0)
			continue;
		error = copyin((const void *)a[1 + i], sel->set[i], size);
		if (error)
			return (error);
	}
	for (fd = 0; fd < nfds; ++fd) {
		events = 0;
		for (i = 0; i < SEL_SETS; ++i) {
			if (sel->set[i][fd / SET_BITS] &
			    (1UL << fd % SET_BITS))
				events |= sel_events[i].ask;
		}
		if (events != 0) {
			sel->fds[sel->n].fd = fd;
			sel->fds[sel->n++].events = events;
		}
	}
	return (0);
}

/*
 * Leave in the sets what is ready; *res is how many bits that is.
 */
static int
select_copyout(struct select *sel, int nfds, const register_t *a,
    register_t *res)
{
	size_t size = howmany(nfds, SET_BITS) * sizeof(uint64_t);
	uint64_t was, bit;
	struct pollfd *f;
	int i, error = 0;

	*res = 0;
	for (i = 0; i < SEL_SETS && error == 0; ++i) {
		for (f = sel->fds; f < sel->fds + sel->n; ++f) {
			if (f->revents & POLLNVAL)
				return (EBADF);
			bit = 1UL << f->fd % SET_BITS;
			was = sel->set[i][f->fd / SET_BITS];
			if ((was & bit) == 0)
				continue;
			if (f->revents & sel_events[i].ready)
				++*res;
			else
				sel->set[i][f->fd / SET_BITS] &= ~bit;
		}
		if (i == SEL_EXCEPT)
			bzero(sel->set[i], sizeof(sel->set[i]));
		if (a[1 + i] != 0)
			error = copyout(sel->set[i], (void *)a[1 + i], size);
	}
	return (error);
}

static int
kern_select(struct proc *p, const register_t *a, int timo, register_t *res)
{
	int nfds = a[0], error;
	struct select *sel;

	if (a[0] < 0)
		return (EINVAL);
	if (a[0] > NOFILE)
		nfds = NOFILE;
	sel = kmalloc(sizeof(*sel), M_SELECT, M_WAITOK | M_ZERO);
	error = select_copyin(sel, nfds, a);
	if (error == 0)
		error = kern_poll(p, sel->fds, sel->n, timo, res);
	if (error == 0)
		error = select_copyout(sel, nfds, a, res);
	kfree(sel, M_SELECT);
	return (error);
}

static int
select_ticks(const struct timespec *ts)
{
	return (ts->tv_sec == 0 && ts->tv_nsec == 0 ? 0 : tstohz_high(ts));
}

int
sys_select(struct proc *p, const register_t *a, register_t *res)
{
	struct timeval tv;
	struct timespec ts;
	int error, timo = -1;

	if (a[4] != 0) {
		error = copyin((const void *)a[4], &tv, sizeof(tv));
		if (error)
			return (error);
		ts.tv_sec = tv.tv_sec;
		ts.tv_nsec = tv.tv_usec * 1000;
		timo = select_ticks(&ts);
	}
	return (kern_select(p, a, timo, res));
}

/* The signal mask is not looked at. */
int
sys_pselect6(struct proc *p, const register_t *a, register_t *res)
{
	struct timespec ts;
	int error, timo = -1;

	if (a[4] != 0) {
		error = copyin((const void *)a[4], &ts, sizeof(ts));
		if (error)
			return (error);
		timo = select_ticks(&ts);
	}
	return (kern_select(p, a, timo, res));
}
