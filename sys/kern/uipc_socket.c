/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets: sending and receiving, and the file operations.
 *
 * There is one domain, of local sockets, so a message goes from the sender's
 * memory into mbufs and these into the receiver's buffer.  unp_token protects
 * all sockets and who is connected to whom.  It is lost in any sleep, so what
 * was found out under it is found out again afterwards, and whatever may
 * sleep, user memory and mbufs above all, is dealt with before or after.  A
 * socket found through another one is only good as long as the token is held;
 * the caller's own is kept by its file.
 *
 * Everybody who waits for something about a socket sleeps on its buffer, and
 * sowakeup() wakes them all.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/kernel.h>
#include <sys/mbuf.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/socketvar.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define	FIONREAD	0x541b
#define	FIONBIO		0x5421

struct lwkt_token unp_token = LWKT_TOKEN_INITIALIZER(unp_token);
vm_zone_t socket_zone;

static size_t
sm_resid(const struct sockmsg *sm)
{
	size_t resid = 0;
	int i;

	for (i = 0; i < sm->sm_iovcnt; ++i)
		resid += sm->sm_iov[i].iov_len;
	return (resid);
}

/*
 * Move n bytes, no more than are left, and advance the message.
 */
static int
sm_move(struct sockmsg *sm, char *data, size_t n, enum uio_rw rw)
{
	struct iovec *iov;
	size_t len;
	int error;

	while (n > 0) {
		iov = sm->sm_iov;
		len = szmin(n, iov->iov_len);
		if (len != 0 && rw == UIO_READ)
			error = copyout(data, iov->iov_base, len);
		else if (len != 0)
			error = copyin(iov->iov_base, data, len);
		else
			error = 0;
		if (error)
			return (error);
		iov->iov_base = (char *)iov->iov_base + len;
		iov->iov_len -= len;
		data += len;
		n -= len;
		if (iov->iov_len == 0) {
			++sm->sm_iov;
			--sm->sm_iovcnt;
		}
	}
	return (0);
}

/*
 * A chain with the next n bytes of the message.
 */
static int
sosend_data(struct sockmsg *sm, size_t n, int how, struct mbuf **mp)
{
	struct mbuf *m;
	int error;

	do {
		m = m_getl(szmin(n, MCLBYTES), how, MT_DATA);
		if (m == NULL)
			return (ENOBUFS);
		*mp = m;
		mp = &m->m_next;
		m->m_len = szmin(n, m->m_flags & M_EXT ? MCLBYTES : MLEN);
		error = sm_move(sm, mtod(m, char *), m->m_len, UIO_WRITE);
		n -= m->m_len;
	} while (error == 0 && n > 0);
	return (error);
}

/*
 * Put an mbuf with the sender's name, or with what it sends along, before the
 * data.
 */
static int
sosend_name(struct socket *so, int how, struct mbuf **topp)
{
	struct mbuf *m;

	m = m_get(how, MT_SONAME);
	if (m == NULL)
		return (ENOBUFS);
	m->m_len = unp_sockname(so, FALSE, mtod(m, struct sockaddr_un *));
	m->m_next = *topp;
	*topp = m;
	return (0);
}

static int
sosend_rights(struct unp_rights *rights, int how, struct mbuf **topp)
{
	struct mbuf *m;

	m = m_get(how, MT_CONTROL);
	if (m == NULL)
		return (ENOBUFS);
	m->m_ctl = rights;
	m->m_next = *topp;
	*topp = m;
	return (0);
}

/*
 * Where a message goes; the token is held.
 */
static int
sosend_to(struct socket *so, const struct unp_key *key, struct socket **top)
{
	struct socket *to;

	if (so->so_state & SS_CANTSENDMORE)
		return (EPIPE);
	if (key != NULL) {
		to = unp_find(key);
		if (to == NULL)
			return (ECONNREFUSED);
		if (to->so_type != so->so_type)
			return (EPROTOTYPE);
	} else {
		to = unp_peer(so);
		if (to == NULL && (so->so_state & SS_WASCONNECTED))
			return (ECONNREFUSED);
		if (to == NULL)
			return (ENOTCONN);
	}
	if (to->so_state & SS_CANTRCVMORE)
		return (EPIPE);
	*top = to;
	return (0);
}

/*
 * Give a record to the receiver as a whole; it is used up if that succeeds.
 */
