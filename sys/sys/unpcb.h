/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Protocol control blocks of local sockets: see kern/uipc_usrreq.c.
 */
#ifndef _SYS_UNPCB_H_
#define	_SYS_UNPCB_H_

#include <sys/malloc.h>
#include <sys/objcache.h>
#include <sys/queue.h>
#include <sys/un.h>

struct socket;
struct tmpfs_node;

LIST_HEAD(unp_head, unpcb);

struct unpcb {
	struct socket	*unp_socket;
	struct unpcb	*unp_conn;	/* who gets what is sent */
	struct unp_head	unp_refs;	/* datagram: who sends here */
	LIST_ENTRY(unpcb) unp_reflink;	/* ... of unp_conn */
	LIST_ENTRY(unpcb) unp_link;	/* all that have a name */
	boolean_t	unp_named;	/* in that list */
	struct tmpfs_node *unp_node;	/* referenced; NULL: none */
	int		unp_unit;	/* the name was made of; -1: none */
	int		unp_addrlen;	/* bytes of unp_addr; 0: no name */
	struct sockaddr_un unp_addr;
};

MALLOC_DECLARE(M_UNPCB);
extern struct objcache *unpcb_cache;

#define	unp_alloc()	objcache_get(unpcb_cache, M_WAITOK)
#define	unp_free(unp)	objcache_put(unpcb_cache, (unp))

#endif
