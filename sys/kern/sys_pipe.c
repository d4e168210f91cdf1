/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pipes.
 *
 * What is in a pipe is a queue of buffers, each a header with a cluster of
 * PIPE_BUF bytes.  Headers come constructed, with their cluster, from a cache
 * which gets the clusters from another one; an empty buffer returns to it,
 * cluster and all.  While memory is short it is destroyed instead: clusters
 * in a cache are of no use to the page-out daemon.
 *
 * A writer fills a buffer before it looks at the pipe, so that it may fault
 * at leisure, then adds it as a whole: writes of up to PIPE_BUF bytes are
 * atomic.  pipe_lock protects the pipe and is held while a reader copies out.
 * Waiting is on the queue for readers, on the size for writers.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/objcache.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/sysent.h>
#include <sys/uio.h>

#include <vm/vm.h>
#include <vm/vm_page2.h>

#define	PIPE_BUF	4096
#define	PIPE_SIZE	(16 * PIPE_BUF)

static MALLOC_DEFINE(M_PIPE, "pipe", "pipes");
static MALLOC_DEFINE(M_PIPEBUF, "pipebuf", "pipe buffers");
static MALLOC_DEFINE(M_PIPECL, "pipecl", "pipe buffers' clusters");

struct pipebuf {
	TAILQ_ENTRY(pipebuf) pb_link;
	size_t		pb_off;		/* first byte not read */
	size_t		pb_len;		/* bytes not read */
	char		*pb_data;	/* PIPE_BUF bytes */
};

TAILQ_HEAD(pipebufs, pipebuf);

struct pipe {
	struct lock	pipe_lock;
	struct pipebufs	pipe_bufs;
	size_t		pipe_size;	/* bytes in it */
	int		pipe_nbufs;
	boolean_t	pipe_readers;	/* the reading end is open */
	boolean_t	pipe_writers;
	ino_t		pipe_ino;
};

static struct objcache *pipecl_cache;
static struct objcache *pipebuf_cache;
static struct objcache *pipe_cache;
static u_long pipe_lastino;

static bool
pipebuf_ctor(void *obj, void *privdata, int ocflags)
{
	struct pipebuf *pb = obj;

	pb->pb_data = objcache_get(pipecl_cache, ocflags);
	return (pb->pb_data != NULL);
}

static void
pipebuf_dtor(void *obj, void *privdata)
{
	struct pipebuf *pb = obj;

	objcache_put(pipecl_cache, pb->pb_data);
}

static void
pipeinit(void *dummy)
{
	pipe_cache = objcache_create_simple(M_PIPE, sizeof(struct pipe));
	pipecl_cache = objcache_create_simple(M_PIPECL, PIPE_BUF);
	pipebuf_cache = objcache_create_mbacked(M_PIPEBUF,
	    sizeof(struct pipebuf), 0, 0, pipebuf_ctor, pipebuf_dtor, NULL);
}
SYSINIT(pipe, SI_BOOT2_MACHDEP, SI_ORDER_ANY, pipeinit, NULL);

static void
pipebuf_free(struct pipebuf *pb)
{
	if (vm_paging_min())
		objcache_dtor(pipebuf_cache, pb);
	else
		objcache_put(pipebuf_cache, pb);
}

static void
pipe_changed(const volatile void *chan)
{
	wakeup(chan);
	pollwakeup();
}

/*
 * Wait on chan, the lock released meanwhile.
 */
static int
pipe_wait(struct pipe *pi, struct file *fp, const volatile void *chan,
    const char *wmesg)
{
	if (fp->f_flag & O_NONBLOCK)
		return (EAGAIN);
	return (lksleep(chan, &pi->pipe_lock, PCATCH, wmesg, 0));
}

static int
pipe_read(struct file *fp, struct uio *uio, int flags)
{
	struct pipe *pi = fp->f_data;
	struct pipebuf *pb;
	size_t n;
	int error = 0;

	if (uio->uio_resid == 0)
		return (0);
	lockmgr(&pi->pipe_lock, LK_EXCLUSIVE);
	while (pi->pipe_size == 0 && pi->pipe_writers && error == 0)
		error = pipe_wait(pi, fp, &pi->pipe_bufs, "piperd");
	while (pi->pipe_size != 0 && uio->uio_resid != 0 && error == 0) {
		pb = TAILQ_FIRST(&pi->pipe_bufs);
		n = szmin(pb->pb_len, uio->uio_resid);
		error = uiomove(pb->pb_data + pb->pb_off, n, uio);
		if (error)
			break;
		pb->pb_off += n;
		pb->pb_len -= n;
		pi->pipe_size -= n;
		if (pb->pb_len == 0) {
			TAILQ_REMOVE(&pi->pipe_bufs, pb, pb_link);
			--pi->pipe_nbufs;
			pipebuf_free(pb);
		}
		pipe_changed(&pi->pipe_size);
	}
	lockmgr(&pi->pipe_lock, LK_RELEASE);
	return (error);
}

/*
 * Add pb to the pipe, into the last buffer if there is room.  TRUE if pb is
 * used up.
 */
static boolean_t
pipe_append(struct pipe *pi, struct pipebuf *pb)
{
	struct pipebuf *last = TAILQ_LAST(&pi->pipe_bufs, pipebufs);
	size_t end;

	pi->pipe_size += pb->pb_len;
	if (last != NULL) {
		end = last->pb_off + last->pb_len;
		if (end + pb->pb_len <= PIPE_BUF) {
			bcopy(pb->pb_data, last->pb_data + end, pb->pb_len);
			last->pb_len += pb->pb_len;
			return (FALSE);
		}
	}
	TAILQ_INSERT_TAIL(&pi->pipe_bufs, pb, pb_link);
	++pi->pipe_nbufs;
	return (TRUE);
}

