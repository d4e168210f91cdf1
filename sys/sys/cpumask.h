/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets of processors.
 */
#ifndef _SYS_CPUMASK_H_
#define	_SYS_CPUMASK_H_

#include <machine/types.h>

#define	CPUMASK_ASSZERO(mask)		((mask).ary[0] = 0)
#define	CPUMASK_ASSBIT(mask, i)		((mask).ary[0] = 1UL << (i))
#define	CPUMASK_ORBIT(mask, i)		((mask).ary[0] |= 1UL << (i))
#define	CPUMASK_NANDBIT(mask, i)	((mask).ary[0] &= ~(1UL << (i)))
#define	CPUMASK_TESTBIT(mask, i)	((mask).ary[0] & (1UL << (i)))
#define	CPUMASK_TESTZERO(mask)		((mask).ary[0] == 0)
#define	CPUMASK_TESTNZERO(mask)		((mask).ary[0] != 0)

#endif
