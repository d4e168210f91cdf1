# SPDX-License-Identifier: BSD-3-Clause
"""compdb ROOT [--absolute]

Write ROOT/compile_commands.json for every C file under ROOT/sys, in order of
their names.  File names are relative to ROOT/sys unless --absolute.
"""

import argparse
import json
import os

FLAGS = ["--target=x86_64-unknown-none-elf", "-std=gnu17", "-ffreestanding",
         "-nostdinc", "-D_KERNEL", "-Wall", "-Wextra", "-Wno-unused-parameter"]


def units(tree):
    found = []
    for where, dirs, files in os.walk(tree):
        dirs.sort()
        found += [os.path.relpath(os.path.join(where, f), tree)
                  for f in files if f.endswith(".c")]
    return sorted(found)


def write(root, absolute=False):
    tree = os.path.join(os.path.abspath(root), "sys")
    entries = []
    for unit in units(tree):
        name = os.path.join(tree, unit) if absolute else unit
        include = tree if absolute else "."
        entries.append({
            "directory": tree,
            "file": name,
            "arguments": ["clang", *FLAGS, "-I" + include, "-c", name],
        })
    with open(os.path.join(root, "compile_commands.json"), "w") as out:
        json.dump(entries, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("root")
    options.add_argument("--absolute", action="store_true")
    args = options.parse_args()
    write(args.root, args.absolute)
