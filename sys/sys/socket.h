/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets as programs see them: the x86-64 Linux interface.
 */
#ifndef _SYS_SOCKET_H_
#define	_SYS_SOCKET_H_

#include <sys/types.h>

#define	AF_UNSPEC	0
#define	AF_LOCAL	1

#define	SOCK_STREAM	1
#define	SOCK_DGRAM	2
#define	SOCK_SEQPACKET	5
#define	SOCK_TYPEMASK	0xf
#define	SOCK_NONBLOCK	00004000
#define	SOCK_CLOEXEC	02000000

#define	SOL_SOCKET	1
#define	SO_TYPE		3
#define	SO_ERROR	4
#define	SO_SNDBUF	7
#define	SO_RCVBUF	8
#define	SO_ACCEPTCONN	30

#define	SHUT_RD		0
#define	SHUT_WR		1
#define	SHUT_RDWR	2

#define	MSG_PEEK	0x0002
#define	MSG_CTRUNC	0x0008
#define	MSG_TRUNC	0x0020
#define	MSG_DONTWAIT	0x0040
#define	MSG_EOR		0x0080
#define	MSG_WAITALL	0x0100
#define	MSG_NOSIGNAL	0x4000
#define	MSG_CMSG_CLOEXEC 0x40000000

#define	SCM_RIGHTS	1

#define	SOMAXCONN	128

typedef uint16_t sa_family_t;
typedef uint32_t socklen_t;

struct msghdr {
	void		*msg_name;
	socklen_t	msg_namelen;
	struct iovec	*msg_iov;
	size_t		msg_iovlen;
	void		*msg_control;
	size_t		msg_controllen;
	int		msg_flags;
};

struct cmsghdr {
	size_t		cmsg_len;	/* with this header */
	int		cmsg_level;
	int		cmsg_type;
};

#endif
