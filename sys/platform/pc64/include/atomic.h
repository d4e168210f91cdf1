/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_ATOMIC_H_
#define	_MACHINE_ATOMIC_H_

#include <cpu/atomic.h>

#endif
