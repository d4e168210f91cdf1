/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Light weight kernel threads: creation and scheduling.
 *
 * A ready thread is on its processor's run queue, gd_tdrunq, ordered by
 * falling td_pri and first-come within a priority; it stays there while it
 * runs.  lwkt_switch() picks the first one whose tokens can be had, or the
 * idle thread, which is on no queue.
 *
 * Preemption: readying a thread more urgent than the current one sets
 * RQF_AST_LWKT_RESCHED.  The flag is acted upon on return from an interrupt
 * (lwkt_preempt_return), at the end of a critical section (splz) or when
 * the last token is released, provided that the current thread is in no
 * critical section and holds neither a spinlock nor a token.
 *
 * Locking: the queues are only touched by their own processor, with
 * interrupts off, because interrupt handlers ready threads.
 *
 * A thread that exits cannot free the stack it runs on.  It puts itself on
 * lwkt_dead, which the next creation empties.  A thread structure rests in
 * thread_objcache together with its stack.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/objcache.h>
#include <sys/proc.h>
#include <sys/globaldata.h>
#include <sys/spinlock2.h>
#include <sys/thread2.h>

#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_kern.h>
#include <vm/vm_extern.h>

#include <machine/md_var.h>

static MALLOC_DEFINE(M_THREAD, "thread", "kernel threads");

static struct objcache *thread_objcache;
static lwkt_queue lwkt_dead = TAILQ_HEAD_INITIALIZER(lwkt_dead);
static char idle_stack[MAXCPU][LWKT_THREAD_STACK] __aligned(16);

static bool
lwkt_thread_ctor(void *obj, void *privdata, int ocflags)
{
	struct thread *td = obj;

	bzero(td, sizeof(*td));
	td->td_flags = TDF_ALLOCATED_THREAD;
	return (true);
}

static void
lwkt_thread_dtor(void *obj, void *privdata)
{
	struct thread *td = obj;

	if (td->td_kstack != NULL)
		kmem_free(kernel_map, (vm_offset_t)td->td_kstack,
		    td->td_kstack_size);
	td->td_kstack = NULL;
}

static void
lwkt_init(void *dummy)
{
	thread_objcache = objcache_create_mbacked(M_THREAD,
	    sizeof(struct thread), 0, 4, lwkt_thread_ctor, lwkt_thread_dtor,
	    NULL);
}
SYSINIT(lwkt, SI_BOOT2_LWKT_INIT, SI_ORDER_FIRST, lwkt_init, NULL);

static boolean_t
lwkt_preemptible(struct globaldata *gd, thread_t td)
{
	return (td->td_critcount == 0 && TD_TOKS_NOT_HELD(td) &&
	    gd->gd_spinlocks == 0 && gd->gd_intr_nesting_level == 0 &&
	    panicstr == NULL);
}

/*
 * The end of a critical section, or of what else held preemption off.
 */
void
splz(void)
{
	struct globaldata *gd = mycpu;

	if (lwkt_resched_wanted() && lwkt_preemptible(gd, gd->gd_curthread))
		lwkt_switch();
}

/*
 * Return from an interrupt, interrupts off.
 */
void
lwkt_preempt_return(void)
{
	splz();
}

void
crit_panic(void)
{
	curthread->td_critcount = 1;
	panic("crit_exit() without crit_enter()");
}

/*
 * Put td behind all threads of its priority.
 */
static void
runq_insert(struct globaldata *gd, thread_t td)
{
	thread_t scan;

	TAILQ_FOREACH(scan, &gd->gd_tdrunq, td_threadq) {
		if (scan->td_pri < td->td_pri) {
			TAILQ_INSERT_BEFORE(scan, td, td_threadq);
			break;
		}
	}
	if (scan == NULL)
		TAILQ_INSERT_TAIL(&gd->gd_tdrunq, td, td_threadq);
	td->td_flags |= TDF_RUNQ;
	++gd->gd_tdrunqcount;
}

