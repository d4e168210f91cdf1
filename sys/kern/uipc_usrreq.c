/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Local sockets: names and connections.
 *
 * A name is a node of the file system, or a string that no directory holds;
 * binding without either makes one up from the lowest number not in use.
 * Names are looked up in a list of all sockets that have one.  Connected
 * streams refer to each other; a datagram socket refers to where it sends,
 * and is in that one's list.  unp_token protects all of it.
 *
 * A control block without a socket is as the constructor left it, whoever had
 * it before.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/socketvar.h>
#include <sys/stat.h>
#include <sys/unit.h>
#include <sys/unpcb.h>
#include <vfs/tmpfs/tmpfs.h>

#define	UNP_PATHOFF	((int)__offsetof(struct sockaddr_un, sun_path))
#define	UNP_AUTODIGITS	5		/* hexadecimal, of a made-up name */

MALLOC_DEFINE(M_UNPCB, "unpcb", "local sockets' control blocks");

struct objcache *unpcb_cache;

static struct unp_head unp_names = LIST_HEAD_INITIALIZER(unp_names);
static struct unit_set unp_units;
static vm_zone_t unp_unit_zone;

static bool
unp_ctor(void *obj, void *privdata, int ocflags)
{
	struct unpcb *unp = obj;

	bzero(unp, sizeof(*unp));
	LIST_INIT(&unp->unp_refs);
	unp->unp_unit = -1;
	return (true);
}

static void
unp_init(void *dummy)
{
	unpcb_cache = objcache_create_mbacked(M_UNPCB, sizeof(struct unpcb),
	    0, 0, unp_ctor, NULL, NULL);
	unp_unit_zone = zinit("UNP UNIT", sizeof(struct unit_run), 0, 0);
	unit_init(&unp_units, 0, (1 << 4 * UNP_AUTODIGITS) - 1);
}
SYSINIT(unp, SI_BOOT2_MACHDEP, SI_ORDER_ANY, unp_init, NULL);

void
unp_attach(struct socket *so)
{
	struct unpcb *unp = unp_alloc();

	unp->unp_socket = so;
	so->so_pcb = unp;
}

/*
 * Nobody sends here any more.
 */
static void
unp_drop(struct unpcb *unp)
{
	struct socket *so = unp->unp_socket;

	unp->unp_conn = NULL;
	so->so_state &= ~SS_ISCONNECTED;
	so->so_state |= SS_WASCONNECTED;
	if (so->so_type != SOCK_DGRAM)
		so->so_state |= SS_CANTSENDMORE | SS_CANTRCVMORE;
	sowakeup(so);
}

static void
unp_disconnect(struct unpcb *unp)
{
	struct unpcb *unp2 = unp->unp_conn;

	if (unp2 == NULL)
		return;
	unp->unp_conn = NULL;
	if (unp->unp_socket->so_type == SOCK_DGRAM) {
		LIST_REMOVE(unp, unp_reflink);
		sowakeup(unp2->unp_socket);
	} else {
		unp_drop(unp2);
	}
}

void
unp_detach(struct socket *so)
{
	struct unpcb *unp = so->so_pcb, *ref;

	ASSERT_LWKT_TOKEN_HELD(&unp_token);
	unp_disconnect(unp);
	while ((ref = LIST_FIRST(&unp->unp_refs)) != NULL) {
		LIST_REMOVE(ref, unp_reflink);
		unp_drop(ref);
	}
	if (unp->unp_named) {
		LIST_REMOVE(unp, unp_link);
		unp->unp_named = FALSE;
	}
}

void
unp_release(struct socket *so)
{
	struct unpcb *unp = so->so_pcb;

	if (unp->unp_node != NULL) {
		tmpfs_node_rele(unp->unp_node);
		unp->unp_node = NULL;
	}
	if (unp->unp_unit >= 0) {
		unit_free(&unp_units, unp_unit_zone, unp->unp_unit);
		unp->unp_unit = -1;
	}
	unp->unp_addrlen = 0;
	unp->unp_socket = NULL;
	so->so_pcb = NULL;
	unp_free(unp);
}

struct socket *
unp_peer(const struct socket *so)
{
	struct unpcb *unp2;

	ASSERT_LWKT_TOKEN_HELD(&unp_token);
	unp2 = so->so_pcb->unp_conn;
	return (unp2 != NULL ? unp2->unp_socket : NULL);
}

/*
 * The name of a socket or of its peer, and how long it is.
 */
