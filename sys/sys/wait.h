/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The status of a process that ended.
 */
#ifndef _SYS_WAIT_H_
#define	_SYS_WAIT_H_

#define	WNOHANG		1

#define	W_EXITCODE(ret, sig)	(((ret) & 0xff) << 8 | (sig))
#define	W_EXITSTATUS(status)	((status) >> 8 & 0xff)
#define	W_TERMSIG(status)	((status) & 0x7f)

#endif
