/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_SEGMENTS_H_
#define	_MACHINE_SEGMENTS_H_

#include <cpu/segments.h>

#endif
