/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The local APIC.
 *
 * Its registers are memory, the same addresses for every processor, seen
 * through the direct map.  Device interrupts stay with the 8259s, which reach
 * the boot processor through its LINT0; the APICs add interrupts between
 * processors and a timer for each.  The boot processor keeps the i8254, which
 * is also what time is told by; a timer's rate is measured against it once.
 *
 * Locking: a processor only touches its own APIC.  Sending takes two writes,
 * so interrupts are off between them.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>

#include <machine/clock.h>
#include <machine/lapic.h>
#include <machine/segments.h>
#include <machine/vmparam.h>

#define	LAPIC_ID	0x020
#define	LAPIC_TPR	0x080
#define	LAPIC_EOI	0x0b0
#define	LAPIC_SVR	0x0f0
#define	LAPIC_ICR_LO	0x300
#define	LAPIC_ICR_HI	0x310
#define	LAPIC_LVT_TIMER	0x320
#define	LAPIC_LVT_LINT0	0x350
#define	LAPIC_LVT_LINT1	0x360
#define	LAPIC_LVT_ERROR	0x370
#define	LAPIC_TIMER_ICR	0x380
#define	LAPIC_TIMER_CCR	0x390
#define	LAPIC_TIMER_DCR	0x3e0

#define	SVR_ENABLE	0x100
#define	LVT_NMI		0x00400
#define	LVT_EXTINT	0x00700
#define	LVT_MASKED	0x10000
#define	LVT_PERIODIC	0x20000
#define	ICR_INIT	0x00500
#define	ICR_STARTUP	0x00600
#define	ICR_PENDING	0x01000
#define	ICR_ASSERT	0x04000
#define	DCR_DIV_16	0x3

#define	CALIBRATE_TICKS	2		/* clock ticks to measure for */

vm_paddr_t lapic_addr;
u_int lapic_timer_count;

static volatile uint32_t *
lapic_reg(int reg)
{
	return ((volatile uint32_t *)(PHYS_TO_DMAP(lapic_addr) + reg));
}

static uint32_t
lapic_read(int reg)
{
	return (*lapic_reg(reg));
}

static void
lapic_write(int reg, uint32_t v)
{
	*lapic_reg(reg) = v;
}

u_int
lapic_id(void)
{
	return (lapic_read(LAPIC_ID) >> 24);
}

void
lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

void
lapic_init(boolean_t bsp)
{
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT0, bsp ? LVT_EXTINT : LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT1, bsp ? LVT_NMI : LVT_MASKED);
	lapic_write(LAPIC_SVR, SVR_ENABLE | XSPURIOUSINT_OFFSET);
}

static void
lapic_send(u_int apicid, uint32_t cmd)
{
	register_t rf = intr_disable();

	while (lapic_read(LAPIC_ICR_LO) & ICR_PENDING)
		cpu_pause();
	lapic_write(LAPIC_ICR_HI, apicid << 24);
	lapic_write(LAPIC_ICR_LO, cmd);
	intr_restore(rf);
}

void
lapic_ipi(u_int apicid, int vector)
{
	lapic_send(apicid, ICR_ASSERT | vector);
}

void
lapic_init_ipi(u_int apicid)
{
	lapic_send(apicid, ICR_ASSERT | ICR_INIT);
}

void
lapic_startup_ipi(u_int apicid, vm_paddr_t page)
{
	lapic_send(apicid, ICR_ASSERT | ICR_STARTUP | page >> PAGE_SHIFT);
}

/*
 * How far the timer counts in a clock tick.  The i8254's interrupt is masked
 * and its clock not started yet.
 */
void
lapic_timer_calibrate(void)
{
	u_int elapsed;

	lapic_write(LAPIC_TIMER_DCR, DCR_DIV_16);
	lapic_write(LAPIC_TIMER_ICR, 0xffffffff);
	elapsed = i8254_wait(CALIBRATE_TICKS * 1000000 / hz);
	lapic_timer_count = (uint64_t)(0xffffffff -
	    lapic_read(LAPIC_TIMER_CCR)) * TIMER_FREQ / elapsed / hz;
	lapic_write(LAPIC_TIMER_ICR, 0);
}

void
lapic_timer_start(void)
{
	lapic_write(LAPIC_TIMER_DCR, DCR_DIV_16);
	lapic_write(LAPIC_LVT_TIMER, LVT_PERIODIC | XTIMER_OFFSET);
	lapic_write(LAPIC_TIMER_ICR, lapic_timer_count);
}
