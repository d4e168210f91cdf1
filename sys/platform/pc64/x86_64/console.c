/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Serial console, COM1.  Output is polled: usable at any time, also from
 * panic().  Input raises an interrupt once cnintr_enable() was called.
 */
#include <sys/param.h>
#include <sys/systm.h>

#include <machine/md_var.h>

#define	COM1		0x3f8
#define	COM_DATA	(COM1 + 0)
#define	COM_IER		(COM1 + 1)
#define	COM_FIFO	(COM1 + 2)
#define	COM_LCR		(COM1 + 3)
#define	COM_MCR		(COM1 + 4)
#define	COM_LSR		(COM1 + 5)

#define	LCR_DLAB	0x80
#define	LCR_8BITS	0x03
#define	IER_RXRDY	0x01
#define	MCR_READY	0x03
#define	MCR_INTR	0x08
#define	LSR_RXRDY	0x01
#define	LSR_TXRDY	0x20

void
cninit(void)
{
	outb(COM_IER, 0);
	outb(COM_LCR, LCR_DLAB | LCR_8BITS);
	outb(COM_DATA, 1);		/* 115200 baud */
	outb(COM_IER, 0);
	outb(COM_LCR, LCR_8BITS);
	outb(COM_FIFO, 0x07);
	outb(COM_MCR, MCR_READY);
}

void
cnintr_enable(void)
{
	outb(COM_MCR, MCR_READY | MCR_INTR);
	outb(COM_IER, IER_RXRDY);
}

/*
 * A byte received, or -1.
 */
int
cncheckc(void)
{
	if ((inb(COM_LSR) & LSR_RXRDY) == 0)
		return (-1);
	return (inb(COM_DATA));
}

void
cnputc(int c)
{
	while ((inb(COM_LSR) & LSR_TXRDY) == 0)
		cpu_pause();
	outb(COM_DATA, c);
}
