/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_THREAD_H_
#define	_SYS_THREAD_H_

struct thread;

extern struct thread *curthread;

#endif
