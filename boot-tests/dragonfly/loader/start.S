/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The two ends of the loader: where QEMU enters, and where the kernel is
 * entered.  A DragonFly kernel starts in long mode with interrupts off, any
 * stack, and on it, above what would be a return address of four bytes, the
 * addresses of the metadata and of the end of what was loaded.
 */
#define	CR0_PG		0x80000000
#define	CR4_PAE		0x20
#define	MSR_EFER	0xc0000080
#define	EFER_LME	0x100

	.section .note.pvh, "a", @note
	.align	4
	.long	4			/* name size */
	.long	4			/* description size */
	.long	18			/* 32-bit physical entry point */
	.asciz	"Xen"
	.long	start

	.text
	.code32
	.globl	start
start:
	cli
	cld
	movl	$stack_top, %esp
	pushl	%ebx
	call	loader_main

/* enter_kernel(root_table, metadata, kernel_end, entry) */
	.globl	enter_kernel
enter_kernel:
	movl	4(%esp), %eax
	movl	8(%esp), %esi
	movl	12(%esp), %edi
	movl	16(%esp), %ebx		/* entry, low half */
	movl	20(%esp), %ebp		/* and high half */
	movl	%eax, %cr3
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$8, $1f

	.code64
1:	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$stack_top - 16, %esp
	movl	%esi, 4(%rsp)
	movl	%edi, 8(%rsp)
	shlq	$32, %rbp
	orq	%rbx, %rbp
	jmp	*%rbp

	.section .rodata, "a", @progbits
	.align	8
gdt:	.quad	0
	.quad	0x00af9a000000ffff	/* 64-bit code */
	.quad	0x00cf92000000ffff	/* data */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.bss
	.align	16
	.space	16384
stack_top:

	.section .note.GNU-stack, "", @progbits
