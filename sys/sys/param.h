/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Limits, sleep flags and rounding macros.
 */
#ifndef _SYS_PARAM_H_
#define	_SYS_PARAM_H_

#include <sys/types.h>
#include <sys/stdint.h>
#include <sys/errno.h>
#include <machine/param.h>

#define	MAXCOMLEN	16		/* longest command name kept */
#define	MAXPATHLEN	1024		/* longest path, with its NUL */
#define	MAXHOSTNAMELEN	256
#define	NCARGS		(128 * 1024)	/* bytes of arguments and environment */
#define	NOFILE		64		/* open files of a process */
#define	SPECNAMELEN	63		/* longest device name */

#define	FALSE		0
#define	TRUE		1

/*
 * Flags of tsleep() and friends.
 */
#define	PCATCH		0x00000100	/* sleep may be interrupted */
#define	PINTERLOCKED	0x00000400	/* tsleep_interlock() was called */

#define	NBBY		8		/* bits in a byte */
#define	NODEV		((cdev_t)NULL)

#define	setbit(a, i)	((a)[(i) / NBBY] |= 1 << ((i) % NBBY))
#define	clrbit(a, i)	((a)[(i) / NBBY] &= ~(1 << ((i) % NBBY)))
#define	isset(a, i)	((a)[(i) / NBBY] & (1 << ((i) % NBBY)))
#define	isclr(a, i)	(isset(a, i) == 0)

#define	howmany(x, y)	(((x) + ((y) - 1)) / (y))
#define	rounddown(x, y)	(((x) / (y)) * (y))
#define	rounddown2(x, y) ((x) & ~((y) - 1))		/* y: power of two */
#define	roundup(x, y)	((((x) + ((y) - 1)) / (y)) * (y))
#define	roundup2(x, y)	(((x) + ((y) - 1)) & ~((y) - 1)) /* y: power of two */
#define	powerof2(x)	((((x) - 1) & (x)) == 0)

#define	MIN(a, b)	((a) < (b) ? (a) : (b))
#define	MAX(a, b)	((a) > (b) ? (a) : (b))
#define	NELEM(ary)	(sizeof(ary) / sizeof((ary)[0]))
#define	nitems(ary)	NELEM(ary)

#endif
