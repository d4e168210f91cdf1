/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_LOCK_H_
#define	_MACHINE_LOCK_H_

#include <machine/psl.h>

#endif