int
unp_sockname(struct socket *so, boolean_t peer, struct sockaddr_un *sun)
{
	struct unpcb *unp = so->so_pcb;
	int len;

	lwkt_gettoken(&unp_token);
	if (peer)
		unp = unp->unp_conn;
	if (unp == NULL) {
		len = 0;
	} else if (unp->unp_addrlen == 0) {
		sun->sun_family = AF_LOCAL;
		len = UNP_PATHOFF;
	} else {
		len = unp->unp_addrlen;
		bcopy(&unp->unp_addr, sun, len);
	}
	lwkt_reltoken(&unp_token);
	return (len);
}

static struct unpcb *
unp_lookup(struct tmpfs_node *node, const struct sockaddr_un *sun, int len)
{
	struct unpcb *unp;

	ASSERT_LWKT_TOKEN_HELD(&unp_token);
	LIST_FOREACH(unp, &unp_names, unp_link) {
		if (node != NULL ? unp->unp_node == node :
		    unp->unp_node == NULL && unp->unp_addrlen == len &&
		    memcmp(&unp->unp_addr, sun, len) == 0)
			break;
	}
	return (unp);
}

int
unp_key_get(struct proc *p, const struct sockaddr_un *sun, int len,
    struct unp_key *key)
{
	char path[SUN_PATHLEN + 1];
	int error;

	if (len <= UNP_PATHOFF || sun->sun_family != AF_LOCAL)
		return (EINVAL);
	key->uk_node = NULL;
	key->uk_sun = sun;
	key->uk_len = len;
	if (sun->sun_path[0] == '\0')
		return (0);
	strlcpy(path, sun->sun_path, len - UNP_PATHOFF + 1);
	error = tmpfs_lookup(p->p_cwd, path, TRUE, &key->uk_node);
	if (error == 0 && !S_ISSOCK(key->uk_node->tn_mode)) {
		unp_key_done(key);
		error = ECONNREFUSED;
	}
	return (error);
}

void
unp_key_done(struct unp_key *key)
{
	if (key->uk_node != NULL)
		tmpfs_node_rele(key->uk_node);
}

struct socket *
unp_find(const struct unp_key *key)
{
	struct unpcb *unp;

	unp = unp_lookup(key->uk_node, key->uk_sun, key->uk_len);
	return (unp != NULL ? unp->unp_socket : NULL);
}

/*
 * Enter a name.
 */
static int
unp_enter(struct unpcb *unp, struct tmpfs_node *node,
    const struct sockaddr_un *sun, int len)
{
	int error = 0;

	lwkt_gettoken(&unp_token);
	if (unp->unp_addrlen != 0) {
		error = EINVAL;
	} else if (unp_lookup(node, sun, len) != NULL) {
		error = EADDRINUSE;
	} else {
		unp->unp_node = node;
		unp->unp_addrlen = len;
		bcopy(sun, &unp->unp_addr, len);
		unp->unp_named = TRUE;
		LIST_INSERT_HEAD(&unp_names, unp, unp_link);
	}
	lwkt_reltoken(&unp_token);
	return (error);
}

/*
 * A name is made up: a NUL and the unit number.
 */
static int
unp_autobind(struct unpcb *unp)
{
	struct sockaddr_un sun;
	int error, unit;

	sun.sun_family = AF_LOCAL;
	sun.sun_path[0] = '\0';
	do {
		unit = unit_alloc(&unp_units, unp_unit_zone);
		if (unit < 0)
			return (EADDRINUSE);
		ksnprintf(sun.sun_path + 1, sizeof(sun.sun_path) - 1, "%0*x",
		    UNP_AUTODIGITS, unit);
		error = unp_enter(unp, NULL, &sun,
		    UNP_PATHOFF + 1 + UNP_AUTODIGITS);
		if (error == 0)
			unp->unp_unit = unit;
		else if (error == EINVAL)
			unit_free(&unp_units, unp_unit_zone, unit);
	} while (error == EADDRINUSE);
	return (error);
}

