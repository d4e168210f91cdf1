/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets' memory and buffers.
 *
 * A buffer is a list of records, a record a chain of mbufs; a record has at
 * least one mbuf of data, though that may be empty.  unp_token protects both
 * lists.  Who has sblock()ed a buffer is the only one to take anything off
 * it, so the data at its front are his without the token, too.
 *
 * With INVARIANTS a socket keeps accounts: what was put into its buffer has
 * been taken off it when the socket goes.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/globaldata.h>
#include <sys/kernel.h>
#include <sys/mbuf.h>
#include <sys/socket.h>
#include <sys/socketvar.h>

#ifdef INVARIANTS
struct sockaudit {
	uint64_t	sa_put;		/* bytes */
	uint64_t	sa_taken;
};

static vm_zone_t sockaudit_zone;
#endif

static uint64_t so_lastino;

static void
soinit2(void *dummy)
{
	socket_zone = zinit("SOCKET", sizeof(struct socket), 0, 0);
#ifdef INVARIANTS
	sockaudit_zone = zinit("SOCKAUDIT", sizeof(struct sockaudit), 0, 0);
#endif
}
SYSINIT(socket2, SI_BOOT2_MACHDEP, SI_ORDER_ANY, soinit2, NULL);

struct socket *
soalloc(int type)
{
	struct socket *so;

	so = zalloc(socket_zone);
	bzero(so, sizeof(*so));
	so->so_type = type;
	so->so_rcv.sb_hiwat = SB_HIWAT;
	so->so_ino = atomic_fetchadd_64(&so_lastino, 1) + 1;
	TAILQ_INIT(&so->so_comp);
#ifdef INVARIANTS
	so->so_audit = zalloc(sockaudit_zone);
	so->so_audit->sa_put = so->so_audit->sa_taken = 0;
#endif
	return (so);
}

void
sofree(struct socket *so)
{
	KKASSERT(so->so_rcv.sb_mb == NULL && so->so_rcv.sb_mbcnt == 0);
#ifdef INVARIANTS
	KASSERT(so->so_audit->sa_put == so->so_audit->sa_taken,
	    ("socket %p: %lu bytes put, %lu taken", so, so->so_audit->sa_put,
	    so->so_audit->sa_taken));
	zfree(sockaudit_zone, so->so_audit);
#endif
	zfree(socket_zone, so);
}

static void
sb_account(struct socket *so, const struct mbuf *m)
{
	struct sockbuf *sb = &so->so_rcv;

	sb->sb_mbcnt += M_STORAGE(m);
	if (m->m_type != MT_DATA)
		return;
	sb->sb_cc += m->m_len;
#ifdef INVARIANTS
	so->so_audit->sa_put += m->m_len;
#endif
}

static void
sb_unaccount(struct socket *so, const struct mbuf *m)
{
	struct sockbuf *sb = &so->so_rcv;

	sb->sb_mbcnt -= M_STORAGE(m);
	if (m->m_type != MT_DATA)
		return;
	sb->sb_cc -= m->m_len;
#ifdef INVARIANTS
	so->so_audit->sa_taken += m->m_len;
#endif
}

/*
 * Be the one who reads.  May sleep; the token is lost meanwhile.
 */
int
sblock(struct sockbuf *sb)
{
	int error;

	ASSERT_LWKT_TOKEN_HELD(&unp_token);
	while (sb->sb_locked) {
		error = tsleep(&sb->sb_locked, PCATCH, "sblock", 0);
		if (error)
			return (error);
	}
	sb->sb_locked = 1;
	return (0);
}

void
sbunlock(struct sockbuf *sb)
{
	ASSERT_LWKT_TOKEN_HELD(&unp_token);
	KKASSERT(sb->sb_locked);
	sb->sb_locked = 0;
	wakeup(&sb->sb_locked);
}

/*
 * Is there room for a record?  An empty buffer has room for anything.
 */
