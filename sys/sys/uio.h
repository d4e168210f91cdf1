/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A transfer between a file and memory: what is left of it.
 */
#ifndef _SYS_UIO_H_
#define	_SYS_UIO_H_

#include <sys/types.h>

#define	IOV_MAX		64		/* pieces of a readv() */

struct iovec {
	void	*iov_base;
	size_t	iov_len;
};

enum uio_rw { UIO_READ, UIO_WRITE };
enum uio_seg { UIO_USERSPACE, UIO_SYSSPACE };

struct uio {
	char		*uio_base;	/* next byte of memory */
	size_t		uio_resid;	/* bytes left */
	off_t		uio_offset;	/* place in the file */
	enum uio_rw	uio_rw;		/* READ: to memory */
	enum uio_seg	uio_segflg;
};

/*
 * Move at most n bytes between cp and the uio, and advance it.  0 or EFAULT;
 * may block.
 */
int	uiomove(void *cp, size_t n, struct uio *uio);

#endif