static int
pipe_write(struct file *fp, struct uio *uio, int flags)
{
	struct pipe *pi = fp->f_data;
	struct pipebuf *pb;
	size_t n;
	int error = 0;

	while (uio->uio_resid != 0 && error == 0) {
		pb = objcache_get(pipebuf_cache, M_WAITOK);
		n = szmin(uio->uio_resid, PIPE_BUF);
		error = uiomove(pb->pb_data, n, uio);
		if (error) {
			pipebuf_free(pb);
			break;
		}
		pb->pb_off = 0;
		pb->pb_len = n;
		lockmgr(&pi->pipe_lock, LK_EXCLUSIVE);
		while (pi->pipe_readers && error == 0 &&
		    (pi->pipe_size + n > PIPE_SIZE ||
		    pi->pipe_nbufs >= PIPE_SIZE / PIPE_BUF))
			error = pipe_wait(pi, fp, &pi->pipe_size, "pipewr");
		if (!pi->pipe_readers)
			error = EPIPE;
		if (error == 0) {
			if (pipe_append(pi, pb))
				pb = NULL;
			pipe_changed(&pi->pipe_bufs);
		} else {
			uio->uio_resid += n;
		}
		lockmgr(&pi->pipe_lock, LK_RELEASE);
		if (pb != NULL)
			pipebuf_free(pb);
	}
	return (error);
}

static int
pipe_poll(struct file *fp, int events)
{
	struct pipe *pi = fp->f_data;
	int revents = 0;

	if (fp->f_flag & FREAD) {
		if (pi->pipe_size != 0)
			revents |= events & POLLIN;
		if (!pi->pipe_writers)
			revents |= POLLHUP;
	} else {
		if (!pi->pipe_readers)
			revents |= POLLERR;
		else if (pi->pipe_size + PIPE_BUF <= PIPE_SIZE &&
		    pi->pipe_nbufs < PIPE_SIZE / PIPE_BUF)
			revents |= events & POLLOUT;
	}
	return (revents);
}

static int
pipe_stat(struct file *fp, struct stat *st)
{
	struct pipe *pi = fp->f_data;

	bzero(st, sizeof(*st));
	st->st_mode = S_IFIFO | 0600;
	st->st_ino = pi->pipe_ino;
	st->st_nlink = 1;
	st->st_blksize = PIPE_BUF;
	return (0);
}

/*
 * The second end to go takes the pipe along.
 */
static int
pipe_close(struct file *fp)
{
	struct pipe *pi = fp->f_data;
	struct pipebuf *pb;
	boolean_t gone;

	lockmgr(&pi->pipe_lock, LK_EXCLUSIVE);
	if (fp->f_flag & FREAD)
		pi->pipe_readers = FALSE;
	else
		pi->pipe_writers = FALSE;
	gone = (!pi->pipe_readers && !pi->pipe_writers);
	pipe_changed(&pi->pipe_bufs);
	pipe_changed(&pi->pipe_size);
	lockmgr(&pi->pipe_lock, LK_RELEASE);
	if (gone) {
		while ((pb = TAILQ_FIRST(&pi->pipe_bufs)) != NULL) {
			TAILQ_REMOVE(&pi->pipe_bufs, pb, pb_link);
			pipebuf_free(pb);
		}
		lockuninit(&pi->pipe_lock);
		objcache_put(pipe_cache, pi);
	}
	return (0);
}

static const struct fileops pipe_fileops = {
	.fo_read = pipe_read,
	.fo_write = pipe_write,
	.fo_ioctl = nofo_ioctl,
	.fo_poll = pipe_poll,
	.fo_stat = pipe_stat,
	.fo_close = pipe_close,
};

static int
kern_pipe(struct proc *p, int *ufds, int flags)
{
	boolean_t cloexec = (flags & O_CLOEXEC) != 0;
	register_t rfd, wfd;
	struct pipe *pi;
	struct file *rfp, *wfp;
	int error, fds[2];

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return (EINVAL);
	pi = objcache_get(pipe_cache, M_WAITOK);
	bzero(pi, sizeof(*pi));
	lockinit(&pi->pipe_lock, "pipe", 0, 0);
	TAILQ_INIT(&pi->pipe_bufs);
	pi->pipe_readers = pi->pipe_writers = TRUE;
	pi->pipe_ino = atomic_fetchadd_long(&pipe_lastino, 1) + 1;
	flags &= O_NONBLOCK;
	rfp = falloc(FREAD | O_RDONLY | flags, &pipe_fileops, pi);
	wfp = falloc(FWRITE | O_WRONLY | flags, &pipe_fileops, pi);
	error = fdinstall(p, rfp, 0, cloexec, &rfd);
	if (error) {
		fdrop(wfp);
		return (error);
	}
	error = fdinstall(p, wfp, 0, cloexec, &wfd);
	if (error == 0) {
		fds[0] = rfd;
		fds[1] = wfd;
		error = copyout(fds, ufds, sizeof(fds));
		if (error == 0)
			return (0);
		sys_close(p, &wfd, NULL);
	}
	sys_close(p, &rfd, NULL);
	return (error);
}

int
sys_pipe(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_pipe(p, (int *)a[0], 0));
}

int
sys_pipe2(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_pipe(p, (int *)a[0], a[1]));
}
