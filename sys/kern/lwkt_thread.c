/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Light weight kernel threads: creation and scheduling.
 *
 * A ready thread is on its processor's run queue, gd_tdrunq, ordered by
 * falling td_pri and first-come within a priority; it stays there while it
 * runs.  lwkt_switch() picks the first one whose tokens can be had, or the
 * idle thread, which is on no queue.
 *
 * A thread belongs to one processor, td_gd, asleep or awake: what it knows
 * of its processor (mycpu) stays true across a sleep.  Readying it from
 * elsewhere is a message to its processor.  It changes processors only by
 * itself, with lwkt_setcpu_self(); user threads do so on their way back to
 * user mode, when others are ready where they are while another processor
 * is idle (lwkt_user_rebalance).  New threads are dealt out in turn.  User
 * threads keep to td_cpumask.
 *
 * Preemption: readying a thread more urgent than the current one sets
 * RQF_AST_LWKT_RESCHED.  The flag is acted upon on return from an interrupt
 * (lwkt_preempt_return), at the end of a critical section (splz) or when
 * the last token is released, provided that the current thread is in no
 * critical section and holds neither a spinlock nor a token.  An interrupt
 * thread that takes the processor so has the other in td_preempted until it
 * first gives way: who must not make the other wait asks for that.
 *
 * Locking: a run queue is only touched by its own processor, with
 * interrupts off, because interrupt handlers ready threads.  td_flags has
 * writers on several processors and changes atomically.  lwkt_allq_spin
 * protects the lists of all threads, lwkt_dead_spin that of the dead; both
 * are leaves.
 *
 * TDF_RUNNING stays set until the processor is off the thread's stack, which
 * only its successor can tell: lwkt_switch_return() clears it, and sends a
 * thread that migrates on its way.
 *
 * A thread that exits cannot free the stack it runs on.  It puts itself on
 * lwkt_dead, from where the next creation after it is off its stack frees
 * it.  A thread structure rests in thread_objcache together with its stack.
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
#include <machine/smp.h>

static MALLOC_DEFINE(M_THREAD, "thread", "kernel threads");

static struct objcache *thread_objcache;
static lwkt_queue lwkt_dead = TAILQ_HEAD_INITIALIZER(lwkt_dead);
static struct spinlock lwkt_dead_spin =
    SPINLOCK_INITIALIZER(&lwkt_dead_spin, "lwkt_dead");
static struct spinlock lwkt_allq_spin =
    SPINLOCK_INITIALIZER(&lwkt_allq_spin, "lwkt_allq");
static volatile cpumask_t lwkt_idle_cpus;	/* run their idle threads */
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

static void	lwkt_switch_preempt(boolean_t preempt);

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
		lwkt_switch_preempt(TRUE);
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
	atomic_set_int(&td->td_flags, TDF_RUNQ);
	++gd->gd_tdrunqcount;
}

static void
runq_remove(struct globaldata *gd, thread_t td)
{
	TAILQ_REMOVE(&gd->gd_tdrunq, td, td_threadq);
	atomic_clear_int(&td->td_flags, TDF_RUNQ);
	--gd->gd_tdrunqcount;
}

static void
lwkt_schedule_remote(void *arg)
{
	lwkt_schedule(arg);
}

/*
 * Make td ready, on its processor.  Callable from interrupt handlers.
 */
void
lwkt_schedule(thread_t td)
{
	struct globaldata *gd = mycpu;
	register_t rf;

	if (td->td_gd != gd) {
		lwkt_send_ipiq(td->td_gd, lwkt_schedule_remote, td);
		return;
	}
	rf = intr_disable();
	KASSERT(td != &gd->gd_idlethread, ("lwkt_schedule: idle thread"));
	if ((td->td_flags & (TDF_RUNQ | TDF_EXITING | TDF_MIGRATING)) == 0) {
		runq_insert(gd, td);
		if (td->td_pri > gd->gd_curthread->td_pri ||
		    gd->gd_curthread == &gd->gd_idlethread)
			need_lwkt_resched();
	}
	intr_restore(rf);
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
 * First thing on a thread's stack after a switch to it, interrupts off: the
 * thread before it is now off its own.
 */
void
lwkt_switch_return(void)
{
	struct globaldata *gd = mycpu;
	thread_t otd = gd->gd_prevthread;

	if (otd->td_flags & TDF_MIGRATING) {
		++gd->gd_cnt.v_migrate;
		atomic_clear_int(&otd->td_flags, TDF_RUNNING | TDF_MIGRATING);
		lwkt_send_ipiq(otd->td_gd, lwkt_schedule_remote, otd);
	} else {
		atomic_clear_int(&otd->td_flags, TDF_RUNNING);
	}
}

/*
 * Keep lwkt_idle_cpus, at a switch.
 */
static void
lwkt_note_idle(struct globaldata *gd, thread_t otd, thread_t ntd)
{
	if (ntd == &gd->gd_idlethread)
		ATOMIC_CPUMASK_ORBIT(lwkt_idle_cpus, gd->gd_cpuid);
	else if (otd == &gd->gd_idlethread)
		ATOMIC_CPUMASK_NANDBIT(lwkt_idle_cpus, gd->gd_cpuid);
}

/*
 * Run the most urgent ready thread.  Returns when the caller is that again.
 * preempt: the caller did not ask to stop.
 */
static void
lwkt_switch_preempt(boolean_t preempt)
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
		if (preempt && otd != &gd->gd_idlethread &&
		    ntd->td_pri > otd->td_pri &&
		    (ntd->td_flags & TDF_INTTHREAD))
			ntd->td_preempted = otd;
		lwkt_note_idle(gd, otd, ntd);
		atomic_set_int(&ntd->td_flags, TDF_RUNNING);
		gd->gd_curthread = ntd;
		gd->gd_prevthread = otd;
		if (ntd->td_proc != NULL)
			cpu_switch_user(ntd);
		cpu_switch(&otd->td_sp, ntd->td_sp);
		lwkt_switch_return();
	}
	intr_restore(rf);
}

