/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_PSL_H_
#define	_MACHINE_PSL_H_

#include <cpu/psl.h>

#endif
