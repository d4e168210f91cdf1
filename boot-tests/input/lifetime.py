# SPDX-License-Identifier: BSD-3-Clause
"""lifetime.py RUN KERNEL SCRATCH

Ends RUN in every way while a guest runs: no QEMU and no file may be left, and
there is at most one sentence to say, never a traceback.  In SCRATCH there is a
TMPDIR with a comma in its name, deeper than the name of a socket may be.
"""

import os
import shutil
import signal
import subprocess
import sys
import time

RUN, KERNEL, SCRATCH = sys.argv[1:]
TMPDIR = os.path.join(SCRATCH, "a,b", "x" * 120)
MARK = "KMOBJ_LIFETIME=" + SCRATCH
ENDINGS = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT,
           signal.SIGKILL, "SIGPIPE", "twice SIGINT"]


def marked():
    """Processes that have inherited our environment: RUN and its QEMU."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                if MARK.encode() in f.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:
            pass
    return found


def default_signals():
    for n in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(n, signal.SIG_DFL)


def start():
    name, value = MARK.split("=", 1)
    run = subprocess.Popen(
        [sys.executable, RUN, "--kernel", KERNEL, "--ram", "32", "--timeout",
         "300", "--append", "test=deadlock deadlock=1 watchdog=0"],
        env={**os.environ, "TMPDIR": TMPDIR, name: value},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=default_signals)
    run.stdout.readline()               # the guest runs
    return run


def outlived():
    """The host takes a moment to kill, on a busy machine a long one."""
    deadline = time.monotonic() + 60
    while marked() and time.monotonic() < deadline:
        time.sleep(0.05)
    left = marked()
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return bool(left)


def attempt(ending):
    """-> what is wrong, or None"""
    run = start()
    if len(marked()) < 2:
        return "no QEMU was seen"       # the test would prove nothing
    if ending == "SIGPIPE":
        run.stdout.close()
        expected = 2
    else:
        number = signal.SIGINT if isinstance(ending, str) else ending
        run.send_signal(number)
        if isinstance(ending, str):
            run.send_signal(number)
        expected = -number
    said = run.stderr.read().decode()
    status = run.wait()
    if outlived():
        return "QEMU is left"
    left = os.listdir(TMPDIR)
    if left:
        return f"left behind: {left}"
    if status != expected:
        return f"status {status}, expected {expected}"
    if "Traceback" in said or said.count("\n") > 1:
        return f"it said: {said}"
    return None


def main():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    os.makedirs(TMPDIR)
    wrong = 0
    for ending in ENDINGS:
        name = ending if isinstance(ending, str) else ending.name
        why = attempt(ending)
        wrong += why is not None
        print(f"{name}: {why or 'nothing is left'}", flush=True)
    print(f"{len(ENDINGS)} endings, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
