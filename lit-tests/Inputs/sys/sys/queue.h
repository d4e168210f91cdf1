/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_QUEUE_H_
#define	_SYS_QUEUE_H_

#define	SLIST_HEAD(name, type)	struct name { struct type *slh_first; }
#define	SLIST_ENTRY(type)	struct { struct type *sle_next; }
#define	LIST_HEAD(name, type)	struct name { struct type *lh_first; }
#define	LIST_ENTRY(type)					\
	struct { struct type *le_next, **le_prev; }

#endif
