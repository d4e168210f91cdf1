/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses of local sockets: a path name, or anything behind a NUL, which is
 * a name in no directory.
 */
#ifndef _SYS_UN_H_
#define	_SYS_UN_H_

#include <sys/socket.h>

#define	SUN_PATHLEN	108

struct sockaddr_un {
	sa_family_t	sun_family;	/* AF_LOCAL */
	char		sun_path[SUN_PATHLEN];
};

#endif
