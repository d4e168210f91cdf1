/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Light weight kernel threads and the tokens which serialize them.
 *
 * Every thread belongs to one processor (td_gd) and moves to another only
 * where it asks to; see kern/lwkt_thread.c.  A token is held only while its
 * holder runs or is ready to: a thread that sleeps loses its tokens and has all
 * of them again before it returns from the sleep; see kern/lwkt_token.c.
 */
#ifndef _SYS_THREAD_H_
#define	_SYS_THREAD_H_

#include <sys/types.h>
#include <sys/param.h>
#include <sys/queue.h>
#include <sys/cpumask.h>
#include <machine/frame.h>
#include <machine/pcb.h>

struct globaldata;
struct lwkt_token;
struct proc;
struct thread;

typedef struct lwkt_queue	*lwkt_queue_t;
typedef struct lwkt_token	*lwkt_token_t;
typedef struct lwkt_tokref	*lwkt_tokref_t;
typedef struct thread		*thread_t;

typedef TAILQ_HEAD(lwkt_queue, thread) lwkt_queue;
typedef void		(*ipifunc1_t)(void *arg);

struct lwkt_token {
	struct thread	*volatile t_owner; /* holder or NULL */
	long		t_count;	/* times the holder has it */
	long		t_collisions;	/* times somebody had to wait */
	volatile cpumask_t t_waiters;	/* cpus to tell when it is free */
	const char	*t_desc;
};

#define	LWKT_TOKEN_INITIALIZER(name) {					\
	.t_desc = #name							\
}

#define	LWKT_MAXTOKENS	32		/* a thread may hold this many */

struct lwkt_tokref {
	lwkt_token_t	tr_tok;
};

#define	LWKT_TOKEN_HELD_ANY(tok)	((tok)->t_owner == curthread)
#define	LWKT_TOKEN_HELD_EXCL(tok)	LWKT_TOKEN_HELD_ANY(tok)
#define	ASSERT_LWKT_TOKEN_HELD(tok)	KKASSERT(LWKT_TOKEN_HELD_ANY(tok))
#define	ASSERT_LWKT_TOKEN_HELD_EXCL(tok) ASSERT_LWKT_TOKEN_HELD(tok)
#define	ASSERT_NO_TOKENS_HELD(td)	KKASSERT(TD_TOKS_NOT_HELD(td))

struct thread {
	TAILQ_ENTRY(thread) td_threadq;	/* run queue */
	TAILQ_ENTRY(thread) td_allq;	/* all threads */
	TAILQ_ENTRY(thread) td_sleepq;	/* sleep queue */
	struct proc	*td_proc;	/* NULL for a kernel thread */
	struct pcb	*td_pcb;	/* user state */
	struct globaldata *td_gd;	/* processor it runs on */
	cpumask_t	td_cpumask;	/* those it may go to by itself */
	const char	*td_wmesg;	/* why it sleeps */
	const volatile void *td_wchan;	/* what it sleeps on */
	int		td_pri;		/* TDPRI_*, more is more urgent */
	int		td_critcount;	/* depth of critical sections */
	int		td_vme_depth;	/* of vm_map_entry_reserve() */
	u_int		td_flags;	/* TDF_*, changed atomically */
	char		*td_kstack;
	int		td_kstack_size;
	char		*td_sp;		/* saved stack pointer */
	int		td_locks;	/* lockmgr locks held */
	uint64_t	td_switches;	/* times switched to */
	char		td_comm[MAXCOMLEN + 1];
	struct thread	*td_preempted;	/* thread this one interrupted */
	const char	*td_pagefor;	/* what it takes pages for, or NULL */
	lwkt_tokref_t	td_toks_have;	/* end of the tokens it has */
	lwkt_tokref_t	td_toks_stop;	/* end of the tokens it wants */
	struct lwkt_tokref td_toks_array[LWKT_MAXTOKENS];
	struct pcb	td_pcb_store;
};

#define	td_toks_base	td_toks_array[0]
#define	td_toks_end	td_toks_array[LWKT_MAXTOKENS]

#define	TD_TOKS_HELD(td)	((td)->td_toks_stop != &(td)->td_toks_base)
#define	TD_TOKS_NOT_HELD(td)	((td)->td_toks_stop == &(td)->td_toks_base)

