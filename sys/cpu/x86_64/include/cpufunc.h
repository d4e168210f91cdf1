/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Single instructions as functions.
 */
#ifndef _CPU_CPUFUNC_H_
#define	_CPU_CPUFUNC_H_

#include <sys/types.h>

static __inline void
cpu_pause(void)
{
	__asm __volatile("pause" ::: "memory");
}

static __inline void
cpu_ccfence(void)
{
	__asm __volatile("" ::: "memory");
}

static __inline void
cpu_mfence(void)
{
	__asm __volatile("mfence" ::: "memory");
}

static __inline void
cpu_lfence(void)
{
	__asm __volatile("lfence" ::: "memory");
}

static __inline void
cpu_sfence(void)
{
	__asm __volatile("sfence" ::: "memory");
}

static __inline void
cpu_disable_intr(void)
{
	__asm __volatile("cli" ::: "memory");
}

static __inline void
cpu_enable_intr(void)
{
	__asm __volatile("sti" ::: "memory");
}

/* Enable interrupts and wait for one; none can come in between. */
static __inline void
cpu_sti_hlt(void)
{
	__asm __volatile("sti; hlt" ::: "memory");
}

static __inline register_t
read_rflags(void)
{
	register_t rf;

	__asm __volatile("pushfq; popq %0" : "=r" (rf));
	return (rf);
}

static __inline void
write_rflags(register_t rf)
{
	__asm __volatile("pushq %0; popfq" :: "r" (rf) : "memory");
}

/* Interrupts off; the result is for intr_restore(). */
static __inline register_t
intr_disable(void)
{
	register_t rf = read_rflags();

	cpu_disable_intr();
	return (rf);
}

static __inline void
intr_restore(register_t rf)
{
	write_rflags(rf);
}

static __inline void
outb(u_int port, u_char v)
{
	__asm __volatile("outb %0, %w1" :: "a" (v), "Nd" (port));
}

static __inline void
outw(u_int port, u_short v)
{
	__asm __volatile("outw %0, %w1" :: "a" (v), "Nd" (port));
}

static __inline void
outl(u_int port, u_int v)
{
	__asm __volatile("outl %0, %w1" :: "a" (v), "Nd" (port));
}

static __inline u_char
inb(u_int port)
{
	u_char v;

	__asm __volatile("inb %w1, %0" : "=a" (v) : "Nd" (port));
	return (v);
}

static __inline u_short
inw(u_int port)
{
	u_short v;

	__asm __volatile("inw %w1, %0" : "=a" (v) : "Nd" (port));
	return (v);
}

static __inline u_int
inl(u_int port)
{
	u_int v;

	__asm __volatile("inl %w1, %0" : "=a" (v) : "Nd" (port));
	return (v);
}

static __inline uint64_t
rdtsc(void)
{
	uint32_t lo, hi;

	__asm __volatile("rdtsc" : "=a" (lo), "=d" (hi));
	return ((uint64_t)hi << 32 | lo);
}

static __inline uint64_t
rdmsr(u_int msr)
{
	uint32_t lo, hi;

	__asm __volatile("rdmsr" : "=a" (lo), "=d" (hi) : "c" (msr));
	return ((uint64_t)hi << 32 | lo);
}

static __inline void
wrmsr(u_int msr, uint64_t v)
{
	__asm __volatile("wrmsr" :: "a" ((uint32_t)v),
	    "d" ((uint32_t)(v >> 32)), "c" (msr) : "memory");
}

static __inline void
do_cpuid(u_int leaf, u_int *p)
{
	__asm __volatile("cpuid"
	    : "=a" (p[0]), "=b" (p[1]), "=c" (p[2]), "=d" (p[3])
	    : "0" (leaf), "2" (0));
}

static __inline u_long
rcr0(void)
{
	u_long v;

	__asm __volatile("movq %%cr0, %0" : "=r" (v));
	return (v);
}

static __inline void
load_cr0(u_long v)
{
	__asm __volatile("movq %0, %%cr0" :: "r" (v) : "memory");
}

static __inline u_long
rcr2(void)
{
	u_long v;

	__asm __volatile("movq %%cr2, %0" : "=r" (v));
	return (v);
}

static __inline u_long
rcr3(void)
{
	u_long v;

	__asm __volatile("movq %%cr3, %0" : "=r" (v));
	return (v);
}

static __inline void
load_cr3(u_long v)
{
	__asm __volatile("movq %0, %%cr3" :: "r" (v) : "memory");
}

static __inline u_long
rcr4(void)
{
	u_long v;

	__asm __volatile("movq %%cr4, %0" : "=r" (v));
	return (v);
}

static __inline void
load_cr4(u_long v)
{
	__asm __volatile("movq %0, %%cr4" :: "r" (v) : "memory");
}

static __inline void
cpu_invlpg(void *addr)
{
	__asm __volatile("invlpg (%0)" :: "r" (addr) : "memory");
}

static __inline void
cpu_invltlb(void)
{
	load_cr3(rcr3());
}

static __inline u_long
bsfq(u_long mask)
{
	return (__builtin_ctzl(mask));
}

static __inline u_long
bsrq(u_long mask)
{
	return (63 - __builtin_clzl(mask));
}

static __inline u_int
bsfl(u_int mask)
{
	return (__builtin_ctz(mask));
}

static __inline u_int
bsrl(u_int mask)
{
	return (31 - __builtin_clz(mask));
}

#endif
