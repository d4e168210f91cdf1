/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_STDINT_H_
#define	_MACHINE_STDINT_H_

#include <cpu/stdint.h>

#endif