#define	TDF_RUNNING		0x00000001	/* on a processor */
#define	TDF_RUNQ		0x00000002	/* on the run queue */
#define	TDF_NOSTART		0x00000010	/* lwkt_create: not ready yet */
#define	TDF_SINTR		0x00000040	/* sleep may be interrupted */
#define	TDF_TSLEEPQ		0x00000080	/* on a sleep queue */
#define	TDF_SYSTHREAD		0x00000100	/* may use reserved memory */
#define	TDF_ALLOCATED_THREAD	0x00000200
#define	TDF_ALLOCATED_STACK	0x00000400
#define	TDF_MIGRATING		0x00000800	/* between processors */
#define	TDF_TIMEOUT		0x00008000	/* sleep timed out */
#define	TDF_INTTHREAD		0x00010000	/* interrupt thread */
#define	TDF_TSLEEP_DESCHEDULED	0x00020000	/* really asleep */
#define	TDF_EXITING		0x00400000
#define	TDF_USINGFP		0x00800000	/* has user FPU state */
#define	TDF_NOFAULT		0x10000000	/* fail instead of faulting */

#define	TDPRI_IDLE_THREAD	0
#define	TDPRI_IDLE_WORK		1
#define	TDPRI_USER_SCHEDULER	2
#define	TDPRI_USER_IDLE		4
#define	TDPRI_USER_NORM		6
#define	TDPRI_USER_REAL		8
#define	TDPRI_KERN_USER		10
#define	TDPRI_KERN_DAEMON	12
#define	TDPRI_SOFT_NORM		14
#define	TDPRI_SOFT_TIMER	16
#define	TDPRI_INT_SUPPORT	20
#define	TDPRI_INT_LOW		27
#define	TDPRI_INT_MED		28
#define	TDPRI_INT_HIGH		29
#define	TDPRI_MAX		31

#define	LWKT_THREAD_STACK	(UPAGES * PAGE_SIZE)

#define	IN_CRITICAL_SECT(td)	((td)->td_critcount)

struct thread *lwkt_alloc_thread(struct thread *, int stksize, int cpu,
	    int flags);
void	lwkt_init_thread(struct thread *, void *stack, int stksize, int flags,
	    struct globaldata *);
void	lwkt_set_comm(thread_t, const char *, ...) __printflike(2, 3);
void	lwkt_free_thread(struct thread *);
void	lwkt_gdinit(struct globaldata *);
void	thread0_run(struct globaldata *);
void	lwkt_switch(void);
void	lwkt_schedule(thread_t);
void	lwkt_deschedule_self(thread_t);
void	lwkt_yield(void);
void	lwkt_user_yield(void);
void	lwkt_setpri(thread_t, int);
void	lwkt_setpri_initial(thread_t, int);
void	lwkt_setpri_self(int);
void	lwkt_schedulerclock(thread_t);
void	lwkt_setcpu_self(struct globaldata *);
void	lwkt_user_rebalance(void);
void	lwkt_switch_return(void);
void	lwkt_idle_run(void) __dead2;
void	lwkt_preempt_return(void);
int	lwkt_next_cpu(cpumask_t mask);
int	lwkt_create(void (*)(void *), void *, struct thread **,
	    struct thread *, int flags, int cpu, const char *, ...)
	    __printflike(7, 8);
void	lwkt_exit(void) __dead2;
boolean_t lwkt_any_thread(boolean_t (*test)(struct thread *));
void	lwkt_report(void);
void	crit_panic(void) __dead2;

void	lwkt_send_ipiq(struct globaldata *target, ipifunc1_t func, void *arg);
void	lwkt_send_ipiq_mask(cpumask_t mask, ipifunc1_t func, void *arg);
void	lwkt_process_ipiq(void);

void	lwkt_token_init(lwkt_token_t, const char *);
void	lwkt_token_uninit(lwkt_token_t);
void	lwkt_gettoken(lwkt_token_t);
int	lwkt_trytoken(lwkt_token_t);
void	lwkt_reltoken(lwkt_token_t);
int	lwkt_getalltokens(thread_t);
void	lwkt_relalltokens(thread_t);

#endif
