/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The part of a kernel that kmalloc_obj and its shims need, for the host.
 *
 * One cpu: every host thread that acts as a kernel thread holds the giant lock
 * while it runs and lets go of it only where a kernel thread would sleep, so
 * a critical section costs nothing.  Physical pages are pages of a memory
 * file; kernel addresses are a range that nothing is mapped into until
 * pmap_kenter() maps one there.  What touches memory it gave back faults.
 * With FAKE_FAST, for fuzzing, addresses have memory of their own, which
 * AddressSanitizer forbids to touch while nothing is mapped.
 *
 * Every header of the kernel is this one, but for those under test and
 * fake_globaldata.h.
 */

#ifndef FAKE_KERNEL_H
#define	FAKE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define	PAGE_SIZE		4096
#define	PAGE_MASK		(PAGE_SIZE - 1)
#ifdef FAKE_SMP
#include "fake_smp.h"
#else
#define	MAXCPU			1
#define	SMP_MAXCPU		1
#endif
#define	__VM_CACHELINE_SIZE	64
#define	__VM_CACHELINE_ALIGN(n)	(((n) + 63) & ~63)
#define	__cachealign		__attribute__((__aligned__(64)))
#define	__predict_true(e)	__builtin_expect(!!(e), 1)
#define	__predict_false(e)	__builtin_expect(!!(e), 0)
#define	__noinline		__attribute__((__noinline__))
#ifndef __cplusplus		/* the C++ library has members of that name */
#define	__unused		__attribute__((__unused__))
#endif
#ifndef __always_inline
#define	__always_inline		__inline __attribute__((__always_inline__))
#endif
#define	__offsetof(t, f)	__builtin_offsetof(t, f)
#define	howmany(x, y)		(((x) + ((y) - 1)) / (y))
#define	roundup2(x, y)		(((x) + ((y) - 1)) & ~((y) - 1))
#define	FALSE			0

typedef uintptr_t vm_offset_t;
typedef size_t vm_size_t;
typedef uint64_t vm_paddr_t;

void	panic(const char *fmt, ...) __attribute__((__noreturn__,
	    __format__(__printf__, 1, 2)));
#define	KASSERT(e, msg)	do { if (!(e)) panic msg; } while (0)
#define	kprintf		printf
#define	ksnprintf	snprintf

static inline long
lmin(long a, long b)
{
	return (a < b ? a : b);
}

static inline long
lmax(long a, long b)
{
	return (a > b ? a : b);
}

static inline void
fake_strlcpy(char *dst, const char *src, size_t size)
{
	snprintf(dst, size, "%s", src);
}
#define	strlcpy		fake_strlcpy

#define	NELEM(ary)	(sizeof(ary) / sizeof((ary)[0]))

/* The reference kernel's record of the last pages is not kept here. */
#define	VM_PAGE_FOR(what)	((void)(what))

struct thread {
	const char	*name;
	struct thread	*td_preempted;
	int		td_flags;
};
#define	TDF_SYSTHREAD	0x100
typedef struct thread *thread_t;

#ifndef FAKE_SMP
struct spinlock {
	struct thread	*owner;
};
#define	SPINLOCK_INITIALIZER(head, descr)	{ 0 }

struct lock {
	struct thread	*owner;
};
#endif
#define	LK_EXCLUSIVE	1
#define	LK_RELEASE	2

typedef struct {
	long		end;		/* pseudo_ticks, nobody looks then */
} exislock_t;
#ifdef FAKE_SMP
#define	pseudo_ticks	fake_ticks()
#else
extern long pseudo_ticks;
#endif

extern __thread struct thread *curthread;
extern struct thread *pagethread;
extern struct thread *emergpager;
extern int ncpus;
extern int hz;
extern volatile int ticks;		/* about to wrap when it begins */
#define	fake_ticks_add(n)	(ticks = (int)((unsigned int)ticks + (unsigned int)(n)))

