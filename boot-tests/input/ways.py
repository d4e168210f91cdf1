# SPDX-License-Identifier: BSD-3-Clause
"""ways.py RUN KERNEL SCRATCH

Boots KERNEL under a QEMU that fails, in every way we know.  None may pass.  A
way counts only if the fake QEMU has done what it was to do, and if `run' gave
the exit status that stands here and said why; and that the fake could have
passed is shown by one that does everything right.
"""

import concurrent.futures
import os
import shutil
import signal
import subprocess
import sys

RUN, KERNEL, SCRATCH = sys.argv[1:]
FAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake")
PASS = r"KMOBJ: PASS paging\n"
FAIL = r"KMOBJ: FAIL paging: why\n"

WAYS = {}


def way(name, expected, *steps, options=()):
    assert name not in WAYS
    WAYS[name] = (expected, steps, options)


# A guest that says PASS, and a status that is not the one which means that.
for n in (0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 42, 43, 63, 64, 84, 86, 126, 127,
          128, 129, 169, 170, 171, 212, 213, 214, 254, 255):
    way(f"exit {n}", 125, "start", "say " + PASS, f"exit {n}")
way("exit 87", 1, "start", "say " + PASS, "exit 87")
for s in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGKILL,
          signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL,
          signal.SIGPIPE, signal.SIGXFSZ):
    way(f"killed by {s.name}", 125, "start", "say " + PASS, f"signal {s:d}")

# The status that means a pass, and a log that does not say so.
for name, *said in (
        ("nothing",), ("a blank line", r"\n"), ("garbage", r"\x00\xff\x80\n"),
        ("a megabyte of garbage", r"\xff" * 100000),
        ("half a verdict", r"KMOBJ: PASS pag"),
        ("a verdict but for its end", r"KMOBJ: PASS paging"),
        ("no test", r"KMOBJ: PASS\n"),
        ("another test", r"KMOBJ: PASS corner\n"),
        ("a longer name", r"KMOBJ: PASS paging2\n"),
        ("a verdict within a line", r"x KMOBJ: PASS paging\n"),
        ("a verdict in lower case", r"kmobj: pass paging\n"),
        ("neither", r"KMOBJ: MAYBE paging\n"),
        ("PASS, then a word", PASS + "x"),
        ("PASS, then a line", PASS + r"bye\n"),
        ("PASS, then a blank line", PASS + r"\n"),
        ("PASS, then a panic", PASS + r"panic: no\n"),
        ("PASS twice", PASS, PASS)):
    way("says " + name, 125, "start", *("say " + s for s in said), "exit 85")
for name, said in (
        ("FAIL", FAIL), ("FAIL, then PASS", FAIL + PASS),
        ("FAIL long before PASS", FAIL + "x" * 100000 + r"\n" + PASS)):
    way("says " + name, 1, "start", "say " + said, "exit 85")
way("PASS on standard error", 125, "start", "warn " + PASS, "exit 85")
way("PASS on the monitor", 125, "start", "event " + PASS, "exit 85")
way("PASS before another test was asked for", 125, "start", "say " + PASS,
    "exit 85", options=("--append", "test=corner"))

# A QEMU that does not get so far.
for n in (0, 1, 2, 127, 255):
    way(f"exit {n} at once", 2, f"exit {n}")
way("a message and exit 1", 2, r"warn qemu: no\n", "exit 1")
way("killed at once", 2, "signal 11")
way("no guest, but PASS", 2, "say " + PASS, "exit 0")
way("no start for ever", 124, "stay")
way("no end", 124, "start", "say " + PASS, "stay")
way("no end, nothing said", 124, "close", "stay")
way("closes its output, and fails later", 125, "start", "say " + PASS, "close",
    "exit 1")
way("leaves a child that keeps the log open", 125, "start", "child", "exit 85")
way("stops the guest", 2, "start", 'event {"event": "BLOCK_IO_ERROR", "data": '
    '{"action": "stop", "reason": "No space left on device"}}', "stay")
way("stops it for no reason", 2, "start", 'event {"event": "STOP"}', "stay")
way("babbles on the monitor", 125, r"event [1, {}, {'", "event 5", "event {}",
    'event {"return": 1, "id": []}', 'event {"event": 1, "data": 2}', "exit 85")


def boot(path, *options, **more):
    """RUN with this PATH, where it finds its QEMU."""
    return subprocess.run([sys.executable, RUN, "--kernel", KERNEL, *options],
                          env={**os.environ, "PATH": path, **more}, text=True,
                          errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def attempt(number, steps, options):
    """-> exit status, what it said, and what is wrong with the test itself."""
    todo = os.path.join(SCRATCH, f"steps.{number}")
    with open(todo, "w") as f:
        f.write("\n".join(steps))
    done = boot(FAKE + ":" + os.environ["PATH"], "--timeout", "3", *options,
                FAKE_STEPS=todo)
    try:
        with open(todo + ".done") as f:
            traced = f.read().splitlines()
    except FileNotFoundError:
        traced = []
    left = [w for w in traced if w.startswith("pid ") and alive(w[4:])]
    steps_done = [w for w in traced if not w.startswith("pid ")]
    if steps[-1] == "stay":     # which it may be kept from
        steps = steps[:-1]
        steps_done = steps_done[:len(steps)]
    wrong = ("the fake did not do its steps" if steps_done != list(steps) else
             "a child is left" if left else
             "Traceback" if "Traceback" in done.stderr else None)
    return done.returncode, done.stderr, wrong


def broken_qemus():
    """Files of that name which are no programs."""
    def place(name, make):
        d = os.path.join(SCRATCH, name)
        os.makedirs(d)
        make(os.path.join(d, "qemu-system-x86_64"))
        return d

    def file(content, mode):
        def make(path):
            with open(path, "wb") as f:
                f.write(content)
            os.chmod(path, mode)
        return make

    yield "is empty", place("empty", file(b"", 0o755))
    yield "is garbage", place("garbage", file(b"\x7fELF garbage", 0o755))
    yield "names no interpreter", place("lost", file(b"#!/none\n", 0o755))
    yield "is not executable", place("plain", file(b"", 0o644))
    yield "is a directory", place("directory", os.mkdir)
    yield "leads nowhere", place("link", lambda p: os.symlink("/none", p))


def main():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    os.makedirs(SCRATCH)
    ways = failed = passed = 0

    def report(name, expected, got, said, wrong=None):
        nonlocal ways, failed, passed
        if got != expected:
            wrong = f"exit status {got}, expected {expected}"
        elif got in (2, 124, 125) and not said.startswith("boot-tests/run: "):
            wrong = "not a word"
        ways += 1
        passed += got == 0
        failed += wrong is not None
        print(f"{name}: {got}" + (f"; WRONG: {wrong}" if wrong else "")
              + "".join(f"\n    {line}" for line in said.splitlines()[:1]))

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        control = pool.submit(attempt, "control",
                              ("start", r"say hello\r\n", "say " + PASS,
                               "exit 85"), ())
        runs = [(name, expected, pool.submit(attempt, number, steps, options))
                for number, (name, (expected, steps, options))
                in enumerate(WAYS.items())]
        for name, expected, run in runs:
            report(name, expected, *run.result())
    for name, d in broken_qemus():
        done = boot(d)
        report("QEMU " + name, 2, done.returncode, done.stderr,
               "Traceback" if "Traceback" in done.stderr else None)
    got, said, wrong = control.result()
    print(f"control: {got}" + (f"; WRONG: {wrong}: {said}" if wrong else ""))
    print(f"{ways} ways, {passed} pass, {failed} not as expected")
    return 0 if got == 0 and wrong is None and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
