/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_SYSTM_H_
#define	_SYS_SYSTM_H_

#include <sys/types.h>

extern int ncpus;

void	panic(const char *fmt, ...) __dead2;
int	kprintf(const char *fmt, ...);
void	bzero(void *buf, size_t len);
void	crit_enter(void);
void	crit_exit(void);

#define	KASSERT(e, m)	do { if (!(e)) panic m; } while (0)
#define	KKASSERT(e)	do { if (!(e)) panic("assertion: %s", #e); } while (0)

#endif
