/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between native-bench and a kernel that it loads: see build-kernel.
 */

#ifndef BENCH_H
#define	BENCH_H

#define	BENCH_CPUS	4
#define	BENCH_OBJSIZE	256
#define	BENCH_NOMINAL	256	/* free objects that are worth keeping */
#define	BENCH_LIMIT	4000

/*
 * One allocator with objects of one kind.  hot() gets an object and puts it,
 * over and over; get() and put() take many at a time.  served() and out() are
 * the allocator's own counts: objects handed out so far, and those not back.
 */
struct bench_alloc {
	const char	*kind;
	const char	*name;
	void		(*hot)(long pairs);
	void		(*get)(void **objs, long n);
	void		(*put)(void **objs, long n);
	long		(*served)(void);
	long		(*out)(void);
};

/*
 * What else the kernel's files name.  It lies in pages of its own: who calls or
 * reads any of it is to fault there.  The last one has no name.
 */
struct bench_missing {
	const char	*name;
	void		*addr;
};

/*
 * What the host gives to a kernel: addresses with memory, and a console.
 */
struct bench_host {
	char		*kva;
	unsigned long	kva_size;
	void		(*vprint)(const char *fmt, __builtin_va_list ap);
	void		(*die)(void);
	unsigned	seed;	/* for where things are to lie */
};

/*
 * The symbol bench_kernel.  %gs is set to cpu(n) before anything else is called
 * on that cpu, and to cpu(0) for boot().  spinlocks(n) counts the spinlocks
 * that cpu n holds; poll() does on this cpu what others asked for.  The last of
 * allocs has no name.  missing begins with a page.
 */
struct bench_kernel {
	void		*(*cpu)(int n);
	volatile int	*(*spinlocks)(int n);
	void		(*poll)(void);
	void		(*boot)(const struct bench_host *host);
	const struct bench_alloc *allocs;
	const struct bench_missing *missing;
};

#endif
