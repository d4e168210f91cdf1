/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * First instructions of the other processors.
 *
 * A start-up IPI makes a processor begin in real mode at a page below 1 MB,
 * where mp_machdep.c has put a copy of [mptramp_start, mptramp_end).  It goes
 * the way locore.S went, with the tables made there, and calls
 * init_secondary() on the stack of its idle thread.  One at a time.
 */
#include <machine/vmparam.h>
#include <machine/pmap.h>
#include <machine/specialreg.h>
#include <machine/segments.h>

#define	R(x)	((x) - KERNBASE)

	.text
	.globl	mptramp_start, mptramp_end
	.code16
mptramp_start:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	mptramp_gdtr - mptramp_start
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$BOOTCSEL32, $R(mpentry)
mptramp_gdtr:
	.word	BOOTGDTSIZE - 1
	.long	R(boot_gdt)
mptramp_end:

	.code32
mpentry:
	movl	$KDSEL, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$R(1f), %esi
	jmp	boot_paging_on
1:	ljmp	$KCSEL, $R(2f)

	.code64
2:	movabsq	$3f, %rax
	jmp	*%rax
3:	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movq	bootSTK, %rsp
	xorl	%ebp, %ebp
	pushq	$0			/* ends a backtrace */
	jmp	init_secondary
