/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The probe's first instruction, its system calls, and the note by which the
 * kernel knows a program of its own.
 */
	.section .note.tag, "a", @note
	.align	4
	.long	10			/* name size */
	.long	4			/* description size */
	.long	1			/* the ABI's version */
	.asciz	"DragonFly"
	.align	4
	.long	600000

	.text
	.globl	_start
_start:
	xorl	%ebp, %ebp
	andq	$-16, %rsp
	call	main
	ud2

/*
 * long sys_call(long number, a1, ..., a7): the result, or minus an errno.  A
 * seventh argument is read from the stack, above a return address.
 */
	.globl	sys_call
sys_call:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
	movq	16(%rsp), %r11
	subq	$16, %rsp
	movq	%r11, 8(%rsp)
	syscall
	leaq	16(%rsp), %rsp
	jnc	1f
	negq	%rax
1:	ret

	.section .note.GNU-stack, "", @progbits
