/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupt threads.
 *
 * The handlers of a line run in a thread of the line.  The interrupt itself
 * masks the line and readies the thread, which calls all handlers (a line
 * may be shared, and does not tell whose turn it is), unmasks and stops.
 *
 * Devices interrupt the boot processor only, and the threads belong to it: an
 * interrupt and its thread need nothing but interrupts off between them, and
 * so does the interrupt controllers' mask.  register_int() is for that
 * processor, too.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/thread.h>
#include <sys/thread2.h>

#include <machine/md_var.h>

#define	NIRQ		16
#define	NHANDLERS	4		/* sharing a line */

static struct intr_line {
	struct thread	*td;
	volatile int	pending;
	int		nhandlers;
	inthand2_t	*handler[NHANDLERS];
	void		*arg[NHANDLERS];
} intr_lines[NIRQ];

static void
ithread_loop(void *arg)
{
	struct intr_line *il = arg;
	int irq = il - intr_lines;
	int i;

	lwkt_setpri_self(TDPRI_INT_MED);
	crit_enter();
	for (;;) {
		while (il->pending) {
			il->pending = 0;
			crit_exit();
			for (i = 0; i < il->nhandlers; ++i)
				il->handler[i](il->arg[i]);
			crit_enter();
			i8259_unmask(irq);
		}
		cpu_disable_intr();
		if (il->pending == 0) {
			lwkt_deschedule_self(curthread);
			lwkt_switch();
		}
		cpu_enable_intr();
	}
}

/*
 * Device interrupt, interrupts off.
 */
void
intr_dispatch(int irq)
{
	struct intr_line *il;

	if (irq >= NIRQ) {
		kprintf("stray interrupt %d\n", irq);
		return;
	}
	il = &intr_lines[irq];
	++mycpu->gd_cnt.v_intr;
	i8259_mask(irq);
	i8259_eoi(irq);
	il->pending = 1;
	if (il->td != NULL)
		lwkt_schedule(il->td);
}

/*
 * Call handler(arg) in the line's thread at each interrupt.  The handler may
 * block, but holds up the line meanwhile.  May block.
 */
void
register_int(int irq, inthand2_t *handler, void *arg, const char *name)
{
	struct intr_line *il;

	if (irq < 0 || irq >= NIRQ)
		panic("register_int: %s: no interrupt line %d", name, irq);
	il = &intr_lines[irq];
	if (il->nhandlers == NHANDLERS)
		panic("register_int: %s: line %d is shared by too many", name,
		    irq);
	il->handler[il->nhandlers] = handler;
	il->arg[il->nhandlers] = arg;
	cpu_sfence();
	++il->nhandlers;
	if (il->td == NULL) {
		lwkt_create(ithread_loop, il, &il->td, NULL,
		    TDF_INTTHREAD, 0, "irq%d %s", irq, name);
	}
	i8259_unmask(irq);
}
