/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_FRAME_H_
#define	_MACHINE_FRAME_H_

#include <cpu/frame.h>

#endif
