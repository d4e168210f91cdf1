/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The global descriptor table.  SYSRET derives the user selectors from one
 * base: data must follow the base by 8, 64-bit code by 16.
 */
#ifndef _CPU_SEGMENTS_H_
#define	_CPU_SEGMENTS_H_

#define	KCSEL		0x08		/* kernel code */
#define	KDSEL		0x10		/* kernel data */
#define	UBASESEL	0x18		/* base SYSRET counts from */
#define	UDSEL		0x23		/* user data */
#define	UCSEL		0x2b		/* user code */
#define	TSSSEL		0x30		/* task state, two slots */
#define	NGDT		8

#define	BOOTCSEL32	0x18		/* 32-bit code, in the boot GDT only */
#define	BOOTGDTSIZE	(4 * 8)

#define	SEL_RPL_MASK	3

#define	IDT_OFFSET	32		/* first device interrupt */
#define	XTIMER_OFFSET	48		/* local APIC: its timer */
#define	XIPIQ_OFFSET	49		/* messages of other processors */
#define	XINVLTLB_OFFSET	50		/* invalidate TLB entries */
#define	XCPUSTOP_OFFSET	51		/* stop for good */
#define	XSPURIOUSINT_OFFSET 63		/* the APIC changed its mind */
#define	NVECTORS	64		/* that have an entry point */
#define	NIDT		256

#ifndef LOCORE

#include <sys/types.h>

/* Exceptions, by the manual's mnemonics. */
enum {
	IDT_DE, IDT_DB, IDT_NMI, IDT_BP,
	IDT_UD = 6, IDT_NM, IDT_DF,
	IDT_TS = 10, IDT_NP, IDT_SS, IDT_GP, IDT_PF,
	IDT_MF = 16, IDT_AC, IDT_MC, IDT_XF
};

struct gate_descriptor {
	uint16_t	gd_looffset;
	uint16_t	gd_selector;
	uint8_t		gd_ist;
	uint8_t		gd_type;	/* and present, privilege */
	uint16_t	gd_midoffset;
	uint32_t	gd_hioffset;
	uint32_t	gd_unused;
} __packed;

#define	SDT_SYSIGT	0x8e		/* present interrupt gate, ring 0 */
#define	SDT_SYSIGT_USER	0xee		/* same, callable from ring 3 */

struct region_descriptor {
	uint16_t	rd_limit;
	uint64_t	rd_base;
} __packed;

struct x86_64tss {
	uint32_t	tss_rsvd0;
	uint64_t	tss_rsp0;	/* stack on entry from ring 3 */
	uint64_t	tss_rsp1;
	uint64_t	tss_rsp2;
	uint64_t	tss_rsvd1;
	uint64_t	tss_ist[7];
	uint64_t	tss_rsvd2;
	uint16_t	tss_rsvd3;
	uint16_t	tss_iobase;
} __packed;

#endif

#endif
