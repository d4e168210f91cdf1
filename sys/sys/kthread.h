/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel threads.
 */
#ifndef _SYS_KTHREAD_H_
#define	_SYS_KTHREAD_H_

#include <sys/types.h>

struct thread;

/*
 * Argument of kproc_start(): SYSINIT(x, sub, order, kproc_start, &desc)
 * runs func in a thread of its own.
 */
struct kproc_desc {
	const char	*arg0;			/* name */
	void		(*func)(void);
	struct thread	**global_threadpp;	/* where to record it */
};

void	kproc_start(const void *);
int	kthread_create(void (*)(void *), void *, struct thread **,
	    const char *, ...) __printflike(4, 5);
int	kthread_alloc(void (*)(void *), void *, struct thread **,
	    const char *, ...) __printflike(4, 5);
void	kthread_exit(void) __dead2;

#endif