static void
runq_remove(struct globaldata *gd, thread_t td)
{
	TAILQ_REMOVE(&gd->gd_tdrunq, td, td_threadq);
	td->td_flags &= ~TDF_RUNQ;
	--gd->gd_tdrunqcount;
}

/*
 * Make td ready.  Callable from interrupt handlers.
 */
void
lwkt_schedule(thread_t td)
{
	struct globaldata *gd = mycpu;
	register_t rf;

	rf = intr_disable();
	KASSERT(td != &gd->gd_idlethread, ("lwkt_schedule: idle thread"));
	if ((td->td_flags & (TDF_RUNQ | TDF_EXITING)) == 0) {
		runq_insert(gd, td);
		if (td->td_pri > gd->gd_curthread->td_pri ||
		    gd->gd_curthread == &gd->gd_idlethread)
			need_lwkt_resched();
	}
	intr_restore(rf);
}

void
lwkt_schedule_self(thread_t td)
{
	KKASSERT(td == curthread);
	lwkt_schedule(td);
}

/*
 * Take the current thread off the run queue: at its next switch it stops.
 */
void
lwkt_deschedule_self(thread_t td)
{
	register_t rf;

	KKASSERT(td == curthread);
	rf = intr_disable();
	if (td->td_flags & TDF_RUNQ)
		runq_remove(mycpu, td);
	intr_restore(rf);
}

/*
 * Run the most urgent ready thread.  Returns when the caller is that again.
 * The caller's tokens are given up and held again on return; its critical
 * section, if any, goes with it.
 */
void
lwkt_switch(void)
{
	struct globaldata *gd = mycpu;
	thread_t otd = gd->gd_curthread;
	thread_t ntd;
	register_t rf;

	if (__predict_false(gd->gd_spinlocks != 0))
		panic("sleeping with a spinlock held: thread %s, wait \"%s\"",
		    otd->td_comm, otd->td_wmesg ? otd->td_wmesg : "");
	KASSERT(gd->gd_intr_nesting_level == 0,
	    ("lwkt_switch: in an interrupt handler"));

	rf = intr_disable();
	clear_lwkt_resched();
	if (TD_TOKS_HELD(otd))
		lwkt_relalltokens(otd);
	TAILQ_FOREACH(ntd, &gd->gd_tdrunq, td_threadq) {
		if (TD_TOKS_NOT_HELD(ntd) || lwkt_getalltokens(ntd))
			break;
	}
	if (ntd == NULL)
		ntd = &gd->gd_idlethread;
	if (ntd != otd) {
		++gd->gd_cnt.v_swtch;
		++ntd->td_switches;
		otd->td_flags &= ~TDF_RUNNING;
		ntd->td_flags |= TDF_RUNNING;
		gd->gd_curthread = ntd;
		if (ntd->td_proc != NULL)
			cpu_switch_user(ntd);
		cpu_switch(&otd->td_sp, ntd->td_sp);
	}
	intr_restore(rf);
}

/*
 * Let others of the same priority run.
 */
void
lwkt_yield(void)
{
	struct globaldata *gd = mycpu;
	thread_t td = gd->gd_curthread;
	register_t rf;

	rf = intr_disable();
	if (td->td_flags & TDF_RUNQ) {
		runq_remove(gd, td);
		runq_insert(gd, td);
	}
	intr_restore(rf);
	lwkt_switch();
}

void
lwkt_user_yield(void)
{
	lwkt_yield();
}

/*
 * Clock tick: time slices among threads of equal priority.
 */
void
lwkt_schedulerclock(thread_t td)
{
	struct globaldata *gd = mycpu;
	thread_t next;

	if ((td->td_flags & TDF_RUNQ) == 0)
		return;
	next = TAILQ_NEXT(td, td_threadq);
	if (next != NULL && next->td_pri == td->td_pri) {
		runq_remove(gd, td);
		runq_insert(gd, td);
		need_lwkt_resched();
	}
}

