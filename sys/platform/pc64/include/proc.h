/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_PROC_H_
#define	_MACHINE_PROC_H_

#endif
