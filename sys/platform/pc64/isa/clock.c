/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system clock: timer 0 of the i8254, hz interrupts a second.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>

#include <machine/clock.h>
#include <machine/md_var.h>

#define	TIMER_CNTR0	0x40
#define	TIMER_MODE	0x43
#define	TIMER_RATEGEN16	0x34		/* counter 0, both bytes, mode 2 */
#define	TIMER_LATCH	0x00		/* counter 0, hold it for reading */
#define	TIMER_IRQ	0

int clocks_running;

static u_int
i8254_read(void)
{
	u_int lo;

	outb(TIMER_MODE, TIMER_LATCH);
	lo = inb(TIMER_CNTR0);
	return (lo | inb(TIMER_CNTR0) << 8);
}

u_int
i8254_wait(u_int us)
{
	u_int count = (uint64_t)us * TIMER_FREQ / 1000000;
	u_int elapsed = 0, last, now;

	KKASSERT(!clocks_running);
	outb(TIMER_MODE, TIMER_RATEGEN16);
	outb(TIMER_CNTR0, 0);		/* from 65536 down, again and again */
	outb(TIMER_CNTR0, 0);
	last = i8254_read();
	while (elapsed < count) {
		now = i8254_read();
		elapsed += (last - now) & 0xffff;
		last = now;
	}
	return (elapsed);
}

static void
startrtclock(void *dummy)
{
	u_int count = (TIMER_FREQ + hz / 2) / hz;

	outb(TIMER_MODE, TIMER_RATEGEN16);
	outb(TIMER_CNTR0, count & 0xff);
	outb(TIMER_CNTR0, count >> 8);
	clocks_running = 1;
	i8259_unmask(TIMER_IRQ);
}
SYSINIT(clocks, SI_BOOT2_CLOCKS, SI_ORDER_FIRST, startrtclock, NULL);

static void
start_intr(void *dummy)
{
	cpu_enable_intr();
}
SYSINIT(pic, SI_BOOT2_FINISH_PIC, SI_ORDER_FIRST, start_intr, NULL);