static int
sosend_record(struct socket *so, struct mbuf *top, const struct unp_key *key,
    boolean_t nonblock)
{
	struct mbuf *spare = NULL;
	struct socket *to;
	int error;

	lwkt_gettoken(&unp_token);
	for (;;) {
		error = sosend_to(so, key, &to);
		if (error)
			break;
		if (sbspace(&to->so_rcv, top)) {
			spare = sbappend(to, top);
			sowakeup(to);
			break;
		}
		if (nonblock)
			error = EAGAIN;
		else
			error = tsleep(&to->so_rcv, PCATCH, "sbspace", 0);
		if (error)
			break;
	}
	lwkt_reltoken(&unp_token);
	m_freem(spare);
	return (error);
}

int
sosend(struct socket *so, struct sockmsg *sm, boolean_t nonblock)
{
	int how = nonblock ? M_NOWAIT : M_WAITOK, error;
	size_t resid = sm_resid(sm), n;
	struct mbuf *top;

	if (so->so_type == SOCK_STREAM && resid == 0)
		return (0);
	if (so->so_type != SOCK_STREAM && resid > so->so_rcv.sb_hiwat)
		return (EMSGSIZE);
	do {
		n = resid;
		if (so->so_type == SOCK_STREAM)
			n = szmin(n, MCLBYTES);
		top = NULL;
		error = sosend_data(sm, n, how, &top);
		if (error == 0 && sm->sm_rights != NULL)
			error = sosend_rights(sm->sm_rights, how, &top);
		if (error == 0 && so->so_type == SOCK_DGRAM)
			error = sosend_name(so, how, &top);
		if (error == 0)
			error = sosend_record(so, top, sm->sm_to, nonblock);
		if (error) {
			m_freem(top);
			break;
		}
		sm->sm_rights = NULL;
		sm->sm_done += n;
		resid -= n;
	} while (resid > 0);
	return (sm->sm_done != 0 ? 0 : error);
}

/*
 * Lock the buffer when there is something to read; the token is held.
 * ENOTCONN, EAGAIN, what a signal does; 0 without the lock: nothing will come.
 */
static int
soreceive_wait(struct socket *so, boolean_t nonblock, boolean_t *lockedp)
{
	struct sockbuf *sb = &so->so_rcv;
	int error;

	for (;;) {
		*lockedp = FALSE;
		error = sblock(sb);
		if (error)
			return (error);
		if (sb->sb_mb != NULL) {
			*lockedp = TRUE;
			return (0);
		}
		sbunlock(sb);
		if (so->so_state & SS_CANTRCVMORE)
			return (0);
		if (so->so_type != SOCK_DGRAM &&
		    (so->so_state & (SS_ISCONNECTED | SS_WASCONNECTED)) == 0)
			return (ENOTCONN);
		if (nonblock)
			return (EAGAIN);
		error = tsleep(sb, PCATCH, "sbwait", 0);
		if (error)
			return (error);
	}
}

/*
 * What stands before the data; the buffer is locked, the token held.  Returns
 * mbufs to be freed.
 */
static struct mbuf *
soreceive_head(struct socket *so, struct sockmsg *sm, boolean_t peek)
{
	struct mbuf *m = so->so_rcv.sb_mb, *top = NULL, *n;

	while (m->m_type != MT_DATA) {
		if (m->m_type == MT_SONAME) {
			sm->sm_fromlen = m->m_len;
			bcopy(m->m_data, &sm->sm_from, m->m_len);
		} else if (!peek) {
			sm->sm_rights = m->m_ctl;
		}
		if (peek) {
			m = m->m_next;
			continue;
		}
		n = sbpop(so);
		n->m_next = top;
		top = n;
		m = so->so_rcv.sb_mb;
	}
	return (top);
}

/*
 * Copy out what a receive would get, and leave it there.  The data are looked
 * at in a copy, which shares the clusters, so that readers need not wait until
 * that is done.
 */
static int
soreceive_peek(struct socket *so, struct sockmsg *sm)
{
	struct mbuf *m, *copy;
	size_t n, resid = sm_resid(sm);
	int error = 0;

	for (m = so->so_rcv.sb_mb; m->m_type != MT_DATA; m = m->m_next)
		;
	copy = m_copym(m, szmin(resid, INT_MAX), M_WAITOK);
	if (so->so_type != SOCK_STREAM && m_length(m) > resid)
		sm->sm_flags |= MSG_TRUNC;
	lwkt_gettoken(&unp_token);
	sbunlock(&so->so_rcv);
	lwkt_reltoken(&unp_token);

	for (m = copy; m != NULL && error == 0; m = m->m_next) {
		n = m->m_len;
		error = sm_move(sm, mtod(m, char *), n, UIO_READ);
		if (error == 0)
			sm->sm_done += n;
	}
	m_freem(copy);
	return (error);
}

