# SPDX-License-Identifier: BSD-3-Clause
"""places PATCHES BEFORE AFTER: each place that the patches' notes name holds, on
the line said, what they say of it: the old call before, and the new one after."""

import os
import re
import sys

patches, before, after = sys.argv[1:]
NEW = {"zalloc": "kmalloc_c?obj", "objcache_get": "kmalloc_c?obj",
       "zfree": "kfree_obj", "objcache_put": "kfree_c?obj",
       "objcache_dtor": "kfree_c?obj", "objcache_destroy": "kmalloc_obj_unctor",
       "zbootinit": "kmalloc_obj_bootinit",
       "zinit": "kmalloc_obj_", "zinitna": "kmalloc_obj_",
       "objcache_create": "kmalloc_obj_", "objcache_create_simple": "kmalloc_obj_",
       "objcache_create_mbacked": "kmalloc_obj_"}


def line(tree, name, number):
    with open(os.path.join(tree, name)) as f:
        return f.read().splitlines()[number - 1]


good = 0
for name in sorted(os.listdir(patches)):
    if not name.endswith(".patch"):
        continue
    with open(os.path.join(patches, name)) as f:
        text = f.read().split("\n---\n", 1)[-1].split("\ndiff --git", 1)[0]
    for file, old, new, call in re.findall(
            r"^  (\S+):(\d+) -> (\d+|gone)  (\w+)", text, re.M):
        if call in NEW and call not in line(before, file, int(old)):
            sys.exit("%s:%s: no %s is there before" % (file, old, call))
        if new == "gone" or call not in NEW:
            continue
        if not re.search(NEW[call], line(after, file, int(new))):
            sys.exit("%s:%s: no %s is there after" % (file, new, NEW[call]))
        good += 1
print(good, "places are where they are said to be")
