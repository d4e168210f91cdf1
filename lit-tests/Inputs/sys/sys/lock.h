/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_LOCK_H_
#define	_SYS_LOCK_H_

struct lock {
	int	lk_count;
};

#endif
