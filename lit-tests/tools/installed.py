# SPDX-License-Identifier: BSD-3-Clause
"""installed SHIMS OUT: every file of the shims lies unchanged in the tree OUT,
and every line of their conf/files stands in that of the tree, once."""

import glob
import os
import sys

shims, out = sys.argv[1:]


def read(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


files = [os.path.relpath(f, shims)
         for d in ("kern", "sys") for f in glob.glob(os.path.join(shims, d, "*"))]
lines = [tuple(line.split()) for line in read(shims, "conf", "files").decode()
         .splitlines() if line.strip() and not line.startswith("#")]
if not files or not lines:
    sys.exit("no shims in " + shims)
for name in files:
    if read(shims, name) != read(out, name):
        sys.exit(name + " differs")
listed = [tuple(line.split())
          for line in read(out, "conf", "files").decode().splitlines()]
for line in lines:
    if listed.count(line) != 1:
        sys.exit("conf/files lists %s %d times" % (line[0], listed.count(line)))
