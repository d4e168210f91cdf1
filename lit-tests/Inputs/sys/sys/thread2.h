/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_THREAD2_H_
#define	_SYS_THREAD2_H_

#include <sys/systm.h>

#endif
