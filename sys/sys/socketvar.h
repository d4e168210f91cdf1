/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets as the kernel sees them: see kern/uipc_socket.c.
 */
#ifndef _SYS_SOCKETVAR_H_
#define	_SYS_SOCKETVAR_H_

#include <sys/param.h>
#include <sys/mbuf.h>
#include <sys/queue.h>
#include <sys/thread.h>
#include <sys/un.h>

#include <vm/vm_zone.h>

struct file;
struct iovec;
struct proc;
struct sockaudit;
struct tmpfs_node;
struct unp_key;
struct unp_rights;
struct unpcb;

#define	SB_HIWAT	(16 * 1024)	/* bytes a socket buffers */
#define	SB_MAX		(256 * 1024)
#define	SB_MBFACTOR	4		/* bytes of storage for each of them */

/*
 * Records received, each a chain of mbufs: who sent it (datagrams), what came
 * with it, data.  Neighbouring records of a stream are the same as one.
 */
struct sockbuf {
	struct mbuf	*sb_mb;		/* first record */
	struct mbuf	*sb_lastrecord;
	u_int		sb_cc;		/* bytes of data */
	u_int		sb_mbcnt;	/* bytes of storage */
	u_int		sb_hiwat;	/* limit of sb_cc */
	int		sb_locked;	/* somebody reads */
};

struct socket {
	int		so_type;	/* SOCK_* */
	u_int		so_state;	/* SS_* */
	struct unpcb	*so_pcb;
	struct sockbuf	so_rcv;
	TAILQ_HEAD(, socket) so_comp;	/* connections to be accepted */
	TAILQ_ENTRY(socket) so_list;	/* ... of so_head */
	struct socket	*so_head;
	int		so_qlen;
	int		so_qlimit;	/* 0: does not listen */
	ino_t		so_ino;
#ifdef INVARIANTS
	struct sockaudit *so_audit;
#endif
};

#define	SS_ISCONNECTED		0x0002
#define	SS_CANTSENDMORE		0x0010
#define	SS_CANTRCVMORE		0x0020
#define	SS_WASCONNECTED		0x0040	/* the other end has gone */

/* One message, for both directions. */
struct sockmsg {
	struct iovec	*sm_iov;	/* user memory; used up */
	int		sm_iovcnt;
	int		sm_flags;	/* MSG_*; received: what became of it */
	struct unp_key	*sm_to;		/* send: NULL: as connected */
	struct sockaddr_un sm_from;	/* received: who sent it */
	int		sm_fromlen;	/* 0: nobody */
	struct unp_rights *sm_rights;	/* sent or received; NULL: none */
	size_t		sm_done;	/* bytes moved */
};

/*
 * A name looked up: a node, or the name itself.
 */
struct unp_key {
	struct tmpfs_node *uk_node;	/* referenced, or NULL */
	const struct sockaddr_un *uk_sun;
	int		uk_len;		/* bytes of it */
};

extern struct lwkt_token unp_token;	/* all sockets, but for sb_locked data */
extern vm_zone_t socket_zone;

/*
 * uipc_socket.c.  Sends and receives return what errno shall be, but 0 if
 * anything was moved; sosend() takes sm_rights over if it returns 0.
 */
int	sosend(struct socket *so, struct sockmsg *sm, boolean_t nonblock);
int	soreceive(struct socket *so, struct sockmsg *sm, boolean_t nonblock);
int	soaccept(struct socket *so, boolean_t nonblock, struct socket **sop);
int	soshutdown(struct socket *so, int how);
void	soclose(struct socket *so);

/* A file for a socket, and a file's socket; NULL: it is none. */
struct file *sofile(struct socket *so, int flags);
struct socket *file_socket(struct file *fp);

/*
 * uipc_socket2.c: a socket, which is nobody else's; operations on buffers,
 * for which unp_token is held.  Those which return mbufs leave it to the
 * caller to free them when he has released it.
 */
struct socket *soalloc(int type);
void	sofree(struct socket *so);
int	sblock(struct sockbuf *sb);
void	sbunlock(struct sockbuf *sb);
boolean_t sbspace(const struct sockbuf *sb, const struct mbuf *m);
struct mbuf *sbappend(struct socket *so, struct mbuf *m);
struct mbuf *sbpop(struct socket *so);
struct mbuf *sbdrop(struct socket *so, int len);
struct mbuf *sbdroprecord(struct socket *so);
struct mbuf *sbflush(struct socket *so);
void	sowakeup(struct socket *so);

/*
 * uipc_usrreq.c.  unp_detach() leaves it to the caller to call unp_release()
 * when he has released unp_token.  unp_peer() and unp_find() are for holders
 * of the token, who lose the socket with it.
 */
void	unp_attach(struct socket *so);
void	unp_detach(struct socket *so);
void	unp_release(struct socket *so);
int	unp_bind(struct socket *so, struct proc *p,
	    const struct sockaddr_un *sun, int len);
int	unp_listen(struct socket *so, int backlog);
int	unp_connect(struct socket *so, struct unp_key *key,
	    boolean_t nonblock);
void	unp_connect2(struct socket *so, struct socket *so2);
struct socket *unp_peer(const struct socket *so);
int	unp_sockname(struct socket *so, boolean_t peer,
	    struct sockaddr_un *sun);
int	unp_key_get(struct proc *p, const struct sockaddr_un *sun, int len,
	    struct unp_key *key);
void	unp_key_done(struct unp_key *key);
struct socket *unp_find(const struct unp_key *key);

/*
 * uipc_rights.c: open files sent along with a message.  Of control messages
 * in user memory, *lenp bytes; *lenp becomes how many there are.
 */
int	unp_internalize(struct proc *p, const void *control, size_t len,
	    struct unp_rights **rightsp);
int	unp_externalize(struct proc *p, struct unp_rights *rights,
	    void *control, size_t *lenp, int *flagsp);
void	unp_dispose(struct unp_rights *rights);

#endif
