/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel entry and exit: exceptions, device interrupts, SYSCALL.
 *
 * All build a struct trapframe.  %gs is swapped only when the other side is
 * user mode, so that the kernel always runs with %gs on its globaldata.
 * Interrupts are off on entry (interrupt gates, SFMASK) and when leaving.
 */
#include <machine/segments.h>

	.macro	SAVE_REGS
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%r11
	pushq	%rbp
	pushq	%rcx
	pushq	%rbx
	pushq	%rax
	pushq	%r9
	pushq	%r8
	pushq	%r10
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	.endm

	.macro	RESTORE_REGS
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%r10
	popq	%r8
	popq	%r9
	popq	%rax
	popq	%rbx
	popq	%rcx
	popq	%rbp
	popq	%r11
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	.endm

	/* byte offset of tf_cs once the registers are saved */
#define	TF_CS	(18 * 8)

	.text
	.globl	Xvectors
	.align	16
Xvectors:
	.set	i, 0
	.rept	NVECTORS
	.align	16
	.if	i != 8 && (i < 10 || i > 14) && i != 17
	pushq	$0			/* where others have an error code */
	.endif
	pushq	$i
	jmp	alltraps
	.set	i, i + 1
	.endr

alltraps:
	SAVE_REGS
	testb	$SEL_RPL_MASK, TF_CS(%rsp)
	jz	1f
	swapgs
1:	cld
	movq	%rsp, %rdi
	xorl	%ebp, %ebp
	testb	$SEL_RPL_MASK, TF_CS(%rsp)
	jnz	2f
	movq	9*8(%rsp), %rbp		/* let a backtrace go on */
2:	call	trap_entry
	.globl	doreti
doreti:
	cli
	testb	$SEL_RPL_MASK, TF_CS(%rsp)
	jz	3f
	swapgs
3:	RESTORE_REGS
	addq	$16, %rsp
	iretq

	.globl	Xfast_syscall
	.align	16
Xfast_syscall:
	swapgs
	movq	%rsp, %gs:24		/* gd_scratch_rsp */
	movq	%gs:16, %rsp		/* gd_rsp0 */
	pushq	$UDSEL
	pushq	%gs:24
	pushq	%r11
	pushq	$UCSEL
	pushq	%rcx
	pushq	$0
	pushq	$0
	SAVE_REGS
	cld
	sti
	movq	%rsp, %rdi
	xorl	%ebp, %ebp
	call	syscall2
	testl	%eax, %eax
	jnz	doreti			/* the frame is not what it was */
	cli
	RESTORE_REGS
	addq	$16, %rsp
	popq	%rcx			/* tf_rip */
	addq	$8, %rsp
	popq	%r11			/* tf_rflags */
	popq	%rsp
	swapgs
	sysretq

/*
 * void cpu_switch(char **save_sp, char *new_sp)
 *
 * Leave the caller's registers on its stack, note where, and continue what
 * is on the other one.
 */
	.globl	cpu_switch
	.align	16
cpu_switch:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret

/*
 * Where a new thread's first cpu_switch() returns to: function in %r12, its
 * argument in %r13.
 */
	.globl	cpu_lwkt_start
	.align	16
cpu_lwkt_start:
	call	lwkt_switch_return
	sti
	xorl	%ebp, %ebp
	movq	%r13, %rdi
	call	*%r12
	call	lwkt_exit

/*
 * The same for a thread that goes on to user mode after that, with the
 * registers at the top of its stack.
 */
	.globl	cpu_user_start
	.align	16
cpu_user_start:
	call	lwkt_switch_return
	sti
	xorl	%ebp, %ebp
	movq	%r13, %rdi
	call	*%r12
	jmp	doreti
