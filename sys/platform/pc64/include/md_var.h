/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the machine-dependent files share.
 */
#ifndef _MACHINE_MD_VAR_H_
#define	_MACHINE_MD_VAR_H_

#include <sys/types.h>

struct globaldata;
struct thread;
struct trapframe;

extern vm_paddr_t initrd_start;		/* physical, [start, end) */
extern vm_paddr_t initrd_end;

/* start-up, in this order */
void	hammer_time(vm_paddr_t start_info);
void	cninit(void);
void	kenv_init(const char *cmdline);
void	cpu_gdinit(struct globaldata *gd, int cpu);
void	init_gdt(struct globaldata *gd);
void	init_idt(void);
void	init_syscall(void);
void	i8259_init(void);
void	i8254_init(void);

/* console */
void	cnputc(int c);

/* interrupts and traps */
typedef void inthand2_t(void *);
void	register_int(int irq, inthand2_t *handler, void *arg, const char *name);
void	i8259_unmask(int irq);
void	i8259_mask(int irq);
void	i8259_eoi(int irq);
void	hardclock(struct trapframe *tf);
void	intr_dispatch(struct trapframe *tf);
void	trap(struct trapframe *tf);
void	syscall2(struct trapframe *tf);
void	userret(struct thread *td);

/* thread switching: saves the caller's state, returns the previous thread */
struct thread *cpu_switch(struct thread *otd, struct thread *ntd);
void	cpu_lwkt_start(void);
void	cpu_set_thread_handler(struct thread *td, void (*func)(void *),
	    void *arg);
void	cpu_switch_user(struct globaldata *gd, struct thread *ntd);
void	cpu_user_enter(vm_offset_t pc, vm_offset_t sp) __dead2;
void	npxinit(struct thread *td);

#endif
