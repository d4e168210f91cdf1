/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small functions a C library would have.
 */
#ifndef _SYS_LIBKERN_H_
#define	_SYS_LIBKERN_H_

#include <sys/types.h>

/* The larger and the smaller of two, each pair for its type. */
#define	LIBKERN_PAIR(type, larger, smaller)				\
	static __inline type larger(type a, type b)			\
	{								\
		return (b > a ? b : a);					\
	}								\
	static __inline type smaller(type a, type b)			\
	{								\
		return (b < a ? b : a);					\
	}

LIBKERN_PAIR(int, imax, imin)
LIBKERN_PAIR(long, lmax, lmin)
LIBKERN_PAIR(quad_t, qmax, qmin)
LIBKERN_PAIR(u_int, max, min)
LIBKERN_PAIR(u_long, ulmax, ulmin)
LIBKERN_PAIR(size_t, szmax, szmin)

#undef LIBKERN_PAIR

int	flsl(long);
int	ffsl(long);
int	memcmp(const void *, const void *, size_t);
int	bcmp(const void *, const void *, size_t);
size_t	strlen(const char *);
size_t	strnlen(const char *, size_t);
int	strcmp(const char *, const char *);
int	strncmp(const char *, const char *, size_t);
size_t	strlcpy(char *, const char *, size_t);
size_t	strlcat(char *, const char *, size_t);
char	*strchr(const char *, int);
char	*strrchr(const char *, int);

u_long	krandom(void);

#endif
