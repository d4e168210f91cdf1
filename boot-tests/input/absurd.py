# SPDX-License-Identifier: BSD-3-Clause
"""absurd.py RUN KERNEL STANDIN SCRATCH

What nobody means: each is answered at once by exit status 2 and one sentence
that names the option or the file, and never by a traceback.
"""

import os
import shutil
import subprocess
import sys

RUN, KERNEL, STANDIN, SCRATCH = sys.argv[1:]
CASES = []          # (what the sentence names, arguments, how to start it)


def case(named, *arguments, **how):
    CASES.append((named, arguments, how))


def wrapped(command):
    """Through a shell, which can close and limit."""
    return ("sh", "-c", command + ' exec "$@"', "sh")


def cases():
    huge = "9" * 20
    for option, values in {
            "--ram": ("0", "-1", "15", "1e3", "x", "", "99999999", "2000000",
                      huge, "\u0663\u0662"),
            "--smp": ("0", "-1", "256", "300", "1.5", huge),
            "--swap": ("0", "-1", "8000000", "99999999999", huge, "x"),
            "--swap-rate": ("0", "-1", huge, "x"),
            "--timeout": ("0", "-1", "nan", "inf", "-inf", "1e300", "x", ""),
            "--accel": ("hvf", ""),
            }.items():
        for value in values:
            case(option, f"{option}={value}")
    case("--none", "--none")
    case("--append", "--append", "test=paging " + "x=1 " * 5000)
    case("--append", "--append", "x" * 100000)
    case("--append", "--append", "test=corner", "--append", "seed=2")

    path = {}
    for name in ("fifo", "directory", "a,b", "full", "cut"):
        path[name] = os.path.join(SCRATCH, name)
    os.mkfifo(path["fifo"])
    os.mkdir(path["directory"])
    shutil.copy(KERNEL, path["cut"])
    os.truncate(path["cut"], 5000)
    none = os.path.join(SCRATCH, "none")
    for option in ("--kernel", "--initrd"):
        for value in (none, path["fifo"], path["directory"], "/dev/zero",
                      "/dev/null", ""):
            case(value or option, option, value)
    case(path["cut"], "--kernel", path["cut"])
    case(KERNEL, "--log", KERNEL)
    initrd = os.path.join(path["directory"], "initrd.cpio")
    shutil.copy(KERNEL, initrd)
    case(initrd, "--log", initrd,
         how=wrapped(f"export KMOBJ_BUILD={path['directory']};"))
    for value in ("/dev/full", os.path.join(none, "log"), path["directory"],
                  path["fifo"]):
        case("--log " + value, "--log", value)
    case("standard output", how=wrapped("exec >/dev/full;"))
    case("standard output", how=wrapped("exec >&-;"))
    case("standard output", "--help", how=wrapped("exec >/dev/full;"))
    case("", how=wrapped("exec 2>&- >&-;"))
    case("swap disk", "--ram", "64", how=wrapped("ulimit -f 100;"))
    case("QEMU did not start", how=wrapped("ulimit -v 400000;"))
    case("", how=wrapped("ulimit -n 6;"))

    # The kernel of another system, as far as it is treated in another way.
    case("--initrd", "--kernel", STANDIN, "--initrd", KERNEL)
    case("--append", "--kernel", STANDIN, "--append", "x.y=" + "1" * 20000)
    case("word", "--kernel", STANDIN, "--append", "word")
    case("levls", "--kernel", STANDIN, "--append", "levls=3")
    case("x.y", "--kernel", STANDIN, "--append", "x.y=1 x.y=2")
    case("init", "--kernel", STANDIN, "--append", "init=/bin/sh")
    case("--ram 16", "--kernel", STANDIN, "--ram", "16")


def attempt(named, arguments, how=()):
    if "--kernel" not in arguments:
        arguments = ("--kernel", KERNEL, *arguments)
    if "--append" not in arguments:
        arguments += ("--append", "mib=1")
    done = subprocess.run([*how, sys.executable, RUN, *arguments], text=True,
                          errors="replace", stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE)
    said = done.stderr
    if done.returncode != 2:
        return f"exit status {done.returncode}: {said}"
    if "Traceback" in said or "None" in said:
        return said
    if named and (not said.startswith("boot-tests/run: ") or named not in said
                  or said.count("\n") != 1):
        return f"expected a sentence that names {named}: {said}"
    return None


def main():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    os.makedirs(SCRATCH)
    cases()
    wrong = 0
    for named, arguments, how in CASES:
        why = attempt(named, arguments, **how)
        shown = " ".join((*how.get("how", ())[2:3], *arguments))[:60]
        print(f"{shown}: {why or 'refused'}", flush=True)
        wrong += why is not None
    print(f"{len(CASES)} cases, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
