/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compiler attributes and the small preprocessor vocabulary every header
 * of this kernel may use.  Included first by everything, includes nothing.
 */
#ifndef _SYS_CDEFS_H_
#define	_SYS_CDEFS_H_

#define	__CONCAT1(x, y)		x ## y
#define	__CONCAT(x, y)		__CONCAT1(x, y)
#define	__STRING(x)		#x
#define	__XSTRING(x)		__STRING(x)

#define	__BEGIN_DECLS
#define	__END_DECLS

#define	__VM_CACHELINE_SIZE	64
#define	__VM_CACHELINE_MASK	(__VM_CACHELINE_SIZE - 1)
#define	__VM_CACHELINE_ALIGN(n)	\
	(((n) + __VM_CACHELINE_MASK) & ~__VM_CACHELINE_MASK)

#define	__dead2			__attribute__((__noreturn__))
#define	__pure2			__attribute__((__const__))
#define	__unused		__attribute__((__unused__))
#define	__used			__attribute__((__used__))
#define	__packed		__attribute__((__packed__))
#define	__aligned(x)		__attribute__((__aligned__(x)))
#define	__section(x)		__attribute__((__section__(x)))
#define	__malloclike		__attribute__((__malloc__))
#define	__always_inline		__inline __attribute__((__always_inline__))
#define	__noinline		__attribute__((__noinline__))
#define	__nonnull(...)		__attribute__((__nonnull__(__VA_ARGS__)))
#define	__heedresult		__attribute__((__warn_unused_result__))
#define	__returns_twice		__attribute__((__returns_twice__))
#define	__weak_symbol		__attribute__((__weak__))
#define	__unreachable()		__builtin_unreachable()
#define	__alloc_size(x)		__attribute__((__alloc_size__(x)))
#define	__alloc_align(x)	__attribute__((__alloc_align__(x)))
#define	__cachealign		__aligned(__VM_CACHELINE_SIZE)
#define	__printflike(f, a)	__attribute__((__format__(__printf__, f, a)))
#define	__printf0like(f, a)	__printflike(f, a)

#define	__predict_true(exp)	__builtin_expect((exp), 1)
#define	__predict_false(exp)	__builtin_expect((exp), 0)

#define	__offsetof(type, field)	__builtin_offsetof(type, field)
#define	__containerof(p, type, field) \
	((type *)(void *)((char *)(p) - __offsetof(type, field)))

#define	__DECONST(type, var)	((type)(uintptr_t)(const void *)(var))
#define	__DEVOLATILE(type, var)	((type)(uintptr_t)(volatile void *)(var))
#define	__DEQUALIFY(type, var)	((type)(uintptr_t)(const volatile void *)(var))

#endif
