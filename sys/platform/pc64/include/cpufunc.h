/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_CPUFUNC_H_
#define	_MACHINE_CPUFUNC_H_

#include <cpu/cpufunc.h>

#endif
