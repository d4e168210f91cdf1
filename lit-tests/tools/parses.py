# SPDX-License-Identifier: BSD-3-Clause
"""parses ROOT OUT SHIMS: every unit of the compile database in ROOT, taken from the
converted tree OUT, must give no diagnostic but those of the original.  The
shims' header is found in SHIMS if the tree has none.  This asks the compiler,
not the rewriter."""

import json
import os
import subprocess
import sys

root, out = sys.argv[1], os.path.abspath(sys.argv[2])
shims = sys.argv[3]
tree = os.path.join(os.path.abspath(root), "sys")


def diagnostics(entry, where):
    command = [a.replace(tree, where) for a in entry["arguments"]]
    command += ["-fsyntax-only", "-fno-caret-diagnostics",
                "-idirafter", shims]
    text = subprocess.run(command, cwd=where, text=True, errors="replace",
                          stderr=subprocess.PIPE).stderr
    # Lines move; what is said about them must not.
    said = set()
    for line in text.replace(where + "/", "").splitlines():
        parts = line.split(":", 3)
        if len(parts) == 4:
            said.add((parts[0], parts[3].strip()))
    return said


with open(os.path.join(root, "compile_commands.json")) as f:
    entries = json.load(f)
bad = 0
for entry in entries:
    if not os.path.exists(os.path.join(out, os.path.relpath(
            os.path.join(tree, entry["file"]), tree))):
        continue        # it went with its allocator
    new = diagnostics(entry, out) - diagnostics(entry, tree)
    for name, text in sorted(new):
        print("%s: %s" % (name, text), file=sys.stderr)
        bad = 1
sys.exit(bad)
