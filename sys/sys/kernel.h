/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Start-up: SYSINIT() registers a function to be run by mi_startup(), in
 * the order of subsystem, then of place within the subsystem.  TUNABLE_*()
 * set a variable from the kernel environment before anything else runs.
 */
#ifndef _SYS_KERNEL_H_
#define	_SYS_KERNEL_H_

#include <sys/param.h>
#include <sys/linker_set.h>
#include <sys/queue.h>

extern int hz;			/* clock ticks a second */
extern int ustick;		/* microseconds a tick */
extern volatile int ticks;	/* ticks since boot, wraps */
extern volatile sbintime_t sbticks; /* ticks since boot */
extern int lbolt;		/* woken once a second */

enum sysinit_sub_id {
	SI_SPECIAL_DUMMY	= 0x0000000,	/* never run */
	SI_SPECIAL_DONE		= 0x0000001,	/* has run */

	SI_BOOT1_TUNABLES	= 0x0700000,	/* kernel environment */
	SI_BOOT1_COPYRIGHT	= 0x0800000,	/* first words on the console */
	SI_BOOT1_LOCK		= 0x0900000,	/* static locks and tokens */
	SI_BOOT1_VM		= 0x1000000,	/* pages, objects, maps, pmap */
	SI_BOOT1_ALLOCATOR	= 0x1400000,	/* kmem_slab, kmalloc core */
	SI_BOOT1_KMALLOC	= 0x1600000,	/* every malloc_type */
	SI_BOOT1_DYNALLOC	= 0x1700000,	/* things kept for ever */
	SI_BOOT1_POST		= 0x1800000,	/* kmalloc() works from here */

	SI_BOOT2_LEAVE_CRIT	= 0x1900000,
	SI_BOOT2_PRESMP		= 0x1a00000,
	SI_BOOT2_START_CPU	= 0x1a40000,
	SI_BOOT2_FINISH_PIC	= 0x1a80000,	/* interrupt controller ready */
	SI_BOOT2_OBJCACHE	= 0x1b00000,	/* objcache works from here */
	SI_BOOT2_LWKT_INIT	= 0x1b40000,	/* threads may be created */
	SI_BOOT2_SOFTCLOCK	= 0x1b80000,	/* callouts */
	SI_BOOT2_CLOCKS		= 0x1c00000,	/* the clock ticks from here */
	SI_BOOT2_POST_SMP	= 0x1cc0000,
	SI_BOOT2_MACHDEP	= 0x1d80000,
	SI_BOOT2_PROC0		= 0x1f00000,	/* second stage of the VM */

	SI_SUB_CREATE_INIT	= 0x2300000,	/* process 1, not started */
	SI_SUB_PRE_DRIVERS	= 0x23c0000,
	SI_SUB_DRIVERS		= 0x2400000,	/* devices */
	SI_SUB_CONFIGURE	= 0x3800000,
	SI_SUB_ISWARM		= 0x3c00000,	/* `cold' is over */
	SI_SUB_VFS		= 0x4000000,	/* initial ram disk */
	SI_SUB_HELPER_THREADS	= 0x5400000,
	SI_SUB_PSEUDO		= 0x7000000,
	SI_SUB_EXEC		= 0x7400000,
	SI_SUB_KICK_SCHEDULER	= 0xa000000,
	SI_SUB_ROOT_CONF	= 0xb000000,
	SI_SUB_KTHREAD_PAGE	= 0xe400000,	/* page-out thread, swap */
	SI_SUB_KTHREAD_VM	= 0xe800000,	/* VM helpers */
	SI_SUB_KTHREAD_UPDATE	= 0xec00000,
	SI_SUB_KTHREAD_INIT	= 0xed00000,	/* process 1 starts */
	SI_SUB_KTHREAD_IDLE	= 0xee00000,
	SI_SUB_RUN_SCHEDULER	= 0xfffffff
};

enum sysinit_elem_order {
	SI_ORDER_FIRST		= 0x0000000,
	SI_ORDER_SECOND		= 0x0000001,
	SI_ORDER_THIRD		= 0x0000002,
	SI_ORDER_FOURTH		= 0x0000003,
	SI_ORDER_EARLIER	= 0x0800000,
	SI_ORDER_MIDDLE		= 0x1000000,
	SI_ORDER_LATER		= 0x2000000,
	SI_ORDER_ANY		= 0xfffffff
};

typedef void (*sysinit_nfunc_t)(void *);
typedef void (*sysinit_cfunc_t)(const void *);

struct sysinit {
	unsigned int	subsystem;
	unsigned int	order;
	sysinit_cfunc_t	func;
	const void	*udata;
	const char	*name;
};

#define	C_SYSINIT(uniq, sub, ord, fn, arg)				\
	static struct sysinit uniq##_sys_init = {			\
		.subsystem = (sub),					\
		.order = (ord),						\
		.func = (fn),						\
		.udata = (arg),						\
		.name = #uniq						\
	};								\
	DATA_SET(sysinit_set, uniq##_sys_init)

#define	SYSINIT(uniq, sub, ord, fn, arg)				\
	C_SYSINIT(uniq, sub, ord,					\
	    (sysinit_cfunc_t)(void (*)(void))(fn), (const void *)(arg))

struct tunable_int {
	const char	*path;
	int		*var;
};

struct tunable_str {
	const char	*path;
	char		*var;
	int		size;
};

void	tunable_int_init(void *);
void	tunable_str_init(void *);

#define	__TUNABLE(kind, line, ...)					\
	static struct tunable_##kind __CONCAT(__tunable_, line) = {	\
		__VA_ARGS__						\
	};								\
	__TUNABLE_SYSINIT(__CONCAT(__tunable_init_, line), kind,	\
	    &__CONCAT(__tunable_, line))
#define	__TUNABLE_SYSINIT(uniq, kind, arg)				\
	SYSINIT(uniq, SI_BOOT1_TUNABLES, SI_ORDER_MIDDLE,		\
	    tunable_##kind##_init, arg)

#define	TUNABLE_INT(path, var)		__TUNABLE(int, __LINE__, path, var)
#define	TUNABLE_STR(path, var, size)					\
	__TUNABLE(str, __LINE__, path, var, size)

#define	TUNABLE_INT_FETCH(path, var)	kgetenv_int((path), (var))
#define	TUNABLE_LONG_FETCH(path, var)	kgetenv_long((path), (var))
#define	TUNABLE_STR_FETCH(path, var, size) \
	kgetenv_string((path), (var), (size))

/*
 * A function that tells the watchdog's reader what a subsystem knows.  Nothing
 * else runs any more when it is called; it takes no locks.
 */
typedef void watchdog_report_t(void);

#define	WATCHDOG_REPORT(func)	DATA_SET(watchdog_set, func)

#endif
