/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fake kernel with several processors, for ThreadSanitizer.
 *
 * Every host thread that calls fake_thread_enter() is the one thread of a
 * processor of its own: nothing else runs there but the maintainer when it
 * comes to empty magazines, so a critical section is a mutex of the
 * processor's, and whatever two processors share must be protected by a lock or
 * an atomic operation that ThreadSanitizer can see.  Spinlocks and locks are
 * mutexes of the host.
 *
 * kern_kmalloc.c is not instrumented.  A cpu takes an object out of a slab's
 * ring without a lock, relying on the order in which x86 makes stores visible;
 * its counters are read while others write.  What this guarantees its callers,
 * that what was done to an object before kfree_obj() has happened before what
 * is done to it after kmalloc_obj(), is said in fake_smp.c.
 */

#ifndef FAKE_SMP_H
#define	FAKE_SMP_H

#include <pthread.h>

#define	MAXCPU			10
#define	SMP_MAXCPU		10

struct spinlock {
	pthread_mutex_t	mutex;
	const char	*descr;
};
#define	SPINLOCK_INITIALIZER(head, descr)				\
	{ PTHREAD_MUTEX_INITIALIZER, descr }

struct lock {
	pthread_mutex_t	mutex;
};

#ifdef __cplusplus
extern "C" {
#endif

void	fake_atomic_add(size_t *, long);
size_t	fake_atomic_fetchadd(size_t *, long);
void	fake_atomic_set(uint64_t *, uint64_t);
void	fake_atomic_clear(uint64_t *, uint64_t);
void	*fake_atomic_swap(void **, void *);
int	fake_atomic_fcmpset(void **, void **, void *);
long	fake_ticks(void);
long	fake_free(void);		/* pages */
void	fake_tick(void);		/* pseudo_ticks goes on */
/* Spinlocks of that description do nothing from now on. */
void	fake_without(const char *descr);

#ifdef __cplusplus
}
#endif

#define	atomic_add_long(p, n)		fake_atomic_add((size_t *)(p), n)
#define	atomic_fetchadd_long(p, n)	fake_atomic_fetchadd((size_t *)(p), n)
#define	atomic_set_64(p, m)		fake_atomic_set(p, m)
#define	atomic_clear_64(p, m)		fake_atomic_clear(p, m)
#define	atomic_swap_ptr(p, v)		fake_atomic_swap((void **)(p), v)
#define	atomic_fcmpset_long(p, old, v)					\
	fake_atomic_fcmpset((void **)(p), (void **)(old), (void *)(v))
#define	atomic_fcmpset_ptr(p, old, v)					\
	fake_atomic_fcmpset((void **)(p), (void **)(old), v)

#endif
