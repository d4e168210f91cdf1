# SPDX-License-Identifier: BSD-3-Clause
"""states FACTS: what became of each unit below kern/, the allocators apart."""

import json
import sys

with open(sys.argv[1]) as f:
    units = json.load(f)["units"]
for state, path in sorted((u["state"], u["path"]) for u in units):
    if path.startswith("kern/") and not path.startswith("kern/kern_"):
        print(state, path)
