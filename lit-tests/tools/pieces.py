# SPDX-License-Identifier: BSD-3-Clause
"""pieces DATABASE SYS REPO PATCHES: apply the series to REPO/sys, a copy of SYS; after
each patch what it touches must compile as the database says, and so must every file
of the allocator's that is there: what conf/files does not list yet, by the command
of kern_kmalloc.c.  Whether conf/files lists what is not there yet is looked at too."""

import glob
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

database, tree, repo, patches = (os.path.abspath(a) for a in sys.argv[1:])
sysdir = os.path.join(repo, "sys")
with open(os.path.join(database, "compile_commands.json")) as f:
    commands = {os.path.relpath(e["file"], tree): e for e in json.load(f)}
model = commands["kern/kern_kmalloc.c"]


def git(*args):
    return subprocess.run(["git", "-C", repo, *args], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def errors(name):
    entry = commands.get(name, model)
    arguments = [a.replace(tree, sysdir) for a in entry["arguments"]]
    arguments[-1] = os.path.join(sysdir, name)
    done = subprocess.run(arguments, cwd=entry["directory"], text=True,
                          stderr=subprocess.PIPE)
    return done.stderr if done.returncode else ""


pieces = 0
for mail in sorted(glob.glob(os.path.join(patches, "*.patch"))):
    if os.path.basename(mail).startswith("0000-"):
        continue
    git("am", "-q", mail)
    touched = git("diff", "--name-only", "--diff-filter=d", "HEAD~").split()
    names = {os.path.relpath(n, "sys") for n in touched if n.endswith(".c")}
    names = {n for n in names if n in commands or n.startswith("kern/kern_kmalloc")}
    shims = glob.glob(os.path.join(sysdir, "kern", "kern_kmalloc_*.c"))
    if any("kmalloc_" in n for n in names):
        pieces += 1
        names |= {os.path.relpath(n, sysdir) for n in shims}
    with ThreadPoolExecutor(2) as pool:
        for said in pool.map(errors, sorted(names)):
            if said:
                sys.exit("after %s:\n%s" % (os.path.basename(mail), said))
    with open(os.path.join(sysdir, "conf", "files")) as f:
        for line in f:
            name = line.split()[0] if line.split() else "#"
            if name.startswith("kern/kern_kmalloc") and not os.path.exists(
                    os.path.join(sysdir, name)):
                sys.exit("after %s: conf/files lists %s, which is not there"
                         % (os.path.basename(mail), name))
print("each patch compiles, %d of them pieces of the allocator" % pieces)
