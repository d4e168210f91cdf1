/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls on sockets.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/socketvar.h>
#include <sys/stat.h>
#include <sys/sysent.h>
#include <sys/uio.h>

/*
 * The socket of a descriptor; its file is held.
 */
static int
getsock(struct proc *p, register_t fd, struct file **fpp, struct socket **sop)
{
	struct file *fp = holdfp(p, fd, 0);

	if (fp == NULL)
		return (EBADF);
	*fpp = fp;
	*sop = file_socket(fp);
	if (*sop == NULL) {
		fdrop(fp);
		return (ENOTSOCK);
	}
	return (0);
}

static int
copyin_sockaddr(register_t uaddr, register_t len, struct sockaddr_un *sun)
{
	if (len < (register_t)sizeof(sun->sun_family) ||
	    len > (register_t)sizeof(*sun))
		return (EINVAL);
	bzero(sun, sizeof(*sun));
	return (copyin((const void *)uaddr, sun, len));
}

/*
 * As much of a name as there is room for; *ulen says how long it is.
 */
static int
copyout_sockaddr(const struct sockaddr_un *sun, socklen_t len,
    register_t uaddr, register_t ulen)
{
	socklen_t room;
	int error;

	if (uaddr == 0)
		return (0);
	error = copyin((const void *)ulen, &room, sizeof(room));
	if (error == 0)
		error = copyout(sun, (void *)uaddr, min(len, room));
	if (error == 0)
		error = copyout(&len, (void *)ulen, sizeof(len));
	return (error);
}

static boolean_t
sock_nonblock(const struct file *fp, int flags)
{
	return ((fp->f_flag & O_NONBLOCK) || (flags & MSG_DONTWAIT));
}

static int
sock_type(register_t domain, register_t type, register_t proto, int *typep)
{
	*typep = type & SOCK_TYPEMASK;
	if (domain != AF_LOCAL)
		return (EAFNOSUPPORT);
	if (proto != 0 && proto != AF_LOCAL)
		return (EPROTONOSUPPORT);
	if ((type & ~(SOCK_TYPEMASK | SOCK_NONBLOCK | SOCK_CLOEXEC)) ||
	    (*typep != SOCK_STREAM && *typep != SOCK_DGRAM &&
	    *typep != SOCK_SEQPACKET))
		return (EPROTOTYPE);
	return (0);
}

static struct socket *
sonew(int type)
{
	struct socket *so = soalloc(type);

	unp_attach(so);
	return (so);
}

int
sys_socket(struct proc *p, const register_t *a, register_t *res)
{
	int error, type;

	error = sock_type(a[0], a[1], a[2], &type);
	if (error)
		return (error);
	return (fdinstall(p, sofile(sonew(type), a[1]), 0,
	    (a[1] & SOCK_CLOEXEC) != 0, res));
}

int
sys_socketpair(struct proc *p, const register_t *a, register_t *res)
{
	boolean_t cloexec = (a[1] & SOCK_CLOEXEC) != 0;
	struct socket *so1, *so2;
	struct file *fp1, *fp2;
	register_t fd1, fd2;
	int error, fds[2], type;

	error = sock_type(a[0], a[1], a[2], &type);
	if (error)
		return (error);
	so1 = sonew(type);
	so2 = sonew(type);
	lwkt_gettoken(&unp_token);
	unp_connect2(so1, so2);
	lwkt_reltoken(&unp_token);
	fp1 = sofile(so1, a[1]);
	fp2 = sofile(so2, a[1]);
	error = fdinstall(p, fp1, 0, cloexec, &fd1);
	if (error) {
		fdrop(fp2);
		return (error);
	}
	error = fdinstall(p, fp2, 0, cloexec, &fd2);
	if (error == 0) {
		fds[0] = fd1;
		fds[1] = fd2;
		error = copyout(fds, (void *)a[3], sizeof(fds));
		if (error == 0)
			return (0);
		sys_close(p, &fd2, NULL);
	}
	sys_close(p, &fd1, NULL);
	return (error);
}

int
sys_bind(struct proc *p, const register_t *a, register_t *res)
{
	struct sockaddr_un sun;
	struct socket *so;
	struct file *fp;
	int error;

	error = copyin_sockaddr(a[1], a[2], &sun);
	if (error == 0)
		error = getsock(p, a[0], &fp, &so);
	if (error)
		return (error);
	error = unp_bind(so, p, &sun, a[2]);
	fdrop(fp);
	return (error);
}

int
sys_listen(struct proc *p, const register_t *a, register_t *res)
{
	struct socket *so;
	struct file *fp;
	int error;

	error = getsock(p, a[0], &fp, &so);
	if (error)
		return (error);
	error = unp_listen(so, a[1]);
	fdrop(fp);
	return (error);
}

