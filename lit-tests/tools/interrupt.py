# SPDX-License-Identifier: BSD-3-Clause
"""interrupt FIFO command...: run the command, which reads FIFO, a named pipe,
and interrupt it, as Ctrl-C does, once it has the pipe open.

The pipe has a writer all the time, this script, which writes nothing: whoever
opens it waits there, whatever the command read it for.  Succeeds if the command
ended; says how.
"""

import glob
import os
import signal
import subprocess
import sys
import time

PATIENCE = 120      # seconds; then the command hangs, and is killed


def session(sid):
    """The processes of a session."""
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as f:
                stat = f.read()
        except OSError:
            continue
        if int(stat.rsplit(")", 1)[1].split()[3]) == sid:
            yield path.split("/")[2]


def is_open(fifo, sid):
    for pid in session(sid):
        for fd in glob.glob(f"/proc/{pid}/fd/*"):
            try:
                if os.path.samefile(fd, fifo):
                    return True
            except OSError:
                continue
    return False


def main(fifo, command):
    end = os.open(fifo, os.O_RDWR)
    # Shells start what runs in the background with interrupts ignored.
    process = subprocess.Popen(
        command, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    last = time.monotonic() + PATIENCE
    while process.poll() is None and not is_open(fifo, process.pid):
        if time.monotonic() > last:
            os.killpg(process.pid, signal.SIGKILL)
            sys.exit("the command never opened the pipe")
        time.sleep(0.01)
    if process.poll() is not None:
        sys.exit(f"the command ended by itself, with {process.returncode}")
    os.killpg(process.pid, signal.SIGINT)
    try:
        code = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        sys.exit("the command goes on after the interrupt")
    os.close(end)
    print("interrupted:", signal.Signals(-code).name if code < 0
          else f"exit {code}")


main(sys.argv[1], sys.argv[2:])
