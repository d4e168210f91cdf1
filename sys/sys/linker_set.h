/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linker sets: pointers gathered from any number of objects into one array.
 * Each set is a section named after it; the linker supplies its bounds.
 */
#ifndef _SYS_LINKER_SET_H_
#define	_SYS_LINKER_SET_H_

#include <sys/cdefs.h>

#define	__MAKE_SET(set, sym)						\
	static void const * const __set_##set##_sym_##sym		\
	    __section("set_" #set) __used = &sym

#define	TEXT_SET(set, sym)	__MAKE_SET(set, sym)
#define	DATA_SET(set, sym)	__MAKE_SET(set, sym)

#define	SET_DECLARE(set, type)						\
	extern type *__start_set_##set[] __weak_symbol;			\
	extern type *__stop_set_##set[] __weak_symbol

#define	SET_BEGIN(set)		(&__start_set_##set[0])
#define	SET_LIMIT(set)		(&__stop_set_##set[0])
#define	SET_COUNT(set)		(SET_LIMIT(set) - SET_BEGIN(set))
#define	SET_FOREACH(pvar, set)						\
	for (pvar = SET_BEGIN(set); pvar < SET_LIMIT(set); pvar++)

#endif
