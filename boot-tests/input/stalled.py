# SPDX-License-Identifier: BSD-3-Clause
"""stalled.py RUN KERNEL

Nobody reads what RUN writes: it ends at its --timeout all the same.
"""

import fcntl
import os
import subprocess
import sys

reader, writer = os.pipe()
size = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
os.write(writer, b"x" * size)
run = subprocess.run(
    [sys.executable, sys.argv[1], "--kernel", sys.argv[2], "--ram", "16",
     "--timeout", "5"], stdout=writer, timeout=300)
print("exit", run.returncode)
