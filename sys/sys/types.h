/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's integer, address and handle types.
 */
#ifndef _SYS_TYPES_H_
#define	_SYS_TYPES_H_

#include <sys/cdefs.h>
#include <sys/_null.h>
#include <machine/stdint.h>
#include <machine/types.h>

typedef	__int8_t	int8_t;
typedef	__int16_t	int16_t;
typedef	__int32_t	int32_t;
typedef	__int64_t	int64_t;
typedef	__uint8_t	uint8_t;
typedef	__uint16_t	uint16_t;
typedef	__uint32_t	uint32_t;
typedef	__uint64_t	uint64_t;
typedef	__intptr_t	intptr_t;
typedef	__uintptr_t	uintptr_t;
typedef	__intmax_t	intmax_t;
typedef	__uintmax_t	uintmax_t;

typedef	__uint8_t	u_int8_t;
typedef	__uint16_t	u_int16_t;
typedef	__uint32_t	u_int32_t;
typedef	__uint64_t	u_int64_t;

typedef	unsigned char	u_char;
typedef	unsigned short	u_short;
typedef	unsigned int	u_int;
typedef	unsigned long	u_long;
typedef	__int64_t	quad_t;
typedef	__uint64_t	u_quad_t;
typedef	char *		caddr_t;

typedef	__SIZE_TYPE__	size_t;
typedef	long		ssize_t;
typedef	__int64_t	off_t;
typedef	__int64_t	time_t;
typedef	__int64_t	daddr_t;
typedef	__int64_t	sbintime_t;
typedef	int		pid_t;
typedef	int		lwpid_t;
typedef	__uint32_t	uid_t;
typedef	__uint32_t	mode_t;
typedef	__uint64_t	ino_t;
typedef	__uint32_t	dev_t;

typedef	int		boolean_t;
#ifndef __cplusplus
typedef	_Bool		bool;
#define	true		1
#define	false		0
#endif

typedef	struct cdev	*cdev_t;

#define	offsetof(type, field)	__offsetof(type, field)

#endif
