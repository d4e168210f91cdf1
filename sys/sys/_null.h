/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS__NULL_H_
#define	_SYS__NULL_H_

#define	NULL	((void *)0)

#endif
