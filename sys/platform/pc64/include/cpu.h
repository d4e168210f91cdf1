/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_CPU_H_
#define	_MACHINE_CPU_H_

#include <machine/frame.h>
#include <machine/psl.h>
#include <machine/segments.h>

#define	CLKF_USERMODE(tf)	(((tf)->tf_cs & SEL_RPL_MASK) == SEL_RPL_MASK)

/*
 * Stop the machine; QEMU's exit status is (status << 1) | 1 if it has the
 * isa-debug-exit device, else 0.
 */
void	cpu_exit_qemu(int status) __dead2;

#endif
