/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the machine-dependent files share.
 */
#ifndef _MACHINE_MD_VAR_H_
#define	_MACHINE_MD_VAR_H_

#include <sys/types.h>

struct globaldata;
struct proc;
struct savefpu;
struct thread;
struct trapframe;

extern vm_paddr_t initrd_start;		/* physical, [start, end) */
extern vm_paddr_t initrd_end;
extern vm_paddr_t acpi_rsdp_paddr;	/* physical, 0: not told */

/* start-up */
void	hammer_time(vm_paddr_t start_info) __dead2;
void	kenv_init(const char *cmdline);
void	i8259_init(void);

/* console */
void	cninit(void);
void	cnputc(int c);
int	cncheckc(void);
void	cnintr_enable(void);

/* interrupts and traps */
typedef void inthand2_t(void *);
void	register_int(int irq, inthand2_t *handler, void *arg, const char *name);
void	i8259_unmask(int irq);
void	i8259_mask(int irq);
void	i8259_eoi(int irq);
void	intr_dispatch(int irq);
void	hardclock(int usermode);
void	trap_entry(struct trapframe *tf);
void	trap(struct trapframe *tf);
int	syscall2(struct trapframe *tf);

/* thread switching, exception.S */
void	cpu_switch(char **save_sp, char *new_sp);
void	cpu_lwkt_start(void);
void	cpu_user_start(void);

/* vm_machdep.c */
void	cpu_set_thread_handler(struct thread *td, void (*func)(void *),
	    void *arg);
void	cpu_set_thread_user_handler(struct thread *td, void (*func)(void *),
	    void *arg);
void	cpu_set_user_start(struct trapframe *tf, vm_offset_t pc,
	    vm_offset_t sp);
void	cpu_fork(struct proc *p1, struct proc *p2);
void	cpu_get_fpu(struct savefpu *fpu);
void	cpu_set_fpu(const struct savefpu *fpu);
void	cpu_set_rsp0(struct globaldata *gd, uint64_t rsp0);
void	cpu_switch_user(struct thread *ntd);
void	cpu_set_fsbase(struct thread *td, uint64_t base);
void	cpu_reset_user(struct thread *td);
void	cpu_thread_exit(struct thread *td);
void	cpu_thread_leave(struct thread *td);

/* support.S */
int	copy_fault(void *dst, const void *src, size_t n, uint64_t *onfault);
ssize_t	copystr_fault(char *dst, const char *src, size_t n, uint64_t *onfault);

#endif