int	fake_critical(void);		/* depth */
#define	IN_CRITICAL_SECT(td)	((void)(td), fake_critical())
void	crit_enter(void);
void	crit_exit(void);
void	spin_init(struct spinlock *, const char *);
void	spin_uninit(struct spinlock *);
void	spin_lock(struct spinlock *);
void	spin_unlock(struct spinlock *);
void	lockinit(struct lock *, const char *, int, int);
int	lockmgr(struct lock *, unsigned int);
int	ssleep(const volatile void *, struct spinlock *, int, const char *,
	    int);
void	wakeup(const volatile void *);

static inline void
exis_terminate(exislock_t *xlk)
{
	xlk->end = pseudo_ticks - 1;
}

static inline void
exis_setlive(exislock_t *xlk)
{
	xlk->end = 0;
}

static inline int
exis_freeable(exislock_t *xlk)
{
	return (xlk->end != 0 && xlk->end - pseudo_ticks <= -2);
}

#ifndef FAKE_SMP
#define	atomic_add_long(p, n)		((void)(*(p) += (n)))
#define	atomic_fetchadd_long(p, n)	__atomic_fetch_add(p, n, __ATOMIC_SEQ_CST)
#define	atomic_set_64(p, m)		((void)(*(p) |= (m)))
#define	atomic_clear_64(p, m)		((void)(*(p) &= ~(m)))
#define	atomic_swap_ptr(p, v)						\
	__atomic_exchange_n((void **)(p), (void *)(v), __ATOMIC_SEQ_CST)
#define	atomic_fcmpset_long(p, old, v)					\
	__atomic_compare_exchange_n(p, old, v, 0, __ATOMIC_SEQ_CST,	\
	    __ATOMIC_SEQ_CST)
#define	atomic_fcmpset_ptr	atomic_fcmpset_long
#endif

/* Nothing runs by itself; the argument is kept for who wants to run it. */
#define	SYSINIT(u, s, o, f, a)						\
	__attribute__((__unused__)) void *fake_sysinit_##u = (a)
#define	TUNABLE_INT(path, var)	extern int fake_tunable
struct kproc_desc {
	const char	*arg0;
	void		(*func)(void);
	struct thread	**global_threadpp;
};

struct sysctl_req {
	char		*out;
	size_t		len;
	const int	*in;
};
#define	SYSCTL_HANDLER_ARGS						\
	void *oidp, void *arg1, int arg2, struct sysctl_req *req
#define	SYSCTL_OUT(r, p, l)	fake_sysctl_out(r, p, l)
#define	SYSCTL_INT(parent, nbr, name, acc, ptr, val, descr)		\
	int *const fake_sysctl_int_##name = (ptr)
