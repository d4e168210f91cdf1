# SPDX-License-Identifier: BSD-3-Clause
"""interrupt FIFO TIMES command...: run the command, which reads FIFO, a named
pipe, and gets nothing from it TIMES times; interrupt it, as Ctrl-C does, while
it waits there once more.  Succeeds if that ended the command.
"""

import errno
import os
import signal
import subprocess
import sys
import time

fifo, times, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]


def reader_opens(process):
    """The writing end, once somebody reads; nothing if the command ended."""
    while process.poll() is None:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as e:
            if e.errno != errno.ENXIO:
                raise
        time.sleep(0.01)
    return None


def is_open(process):
    fds = "/proc/%d/fd" % process.pid
    try:
        return any(os.path.realpath(os.path.join(fds, fd))
                   == os.path.realpath(fifo) for fd in os.listdir(fds))
    except OSError:
        return False


process = subprocess.Popen(command, start_new_session=True)
for turn in range(times + 1):
    end = reader_opens(process)
    if end is None:
        sys.exit("the command ended by itself, with %d" % process.returncode)
    if turn == times:
        os.killpg(process.pid, signal.SIGINT)
        code = process.wait()
        print("interrupted: %s" % (
            signal.Signals(-code).name if code < 0 else "exit %d" % code))
        os.close(end)
        break
    # This reader is to see the end, and to be gone before the next is awaited.
    while process.poll() is None and not is_open(process):
        time.sleep(0.01)
    os.close(end)
    while process.poll() is None and is_open(process):
        time.sleep(0.01)
