/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_TYPES_H_
#define	_MACHINE_TYPES_H_

#include <cpu/types.h>

#endif