void
lwkt_setpri(thread_t td, int pri)
{
	struct globaldata *gd = mycpu;
	register_t rf;

	KKASSERT(pri > TDPRI_IDLE_THREAD && pri <= TDPRI_MAX);
	rf = intr_disable();
	if (td->td_flags & TDF_RUNQ) {
		runq_remove(gd, td);
		td->td_pri = pri;
		runq_insert(gd, td);
		if (TAILQ_FIRST(&gd->gd_tdrunq) != gd->gd_curthread)
			need_lwkt_resched();
	} else {
		td->td_pri = pri;
	}
	intr_restore(rf);
	splz();
}

void
lwkt_setpri_self(int pri)
{
	lwkt_setpri(curthread, pri);
}

/*
 * Prepare a thread on the given stack.  It is listed, but not ready.
 */
void
lwkt_init_thread(struct thread *td, void *stack, int stksize, int flags,
    struct globaldata *gd)
{
	register_t rf;

	bzero(td, sizeof(*td));
	td->td_kstack = stack;
	td->td_kstack_size = stksize;
	td->td_flags = flags;
	td->td_gd = gd;
	td->td_pri = TDPRI_KERN_DAEMON;
	td->td_toks_have = td->td_toks_stop = &td->td_toks_base;
	td->td_pcb = &td->td_pcb_store;
	rf = intr_disable();
	TAILQ_INSERT_TAIL(&gd->gd_tdallq, td, td_allq);
	intr_restore(rf);
}

void
lwkt_set_comm(thread_t td, const char *ctl, ...)
{
	__va_list va;

	__va_start(va, ctl);
	kvsnprintf(td->td_comm, sizeof(td->td_comm), ctl, va);
	__va_end(va);
}

static void
idle_loop(void *dummy)
{
	struct globaldata *gd = mycpu;

	for (;;) {
		cpu_disable_intr();
		if (TAILQ_EMPTY(&gd->gd_tdrunq)) {
			if (!clocks_running) {
				panic("%s sleeps on %s before the clock runs: "
				    "nothing can wake it", thread0.td_comm,
				    thread0.td_wmesg != NULL ?
				    thread0.td_wmesg : "nothing");
			}
			cpu_idle_halt();
		} else {
			cpu_enable_intr();
			lwkt_switch();
		}
	}
}

void
lwkt_gdinit(struct globaldata *gd)
{
	struct thread *td = &gd->gd_idlethread;

	TAILQ_INIT(&gd->gd_tdallq);
	TAILQ_INIT(&gd->gd_tdrunq);
	sleep_gdinit(gd);
	lwkt_init_thread(td, idle_stack[gd->gd_cpuid], LWKT_THREAD_STACK, 0,
	    gd);
	td->td_pri = TDPRI_IDLE_THREAD;
	lwkt_set_comm(td, "idle_%d", gd->gd_cpuid);
	cpu_set_thread_handler(td, idle_loop, NULL);
}

/*
 * thread0 is what runs already: enter it into the scheduler.
 */
void
thread0_run(struct globaldata *gd)
{
	thread0.td_pri = TDPRI_KERN_USER;
	thread0.td_flags |= TDF_RUNNING;
	lwkt_schedule(&thread0);
}

static void
lwkt_reap(void)
{
	struct thread *td;

	crit_enter();
	while ((td = TAILQ_FIRST(&lwkt_dead)) != NULL) {
		TAILQ_REMOVE(&lwkt_dead, td, td_threadq);
		crit_exit();
		lwkt_free_thread(td);
		crit_enter();
	}
	crit_exit();
}

/*
 * A thread with a stack of stksize bytes; td, if not NULL, is used instead
 * of a new structure.  May block.
 */
