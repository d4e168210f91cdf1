/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_KERNEL_H_
#define	_SYS_KERNEL_H_

enum { SI_BOOT1_KMALLOC = 1, SI_BOOT2_KLD, SI_SUB_CONFIGURE };
enum { SI_ORDER_FIRST, SI_ORDER_ANY };

struct sysinit {
	int	subsystem;
	int	order;
	void	(*func)(void *);
	const void *ident;
};

#define	SYSINIT(uniq, sub, ord, fn, id)					\
	static struct sysinit uniq##_sys_init __unused =		\
	    { (sub), (ord), (void (*)(void *))(fn), (id) }
#define	SYSUNINIT(uniq, sub, ord, fn, id)				\
	static struct sysinit uniq##_sys_uninit __unused =		\
	    { (sub), (ord), (void (*)(void *))(fn), (id) }

#endif