#define	SYSCTL_PROC(parent, nbr, name, acc, a1, a2, handler, fmt, descr) \
	int (*fake_sysctl_##name)(SYSCTL_HANDLER_ARGS) = (handler)
int	fake_sysctl_out(struct sysctl_req *, const void *, size_t);
int	sysctl_handle_int(SYSCTL_HANDLER_ARGS);
extern int *const fake_sysctl_int_kmalloc_mini;
extern int (*fake_sysctl_kmalloc_ext)(SYSCTL_HANDLER_ARGS);
extern int (*fake_sysctl_kmalloc_reserve)(SYSCTL_HANDLER_ARGS);

typedef struct vm_page {
	vm_paddr_t	phys_addr;
	int		valid;
	int		wire_count;
	int		busy;
	struct vm_page	*next;
} *vm_page_t;

#define	VM_ALLOC_NORMAL		1
#define	VM_ALLOC_SYSTEM		2
#define	VM_ALLOC_INTERRUPT	4
#define	VM_PAGE_BITS_ALL	0xff
#define	VM_SUBSYS_KMALLOC	1
#define	VM_PAGE_TO_PHYS(m)	((m)->phys_addr)
#define	PHYS_TO_VM_PAGE(pa)	fake_page(pa)

struct vmstats {
	long		v_page_count;
	long		v_free_count;
	long		v_free_reserved;
	long		v_interrupt_free_min;
};
extern struct vmstats vmstats;
extern int vm_pages_needed;
#define	fake_free_pages		vmstats.v_free_count

struct vm_map;
extern struct vm_map *kernel_map;

vm_page_t fake_page(vm_paddr_t);
long	fake_page_floor(int req);
vm_page_t vm_page_alloc(void *object, size_t pindex, int req);
void	vm_page_free(vm_page_t);
void	vm_page_wire(vm_page_t);
void	vm_page_unwire(vm_page_t, int);
void	vm_page_wakeup(vm_page_t);
void	vm_page_busy_wait(vm_page_t, int, const char *);
void	vm_wait(int);
int	vm_paging_min(void);
int	vm_paging_start(int);
void	pmap_kenter(vm_offset_t, vm_paddr_t);
void	pmap_kremove(vm_offset_t);
void	pmap_qenter(vm_offset_t, vm_page_t *, int);
void	pmap_qremove(vm_offset_t, int);
vm_paddr_t pmap_kextract(vm_offset_t);
vm_offset_t kmem_alloc_nofault(struct vm_map *, vm_size_t, int, vm_size_t);
void	kmem_free(struct vm_map *, vm_offset_t, vm_size_t);

/*
 * For the tests: start and end of a kernel thread, and the machine's state.
 */
#ifdef FAKE_FAST
#define	FAKE_PAGES		700
#define	FAKE_KVA_SIZE		((size_t)64 << 20)
#else
#define	FAKE_PAGES		8192
#define	FAKE_KVA_SIZE		((size_t)1 << 30)
#endif
#define	FAKE_START		400	/* page-out has to work below */
#define	FAKE_MIN		300	/* memory is short below */
#define	FAKE_RESERVED		157	/* NORMAL gets none below */
#define	FAKE_INTERRUPT_MIN	44	/* SYSTEM stops here */

/* The shims' kernel threads: the maintainer and the grower. */
#define	FAKE_KPROCS		2

extern struct thread fake_maintainer_td, fake_grower_td;

void	fake_boot(void);
void	fake_thread_enter(struct thread *);
void	fake_thread_exit(void);
/* Let others run until done(arg); the predicate runs under the giant lock. */
void	fake_run_until(bool (*done)(void *), void *arg);
bool	fake_asleep_on(const volatile void *chan);
bool	fake_asleep(const struct thread *);	/* and nobody has woken it */
void	fake_wake_all(void);		/* as any sleep may end for no reason */
void	fake_leave_free(long pages);
void	fake_start_maintainer(void);	/* and the grower */
struct kproc_desc *fake_kproc(int);
void	fake_kprocs_exist(void);	/* as far as others look */

/* One round of both, a second later, in the calling thread. */
void	fake_maintain(void);
/* All addresses are free again; nothing may be mapped. */
void	fake_kva_reset(void);

extern char *fake_kva;			/* kernel addresses begin here */
extern long fake_kmallocs;		/* pieces that are out */
extern bool fake_kmalloc_refuses;	/* M_RNOWAIT */
/* Called inside kmalloc(), where the kernel may wait for memory. */
extern void (*fake_kmalloc_hook)(void);
extern long fake_nofault_bytes;		/* addresses that are set aside */
extern int fake_fail_page;		/* the so-manieth page to come fails */
extern long fake_least_free;		/* free pages there ever were */
extern int fake_requests;		/* all classes of pages asked for */
extern long fake_kmem_slab_allocs;	/* calls so far */
extern int fake_kmem_flags;		/* of the last */
extern bool fake_kmem_forbidden;	/* panic at the next one */
/* Called inside kmem_slab_alloc(), where the kernel needs map entries. */
extern void (*fake_kmem_reenter)(void);
/* Called inside kmem_alloc_nofault(), where the kernel may wait for memory. */
extern void (*fake_nofault_hook)(void);
extern vm_size_t fake_nofault_most;	/* it has no more in one piece */

#ifdef __cplusplus
}
#endif

#endif
