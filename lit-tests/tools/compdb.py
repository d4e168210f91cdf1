# SPDX-License-Identifier: BSD-3-Clause
"""compdb ROOT [--absolute] [--into DIR] [-D NAME]...

Write ROOT/compile_commands.json (DIR's, with --into) for every C file under
ROOT/sys, in order of their names.  File names are relative to ROOT/sys unless
--absolute.  Each NAME is defined: another configuration of the same tree.
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


def write(root, absolute=False, into=None, define=()):
    tree = os.path.join(os.path.abspath(root), "sys")
    entries = []
    for unit in units(tree):
        name = os.path.join(tree, unit) if absolute else unit
        include = tree if absolute else "."
        entries.append({
            "directory": tree,
            "file": name,
            "arguments": ["clang", *FLAGS, *("-D" + d for d in define),
                          "-I" + include, "-c", name],
        })
    os.makedirs(into or root, exist_ok=True)
    with open(os.path.join(into or root, "compile_commands.json"), "w") as out:
        json.dump(entries, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("root")
    options.add_argument("--absolute", action="store_true")
    options.add_argument("--into")
    options.add_argument("-D", dest="define", action="append", default=[])
    args = options.parse_args()
    write(args.root, args.absolute, args.into, args.define)