/*
 * Receive the data of the first record, or as much of it as there is room
 * for: the rest of a stream's stays.  The buffer is locked.
 */
static int
soreceive_record(struct socket *so, struct sockmsg *sm, size_t room)
{
	struct sockbuf *sb = &so->so_rcv;
	struct mbuf *m = sb->sb_mb, *gone = NULL;
	boolean_t last;
	size_t n;
	int error;

	for (;;) {
		n = szmin(m->m_len, room);
		error = sm_move(sm, mtod(m, char *), n, UIO_READ);
		if (error)
			return (error);
		room -= n;
		sm->sm_done += n;

		lwkt_gettoken(&unp_token);
		last = (m->m_next == NULL);
		if (so->so_type != SOCK_STREAM && (last || room == 0) &&
		    (n < m->m_len || !last)) {
			sm->sm_flags |= MSG_TRUNC;
			gone = sbdroprecord(so);
		} else {
			gone = sbdrop(so, n);
		}
		m = sb->sb_mb;
		lwkt_reltoken(&unp_token);

		m_freem(gone);
		if (last || gone == NULL || room == 0)
			return (0);
	}
}

int
soreceive(struct socket *so, struct sockmsg *sm, boolean_t nonblock)
{
	boolean_t peek = (sm->sm_flags & MSG_PEEK) != 0;
	boolean_t all = (sm->sm_flags & MSG_WAITALL) != 0;
	size_t room = sm_resid(sm);
	struct mbuf *head;
	boolean_t locked;
	int error;

	if (so->so_qlimit != 0)
		return (EINVAL);
	if (so->so_type == SOCK_STREAM && room == 0)
		return (0);
	sm->sm_flags = 0;
	do {
		lwkt_gettoken(&unp_token);
		error = soreceive_wait(so, nonblock ||
		    (sm->sm_done != 0 && !all), &locked);
		head = locked ? soreceive_head(so, sm, peek) : NULL;
		lwkt_reltoken(&unp_token);
		m_freem(head);
		if (!locked)
			break;
		if (peek) {
			error = soreceive_peek(so, sm);
			break;
		}
		error = soreceive_record(so, sm, room - sm->sm_done);
		lwkt_gettoken(&unp_token);
		sbunlock(&so->so_rcv);
		sowakeup(so);
		lwkt_reltoken(&unp_token);
	} while (error == 0 && so->so_type == SOCK_STREAM &&
	    sm->sm_rights == NULL && sm->sm_done < room);
	return (sm->sm_done != 0 ? 0 : error);
}

int
soaccept(struct socket *so, boolean_t nonblock, struct socket **sop)
{
	struct socket *so2;
	int error = 0;

	lwkt_gettoken(&unp_token);
	while ((so2 = TAILQ_FIRST(&so->so_comp)) == NULL) {
		if (so->so_qlimit == 0)
			error = EINVAL;
		else if (nonblock)
			error = EAGAIN;
		else
			error = tsleep(&so->so_rcv, PCATCH, "accept", 0);
		if (error)
			break;
	}
	if (error == 0) {
		TAILQ_REMOVE(&so->so_comp, so2, so_list);
		--so->so_qlen;
		so2->so_head = NULL;
		sowakeup(so);
		*sop = so2;
	}
	lwkt_reltoken(&unp_token);
	return (error);
}

int
soshutdown(struct socket *so, int how)
{
	struct socket *peer;
	u_int mine = 0, other = 0;
	int error = 0;

	if (how != SHUT_WR) {
		mine |= SS_CANTRCVMORE;
		other |= SS_CANTSENDMORE;
	}
	if (how != SHUT_RD) {
		mine |= SS_CANTSENDMORE;
		other |= SS_CANTRCVMORE;
	}
	lwkt_gettoken(&unp_token);
	peer = unp_peer(so);
	if (peer == NULL) {
		error = ENOTCONN;
	} else {
		so->so_state |= mine;
		sowakeup(so);
		if (so->so_type != SOCK_DGRAM)
			peer->so_state |= other;
		sowakeup(peer);
	}
	lwkt_reltoken(&unp_token);
	return (error);
}

