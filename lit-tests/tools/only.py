# SPDX-License-Identifier: BSD-3-Clause
"""only.py DATABASE UNIT..: keeps the commands of those units, each once."""

import json
import os
import sys

path, units = sys.argv[1], set(sys.argv[2:])
with open(path) as f:
    commands = json.load(f)
kept = {os.path.basename(c["file"]): c for c in commands
        if os.path.basename(c["file"]) in units}
with open(path, "w") as f:
    json.dump([kept[unit] for unit in sorted(kept)], f, indent=1)
