# SPDX-License-Identifier: BSD-3-Clause
"""eachpatch ROOT REPO PATCHES SHIMS: apply the series to REPO one by one; after each
patch the tree REPO/sys must parse as ROOT/sys does (see parses.py)."""

import os
import subprocess
import sys

root, repo, patches, shims = sys.argv[1:]
parses = os.path.join(os.path.dirname(os.path.abspath(__file__)), "parses.py")
for name in sorted(os.listdir(patches)):
    if not name.endswith(".patch") or name.startswith("0000-"):
        continue        # the plan that was carried out, the cover letter
    subprocess.run(["git", "-C", repo, "am", "-q",
                    os.path.abspath(os.path.join(patches, name))], check=True)
    subprocess.run([sys.executable, parses, root, os.path.join(repo, "sys"),
                    shims], check=True)
    print("parses after", name)
