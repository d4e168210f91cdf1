/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_TRAP_H_
#define	_MACHINE_TRAP_H_

#include <cpu/trap.h>

#endif