/*
 * The same, because the caller wants to: from here on it preempts nobody.  Its
 * tokens are given up and held again on return; its critical section, if any,
 * goes with it.
 */
void
lwkt_switch(void)
{
	curthread->td_preempted = NULL;
	lwkt_switch_preempt(FALSE);
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

/*
 * Go on on another processor.  No spinlock may be held.
 */
void
lwkt_setcpu_self(struct globaldata *rgd)
{
	struct globaldata *gd = mycpu;
	thread_t td = gd->gd_curthread;
	register_t rf;

	if (gd == rgd)
		return;
	crit_enter();
	cpu_thread_leave(td);
	spin_lock(&lwkt_allq_spin);
	TAILQ_REMOVE(&gd->gd_tdallq, td, td_allq);
	TAILQ_INSERT_TAIL(&rgd->gd_tdallq, td, td_allq);
	spin_unlock(&lwkt_allq_spin);
	rf = intr_disable();
	lwkt_deschedule_self(td);
	td->td_gd = rgd;
	atomic_set_int(&td->td_flags, TDF_MIGRATING);
	lwkt_switch();
	intr_restore(rf);
	crit_exit();
}

/*
 * About to return to user mode: to where there is nothing to do, if there is
 * something else to do here.
 */
void
lwkt_user_rebalance(void)
{
	cpumask_t idle = lwkt_idle_cpus;
	int cpu;

	if (mycpu->gd_tdrunqcount < 2)
		return;
	CPUMASK_ANDMASK(idle, curthread->td_cpumask);
	if (CPUMASK_TESTZERO(idle))
		return;
	cpu = BSFCPUMASK(idle);
	if (ATOMIC_CPUMASK_TESTANDCLR(lwkt_idle_cpus, cpu))
		lwkt_setcpu_self(globaldata_find(cpu));
}

/*
 * td must belong to this processor.
 */
void
lwkt_setpri(thread_t td, int pri)
{
	struct globaldata *gd = mycpu;
	register_t rf;

	KKASSERT(pri > TDPRI_IDLE_THREAD && pri <= TDPRI_MAX);
	KKASSERT(td->td_gd == gd);
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

/*
 * td was never ready.
 */
void
lwkt_setpri_initial(thread_t td, int pri)
{
	KKASSERT((td->td_flags & (TDF_RUNNING | TDF_RUNQ)) == 0);
	td->td_pri = pri;
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
	bzero(td, sizeof(*td));
	td->td_kstack = stack;
	td->td_kstack_size = stksize;
	td->td_flags = flags;
	td->td_gd = gd;
	CPUMASK_ASSALLONES(td->td_cpumask);
	td->td_pri = TDPRI_KERN_DAEMON;
	td->td_toks_have = td->td_toks_stop = &td->td_toks_base;
	td->td_pcb = &td->td_pcb_store;
	spin_lock(&lwkt_allq_spin);
	TAILQ_INSERT_TAIL(&gd->gd_tdallq, td, td_allq);
	spin_unlock(&lwkt_allq_spin);
}

void
lwkt_set_comm(thread_t td, const char *fmt, ...)
{
	__va_list ap;

	__va_start(ap, fmt);
	kvsnprintf(td->td_comm, sizeof(td->td_comm), fmt, ap);
	__va_end(ap);
}

/*
 * Ready threads which cannot have their tokens do not keep the processor
 * awake: RQF_AST_LWKT_RESCHED is set when it is worth looking again.
 */
static void
idle_loop(void *dummy)
{
	struct globaldata *gd = mycpu;

	for (;;) {
		cpu_disable_intr();
		if (!lwkt_resched_wanted()) {
			if (!clocks_running && gd->gd_cpuid == 0) {
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

/*
 * A processor joins: the caller runs on the stack of its idle thread.
 */
void
lwkt_idle_run(void)
{
	struct globaldata *gd = mycpu;

	atomic_set_int(&gd->gd_idlethread.td_flags, TDF_RUNNING);
	ATOMIC_CPUMASK_ORBIT(lwkt_idle_cpus, gd->gd_cpuid);
	idle_loop(NULL);
	panic("lwkt_idle_run: the idle loop ended");
}

void
lwkt_gdinit(struct globaldata *gd)
{
	struct thread *td = &gd->gd_idlethread;

	TAILQ_INIT(&gd->gd_tdallq);
	TAILQ_INIT(&gd->gd_tdrunq);
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
	atomic_set_int(&thread0.td_flags, TDF_RUNNING);
	lwkt_schedule(&thread0);
}

static void
lwkt_reap(void)
{
	struct thread *td;

	for (;;) {
		spin_lock(&lwkt_dead_spin);
		TAILQ_FOREACH(td, &lwkt_dead, td_threadq) {
			if ((td->td_flags & TDF_RUNNING) == 0)
				break;
		}
		if (td != NULL)
			TAILQ_REMOVE(&lwkt_dead, td, td_threadq);
		spin_unlock(&lwkt_dead_spin);
		if (td == NULL)
			break;
		lwkt_free_thread(td);
	}
}

/*
 * The processor for a new thread that wants one of mask, which has one.
 */
int
lwkt_next_cpu(cpumask_t mask)
{
	static u_int next;
	int cpu;

	do {
		cpu = atomic_fetchadd_int(&next, 1) % ncpus;
	} while (!CPUMASK_TESTBIT(mask, cpu));
	return (cpu);
}

/*
 * A thread with a stack of stksize bytes, for processor cpu (-1: any); td,
 * if not NULL, is used instead of a new structure.  May block.
 */
struct thread *
lwkt_alloc_thread(struct thread *td, int stksize, int cpu, int flags)
{
	char *stack = NULL;

	if (cpu < 0)
		cpu = lwkt_next_cpu(smp_active_mask);
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
	lwkt_init_thread(td, stack, stksize, flags, globaldata_find(cpu));
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
	tsleep_remove(td);
	crit_enter();
	spin_lock(&lwkt_allq_spin);
	TAILQ_REMOVE(&gd->gd_tdallq, td, td_allq);
	spin_unlock(&lwkt_allq_spin);
	cpu_disable_intr();
	cpu_thread_exit(td);
	lwkt_deschedule_self(td);
	atomic_set_int(&td->td_flags, TDF_EXITING);
	cpu_enable_intr();
	if (td->td_flags & TDF_ALLOCATED_THREAD) {
		spin_lock(&lwkt_dead_spin);
		TAILQ_INSERT_TAIL(&lwkt_dead, td, td_threadq);
		spin_unlock(&lwkt_dead_spin);
	}
	lwkt_switch();
	panic("lwkt_exit: thread %s came back", td->td_comm);
}

/*
 * Is there a thread that test is true of?
 */
boolean_t
lwkt_any_thread(boolean_t (*test)(struct thread *))
{
	struct thread *td = NULL;
	int cpu;

	spin_lock(&lwkt_allq_spin);
	for (cpu = 0; cpu < ncpus && td == NULL; ++cpu) {
		TAILQ_FOREACH(td, &globaldata_find(cpu)->gd_tdallq, td_allq) {
			if (test(td))
				break;
		}
	}
	spin_unlock(&lwkt_allq_spin);
	return (td != NULL);
}

static void
lwkt_report_thread(struct thread *td)
{
	struct thread *owner;
	lwkt_tokref_t ref;

	kprintf("  %-16s pri %2d cpu %d %s", td->td_comm, td->td_pri,
	    td->td_gd->gd_cpuid,
	    (td->td_flags & TDF_RUNNING) ? "running" :
	    (td->td_flags & TDF_RUNQ) ? "ready" :
	    td->td_wmesg != NULL ? "sleeps on" : "stopped");
	if (td->td_wmesg != NULL)
		kprintf(" %s (channel %p)", td->td_wmesg, td->td_wchan);
	if (td->td_locks != 0)
		kprintf(", holds %d locks", td->td_locks);
	for (ref = &td->td_toks_base; ref < td->td_toks_stop; ++ref) {
		owner = ref->tr_tok->t_owner;
		if (ref < td->td_toks_have)
			kprintf(", holds token %s", ref->tr_tok->t_desc);
		else if ((td->td_flags & TDF_RUNQ) && owner != NULL)
			kprintf(", wants token %s held by %s",
			    ref->tr_tok->t_desc, owner->td_comm);
		else
			kprintf(", gave up token %s", ref->tr_tok->t_desc);
	}
	kprintf("\n");
}

/*
 * What each processor does, and all threads and what they wait for, for the
 * watchdog; the other processors have stopped.
 */
void
lwkt_report(void)
{
	struct globaldata *gd;
	struct thread *td;
	int cpu;

	kprintf("processors:\n");
	for (cpu = 0; cpu < ncpus; ++cpu) {
		gd = globaldata_find(cpu);
		kprintf("  cpu %d runs %s, %d ready, %d spinlocks held\n", cpu,
		    gd->gd_curthread->td_comm, gd->gd_tdrunqcount,
		    gd->gd_spinlocks);
	}
	kprintf("threads:\n");
	for (cpu = 0; cpu < ncpus; ++cpu) {
		TAILQ_FOREACH(td, &globaldata_find(cpu)->gd_tdallq, td_allq)
			lwkt_report_thread(td);
	}
}
