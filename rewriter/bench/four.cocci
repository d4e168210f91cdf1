// SPDX-License-Identifier: BSD-3-Clause
//
// What a mechanical replacement amounts to, for the benchmark to compare with:
// no zone's type, flags or size is looked at.

@@
expression z;
@@
- zalloc(z)
+ kmalloc_obj(sizeof(*z), z, M_WAITOK)

@@
expression z, p;
@@
- zfree(z, p)
+ kfree_obj(p, z)

@@
expression oc, f;
@@
- objcache_get(oc, f)
+ kmalloc_obj(sizeof(*oc), oc, f)

@@
expression oc, p;
@@
- objcache_put(oc, p)
+ kfree_obj(p, oc)
