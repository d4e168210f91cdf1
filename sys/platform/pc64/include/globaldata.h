/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_GLOBALDATA_H_
#define	_MACHINE_GLOBALDATA_H_

#include <sys/globaldata.h>

#endif
