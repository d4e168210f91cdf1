/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Included by every file of a kernel for native-bench, after the tree's own
 * options and before anything else.  All names are hidden: what a shared object
 * exports would be reached through tables that a kernel has not got.
 */
#undef INVARIANTS
#ifdef BENCH_INVARIANTS
#define	INVARIANTS	1
#endif
#pragma GCC visibility push(hidden)
