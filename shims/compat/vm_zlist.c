/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Copyright (c) 2026 The kmobj authors.
 */

/*
 * What is left of zalloc, for those outside the kernel who look at it.
 *
 * vmstat(8) has zlist in the list of symbols that it looks up whatever it is
 * asked for, and ends if one is missing.  So there is a list, and no zone in
 * it.  The sysctls say the same.  This file can go when nobody asks any more.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/queue.h>
#include <sys/sysctl.h>

struct vm_zone;
LIST_HEAD(zlist, vm_zone) zlist = LIST_HEAD_INITIALIZER(zlist);

/*
 * The sysctls that vm_zone.c had, under the same names and of the same types:
 * there is no zone, and none has pages or addresses.
 */
static char no_zones[] = "";
static long no_pages;

SYSCTL_STRING(_vm, OID_AUTO, zone, CTLFLAG_RD, no_zones, 0,
    "zones of zalloc: there are none");
SYSCTL_LONG(_vm, OID_AUTO, zone_kmem_pages, CTLFLAG_RD, &no_pages, 0,
    "pages of zones: there are none");
SYSCTL_LONG(_vm, OID_AUTO, zone_kmem_kvaspace, CTLFLAG_RD, &no_pages, 0,
    "address space of zones: there is none");
SYSCTL_LONG(_vm, OID_AUTO, zone_kern_pages, CTLFLAG_RD, &no_pages, 0,
    "other pages of zones: there are none");
