/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path name buffers.
 *
 * Every system call that takes a path copies it into a buffer of MAXPATHLEN
 * bytes from this cache, and so does exec.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/namei.h>
#include <sys/objcache.h>

MALLOC_DEFINE(M_NAMEI, "namei", "path name buffers");

struct objcache *namei_oc;

static void
vfsinit(void *dummy)
{
	namei_oc = objcache_create_simple(M_NAMEI, MAXPATHLEN);
}
SYSINIT(vfs, SI_BOOT2_MACHDEP, SI_ORDER_FIRST, vfsinit, NULL);
