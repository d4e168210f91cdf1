# SPDX-License-Identifier: BSD-3-Clause
"""text SHIMS LICENSE: each file that goes into a tree has the copyright line of
LICENSE at its head, stays within 80 columns (a page need not), and names
nothing that the tree will not have."""

import glob
import os
import re
import sys

ELSEWHERE = re.compile(
    r"\b(shims?|rewriter|kmobj(?! authors)|reference kernel|models?|\w+\.pml|"
    r"\w+\.md)\b", re.I)

shims, license = sys.argv[1:]
with open(license) as f:
    copyright = re.search(r"^Copyright .*", f.read(), re.M)[0]

files = [f for pattern in ("kern/*.c", "sys/*.h", "compat/*.c", "man/*.9")
         for f in sorted(glob.glob(os.path.join(shims, pattern)))]
if len(files) < 14:
    sys.exit("%d files in %s" % (len(files), shims))
faults = []
for path in files:
    name = os.path.relpath(path, shims)
    with open(path) as f:
        lines = f.read().splitlines()
    if not any(line.endswith(f" {copyright}") for line in lines[:5]):
        faults.append(f"{name}: expected `{copyright}' in the first lines")
    for number, line in enumerate(lines, 1):
        width = len(line.expandtabs(8))
        if width > 80 and not name.endswith(".9"):
            faults.append(f"{name}:{number}: {width} columns, expected 80")
        found = ELSEWHERE.search(line)
        if found:
            faults.append(f"{name}:{number}: {found[0]}: the tree has none")
if faults:
    sys.exit("\n".join(faults))
