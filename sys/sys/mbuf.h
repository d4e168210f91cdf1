/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Message buffers: see kern/uipc_mbuf.c.
 */
#ifndef _SYS_MBUF_H_
#define	_SYS_MBUF_H_

#include <sys/param.h>
#include <sys/malloc.h>

#define	MSIZE		512		/* bytes of a struct mbuf */
#define	MLEN		(MSIZE - 7 * (int)sizeof(void *))
#define	MCLBYTES	2048		/* bytes of a cluster */

/*
 * A cluster is shared by all mbufs whose data are in it; the last one frees
 * it.
 */
struct mbcluster {
	u_int		mcl_refs;
	char		*mcl_data;	/* MCLBYTES */
};

struct mbuf {
	struct mbuf	*m_next;	/* more of the record */
	struct mbuf	*m_nextpkt;	/* next record; of a first mbuf */
	char		*m_data;	/* first byte */
	struct mbcluster *m_cluster;	/* where m_data points, if M_EXT */
	void		*m_ctl;		/* MT_CONTROL */
	int		m_len;		/* bytes */
	int		m_type;		/* MT_* */
	u_int		m_flags;	/* M_* */
	char		m_dat[MLEN];	/* where m_data points otherwise */
};

#define	M_EXT		0x0001		/* data are in a cluster */
#define	M_CLCACHE	0x0002		/* ... which it was made with */

#define	MT_DATA		1
#define	MT_SONAME	8		/* who sent the record */
#define	MT_CONTROL	14		/* what was sent along with it */

#define	mtod(m, t)	((t)(m)->m_data)
#define	M_STORAGE(m)	((m)->m_flags & M_EXT ? MSIZE + MCLBYTES : MSIZE)

/* Bytes that fit behind the data; none if anybody else can see them. */
#define	M_TRAILINGSPACE(m)						\
	((m)->m_flags & M_EXT ?						\
	    ((m)->m_cluster->mcl_refs > 1 ? 0 :				\
	    (m)->m_cluster->mcl_data + MCLBYTES -			\
	    ((m)->m_data + (m)->m_len)) :				\
	    (m)->m_dat + MLEN - ((m)->m_data + (m)->m_len))

/*
 * how: M_WAITOK sleeps, at the limit too, and does not fail; M_NOWAIT may
 * return NULL.  An mbuf of MLEN bytes, one with a cluster, or whichever len
 * bytes fit into.
 */
struct mbuf *m_get(int how, int type);
struct mbuf *m_getcl(int how, int type);
struct mbuf *m_getl(int len, int how, int type);

/* Give an mbuf back, or a record; m_free() returns m_next. */
struct mbuf *m_free(struct mbuf *m);
void	m_freem(struct mbuf *m);

/* The first len bytes of a record's data; clusters are shared.  NULL: ENOBUFS. */
struct mbuf *m_copym(const struct mbuf *m, int len, int how);
int	m_length(const struct mbuf *m);

#endif
