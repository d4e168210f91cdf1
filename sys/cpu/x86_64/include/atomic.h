/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Atomic operations, sequentially consistent unless named acq or rel.
 *
 *	atomic_{set,clear,add,subtract}_T(p, v)
 *	atomic_fetchadd_T(p, v)		old value
 *	atomic_swap_T(p, v)		old value
 *	atomic_cmpset_T(p, old, new)	true if it was old and is new now
 *	atomic_fcmpset_T(p, &old, new)	same; else old becomes what it was
 *	atomic_readandclear_T(p)	old value
 *	atomic_load_acq_T(p), atomic_store_rel_T(p, v)
 *
 * T is char, short, int, long, 32, 64, or ptr where that makes sense.
 */
#ifndef _CPU_ATOMIC_H_
#define	_CPU_ATOMIC_H_

#include <sys/types.h>

#define	__ATOMIC_OPS(name, type)					\
static __inline void							\
atomic_set_##name(volatile type *p, type v)				\
{									\
	(void)__atomic_fetch_or(p, v, __ATOMIC_SEQ_CST);		\
}									\
static __inline void							\
atomic_clear_##name(volatile type *p, type v)				\
{									\
	(void)__atomic_fetch_and(p, (type)~v, __ATOMIC_SEQ_CST);	\
}									\
static __inline void							\
atomic_add_##name(volatile type *p, type v)				\
{									\
	(void)__atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);		\
}									\
static __inline void							\
atomic_subtract_##name(volatile type *p, type v)			\
{									\
	(void)__atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST);		\
}									\
static __inline type							\
atomic_fetchadd_##name(volatile type *p, type v)			\
{									\
	return (__atomic_fetch_add(p, v, __ATOMIC_SEQ_CST));		\
}									\
static __inline type							\
atomic_swap_##name(volatile type *p, type v)				\
{									\
	return (__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST));		\
}									\
static __inline type							\
atomic_readandclear_##name(volatile type *p)				\
{									\
	return (__atomic_exchange_n(p, 0, __ATOMIC_SEQ_CST));		\
}									\
static __inline int							\
atomic_fcmpset_##name(volatile type *p, type *old, type v)		\
{									\
	return (__atomic_compare_exchange_n(p, old, v, 0,		\
	    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));			\
}									\
static __inline int							\
atomic_cmpset_##name(volatile type *p, type old, type v)		\
{									\
	return (atomic_fcmpset_##name(p, &old, v));			\
}									\
static __inline type							\
atomic_load_acq_##name(volatile type *p)				\
{									\
	return (__atomic_load_n(p, __ATOMIC_ACQUIRE));			\
}									\
static __inline void							\
atomic_store_rel_##name(volatile type *p, type v)			\
{									\
	__atomic_store_n(p, v, __ATOMIC_RELEASE);			\
}

__ATOMIC_OPS(char, u_char)
__ATOMIC_OPS(short, u_short)
__ATOMIC_OPS(int, u_int)
__ATOMIC_OPS(long, u_long)
__ATOMIC_OPS(32, uint32_t)
__ATOMIC_OPS(64, uint64_t)

#undef __ATOMIC_OPS

static __inline void *
atomic_swap_ptr(volatile void **p, void *v)
{
	return ((void *)atomic_swap_long((volatile u_long *)p, (u_long)v));
}

#define	atomic_cmpset_ptr(p, o, n) \
	atomic_cmpset_long((volatile u_long *)(p), (u_long)(o), (u_long)(n))
#define	atomic_fcmpset_ptr(p, o, n) \
	atomic_fcmpset_long((volatile u_long *)(p), (u_long *)(o), (u_long)(n))

#endif