int
sys_connect(struct proc *p, const register_t *a, register_t *res)
{
	struct sockaddr_un sun;
	struct unp_key key;
	struct socket *so;
	struct file *fp;
	int error;

	error = copyin_sockaddr(a[1], a[2], &sun);
	if (error == 0)
		error = unp_key_get(p, &sun, a[2], &key);
	if (error)
		return (error);
	error = getsock(p, a[0], &fp, &so);
	if (error == 0) {
		error = unp_connect(so, &key, sock_nonblock(fp, 0));
		fdrop(fp);
	}
	unp_key_done(&key);
	return (error);
}

static int
kern_accept(struct proc *p, const register_t *a, int flags, register_t *res)
{
	struct socket *so, *so2;
	struct sockaddr_un sun;
	struct file *fp;
	int error, len;

	error = getsock(p, a[0], &fp, &so);
	if (error)
		return (error);
	error = soaccept(so, sock_nonblock(fp, 0), &so2);
	fdrop(fp);
	if (error)
		return (error);
	len = unp_sockname(so2, TRUE, &sun);
	error = copyout_sockaddr(&sun, len, a[1], a[2]);
	if (error) {
		soclose(so2);
		return (error);
	}
	return (fdinstall(p, sofile(so2, flags), 0,
	    (flags & SOCK_CLOEXEC) != 0, res));
}

int
sys_accept(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_accept(p, a, 0, res));
}

int
sys_accept4(struct proc *p, const register_t *a, register_t *res)
{
	if (a[3] & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return (EINVAL);
	return (kern_accept(p, a, a[3], res));
}

int
sys_shutdown(struct proc *p, const register_t *a, register_t *res)
{
	struct socket *so;
	struct file *fp;
	int error;

	if (a[1] < SHUT_RD || a[1] > SHUT_RDWR)
		return (EINVAL);
	error = getsock(p, a[0], &fp, &so);
	if (error)
		return (error);
	error = soshutdown(so, a[1]);
	fdrop(fp);
	return (error);
}

static int
kern_getname(struct proc *p, const register_t *a, boolean_t peer)
{
	struct sockaddr_un sun;
	struct socket *so;
	struct file *fp;
	int error, len;

	error = getsock(p, a[0], &fp, &so);
	if (error)
		return (error);
	len = unp_sockname(so, peer, &sun);
	fdrop(fp);
	if (len == 0)
		return (ENOTCONN);
	return (copyout_sockaddr(&sun, len, a[1], a[2]));
}

int
sys_getsockname(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_getname(p, a, FALSE));
}

int
sys_getpeername(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_getname(p, a, TRUE));
}

/*
 * Options change nothing but the size of the buffer.
 */
int
sys_setsockopt(struct proc *p, const register_t *a, register_t *res)
{
	struct socket *so;
	struct file *fp;
	int error, val = 0;

	error = getsock(p, a[0], &fp, &so);
	if (error)
		return (error);
	if (a[1] != SOL_SOCKET) {
		error = ENOPROTOOPT;
	} else if (a[2] == SO_RCVBUF) {
		error = a[4] < (register_t)sizeof(val) ? EINVAL :
		    copyin((const void *)a[3], &val, sizeof(val));
		if (error == 0)
			so->so_rcv.sb_hiwat = imin(imax(val, MCLBYTES),
			    SB_MAX);
	}
	fdrop(fp);
	return (error);
}

int
sys_getsockopt(struct proc *p, const register_t *a, register_t *res)
{
	struct socket *so;
	struct file *fp;
	socklen_t len;
	int error, val = 0;

	error = getsock(p, a[0], &fp, &so);
	if (error)
		return (error);
	switch (a[1] == SOL_SOCKET ? a[2] : -1) {
	case SO_TYPE:
		val = so->so_type;
		break;
	case SO_ERROR:
		break;
	case SO_SNDBUF:
	case SO_RCVBUF:
		val = so->so_rcv.sb_hiwat;
		break;
	case SO_ACCEPTCONN:
		val = (so->so_qlimit != 0);
		break;
	default:
		error = ENOPROTOOPT;
	}
	fdrop(fp);
	if (error == 0)
		error = copyin((const void *)a[4], &len, sizeof(len));
	if (error == 0) {
		len = min(len, sizeof(val));
		error = copyout(&val, (void *)a[3], len);
	}
	if (error == 0)
		error = copyout(&len, (void *)a[4], sizeof(len));
	return (error);
}

/*
 * uaddr: where to, 0: as connected.  Takes sm's rights, whatever happens.
 */
