/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Access to user memory, and the memory functions the compiler calls.
 *
 * A fault while pcb_onfault is set resumes there (see trap.c) if the VM
 * cannot resolve it.  The address space is checked by the C callers.
 *
 *	int	copy_fault(void *dst, const void *src, size_t n,
 *		    uint64_t *onfault)
 *	ssize_t	copystr_fault(char *dst, const char *src, size_t n,
 *		    uint64_t *onfault)
 */
	.text
	.globl	copy_fault
	.align	16
copy_fault:
	movq	$1f, (%rcx)
	movq	%rcx, %r8
	movq	%rdx, %rcx
	shrq	$3, %rcx
	rep
	movsq
	movq	%rdx, %rcx
	andl	$7, %ecx
	rep
	movsb
	movq	$0, (%r8)
	xorl	%eax, %eax
	ret
1:	movq	$0, (%r8)
	movl	$14, %eax		/* EFAULT */
	ret

/* Length with the NUL, -1 if there is none within n bytes, -2 on a fault. */
	.globl	copystr_fault
	.align	16
copystr_fault:
	movq	$4f, (%rcx)
	xorl	%eax, %eax
1:	cmpq	%rdx, %rax
	je	3f
	movb	(%rsi,%rax), %r8b
	movb	%r8b, (%rdi,%rax)
	incq	%rax
	testb	%r8b, %r8b
	jnz	1b
2:	movq	$0, (%rcx)
	ret
3:	movq	$-1, %rax
	jmp	2b
4:	movq	$-2, %rax
	jmp	2b

	.globl	memcpy
	.align	16
memcpy:
	movq	%rdi, %rax
	movq	%rdx, %rcx
	shrq	$3, %rcx
	rep
	movsq
	movl	%edx, %ecx
	andl	$7, %ecx
	rep
	movsb
	ret

	.globl	memmove
	.align	16
memmove:
	movq	%rdi, %rcx
	subq	%rsi, %rcx
	cmpq	%rdx, %rcx		/* dst within [src, src + n)? */
	jae	memcpy
	movq	%rdi, %rax
	movq	%rdx, %rcx
	leaq	-1(%rdi,%rdx), %rdi
	leaq	-1(%rsi,%rdx), %rsi
	std
	rep
	movsb
	cld
	ret

	.globl	memset
	.align	16
memset:
	movq	%rdi, %r8
	movzbl	%sil, %eax
	movabsq	$0x0101010101010101, %rcx
	imulq	%rcx, %rax
	movq	%rdx, %rcx
	shrq	$3, %rcx
	rep
	stosq
	movl	%edx, %ecx
	andl	$7, %ecx
	rep
	stosb
	movq	%r8, %rax
	ret
