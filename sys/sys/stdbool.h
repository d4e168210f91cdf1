/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_STDBOOL_H_
#define	_SYS_STDBOOL_H_

#include <sys/types.h>

#endif
