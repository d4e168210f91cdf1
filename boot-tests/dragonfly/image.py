# SPDX-License-Identifier: BSD-3-Clause
"""Lays out a DragonFly kernel for the loader in loader/.

The kernel's segments, its symbols, the root file system and room for what the
loader builds form one run of memory, which QEMU puts in place; loader.h says
how.  The handover tells the loader what is where.
"""

import shlex
import struct

from . import ufs

PAGE = 4096
GIB = 1 << 30
PT_LOAD = 1
SHT_SYMTAB, SHT_DYNSYM = 2, 11
STT_NOTYPE, STT_FUNC = 0, 2
SYMBOL = struct.Struct("<IBBHQQ")
SECTION = struct.Struct("<IIQQQQIIQQ")
SCRATCH = 8 * PAGE
ENV_MAX = 4 * PAGE
HANDOVER_MAGIC = 0x594c4644424f4d4b
RB_VERBOSE, RB_SERIAL = 0x800, 0x1000
# What the kernel needs to find its root and to let us read along.
ENVIRONMENT = {
    "vfs.root.mountfrom": "ufs:md0",
    "init_path": "/sbin/init",
    "console": "comconsole",
}


class Kernel:
    """A kernel in an x86-64 ELF file whose program headers are known to lie in
    it."""

    def __init__(self, image):
        self.image = image
        self.entry, = struct.unpack_from("<Q", image, 24)
        self.segments = []          # (address, offset, size, size in memory)
        phoff, = struct.unpack_from("<Q", image, 32)
        phentsize, phnum = struct.unpack_from("<HH", image, 54)
        for i in range(phnum):
            kind, _, offset, addr, _, size, memory = struct.unpack_from(
                "<IIQQQQQ", image, phoff + i * phentsize)
            if kind == PT_LOAD:
                self.segments.append((addr, offset, size, memory))
        self.symtab = self.strtab = b""
        self.kernbase = None

    def is_dragonfly(self):
        """Asks the symbols; nothing below works before that."""
        values = self.symbols(("kernbase", "ostype"))
        if len(values) == 2:
            self.kernbase = values["kernbase"]
            return self.string(values["ostype"]) == "DragonFly"
        return False

    def symbols(self, wanted):
        """Values of global symbols.  The dynamic ones survive strip(1)."""
        found = {}
        for kind, table, strings in self.sections((SHT_DYNSYM, SHT_SYMTAB)):
            if kind == SHT_SYMTAB:
                self.symtab, self.strtab = table, strings
            for entry in SYMBOL.iter_unpack(table[:len(table) // 24 * 24]):
                for name in wanted:
                    if strings.startswith(name.encode() + b"\0", entry[0]):
                        found[name] = entry[4]
        return found

    def function_at(self, addr):
        """The function that addr lies in, and how far; else the address."""
        best = -1, 0
        for _, table, strings in self.sections((SHT_SYMTAB,)):
            for entry in SYMBOL.iter_unpack(table[:len(table) // 24 * 24]):
                if entry[1] & 15 in (STT_NOTYPE, STT_FUNC) and \
                        best[0] < entry[4] <= addr:
                    best = entry[4], strings[entry[0]:].split(b"\0", 1)[0]
        if best[0] < 0:
            return f"{addr:#x}"
        return f"{best[1].decode(errors='replace')}+{addr - best[0]:#x}"

    def headers(self):
        """Of all sections; none if they do not lie in the file."""
        shoff, = struct.unpack_from("<Q", self.image, 40)
        shentsize, shnum = struct.unpack_from("<HH", self.image, 58)
        if shentsize != SECTION.size or \
                shoff + shentsize * shnum > len(self.image):
            return []
        return [SECTION.unpack_from(self.image, shoff + i * shentsize)
                for i in range(shnum)]

    def section(self, name):
        headers = self.headers()
        index, = struct.unpack_from("<H", self.image, 62)
        strings = self.content(headers[index])
        return b"".join(
            self.content(h) for h in headers
            if strings.startswith(name.encode() + b"\0", h[0]))

    def sections(self, kinds):
        headers = self.headers()
        shnum = len(headers)
        for h in headers:
            if h[1] in kinds and h[6] < shnum:
                yield h[1], self.content(h), self.content(headers[h[6]])

    def content(self, header):
        return self.image[header[4]:header[4] + header[5]]

    def string(self, addr):
        for start, offset, size, _ in self.segments:
            if start <= addr < start + size:
                at = offset + addr - start
                return self.image[at:self.image.find(b"\0", at)].decode(
                    errors="replace")
        return None

    def physical(self, addr):
        return addr - self.kernbase


class LayoutError(Exception):
    """The kernel cannot be laid out; the message says why."""


def options(init):
    """The names of the options that the probe has."""
    section = Kernel(init).section("options")
    return sorted({name.decode() for name in section.split(b"\0") if name})


def environment(words, known):
    """name=value words, quotes around a value with blanks -> dict.  Names with
    a dot and boot_* are the kernel's own affair; any other must be known."""
    env = {}
    try:
        split = shlex.split(words)
    except ValueError as e:
        raise LayoutError(f"--append: {e}: {words}")
    for word in split:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise LayoutError(f"--append: `{word}': expected name=value")
        if name in env:
            raise LayoutError(f"--append: `{word}': {name} is given twice")
        if "." not in name and not name.startswith("boot_") and \
                name not in ENVIRONMENT and name not in known:
            raise LayoutError(f"--append: nobody reads {name}; the probe "
                              f"reads {' '.join(known)}")
        env[name] = value
    return {**ENVIRONMENT, **env}


def howto(env):
    verbose = env.get("boot_verbose", "NO").upper() not in ("NO", "0", "")
    return RB_SERIAL | (RB_VERBOSE if verbose else 0)


def lay_out(kernel, init, words):
    """-> (address, bytes to put there, handover, end of what is used).  `init'
    is the program that becomes /sbin/init, `words' the environment."""
    env = environment(words, options(init))
    strings = b"".join(f"{k}={v}".encode() + b"\0"
                       for k, v in sorted(env.items())) + b"\0"
    if len(strings) > ENV_MAX:
        raise LayoutError(f"--append: {len(strings)} bytes of environment; "
                          f"at most {ENV_MAX}")
    if kernel.kernbase % GIB != 0 or kernel.kernbase >> 47 != 0x1ffff:
        raise LayoutError(f"kernbase {kernel.kernbase:#x}: expected the start "
                          "of a gigabyte in the upper half")
    if not kernel.segments:
        raise LayoutError("has nothing to load")
    first = min(s[0] for s in kernel.segments) & -PAGE
    end = max(s[0] + s[3] for s in kernel.segments)
    if not 2 << 20 <= kernel.physical(first) < kernel.physical(end) < GIB:
        raise LayoutError(f"is linked at {first:#x}; expected an address "
                          f"between 2 MiB and 1 GiB above {kernel.kernbase:#x}")
    image = bytearray(_page(end - first))
    for addr, offset, size, _ in kernel.segments:
        image[addr - first:addr - first + size] = \
            kernel.image[offset:offset + size]

    base = kernel.physical(first)
    symbols = symbols_end = 0
    if kernel.symtab:
        symbols = base + len(image)
        for table in (kernel.symtab, kernel.strtab):
            image += struct.pack("<Q", len(table)) + table
            image += bytes(-len(image) % 8)
        symbols_end = base + len(image)
        image += bytes(-len(image) % PAGE)
    root = base + len(image)
    disk = ufs.make({"dev": {}, "sbin": {"init": init}})
    image += disk
    scratch = base + len(image)
    handover = struct.pack("<11Q2I", HANDOVER_MAGIC, kernel.entry,
                           kernel.kernbase, base, end - first, symbols,
                           symbols_end, root, len(disk), scratch, SCRATCH,
                           howto(env), len(strings)) + strings
    return base, bytes(image), handover, scratch + SCRATCH


def _page(n):
    return n + PAGE - 1 & -PAGE
