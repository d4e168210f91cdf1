/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_STDARG_H_
#define	_MACHINE_STDARG_H_

#include <cpu/stdarg.h>

#endif
