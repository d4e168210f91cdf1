/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_TYPES_H_
#define	_SYS_TYPES_H_

#include <sys/cdefs.h>

typedef unsigned long	size_t;
typedef long		ssize_t;
typedef unsigned int	u_int;
typedef unsigned long	u_long;
typedef unsigned char	uint8_t;
typedef unsigned int	uint32_t;
typedef unsigned long	uint64_t;
typedef unsigned long	uintptr_t;
typedef unsigned int	__uint32_t;
typedef unsigned long	__uint64_t;
typedef long		__int64_t;
typedef unsigned long	__size_t;
typedef unsigned long	vm_offset_t;
typedef unsigned long	vm_size_t;
typedef unsigned long	vm_pindex_t;

#ifndef __cplusplus
typedef _Bool		bool;
#define	true		1
#define	false		0
#endif

#define	NULL		((void *)0)
#define	offsetof(t, m)	__offsetof(t, m)

#endif
