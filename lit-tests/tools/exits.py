# SPDX-License-Identifier: BSD-3-Clause
"""exits N command...: run the command; succeed if it exits with N."""

import subprocess
import sys

want = int(sys.argv[1])
got = subprocess.run(sys.argv[2:]).returncode
if got != want:
    sys.stdout.flush()
    print("exit code %d where %d was expected: %s"
          % (got, want, " ".join(sys.argv[2:])), file=sys.stderr)
    sys.exit(1)
