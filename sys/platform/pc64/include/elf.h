/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_ELF_H_
#define	_MACHINE_ELF_H_

#include <cpu/elf.h>

#endif