boolean_t
sbspace(const struct sockbuf *sb, const struct mbuf *m)
{
	u_int cc = sb->sb_cc, mbcnt = sb->sb_mbcnt;

	if (sb->sb_mb == NULL)
		return (TRUE);
	for (; m != NULL; m = m->m_next) {
		mbcnt += M_STORAGE(m);
		cc += m->m_len;
	}
	return (cc <= sb->sb_hiwat && mbcnt <= SB_MBFACTOR * sb->sb_hiwat);
}

/*
 * Copy a piece of a stream behind what was put last, if it fits there.
 */
static boolean_t
sbcompress(struct socket *so, const struct mbuf *m)
{
	struct mbuf *last = so->so_rcv.sb_lastrecord;

	if (so->so_type != SOCK_STREAM || last == NULL ||
	    m->m_type != MT_DATA || m->m_next != NULL)
		return (FALSE);
	while (last->m_next != NULL)
		last = last->m_next;
	if (M_TRAILINGSPACE(last) < m->m_len)
		return (FALSE);
	bcopy(m->m_data, last->m_data + last->m_len, m->m_len);
	last->m_len += m->m_len;
	so->so_rcv.sb_cc += m->m_len;
#ifdef INVARIANTS
	so->so_audit->sa_put += m->m_len;
#endif
	return (TRUE);
}

/*
 * Add a record.  Returns what is not needed of it.
 */
struct mbuf *
sbappend(struct socket *so, struct mbuf *m)
{
	struct sockbuf *sb = &so->so_rcv;
	struct mbuf *n;

	ASSERT_LWKT_TOKEN_HELD(&unp_token);
	if (sbcompress(so, m))
		return (m);
	for (n = m; n != NULL; n = n->m_next)
		sb_account(so, n);
	if (sb->sb_lastrecord != NULL)
		sb->sb_lastrecord->m_nextpkt = m;
	else
		sb->sb_mb = m;
	sb->sb_lastrecord = m;
	return (NULL);
}

/*
 * Take the first mbuf off; the rest of its record, if any, stays.
 */
struct mbuf *
sbpop(struct socket *so)
{
	struct sockbuf *sb = &so->so_rcv;
	struct mbuf *m = sb->sb_mb, *next = m->m_next;

	ASSERT_LWKT_TOKEN_HELD(&unp_token);
	sb_unaccount(so, m);
	if (next != NULL) {
		next->m_nextpkt = m->m_nextpkt;
		if (sb->sb_lastrecord == m)
			sb->sb_lastrecord = next;
		sb->sb_mb = next;
	} else {
		sb->sb_mb = m->m_nextpkt;
		if (sb->sb_mb == NULL)
			sb->sb_lastrecord = NULL;
	}
	m->m_next = NULL;
	m->m_nextpkt = NULL;
	return (m);
}

/*
 * Take len bytes off the first mbuf; it goes when it is empty.
 */
struct mbuf *
sbdrop(struct socket *so, int len)
{
	struct mbuf *m = so->so_rcv.sb_mb;

	ASSERT_LWKT_TOKEN_HELD(&unp_token);
	KKASSERT(m->m_type == MT_DATA && len <= m->m_len);
	if (len == m->m_len)
		return (sbpop(so));
	m->m_data += len;
	m->m_len -= len;
	so->so_rcv.sb_cc -= len;
#ifdef INVARIANTS
	so->so_audit->sa_taken += len;
#endif
	return (NULL);
}

struct mbuf *
sbdroprecord(struct socket *so)
{
	struct mbuf *top = NULL, **mp = &top;
	boolean_t more;

	do {
		more = (so->so_rcv.sb_mb->m_next != NULL);
		*mp = sbpop(so);
		mp = &(*mp)->m_next;
	} while (more);
	return (top);
}

struct mbuf *
sbflush(struct socket *so)
{
	struct mbuf *top = NULL, **mp = &top;

	while (so->so_rcv.sb_mb != NULL) {
		*mp = sbpop(so);
		mp = &(*mp)->m_next;
	}
	return (top);
}

/*
 * The buffer, the connection or the queue of connections has changed.
 */
void
sowakeup(struct socket *so)
{
	wakeup(&so->so_rcv);
	pollwakeup();
}
