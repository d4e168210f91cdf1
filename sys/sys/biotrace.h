/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record of disk I/O: see kern/subr_biotrace.c.
 */
#ifndef _SYS_BIOTRACE_H_
#define	_SYS_BIOTRACE_H_

struct bio;
struct fileops;

extern int biotrace_on;
extern const struct fileops biotrace_fileops;

/* Called once for each request that was completed; never blocks. */
void	biotrace_done(const struct bio *bio);

#endif
