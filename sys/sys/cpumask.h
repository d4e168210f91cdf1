/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets of processors.  The ATOMIC_ ones work on sets that several change.
 */
#ifndef _SYS_CPUMASK_H_
#define	_SYS_CPUMASK_H_

#include <machine/types.h>
#include <machine/atomic.h>

#define	CPUMASK_ASSZERO(mask)		((mask).ary[0] = 0)
#define	CPUMASK_ASSALLONES(mask)	((mask).ary[0] = ~0UL)
#define	CPUMASK_ASSBIT(mask, i)		((mask).ary[0] = 1UL << (i))
#define	CPUMASK_ORBIT(mask, i)		((mask).ary[0] |= 1UL << (i))
#define	CPUMASK_NANDBIT(mask, i)	((mask).ary[0] &= ~(1UL << (i)))
#define	CPUMASK_ORMASK(mask, val)	((mask).ary[0] |= (val).ary[0])
#define	CPUMASK_ANDMASK(mask, val)	((mask).ary[0] &= (val).ary[0])
#define	CPUMASK_NANDMASK(mask, val)	((mask).ary[0] &= ~(val).ary[0])
#define	CPUMASK_TESTBIT(mask, i)	((mask).ary[0] & (1UL << (i)))
#define	CPUMASK_TESTZERO(mask)		((mask).ary[0] == 0)
#define	CPUMASK_TESTNZERO(mask)		((mask).ary[0] != 0)
#define	BSFCPUMASK(mask)		__builtin_ctzl((mask).ary[0])

#define	ATOMIC_CPUMASK_ORBIT(mask, i)	\
	atomic_set_64(&(mask).ary[0], 1UL << (i))
#define	ATOMIC_CPUMASK_NANDBIT(mask, i)	\
	atomic_clear_64(&(mask).ary[0], 1UL << (i))

/* TRUE if the bit was set: it is ours now. */
#define	ATOMIC_CPUMASK_TESTANDCLR(mask, i) \
	((__atomic_fetch_and(&(mask).ary[0], ~(1UL << (i)), \
	__ATOMIC_SEQ_CST) >> (i)) & 1)

#endif
