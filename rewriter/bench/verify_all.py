# SPDX-License-Identifier: BSD-3-Clause
"""verify_all KMOBJ [--rounds N] [--seed S]: does `kmobj verify' find what
`kmobj verify --all' finds?

The reference kernel, or the tree that KMOBJ_TREE names, is converted.  Then,
round by round, one line of one of its headers is broken by hand: a definition
or an extern declaration goes, or one comes, of a name that some unit uses.  No
unit is drawn by lot in the fast run but those that always are; what it names
must be the same as what the parse of all units names.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LINE = re.compile(r"^(#\s*define\s+(\w+)|extern\s[^;(]*?(\w+)\s*;)[^\\\n]*$")


def run(command, codes=(0, 1)):
    done = subprocess.run(command, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode not in codes:
        sys.exit("%s: exit code %d\n%s" % (" ".join(command[:2]),
                                           done.returncode, done.stderr))
    return done.stdout


def problems(kmobj, db, tree, out, *more):
    said = run([kmobj, "verify", "-p", db, "--tree", tree, "--converted", out,
                *more])
    return {l for l in said.splitlines()
            if not re.match(r"by the plan |\d+ units read |.*, so all were", l)}


def headers(out):
    for where, _, names in sorted(os.walk(out)):
        for name in sorted(names):
            if name.endswith(".h"):
                yield os.path.join(where, name)


def broken(text, dice, words):
    """The text with one line changed, and which."""
    lines = text.split("\n")
    at = [i for i, l in enumerate(lines) if LINE.match(l)
          and not (i and lines[i - 1].endswith("\\"))]
    if not at:
        return None, None
    i = dice.choice(at)
    way = dice.randrange(4)
    name = dice.choice(words)
    if way == 0:
        new = []
    elif way == 1:
        word = LINE.match(lines[i]).group(2) or LINE.match(lines[i]).group(3)
        new = [re.sub(r"\b%s\b" % word, word + "_x", lines[i], count=1)]
    elif way == 2:
        new = [lines[i], "#define %s (1 +" % name]
    else:
        new = [lines[i], "extern int %s;" % name]
    return "\n".join(lines[:i] + new + lines[i + 1:]), \
        "%d: %s -> %s" % (i + 1, lines[i], new)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kmobj")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    work = tempfile.mkdtemp(prefix="kmobj-verify-")
    tree = os.environ.get("KMOBJ_TREE") or os.path.join(ROOT, "sys")
    tree = os.path.realpath(tree)
    db, out = os.path.join(work, "db"), os.path.join(work, "out")
    if os.environ.get("KMOBJ_TREE"):
        run([args.kmobj, "compdb", "--tree", tree, "-o", db])
    else:
        run(["make", "-s", "-C", tree, "O=" + db, "compdb"], codes=(0,))
    run([args.kmobj, "rewrite", "-p", db, "--tree", tree, "--output-tree", out])
    files = list(headers(out))
    words = sorted({w for f in files for w in re.findall(
        r"\b[a-z_]\w{3,}\b", open(f, encoding="latin-1").read())})
    dice = random.Random(args.seed)
    failed = found = 0
    for n in range(args.rounds + 1):
        what = "as it was converted"
        if n:
            path = dice.choice(files)
            with open(path, encoding="latin-1", newline="") as f:
                text = f.read()
            new, what = broken(text, dice, words)
            if not new:
                continue
            with open(path, "w", encoding="latin-1", newline="") as f:
                f.write(new)
            what = os.path.relpath(path, out) + ":" + what
        fast = problems(args.kmobj, db, tree, out, "--seed", str(n))
        every = problems(args.kmobj, db, tree, out, "--all")
        found += len(every)
        print("%s: %d problems%s" % (what, len(every),
                                     "" if fast == every else ": MISSED"))
        for line in sorted(every - fast):
            print("    " + line)
        failed += fast != every
        if n:
            with open(path, "w", encoding="latin-1", newline="") as f:
                f.write(text)
    shutil.rmtree(work)
    print("seed %d: %d rounds, %d problems in all, %d rounds with some missed"
          % (args.seed, args.rounds, found, failed))
    sys.exit(1 if failed or not found else 0)


main()
