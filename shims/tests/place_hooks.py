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
    ("malloc_mgt_init",
     r"^\tbzero\(mgt, sizeof\(\*mgt\)\);",
     "\tif (kmalloc_obj_keep_mgt(type, mgt))\n\t\treturn;\n\\g<0>"),
    ("malloc_slab_destroy",
     r"^\t+base = gslab_cache\(base\);",
     "\tbase = kmalloc_obj_retire(type, base);\n\\g<0>"),
    ("malloc_mgt_poll",
     r"^\t+base = gslab_cache\(base\);",
     "\t\tbase = kmalloc_obj_retire(type, base);\n\\g<0>"),
    ("_kfree_obj",
     r"^\tslab = \(void \*\)\(\(uintptr_t\)obj & ~KMALLOC_SLAB_MASK\);\n",
     "\\g<0>\tif (__predict_false(slab->magic != KMALLOC_SLAB_MAGIC) &&\n"
     "\t    kmalloc_obj_foreign(obj, type))\n\t\treturn;\n"),
    ("_kmalloc_obj",
     r"kmem_slab_alloc\(KMALLOC_SLAB_SIZE, KMALLOC_SLAB_SIZE,\s+M_WAITOK\);"
     r"\n\t\}\n\n\tbzero\(slab.*?(?=^\tspin_lock\(&ggm->spin\);)",
     "kmalloc_obj_getslab(type, flags);\n\t}\n\tif (slab == NULL) {\n"
     "\t\tcrit_exit();\n\t\treturn (NULL);\n\t}\n"
     "\tkmalloc_obj_setup(type, slab);\n\n"),
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
                        "#include <sys/kmalloc_obj.h>\n", 1)
    with open(sys.argv[2], "w", encoding="ascii") as f:
        f.write(text)


main()
