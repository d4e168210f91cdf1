/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Process control block: machine state of a thread besides its stack.
 */
#ifndef _MACHINE_PCB_H_
#define	_MACHINE_PCB_H_

#include <sys/types.h>

/* FXSAVE image, the FPU and SSE registers. */
struct savefpu {
	uint8_t		sv_env[512];
} __aligned(16);

struct pcb {
	uint64_t	pcb_onfault;	/* where a failing copyin() resumes */
	uint64_t	pcb_fsbase;	/* user thread pointer */
	struct savefpu	pcb_save;
};

#endif
