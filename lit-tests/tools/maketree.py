# SPDX-License-Identifier: BSD-3-Clause
"""maketree ROOT: lay the common files of Inputs/sys under what the test has
put into ROOT/sys (its own files win), then write the compile database."""

import os
import shutil
import sys

import compdb

HERE = os.path.dirname(os.path.abspath(__file__))
COMMON = os.path.join(HERE, "..", "Inputs", "sys")


def lay_under(common, tree):
    for where, dirs, files in os.walk(common):
        dirs.sort()
        into = os.path.normpath(
            os.path.join(tree, os.path.relpath(where, common)))
        os.makedirs(into, exist_ok=True)
        for name in files:
            if not os.path.lexists(os.path.join(into, name)):
                shutil.copyfile(os.path.join(where, name),
                                os.path.join(into, name))


lay_under(COMMON, os.path.join(sys.argv[1], "sys"))
compdb.write(sys.argv[1])
