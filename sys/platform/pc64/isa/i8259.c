/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two 8259 interrupt controllers of a PC, remapped to IDT_OFFSET.  All
 * lines are masked until register_int() or the clock wants them.
 */
#include <sys/param.h>
#include <sys/systm.h>

#include <machine/md_var.h>
#include <machine/segments.h>

#define	ICU1		0x20
#define	ICU2		0xa0
#define	ICU_IMR		1		/* offset of the mask register */
#define	ICU_CASCADE	2		/* input of ICU1 that is ICU2 */
#define	OCW2_EOI	0x20

static u_int imr = 0xffff & ~(1 << ICU_CASCADE);

static void
i8259_write_mask(void)
{
	outb(ICU1 + ICU_IMR, imr);
	outb(ICU2 + ICU_IMR, imr >> 8);
}

void
i8259_init(void)
{
	outb(ICU1, 0x11);		/* ICW1: edge, cascaded, ICW4 follows */
	outb(ICU2, 0x11);
	outb(ICU1 + 1, IDT_OFFSET);	/* ICW2: first vector */
	outb(ICU2 + 1, IDT_OFFSET + 8);
	outb(ICU1 + 1, 1 << ICU_CASCADE);	/* ICW3 */
	outb(ICU2 + 1, ICU_CASCADE);
	outb(ICU1 + 1, 0x01);		/* ICW4: 8086 mode */
	outb(ICU2 + 1, 0x01);
	i8259_write_mask();
}

/*
 * The mask is shared with interrupt handlers: interrupts off.
 */
void
i8259_mask(int irq)
{
	register_t rf = intr_disable();

	imr |= 1 << irq;
	i8259_write_mask();
	intr_restore(rf);
}

void
i8259_unmask(int irq)
{
	register_t rf = intr_disable();

	imr &= ~(1 << irq);
	i8259_write_mask();
	intr_restore(rf);
}

void
i8259_eoi(int irq)
{
	if (irq >= 8)
		outb(ICU2, OCW2_EOI);
	outb(ICU1, OCW2_EOI);
}
