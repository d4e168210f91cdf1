/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * First instructions of the kernel.
 *
 * A PVH loader enters at btext in 32-bit protected mode, paging off, with
 * the physical address of the start information in %ebx.  We build page
 * tables, switch to long mode and jump to hammer_time() at its linked
 * address.  The tables map the first 4 GB three times:
 *
 *	slot 0		where it is, for the instructions that turn paging on
 *	DMPML4I		at DMAP_MIN_ADDRESS
 *	KPML4I		the first 2 GB of it at KERNBASE
 *
 * hammer_time() drops the first and extends the second.
 */
#include <machine/vmparam.h>
#include <machine/pmap.h>
#include <machine/specialreg.h>
#include <machine/segments.h>

#define	R(x)	((x) - KERNBASE)

	.section .note.pvh, "a", @note
	.align	4
	.long	4			/* name size */
	.long	4			/* description size */
	.long	18			/* 32-bit physical entry point */
	.asciz	"Xen"
	.long	R(btext)

	.section .text.locore, "ax"
	.code32
	.globl	btext
btext:
	cli
	cld
	movl	%ebx, %ebp
	movl	$R(boot_stack_top), %esp

	/* four page directories: 2048 large pages */
	movl	$R(boot_pd), %edi
	movl	$(0x80 | 0x03), %eax
	xorl	%edx, %edx
	movl	$2048, %ecx
1:	movl	%eax, (%edi)
	movl	%edx, 4(%edi)
	addl	$8, %edi
	addl	$0x200000, %eax
	adcl	$0, %edx
	decl	%ecx
	jnz	1b

	/* one pointer table serves slot 0 and the direct map */
	movl	$R(boot_pdp), %edi
	movl	$(R(boot_pd) + 3), %eax
	movl	$4, %ecx
2:	movl	%eax, (%edi)
	addl	$8, %edi
	addl	$0x1000, %eax
	decl	%ecx
	jnz	2b

	movl	$R(boot_kpdp), %edi
	movl	$(R(boot_pd) + 3), %eax
	movl	%eax, (KPDPI * 8)(%edi)
	addl	$0x1000, %eax
	movl	%eax, (KPDPI * 8 + 8)(%edi)

	movl	$R(boot_pml4), %edi
	movl	$(R(boot_pdp) + 3), %eax
	movl	%eax, (%edi)
	movl	%eax, (DMPML4I * 8)(%edi)
	movl	$(R(boot_kpdp) + 3), %eax
	movl	%eax, (KPML4I * 8)(%edi)

	movl	$R(3f), %esi
	jmp	boot_paging_on
3:	lgdt	R(boot_gdtr)
	ljmp	$KCSEL, $R(4f)

/*
 * Every processor's way into long mode, without a stack: with the boot page
 * tables, still in a 32-bit segment, on to where %esi says.
 */
	.globl	boot_paging_on
boot_paging_on:
	movl	$(CR4_PAE | CR4_PGE | CR4_FXSR | CR4_XMM), %eax
	movl	%eax, %cr4
	movl	$R(boot_pml4), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$(EFER_LME | EFER_SCE | EFER_NXE), %eax
	wrmsr
	movl	$(CR0_PG | CR0_WP | CR0_NE | CR0_MP | CR0_PE), %eax
	movl	%eax, %cr0
	jmp	*%esi

	.code64
4:	movabsq	$5f, %rax
	jmp	*%rax
5:	movl	$KDSEL, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movabsq	$boot_stack_top, %rsp
	movl	%ebp, %edi
	xorl	%ebp, %ebp
	pushq	$0			/* ends a backtrace */
	jmp	hammer_time

	.section .rodata
	.align	8
	.globl	boot_gdt
boot_gdt:
	.quad	0
	.quad	0x00af9a000000ffff	/* KCSEL: 64-bit code */
	.quad	0x00cf92000000ffff	/* KDSEL: data */
	.quad	0x00cf9a000000ffff	/* BOOTCSEL32: 32-bit code */
boot_gdtr:
	.word	BOOTGDTSIZE - 1
	.long	R(boot_gdt)

	.section .bss
	.align	4096
	.globl	boot_pml4, boot_pdp, boot_stack, boot_stack_top
boot_pml4:
	.space	4096
boot_pdp:
	.space	4096
boot_kpdp:
	.space	4096
boot_pd:
	.space	4 * 4096
boot_stack:
	.space	8 * 4096
boot_stack_top:
