/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_LIMITS_H_
#define	_SYS_LIMITS_H_

#include <sys/stdint.h>

#endif