int
unp_bind(struct socket *so, struct proc *p, const struct sockaddr_un *sun,
    int len)
{
	struct unpcb *unp = so->so_pcb;
	char path[SUN_PATHLEN + 1];
	struct tmpfs_node *node;
	int error;

	if (sun->sun_family != AF_LOCAL || unp->unp_addrlen != 0)
		return (EINVAL);
	if (len == UNP_PATHOFF)
		return (unp_autobind(unp));
	if (sun->sun_path[0] == '\0')
		return (unp_enter(unp, NULL, sun, len));
	strlcpy(path, sun->sun_path, len - UNP_PATHOFF + 1);
	error = tmpfs_create(p->p_cwd, path,
	    S_IFSOCK | (0777 & ~p->p_umask), 0, NULL);
	if (error == 0)
		error = tmpfs_lookup(p->p_cwd, path, FALSE, &node);
	if (error)
		return (error == EEXIST ? EADDRINUSE : error);
	error = unp_enter(unp, node, sun, len);
	if (error)
		tmpfs_node_rele(node);
	return (error);
}

int
unp_listen(struct socket *so, int backlog)
{
	int error = 0;

	lwkt_gettoken(&unp_token);
	if (so->so_type == SOCK_DGRAM)
		error = EOPNOTSUPP;
	else if (so->so_pcb->unp_addrlen == 0 || so->so_pcb->unp_conn != NULL)
		error = EINVAL;
	else
		so->so_qlimit = imin(imax(backlog, 1), SOMAXCONN);
	lwkt_reltoken(&unp_token);
	return (error);
}

/*
 * Two sockets that talk to each other.
 */
void
unp_connect2(struct socket *so, struct socket *so2)
{
	struct unpcb *unp = so->so_pcb, *unp2 = so2->so_pcb;

	unp->unp_conn = unp2;
	unp2->unp_conn = unp;
	if (so->so_type == SOCK_DGRAM) {
		LIST_INSERT_HEAD(&unp2->unp_refs, unp, unp_reflink);
		LIST_INSERT_HEAD(&unp->unp_refs, unp2, unp_reflink);
	}
	so->so_state |= SS_ISCONNECTED;
	so2->so_state |= SS_ISCONNECTED;
}

static int
unp_connect_dgram(struct socket *so, struct unp_key *key)
{
	struct unpcb *unp = so->so_pcb;
	struct socket *to;
	int error = 0;

	lwkt_gettoken(&unp_token);
	to = unp_find(key);
	if (to == NULL) {
		error = ECONNREFUSED;
	} else if (to->so_type != SOCK_DGRAM) {
		error = EPROTOTYPE;
	} else {
		unp_disconnect(unp);
		unp->unp_conn = to->so_pcb;
		LIST_INSERT_HEAD(&to->so_pcb->unp_refs, unp, unp_reflink);
		so->so_state |= SS_ISCONNECTED;
		so->so_state &= ~SS_WASCONNECTED;
	}
	lwkt_reltoken(&unp_token);
	return (error);
}

/*
 * Wait until a listener has room for a connection; the token is held.
 */
static int
unp_listener(struct socket *so, struct unp_key *key, boolean_t nonblock,
    struct socket **headp)
{
	struct socket *head;
	int error;

	for (;;) {
		if (so->so_pcb->unp_conn != NULL)
			return (EISCONN);
		if (so->so_qlimit != 0)
			return (EINVAL);
		head = unp_find(key);
		if (head == NULL)
			return (ECONNREFUSED);
		if (head->so_type != so->so_type)
			return (EPROTOTYPE);
		if (head->so_qlimit == 0)
			return (ECONNREFUSED);
		*headp = head;
		if (head->so_qlen < head->so_qlimit)
			return (0);
		if (nonblock)
			return (EAGAIN);
		error = tsleep(&head->so_rcv, PCATCH, "connect", 0);
		if (error)
			return (error);
	}
}

int
unp_connect(struct socket *so, struct unp_key *key, boolean_t nonblock)
{
	struct socket *head, *so2;
	struct unpcb *unp2;
	int error;

	if (so->so_type == SOCK_DGRAM)
		return (unp_connect_dgram(so, key));
	so2 = soalloc(so->so_type);
	unp_attach(so2);
	lwkt_gettoken(&unp_token);
	error = unp_listener(so, key, nonblock, &head);
	if (error == 0) {
		unp2 = so2->so_pcb;
		unp2->unp_addrlen = head->so_pcb->unp_addrlen;
		unp2->unp_addr = head->so_pcb->unp_addr;
		unp_connect2(so, so2);
		so2->so_head = head;
		TAILQ_INSERT_TAIL(&head->so_comp, so2, so_list);
		++head->so_qlen;
		sowakeup(head);
	}
	lwkt_reltoken(&unp_token);
	if (error)
		soclose(so2);
	return (error);
}
