# SPDX-License-Identifier: BSD-3-Clause
"""parse DIR: run every command of DIR/compile_commands.json; fail if one does.

Prints the sources in the order of the database, relative to the tree's root,
which is the topmost directory above them that holds conf/files.
"""

import json
import os
import subprocess
import sys


def root(path):
    found = "/"
    while path != "/":
        path = os.path.dirname(path)
        if os.path.exists(os.path.join(path, "conf", "files")):
            found = path
    return found


failed = False
with open(os.path.join(sys.argv[1], "compile_commands.json")) as f:
    database = json.load(f)
for entry in database:
    print(os.path.relpath(entry["file"], root(entry["file"])), flush=True)
    if subprocess.run(entry["arguments"], cwd=entry["directory"]).returncode:
        failed = True
sys.exit(1 if failed else 0)
