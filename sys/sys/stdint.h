/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_STDINT_H_
#define	_SYS_STDINT_H_

#include <sys/types.h>

#define	INT_MAX		0x7fffffff
#define	INT_MIN		(-INT_MAX - 1)
#define	UINT_MAX	0xffffffffU
#define	LONG_MAX	0x7fffffffffffffffL
#define	LONG_MIN	(-LONG_MAX - 1)
#define	ULONG_MAX	0xffffffffffffffffUL
#define	SIZE_MAX	ULONG_MAX
#define	INT32_MAX	INT_MAX
#define	UINT32_MAX	UINT_MAX
#define	INT64_MAX	LONG_MAX
#define	UINT64_MAX	ULONG_MAX

#endif
