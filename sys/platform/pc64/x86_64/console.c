/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Serial console, COM1, output only and polled: usable at any time, also
 * from panic().
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
	outb(COM_MCR, 0x03);
}

void
cnputc(int c)
{
	while ((inb(COM_LSR) & LSR_TXRDY) == 0)
		cpu_pause();
	outb(COM_DATA, c);
}
