# SPDX-License-Identifier: BSD-3-Clause
"""edit PLAN VARIABLE PATTERN REPLACEMENT...: what a person does to a plan file.

Replaces, in the part of the plan from the first line that names VARIABLE up to
the next entry, the first match of each PATTERN.  Fails if one does not match.
"""

import re
import sys

plan, variable, edits = sys.argv[1], sys.argv[2], sys.argv[3:]
with open(plan) as f:
    text = f.read()
entries = re.split(r"(?m)^(?=  - )", text)
mine = [i for i, e in enumerate(entries)
        if re.search(r"\b%s\b" % variable, e)]
if not mine:
    sys.exit("%s: no entry names %s" % (plan, variable))
for pattern, replacement in zip(edits[::2], edits[1::2]):
    entries[mine[0]], n = re.subn(pattern, replacement, entries[mine[0]],
                                  count=1)
    if n != 1:
        sys.exit("%s: %s: no match for %s" % (plan, variable, pattern))
with open(plan, "w") as f:
    f.write("".join(entries))
