/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_CPU_H_
#define	_MACHINE_CPU_H_

#include <sys/types.h>

#include <machine/frame.h>
#include <machine/psl.h>
#include <machine/segments.h>

#define	CLKF_USERMODE(tf)	(((tf)->tf_cs & SEL_RPL_MASK) == SEL_RPL_MASK)

/*
 * Stop the machine.  QEMU's isa-debug-exit device makes of a number n the exit
 * status (n << 1) | 1.  There are only these two, whatever a program's status,
 * so that no other can be taken for one of them; and none is a status that
 * QEMU ends with for reasons of its own.
 */
#define	QEMU_EXIT_PASS	0x2a
#define	QEMU_EXIT_FAIL	0x2b

void	cpu_exit_qemu(boolean_t passed) __dead2;
void	cpu_power_off(void) __dead2;

#endif