static int
kern_send(struct proc *p, register_t fd, struct sockmsg *sm, register_t uaddr,
    register_t addrlen, int flags, register_t *res)
{
	struct sockaddr_un sun;
	struct unp_key key;
	struct socket *so;
	struct file *fp;
	int error;

	error = getsock(p, fd, &fp, &so);
	if (error == 0 && uaddr != 0 && so->so_type == SOCK_DGRAM) {
		error = copyin_sockaddr(uaddr, addrlen, &sun);
		if (error == 0)
			error = unp_key_get(p, &sun, addrlen, &key);
		if (error == 0)
			sm->sm_to = &key;
		else
			fdrop(fp);
	}
	if (error == 0) {
		error = sosend(so, sm, sock_nonblock(fp, flags));
		fdrop(fp);
		if (sm->sm_to != NULL)
			unp_key_done(sm->sm_to);
	}
	if (sm->sm_rights != NULL)
		unp_dispose(sm->sm_rights);
	if (error == EPIPE && (flags & MSG_NOSIGNAL) == 0)
		psignal(p, SIGPIPE);
	*res = sm->sm_done;
	return (error);
}

int
sys_sendto(struct proc *p, const register_t *a, register_t *res)
{
	struct iovec iov = { (void *)a[1], a[2] };
	struct sockmsg sm = { .sm_iov = &iov, .sm_iovcnt = 1 };

	if (a[2] < 0)
		return (EINVAL);
	return (kern_send(p, a[0], &sm, a[4], a[5], a[3], res));
}

/*
 * A message's header and pieces.
 */
static int
copyin_msg(register_t umsg, struct msghdr *msg, struct iovec *iov)
{
	size_t total = 0;
	int error;
	u_int i;

	error = copyin((const void *)umsg, msg, sizeof(*msg));
	if (error)
		return (error);
	if (msg->msg_iovlen > IOV_MAX)
		return (EMSGSIZE);
	error = copyin(msg->msg_iov, iov, msg->msg_iovlen * sizeof(iov[0]));
	if (error)
		return (error);
	for (i = 0; i < msg->msg_iovlen; ++i) {
		if ((ssize_t)iov[i].iov_len < 0 ||
		    (ssize_t)(total += iov[i].iov_len) < 0)
			return (EINVAL);
	}
	return (0);
}

int
sys_sendmsg(struct proc *p, const register_t *a, register_t *res)
{
	struct iovec iov[IOV_MAX];
	struct sockmsg sm = { .sm_iov = iov };
	struct msghdr msg;
	int error;

	error = copyin_msg(a[1], &msg, iov);
	if (error)
		return (error);
	sm.sm_iovcnt = msg.msg_iovlen;
	if (msg.msg_control != NULL && msg.msg_controllen != 0) {
		error = unp_internalize(p, msg.msg_control,
		    msg.msg_controllen, &sm.sm_rights);
		if (error)
			return (error);
	}
	return (kern_send(p, a[0], &sm, (register_t)msg.msg_name,
	    msg.msg_namelen, a[2], res));
}

static int
kern_receive(struct proc *p, register_t fd, struct sockmsg *sm, int flags,
    register_t *res)
{
	struct socket *so;
	struct file *fp;
	int error;

	error = getsock(p, fd, &fp, &so);
	if (error)
		return (error);
	sm->sm_flags = flags;
	error = soreceive(so, sm, sock_nonblock(fp, flags));
	fdrop(fp);
	*res = sm->sm_done;
	return (error);
}

int
sys_recvfrom(struct proc *p, const register_t *a, register_t *res)
{
	struct iovec iov = { (void *)a[1], a[2] };
	struct sockmsg sm = { .sm_iov = &iov, .sm_iovcnt = 1 };
	int error;

	if (a[2] < 0)
		return (EINVAL);
	error = kern_receive(p, a[0], &sm, a[3], res);
	if (sm.sm_rights != NULL)
		unp_dispose(sm.sm_rights);
	if (error == 0)
		error = copyout_sockaddr(&sm.sm_from, sm.sm_fromlen, a[4],
		    a[5]);
	return (error);
}

int
sys_recvmsg(struct proc *p, const register_t *a, register_t *res)
{
	struct iovec iov[IOV_MAX];
	struct sockmsg sm = { .sm_iov = iov };
	struct msghdr msg;
	size_t controllen = 0;
	int error, flags;

	error = copyin_msg(a[1], &msg, iov);
	if (error)
		return (error);
	sm.sm_iovcnt = msg.msg_iovlen;
	error = kern_receive(p, a[0], &sm, a[2], res);
	flags = sm.sm_flags | (a[2] & MSG_CMSG_CLOEXEC);
	if (sm.sm_rights != NULL) {
		if (msg.msg_control != NULL)
			controllen = msg.msg_controllen;
		if (error == 0)
			error = unp_externalize(p, sm.sm_rights,
			    msg.msg_control, &controllen, &flags);
		else
			unp_dispose(sm.sm_rights);
	}
	if (error)
		return (error);
	if (msg.msg_name != NULL) {
		error = copyout(&sm.sm_from, msg.msg_name,
		    min(sm.sm_fromlen, msg.msg_namelen));
		msg.msg_namelen = sm.sm_fromlen;
	}
	msg.msg_controllen = controllen;
	msg.msg_flags = flags;
	if (error == 0)
		error = copyout(&msg, (void *)a[1], sizeof(msg));
	return (error);
}
