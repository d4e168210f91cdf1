/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _CPU_STDINT_H_
#define	_CPU_STDINT_H_

typedef	signed char		__int8_t;
typedef	short			__int16_t;
typedef	int			__int32_t;
typedef	long			__int64_t;
typedef	unsigned char		__uint8_t;
typedef	unsigned short		__uint16_t;
typedef	unsigned int		__uint32_t;
typedef	unsigned long		__uint64_t;
typedef	long			__intptr_t;
typedef	unsigned long		__uintptr_t;
typedef	long			__intmax_t;
typedef	unsigned long		__uintmax_t;

#endif
