/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_SPECIALREG_H_
#define	_MACHINE_SPECIALREG_H_

#include <cpu/specialreg.h>

#endif
