/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The local APIC: each processor's interrupt controller, for its timer and
 * for interrupts between processors.
 */
#ifndef _MACHINE_LAPIC_H_
#define	_MACHINE_LAPIC_H_

#include <sys/types.h>

extern vm_paddr_t lapic_addr;		/* physical; 0: there is none */
extern u_int lapic_timer_count;		/* of a clock tick; 0: not measured */

/*
 * What ACPI says about processors: their local APICs' IDs, those unusable
 * left out.  Returns their number, at most max; 0 if nothing can be said.
 */
int	madt_probe(vm_paddr_t rsdp, u_char *apicids, int max,
	    vm_paddr_t *lapic);

void	lapic_init(boolean_t bsp);	/* this processor's */
u_int	lapic_id(void);
void	lapic_eoi(void);
void	lapic_timer_calibrate(void);
void	lapic_timer_start(void);	/* hz interrupts a second, here */

/* Interrupts off or in a critical section. */
void	lapic_ipi(u_int apicid, int vector);
void	lapic_init_ipi(u_int apicid);
void	lapic_startup_ipi(u_int apicid, vm_paddr_t page);

#endif