/*
 * Free records that nobody will receive.
 */
static void
sodiscard(struct mbuf *m)
{
	struct mbuf *n;

	for (n = m; n != NULL; n = n->m_next) {
		if (n->m_type == MT_CONTROL)
			unp_dispose(n->m_ctl);
	}
	m_freem(m);
}

/*
 * Nobody uses the socket any more; connections nobody accepted go with it.
 */
void
soclose(struct socket *so)
{
	struct socket *so2;
	struct mbuf *m;

	lwkt_gettoken(&unp_token);
	so->so_qlimit = 0;
	unp_detach(so);
	m = sbflush(so);
	sowakeup(so);
	while ((so2 = TAILQ_FIRST(&so->so_comp)) != NULL) {
		TAILQ_REMOVE(&so->so_comp, so2, so_list);
		so2->so_head = NULL;
		soclose(so2);
	}
	lwkt_reltoken(&unp_token);
	sodiscard(m);
	unp_release(so);
	sofree(so);
}

/*
 * File operations.
 */
static int
soo_rw(struct file *fp, struct uio *uio, int (*func)(struct socket *,
    struct sockmsg *, boolean_t))
{
	struct iovec iov = { uio->uio_base, uio->uio_resid };
	struct sockmsg sm = { .sm_iov = &iov, .sm_iovcnt = 1 };
	int error;

	error = func(fp->f_data, &sm, (fp->f_flag & O_NONBLOCK) != 0);
	if (sm.sm_rights != NULL)
		unp_dispose(sm.sm_rights);
	uio->uio_resid -= sm.sm_done;
	return (error);
}

static int
soo_read(struct file *fp, struct uio *uio, int flags)
{
	return (soo_rw(fp, uio, soreceive));
}

static int
soo_write(struct file *fp, struct uio *uio, int flags)
{
	return (soo_rw(fp, uio, sosend));
}

static int
soo_ioctl(struct file *fp, u_long com, void *udata, struct proc *p)
{
	struct socket *so = fp->f_data;
	int error, val = 0;

	switch ((uint32_t)com) {
	case FIONREAD:
		val = so->so_rcv.sb_cc;
		return (copyout(&val, udata, sizeof(val)));
	case FIONBIO:
		error = copyin(udata, &val, sizeof(val));
		if (error == 0) {
			fp->f_flag &= ~O_NONBLOCK;
			if (val)
				fp->f_flag |= O_NONBLOCK;
		}
		return (error);
	default:
		return (ENOTTY);
	}
}

static int
soo_poll(struct file *fp, int events)
{
	struct socket *so = fp->f_data, *peer;
	int revents = 0;

	lwkt_gettoken(&unp_token);
	if (so->so_rcv.sb_mb != NULL || so->so_qlen != 0 ||
	    (so->so_state & SS_CANTRCVMORE))
		revents |= events & POLLIN;
	peer = unp_peer(so);
	if ((so->so_type == SOCK_DGRAM && peer == NULL) ||
	    (peer != NULL && peer->so_rcv.sb_cc < peer->so_rcv.sb_hiwat))
		revents |= events & POLLOUT;
	if (so->so_type != SOCK_DGRAM && (so->so_state & SS_WASCONNECTED))
		revents |= POLLHUP;
	lwkt_reltoken(&unp_token);
	return (revents);
}

static int
soo_stat(struct file *fp, struct stat *st)
{
	struct socket *so = fp->f_data;

	bzero(st, sizeof(*st));
	st->st_mode = S_IFSOCK | 0777;
	st->st_ino = so->so_ino;
	st->st_nlink = 1;
	st->st_blksize = MCLBYTES;
	return (0);
}

static int
soo_close(struct file *fp)
{
	soclose(fp->f_data);
	return (0);
}

static const struct fileops socket_fileops = {
	.fo_read = soo_read,
	.fo_write = soo_write,
	.fo_ioctl = soo_ioctl,
	.fo_poll = soo_poll,
	.fo_stat = soo_stat,
	.fo_close = soo_close,
};

struct file *
sofile(struct socket *so, int flags)
{
	int fflag = FREAD | FWRITE | O_RDWR;

	if (flags & SOCK_NONBLOCK)
		fflag |= O_NONBLOCK;
	return (falloc(fflag, &socket_fileops, so));
}

struct socket *
file_socket(struct file *fp)
{
	return (fp->f_ops == &socket_fileops ? fp->f_data : NULL);
}