struct thread *
lwkt_alloc_thread(struct thread *td, int stksize, int cpu, int flags)
{
	char *stack = NULL;

	lwkt_reap();
	if (td == NULL) {
		td = objcache_get(thread_objcache, M_WAITOK);
		flags |= TDF_ALLOCATED_THREAD;
		if (td->td_kstack != NULL && td->td_kstack_size != stksize) {
			kmem_free(kernel_map, (vm_offset_t)td->td_kstack,
			    td->td_kstack_size);
			td->td_kstack = NULL;
		}
		stack = td->td_kstack;
	}
	if (stack == NULL) {
		stack = (char *)kmem_alloc_stack(kernel_map, stksize, 0);
		if (stack == NULL)
			panic("lwkt_alloc_thread: no address space for a "
			    "stack of %d bytes", stksize);
		flags |= TDF_ALLOCATED_STACK;
	}
	lwkt_init_thread(td, stack, stksize, flags, globaldata_find(0));
	return (td);
}

/*
 * The thread must not be running nor ready.  May block.
 */
void
lwkt_free_thread(struct thread *td)
{
	KKASSERT((td->td_flags & (TDF_RUNNING | TDF_RUNQ | TDF_TSLEEPQ)) == 0);
	KKASSERT(td->td_flags & TDF_ALLOCATED_THREAD);
	objcache_put(thread_objcache, td);
}

void
lwkt_hold(thread_t td)
{
	atomic_add_int((u_int *)&td->td_refs, 1);
}

void
lwkt_rele(thread_t td)
{
	KKASSERT(td->td_refs > 0);
	atomic_subtract_int((u_int *)&td->td_refs, 1);
}

/*
 * Create a thread that calls func(arg) and exits when that returns.  With
 * TDF_NOSTART the caller schedules it.  May block.  Returns 0.
 */
int
lwkt_create(void (*func)(void *), void *arg, struct thread **tdp,
    struct thread *template, int flags, int cpu, const char *fmt, ...)
{
	struct thread *td;
	__va_list va;

	td = lwkt_alloc_thread(template, LWKT_THREAD_STACK, cpu,
	    flags & ~TDF_NOSTART);
	__va_start(va, fmt);
	kvsnprintf(td->td_comm, sizeof(td->td_comm), fmt, va);
	__va_end(va);
	cpu_set_thread_handler(td, func, arg);
	if (tdp != NULL)
		*tdp = td;
	if ((flags & TDF_NOSTART) == 0)
		lwkt_schedule(td);
	splz();
	return (0);
}

void
lwkt_exit(void)
{
	struct thread *td = curthread;
	struct globaldata *gd = mycpu;

	if (TD_TOKS_HELD(td))
		panic("lwkt_exit: thread %s holds a token", td->td_comm);
	if (td->td_locks != 0)
		panic("lwkt_exit: thread %s holds %d locks", td->td_comm,
		    td->td_locks);
	crit_enter();
	cpu_disable_intr();
	cpu_thread_exit(td);
	TAILQ_REMOVE(&gd->gd_tdallq, td, td_allq);
	lwkt_deschedule_self(td);
	td->td_flags |= TDF_EXITING;
	if (td->td_flags & TDF_ALLOCATED_THREAD)
		TAILQ_INSERT_TAIL(&lwkt_dead, td, td_threadq);
	lwkt_switch();
	panic("lwkt_exit: thread %s came back", td->td_comm);
}

/*
 * All threads and what they wait for, for the watchdog and panic().
 */
void
lwkt_report(void)
{
	struct globaldata *gd = mycpu;
	lwkt_tokref_t ref;
	struct thread *td;

	TAILQ_FOREACH(td, &gd->gd_tdallq, td_allq) {
		kprintf("  %-16s pri %2d %s", td->td_comm, td->td_pri,
		    (td->td_flags & TDF_RUNNING) ? "running" :
		    (td->td_flags & TDF_RUNQ) ? "ready" :
		    td->td_wmesg != NULL ? "sleeps on" : "stopped");
		if (td->td_wmesg != NULL)
			kprintf(" %s (channel %p)", td->td_wmesg, td->td_wchan);
		if (td->td_locks != 0)
			kprintf(", holds %d locks", td->td_locks);
		for (ref = &td->td_toks_base; ref < td->td_toks_stop; ++ref)
			kprintf(", %s token %s",
			    ref < td->td_toks_have ? "holds" : "gave up",
			    ref->tr_tok->t_desc);
		kprintf("\n");
	}
}
