/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path name buffers: objcache_get(namei_oc, M_WAITOK) gives MAXPATHLEN bytes.
 */

#ifndef _SYS_NAMEI_H_
#define	_SYS_NAMEI_H_

#ifdef _KERNEL
struct objcache;
extern struct objcache *namei_oc;
#endif

#endif	/* !_SYS_NAMEI_H_ */
