# SPDX-License-Identifier: BSD-3-Clause
"""QEMU's monitor (QMP), over a socket that has no name.

QEMU starts with the guest stopped; that it has answered `cont' is what tells a
guest that ran from a QEMU that could not start.  A guest that hangs so badly
that its own watchdog says nothing can still be asked from outside: is it
running at all, and what does each processor execute?
"""

import json
import re
import socket
import time

ANSWER_SECONDS = 10
LINE_BYTES = 1 << 20      # more than it has to say of 255 processors
KERNEL_HALF = 1 << 63


class Monitor:
    def __init__(self):
        self.socket, self.qemus = socket.socketpair()
        self.buffer = b""
        self.answers = {}
        self.stopped = None     # why QEMU has stopped the guest
        self.send("qmp_capabilities")
        self.send("cont")

    def options(self):
        return ["-chardev", f"socket,id=monitor,fd={self.qemus.fileno()}",
                "-mon", "chardev=monitor,mode=control", "-S"]

    def started(self):
        return "cont" in self.answers

    def send(self, name, **arguments):
        request = {"execute": name, "arguments": arguments, "id": name}
        self.socket.sendall(json.dumps(request).encode() + b"\n")

    def take(self, chunk):
        """Of what QEMU sends; true if it has stopped the guest."""
        *lines, self.buffer = (self.buffer + chunk)[-LINE_BYTES:].split(b"\n")
        for line in lines:
            try:
                self.take_message(json.loads(line))
            except (ValueError, AttributeError, TypeError):
                pass            # not what a QEMU sends
        return self.stopped is not None

    def take_message(self, message):
        if "return" in message:
            self.answers[message.get("id")] = message["return"]
        event, data = message.get("event"), message.get("data", {})
        if event == "BLOCK_IO_ERROR" and data.get("action") == "stop":
            self.stopped = f"its swap disk: {data.get('reason')}"
        elif event == "STOP" and not self.stopped:
            self.stopped = "QEMU does not say why"

    def ask(self, name, **arguments):
        """The answer, or None."""
        deadline = time.monotonic() + ANSWER_SECONDS
        try:
            self.send(name, **arguments)
            while name not in self.answers:
                self.socket.settimeout(max(deadline - time.monotonic(), 0.01))
                chunk = self.socket.recv(65536)
                if not chunk:
                    break
                self.take(chunk)
        except OSError:
            pass
        return self.answers.get(name)

    def standing(self, kernel):
        """A line for each processor; none if QEMU does not answer.  kernel
        names functions."""
        if not self.started():
            return []
        registers = self.ask("human-monitor-command",
                             **{"command-line": "info registers -a"})
        at = re.findall(r"^RIP=(\w+) RFL=(\w+).* HLT=(\d)",
                        str(registers or ""), re.M)
        lines = []
        for cpu, (rip, flags, halted) in enumerate(at):
            addr = int(rip, 16)
            where = (kernel.function_at(addr) if addr >= KERNEL_HALF
                     else "a process")
            lines.append(
                f"cpu {cpu} {'halted' if halted == '1' else 'runs'} in {where}"
                f"{'' if int(flags, 16) & 0x200 else ', interrupts off'}")
        return lines
