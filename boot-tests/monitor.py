# SPDX-License-Identifier: BSD-3-Clause
"""Where the processors of a guest stand, asked of QEMU's monitor (QMP).

A guest that hangs so badly that its own watchdog says nothing can still be
asked from outside: is it running at all, and what does each processor execute?
"""

import json
import re
import socket

ANSWER_SECONDS = 10
KERNEL_HALF = 1 << 63


class Monitor:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(ANSWER_SECONDS)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r")
        self.lines.readline()                   # the greeting
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        request = {"execute": name, "arguments": arguments}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        for line in self.lines:
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                break
        return None


def standing(path, kernel):
    """A line for each processor, and one if QEMU has stopped them; none if
    QEMU does not answer.  kernel names functions."""
    try:
        monitor = Monitor(path)
        status = monitor.command("query-status") or {}
        registers = monitor.command("human-monitor-command",
                                    **{"command-line": "info registers -a"})
    except (OSError, ValueError):
        return []
    lines = []
    if not status.get("running", True):
        lines.append(f"QEMU has stopped the guest: {status['status']}")
    at = re.findall(r"^RIP=(\w+) RFL=(\w+).* HLT=(\d)", registers or "", re.M)
    for cpu, (rip, flags, halted) in enumerate(at):
        addr = int(rip, 16)
        where = kernel.function_at(addr) if addr >= KERNEL_HALF else "a process"
        lines.append(
            f"cpu {cpu} {'halted' if halted == '1' else 'runs'} in {where}"
            f"{'' if int(flags, 16) & 0x200 else ', interrupts off'}")
    return lines
