/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _CPU_PSL_H_
#define	_CPU_PSL_H_

#define	PSL_C		0x00000001
#define	PSL_MBO		0x00000002	/* always one */
#define	PSL_T		0x00000100	/* single step */
#define	PSL_I		0x00000200	/* interrupts enabled */
#define	PSL_D		0x00000400	/* string direction */
#define	PSL_IOPL	0x00003000
#define	PSL_NT		0x00004000
#define	PSL_AC		0x00040000

#define	PSL_KERNEL	PSL_MBO
#define	PSL_USER	(PSL_MBO | PSL_I)

#endif
