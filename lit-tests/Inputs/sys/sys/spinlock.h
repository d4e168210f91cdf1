/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_SPINLOCK_H_
#define	_SYS_SPINLOCK_H_

struct spinlock {
	int	lock;
	int	update;
};

void	spin_init(struct spinlock *spin, const char *descr);
void	spin_lock(struct spinlock *spin);
void	spin_unlock(struct spinlock *spin);

#endif
