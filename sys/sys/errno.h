/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Error numbers.  User programs are built for the x86-64 Linux system call
 * interface, so the positive values are that interface's.
 */
#ifndef _SYS_ERRNO_H_
#define	_SYS_ERRNO_H_

#define	EPERM		1		/* operation not permitted */
#define	ENOENT		2		/* no such file */
#define	ESRCH		3		/* no such process */
#define	EINTR		4		/* interrupted system call */
#define	EIO		5		/* I/O error */
#define	ENXIO		6		/* no such device */
#define	E2BIG		7		/* argument list too long */
#define	ENOEXEC		8		/* not an executable */
#define	EBADF		9		/* bad file descriptor */
#define	ECHILD		10		/* no child */
#define	EAGAIN		11		/* try again */
#define	EWOULDBLOCK	EAGAIN
#define	ENOMEM		12		/* out of memory */
#define	EACCES		13		/* permission denied */
#define	EFAULT		14		/* bad address */
#define	EBUSY		16		/* in use */
#define	EEXIST		17		/* exists already */
#define	ENODEV		19		/* no such device */
#define	ENOTDIR		20		/* not a directory */
#define	EISDIR		21		/* is a directory */
#define	EINVAL		22		/* invalid argument */
#define	ENFILE		23		/* too many files open */
#define	EMFILE		24		/* too many files open in process */
#define	ENOTTY		25		/* not a terminal */
#define	EFBIG		27		/* too large */
#define	ENOSPC		28		/* no space left */
#define	ESPIPE		29		/* cannot seek */
#define	EROFS		30		/* read-only */
#define	EPIPE		32		/* broken pipe */
#define	EDOM		33		/* outside domain */
#define	ERANGE		34		/* out of range */
#define	EDEADLK		35		/* would deadlock */
#define	ENAMETOOLONG	36		/* name too long */
#define	ENOSYS		38		/* not implemented */
#define	ENOTEMPTY	39		/* directory not empty */
#define	ELOOP		40		/* too many symbolic links */
#define	ENOTSOCK	88		/* not a socket */
#define	EDESTADDRREQ	89		/* where to? */
#define	EMSGSIZE	90		/* message is too long */
#define	EPROTOTYPE	91		/* socket is of another type */
#define	ENOPROTOOPT	92		/* no such option */
#define	EPROTONOSUPPORT	93		/* no such protocol */
#define	EOPNOTSUPP	95		/* not supported */
#define	EAFNOSUPPORT	97		/* no such address family */
#define	EADDRINUSE	98		/* address is in use */
#define	ENOBUFS		105		/* no buffer */
#define	EISCONN		106		/* connected already */
#define	ENOTCONN	107		/* not connected */
#define	ETOOMANYREFS	109		/* too many in flight */
#define	ETIMEDOUT	110		/* timed out */
#define	ECONNREFUSED	111		/* nobody is there */

#define	ERESTART	(-1)		/* kernel only: restart system call */
#define	EJUSTRETURN	(-2)		/* kernel only: leave registers alone */

#endif
