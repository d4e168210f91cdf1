/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages between processors: call a function there.
 *
 * Each processor has a ring of (function, argument) pairs which anybody may
 * add to and only its owner empties, in an interrupt that the sender of the
 * first one raises.  Functions run as interrupt handlers do, interrupts off,
 * in the order they were sent: they may touch what their processor protects
 * by disabling interrupts (its run queue), take no spinlock and never block.
 * A critical section does not hold them up.
 *
 * Locking: ipiq_lock protects a ring.  It is a bare word, taken with
 * interrupts off and for a few instructions, so it is safe in interrupt
 * handlers.  A sender who finds the ring full serves its own meanwhile, so
 * that two who send to each other get on.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/thread.h>
#include <sys/thread2.h>

#include <machine/smp.h>

#define	IPIQ_SIZE	256		/* power of two */

struct ipiq_msg {
	ipifunc1_t	func;
	void		*arg;
};

static struct ipiq {
	volatile u_int	ipiq_lock;
	boolean_t	ipiq_raised;	/* its owner was interrupted */
	u_int		ipiq_windex;	/* grow for ever */
	u_int		ipiq_rindex;
	struct ipiq_msg	ipiq_msgs[IPIQ_SIZE];
} __cachealign ipiqs[MAXCPU];

static void
ipiq_enter(struct ipiq *q)
{
	while (atomic_swap_int(&q->ipiq_lock, 1) != 0)
		cpu_pause();
}

static void
ipiq_leave(struct ipiq *q)
{
	atomic_store_rel_int(&q->ipiq_lock, 0);
}

/*
 * This processor's messages, interrupts off.
 */
void
lwkt_process_ipiq(void)
{
	struct ipiq *q = &ipiqs[mycpuid];
	struct ipiq_msg msg;

	ipiq_enter(q);
	q->ipiq_raised = FALSE;
	while (q->ipiq_rindex != q->ipiq_windex) {
		msg = q->ipiq_msgs[q->ipiq_rindex++ & (IPIQ_SIZE - 1)];
		ipiq_leave(q);
		++mycpu->gd_cnt.v_ipiq;
		msg.func(msg.arg);
		ipiq_enter(q);
	}
	ipiq_leave(q);
}

/*
 * Have target call func(arg), soon; if that is the caller's own processor,
 * now.  Never blocks; any context.
 */
void
lwkt_send_ipiq(struct globaldata *target, ipifunc1_t func, void *arg)
{
	struct ipiq *q = &ipiqs[target->gd_cpuid];
	boolean_t raise;
	register_t rf;

	rf = intr_disable();
	if (target == mycpu) {
		func(arg);
		intr_restore(rf);
		return;
	}
	ipiq_enter(q);
	while (q->ipiq_windex - q->ipiq_rindex == IPIQ_SIZE) {
		ipiq_leave(q);
		if (panicstr != NULL)
			cpu_halt();
		lwkt_process_ipiq();
		need_lwkt_resched();
		pmap_inval_intr();
		cpu_pause();
		ipiq_enter(q);
	}
	q->ipiq_msgs[q->ipiq_windex++ & (IPIQ_SIZE - 1)] =
	    (struct ipiq_msg){ func, arg };
	raise = !q->ipiq_raised;
	q->ipiq_raised = TRUE;
	ipiq_leave(q);
	if (raise)
		cpu_send_ipiq(target);
	intr_restore(rf);
}

void
lwkt_send_ipiq_mask(cpumask_t mask, ipifunc1_t func, void *arg)
{
	int cpu;

	while (CPUMASK_TESTNZERO(mask)) {
		cpu = BSFCPUMASK(mask);
		CPUMASK_NANDBIT(mask, cpu);
		lwkt_send_ipiq(globaldata_find(cpu), func, arg);
	}
}
