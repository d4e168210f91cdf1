# SPDX-License-Identifier: BSD-3-Clause
"""bench KMOBJ: how long the conversion of a whole tree takes.

KMOBJ_TREE names the tree's sys directory, KMOBJ_CONFIG its kernel config (or
the tree's general one).  Two ratios are printed:

  the whole path, compdb + scan + plan + rewrite, against Coccinelle's spatch
  with four mechanical rules: seconds on the clock, both with two jobs;

  the parse of the units that matter, against `clang -fsyntax-only' on the same
  units: seconds of the processor, which other programs disturb less.

Fails when a step fails; how fast the machine is, is no reason to.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
HERE = os.path.dirname(os.path.abspath(__file__))


def skip(why):
    print("skipped: " + why)
    sys.exit(SKIPPED)


def run(command, codes=(0,), out=None, cwd=None):
    """Seconds on the clock and of the processor; ends the benchmark when the
    command ends with another code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    with open(out or os.devnull, "wb") as f:
        done = subprocess.run(command, stdout=f, stderr=subprocess.PIPE,
                              cwd=cwd)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in codes:
        sys.stderr.buffer.write(done.stderr[-2000:])
        sys.exit("%s: exit code %d" % (" ".join(command[:2]), done.returncode))
    return wall, (after.ru_utime + after.ru_stime
                  - before.ru_utime - before.ru_stime)


def show(what, seconds):
    print("  %-34s %8.1f s   %8.1f s" % ((what,) + tuple(seconds)), flush=True)


def main(kmobj, clang):
    tree = os.environ.get("KMOBJ_TREE")
    if not tree:
        skip("KMOBJ_TREE does not name a tree")
    if not shutil.which("spatch"):
        skip("no spatch: Debian's package coccinelle has it")
    config = os.environ.get("KMOBJ_CONFIG")
    with tempfile.TemporaryDirectory() as work:
        at = lambda name: os.path.join(work, name)
        # The disk's part is paid once, by nobody.
        run(["grep", "-rIl", "nothing that is there", tree], codes=(0, 1))
        print("  %-34s %10s   %10s" % ("", "clock", "processor"))
        # Refusals are not failures.
        steps = [
            ("kmobj compdb", ["compdb", "--tree", tree, "-o", at("db")]
             + (["--config", config] if config else [])),
            ("kmobj scan", ["scan", "-p", at("db"), "-j2", "-o", at("facts")]),
            ("kmobj plan", ["plan", "--facts", at("facts"), "-o", at("plan")]),
            ("kmobj rewrite", ["rewrite", "-p", at("db"), "-j2", "--facts",
                               at("facts"), "--plan", at("plan"),
                               "--patch-dir", at("patches")]),
        ]
        path = [0.0, 0.0]
        for name, arguments in steps:
            seconds = run([kmobj] + arguments, codes=(0, 1))
            show(name, seconds)
            path = [a + b for a, b in zip(path, seconds)]
            if name == "kmobj scan":
                scan = seconds[1]
        show("the whole path", path)
        spatch = run(["spatch", "--very-quiet", "--sp-file",
                      os.path.join(HERE, "four.cocci"), "--dir", tree,
                      "-j", "2"], out=at("spatch.diff"))
        show("spatch, four rules", spatch)

        with open(at("facts")) as f:
            parsed = {unit["path"] for unit in json.load(f)["units"]
                      if unit["state"] == "parsed"}
        with open(os.path.join(at("db"), "compile_commands.json")) as f:
            commands = [c for c in json.load(f)
                        if os.path.relpath(c["file"], os.path.realpath(tree))
                        in parsed]
        if not commands:
            sys.exit("no unit of the tree matters: nothing was measured")
        syntax = [0.0, 0.0]
        for c in commands:
            seconds = run([clang, "-w"] + c["arguments"][1:],
                          cwd=c["directory"])
            syntax = [a + b for a, b in zip(syntax, seconds)]
        show("clang -fsyntax-only, %d units" % len(commands), syntax)
        print("whole path / spatch, clock:         %.2f" % (path[0] / spatch[0]))
        print("whole path / spatch, processor:     %.2f" % (path[1] / spatch[1]))
        print("scan / -fsyntax-only, processor:    %.2f" % (scan / syntax[1]))


main(sys.argv[1], sys.argv[2])
