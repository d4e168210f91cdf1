/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page, block and table sizes of x86-64.
 */
#ifndef _CPU_PARAM_H_
#define	_CPU_PARAM_H_

#define	MACHINE		"x86_64"
#define	MACHINE_ARCH	"x86_64"

#define	SMP_MAXCPU	16
#define	MAXCPU		SMP_MAXCPU

#define	PAGE_SHIFT	12
#define	PAGE_SIZE	(1 << PAGE_SHIFT)
#define	PAGE_MASK	(PAGE_SIZE - 1)
#define	NPTEPG		512UL
#define	NBPDR		(1UL << 21)

#define	DEV_BSHIFT	9
#define	DEV_BSIZE	(1 << DEV_BSHIFT)
#define	DEV_BMASK	(DEV_BSIZE - 1)

#define	MAXPHYS		(128 * 1024)	/* largest disk transfer */

#define	UPAGES		4		/* kernel stack of a thread */

#ifndef LOCORE
#define	round_page(x)	\
	(((unsigned long)(x) + PAGE_MASK) & ~(unsigned long)PAGE_MASK)
#define	trunc_page(x)	((unsigned long)(x) & ~(unsigned long)PAGE_MASK)
#define	atop(x)		((vm_pindex_t)((x) >> PAGE_SHIFT))
#define	ptoa(x)		((vm_paddr_t)(x) << PAGE_SHIFT)
#define	btoc(x)		(((unsigned long)(x) + PAGE_MASK) >> PAGE_SHIFT)
#define	ctob(x)		((x) << PAGE_SHIFT)
#define	btodb(x)	((x) >> DEV_BSHIFT)
#define	dbtob(x)	((off_t)(x) << DEV_BSHIFT)
#define	pgtok(x)	((x) * (PAGE_SIZE / 1024))
#endif

#endif
