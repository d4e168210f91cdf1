/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_PARAM_H_
#define	_MACHINE_PARAM_H_

#include <cpu/param.h>

#define	MACHINE_PLATFORM	"pc64"

#endif
