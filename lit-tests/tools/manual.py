# SPDX-License-Identifier: BSD-3-Clause
"""manual SHIMS PAGE: mandoc has nothing against the page, and it names each
function and macro for callers that the public header has, and each tunable and
sysctl."""

import os
import re
import subprocess
import sys

shims, page = sys.argv[1:]
lint = subprocess.run(["mandoc", "-T", "lint", page], text=True,
                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
# Which other pages there are is a matter of the machine.
said = [line for line in lint.stdout.splitlines()
        if "referenced manual not found" not in line]
if said:
    sys.exit("\n".join(said))

with open(os.path.join(shims, "sys", "kmalloc_obj.h")) as f:
    header = f.read()
with open(page) as f:
    text = f.read()
named = set(re.findall(r"^\.Nm (\S+)", text, re.M))
# Macros in lower case and functions without an underscore in front, but for
# what the allocator itself calls; of the others, what callers write.
have = set(re.findall(r"^#define\s+(k[a-z_]+)\(", header, re.M))
have |= set(re.findall(r"^\w[\w ]*\s\**(k[a-z_]+)\([^;]*;", header, re.M))
have |= {"KMALLOC_OBJ_BOOTSLABS"}
have -= {"kmalloc_obj_put", "kmalloc_obj_detach"}
if len(have) < 10:
    sys.exit("%d names in the header" % len(have))
for name in sorted(have - named):
    sys.exit("sys/kmalloc_obj.h has %s, which the page does not name" % name)
for name in sorted(named - have):
    sys.exit("the page names %s, which the header does not have" % name)

knobs = set()
kern = os.path.join(shims, "kern")
for file in os.listdir(kern):
    with open(os.path.join(kern, file)) as f:
        c = f.read()
    knobs |= set(re.findall(r"^TUNABLE_\w+\(\s*\"([^\"]+)\"", c, re.M))
    knobs |= {f"{parent[1:].replace('_', '.')}.{name}" for parent, name in
              re.findall(r"^SYSCTL_\w+\(\s*(_\w+),\s*\w+,\s*(\w+)", c, re.M)}
if len(knobs) < 3:
    sys.exit("%d tunables and sysctls in kern/" % len(knobs))
said = set(re.findall(r"^\.Va (\S+\.\S+)", text, re.M))
for knob in sorted(knobs - said):
    sys.exit("kern/ has %s, which the page does not name" % knob)
for knob in sorted(said - knobs):
    sys.exit("the page names %s, which kern/ does not have" % knob)
