/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_CDEFS_H_
#define	_SYS_CDEFS_H_

#define	__unused	__attribute__((__unused__))
#define	__read_mostly	__attribute__((__section__(".data.read_mostly")))
#define	__aligned(n)	__attribute__((__aligned__(n)))
#define	__cachealign	__attribute__((__aligned__(__VM_CACHELINE_SIZE)))
#define	__offsetof(t, m)	__builtin_offsetof(t, m)
#define	__always_inline	__inline __attribute__((__always_inline__))
#define	__predict_false(x)	__builtin_expect((x), 0)
#define	__dead2		__attribute__((__noreturn__))

#define	__VM_CACHELINE_SIZE	64
#define	__VM_CACHELINE_MASK	(__VM_CACHELINE_SIZE - 1)
#define	__VM_CACHELINE_ALIGN(n)	(((n) + __VM_CACHELINE_MASK) & ~__VM_CACHELINE_MASK)

#endif
