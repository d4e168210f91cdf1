/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control registers and model specific registers.
 */
#ifndef _CPU_SPECIALREG_H_
#define	_CPU_SPECIALREG_H_

#define	CR0_PE		0x00000001
#define	CR0_MP		0x00000002
#define	CR0_EM		0x00000004
#define	CR0_TS		0x00000008
#define	CR0_NE		0x00000020
#define	CR0_WP		0x00010000
#define	CR0_PG		0x80000000

#define	CR4_PAE		0x00000020
#define	CR4_PGE		0x00000080
#define	CR4_FXSR	0x00000200
#define	CR4_XMM		0x00000400

#define	MSR_EFER	0xc0000080
#define	EFER_SCE	0x00000001
#define	EFER_LME	0x00000100
#define	EFER_NXE	0x00000800

#define	MSR_STAR	0xc0000081	/* SYSCALL segments */
#define	MSR_LSTAR	0xc0000082	/* SYSCALL entry */
#define	MSR_SF_MASK	0xc0000084	/* flags SYSCALL clears */
#define	MSR_FSBASE	0xc0000100
#define	MSR_GSBASE	0xc0000101
#define	MSR_KGSBASE	0xc0000102	/* the other one, see swapgs */

#endif
