# SPDX-License-Identifier: BSD-3-Clause
"""A QEMU process: started, listened to, and never left behind.

It has a process group of its own, which is killed as a whole, and the host
kills it when the process that started it is gone, for whatever reason.  The
files it gets are open before it starts and have no name.
"""

import ctypes
import os
import select
import signal
import subprocess
import time

from monitor import Monitor

PR_SET_PDEATHSIG = 1
CHUNK = 65536
LAST_CHUNKS = 16        # more than a pipe holds
MESSAGE_BYTES = 4096
POLL_SECONDS = 3600     # poll(2) does not take any number

libc = ctypes.CDLL(None)


class TimedOut(Exception):
    """The guest has not ended in time."""


def die_with(parent):
    """Runs in the child; the parent may be gone already."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Guest:
    """At the end of its `with' statement QEMU is gone."""

    def __init__(self, argv, files):
        parent = os.getpid()
        self.monitor = Monitor()
        self.messages = b""
        with self.monitor.qemus as theirs:
            self.process = subprocess.Popen(
                argv + self.monitor.options(), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                pass_fds=[theirs.fileno(), *(f.fileno() for f in files)],
                process_group=0, preexec_fn=lambda: die_with(parent))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        for f in (self.process.stdout, self.process.stderr,
                  self.monitor.socket):
            f.close()

    def kill(self):
        """-> QEMU's exit status."""
        if self.process.returncode is None:
            # Not reaped yet, so both numbers are still its own.
            self.process.kill()
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return self.process.wait()

    def follow(self, log, seconds):
        """Give the serial log to log(), piece by piece, until that returns
        true, or QEMU stops the guest or ends.  -> QEMU's exit status; or raises
        TimedOut, with QEMU still there to be asked."""
        deadline = time.monotonic() + seconds
        end = os.pidfd_open(self.process.pid)
        takers = {self.process.stdout.fileno(): log,
                  self.process.stderr.fileno(): self.keep_message,
                  self.monitor.socket.fileno(): self.monitor.take}
        poll = select.poll()
        for fd in (end, *takers):
            os.set_blocking(fd, False)
            poll.register(fd, select.POLLIN)
        try:
            enough = False
            while not enough:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimedOut
                for fd, _ in poll.poll(1000 * min(left, POLL_SECONDS)):
                    chunk = b"" if fd == end else read(fd)
                    if chunk:
                        enough |= bool(takers[fd](chunk))
                    elif chunk is not None:
                        poll.unregister(fd)
                        enough |= fd == end
        finally:
            os.close(end)
        status = self.kill()
        for fd, take in takers.items():
            for _ in range(LAST_CHUNKS):
                take(read(fd) or b"")
        return status

    def keep_message(self, chunk):
        self.messages = (self.messages + chunk)[-MESSAGE_BYTES:]

    def said(self):
        """QEMU's own words, on one line."""
        lines = self.messages.decode(errors="replace").splitlines()
        return "; ".join(line.partition(": ")[2] or line
                         for line in map(str.strip, lines) if line)


def read(fd):
    """What there is, up to CHUNK bytes: None if nothing is there yet, empty at
    the end."""
    try:
        return os.read(fd, CHUNK)
    except BlockingIOError:
        return None
    except OSError:
        return b""
