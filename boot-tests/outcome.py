# SPDX-License-Identifier: BSD-3-Clause
"""What became of a guest: the exit statuses of `run', and how they are found.

A guest says twice how it ended, and is believed only if both agree.  Its last
line is the verdict, `KMOBJ: PASS <test>' or `KMOBJ: FAIL <test>: why'.  Then it
writes one of two numbers to QEMU's isa-debug-exit device, which makes twice the
number and one its own exit status.  The numbers are such that no QEMU gives
these statuses for reasons of its own: those are 0, 1 and signals.
"""

import re
import signal

PASSED = 0
FAILED = 1
NOT_STARTED = 2
TIMED_OUT = 124
NO_VERDICT = 125
MEANING = {
    PASSED: "the guest passed: it said so by its status and by its last line",
    FAILED: "the guest failed, by its status or by its verdict",
    NOT_STARTED: "it could not be tried, or not to the end, for a reason on "
    "this machine: usage, input, output, QEMU",
    TIMED_OUT: "it did not end within --timeout",
    NO_VERDICT: "it ended without a verdict on the test (a triple fault, a "
    "power-off, the kernel's debugger)",
}

# The same numbers as in sys/platform/pc64/include/cpu.h and under dragonfly/.
EXIT_PASS, EXIT_FAIL = 0x2a, 0x2b
PASS_STATUS, FAIL_STATUS = EXIT_PASS << 1 | 1, EXIT_FAIL << 1 | 1

DEBUGGER_PROMPT = b"\ndb> "
TAIL_BYTES = 65536
LINE_BYTES = 4096       # that a verdict may have
LAST_LINES = 5


class Log:
    """What is to be remembered of a serial log: its end, its first verdict,
    and whether anything followed that."""

    def __init__(self):
        self.tail = b""
        self.line = b""         # the beginning of the one that is not whole
        self.verdict = None
        self.more = False

    def add(self, chunk):
        self.tail = (self.tail + chunk)[-TAIL_BYTES:]
        for line in chunk.splitlines(keepends=True):
            if self.verdict:
                self.more = True
                return
            self.line = (self.line + line)[:LINE_BYTES]
            if line.endswith(b"\n"):
                if self.line.startswith(b"KMOBJ: "):
                    self.verdict = self.line.decode(errors="replace").strip()
                self.line = b""

    def in_debugger(self):
        return self.tail.endswith(DEBUGGER_PROMPT)

    def explain(self):
        """What a log without a verdict says: the panic, or where it ended."""
        tail = self.tail.decode(errors="replace")
        panic = re.findall(r"^(?:panic(?: with .*)?: |Fatal trap |Fatal double "
                           r"fault).*$", tail, re.M)
        if panic:
            return panic[0].strip()
        lines = [line for line in tail.splitlines() if line.strip()]
        if not lines:
            return "the kernel printed nothing"
        return "the log ends:\n" + "\n".join(
            f"    {line}" for line in lines[-LAST_LINES:])


def asked_for(words):
    """The test that a kernel environment asks for; its words may be quoted."""
    for word in words.split():
        if word.startswith("test="):
            return word[len("test="):].strip("'\"")
    return "paging"


def passed(log, test):
    """The log says that this test passed, and nothing after that."""
    return log.verdict == f"KMOBJ: PASS {test}" and not log.more


def judge(log, test, status):
    """-> exit status, and None or a sentence that says more than the log
    does.  status is QEMU's, negative for a signal."""
    if status == PASS_STATUS and passed(log, test):
        return PASSED, None
    if log.verdict and log.verdict.startswith("KMOBJ: FAIL "):
        return FAILED, None
    if status == FAIL_STATUS:
        return FAILED, ("the guest left with the status of a failure; "
                        + (log.verdict or log.explain()))
    if log.in_debugger():
        return NO_VERDICT, f"stopped in the kernel's debugger; {log.explain()}"
    if status != PASS_STATUS:
        return NO_VERDICT, (f"the guest went away without a status of its own "
                            f"(QEMU: {qemu_status(status)}); {log.explain()}")
    if not log.verdict:
        return NO_VERDICT, ("the guest left with the status of a pass, but "
                            f"without a verdict; {log.explain()}")
    if log.more:
        return NO_VERDICT, ("the verdict is not the log's last line; "
                            + log.explain())
    return NO_VERDICT, (f"the verdict is `{log.verdict}'; expected one on the "
                        f"test that was asked for, {test}")


def qemu_status(status):
    if status >= 0:
        return str(status)
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
