#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""place_hooks.py IN OUT: kern_kmalloc.c with the shims' hooks, for the host.

The rewriter places the hooks in a kernel tree by syntax tree; these tests must
not depend on it, so here they are placed by text.  Every anchor must be found
exactly once.  With options SLAB_DEBUG _kmalloc_obj() has another name, and one
body."""
import re
import sys

HOOKS = [
    ("_kfree_obj",
     r"^\tslab = \(void \*\)\(\(uintptr_t\)obj & ~KMALLOC_SLAB_MASK\);\n",
     "\tif (__predict_false(kmalloc_slab_of(obj)->magic !=\n"
     "\t    KMALLOC_SLAB_MAGIC)) {\n"
     "\t\tkmalloc_obj_put(obj, type);\n\t\treturn;\n\t}\n\\g<0>"),
    ("_kmalloc_obj",
     r"^\tif \(__predict_false\(type->ks_loosememuse >= type->ks_limit\)",
     "\tif (__predict_false(type->ks_ext != NULL))\n"
     "\t\treturn (kmalloc_obj_get(size, type, flags));\n\\g<0>"),
]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="ascii") as f:
        text = f.read()
    for function, anchor, hook in HOOKS:
        # Two heads of one body, for an option, end in #endif.
        body = re.search(rf"^{function}\([^;{{]*\)\n(?:#endif\n)?"
                         rf"\{{\n.*?^\}}", text, re.M | re.S)
        if body is None:
            sys.exit(f"{sys.argv[1]}: no function {function}")
        new, n = re.subn(anchor, hook, body[0], flags=re.M | re.S)
        if n != 1:
            sys.exit(f"{sys.argv[1]}: {function}: expected the hook's anchor "
                     f"once, found it {n} times")
        text = text[:body.start()] + new + text[body.end():]
    text = text.replace("#include <sys/malloc.h>\n",
                        "#include <sys/malloc.h>\n"
                        "#include <sys/kmalloc_ext.h>\n", 1)
    with open(sys.argv[2], "w", encoding="ascii") as f:
        f.write(text)


main()
