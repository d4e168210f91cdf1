/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel entry code leaves on the stack; exception.S builds it.
 */
#ifndef _CPU_FRAME_H_
#define	_CPU_FRAME_H_

#include <sys/types.h>

struct trapframe {
	register_t	tf_rdi;
	register_t	tf_rsi;
	register_t	tf_rdx;
	register_t	tf_r10;		/* 4th system call argument */
	register_t	tf_r8;
	register_t	tf_r9;
	register_t	tf_rax;
	register_t	tf_rbx;
	register_t	tf_rcx;
	register_t	tf_rbp;
	register_t	tf_r11;
	register_t	tf_r12;
	register_t	tf_r13;
	register_t	tf_r14;
	register_t	tf_r15;
	register_t	tf_trapno;
	/* pushed by the processor (tf_err: or by the entry code) */
	register_t	tf_err;
	register_t	tf_rip;
	register_t	tf_cs;
	register_t	tf_rflags;
	register_t	tf_rsp;
	register_t	tf_ss;
};

#endif
