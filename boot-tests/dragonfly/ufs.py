# SPDX-License-Identifier: BSD-3-Clause
"""A UFS1 file system of a few files, made in memory.

It is what a DragonFly kernel can mount from a memory disk as its root: the
memory disk insists on being writable, which rules out ISO 9660.  There is one
cylinder group, and fragments are whole blocks, so that an allocation map is
one bit a block and a file one run of blocks:

    0 boot  1 superblock  2 cylinder group  3 inodes  4 summary  5 ... data
"""

import struct

BLOCK = 8192
SECTORS = BLOCK // 512
SUPER, GROUP, INODES, SUMMARY, DATA = 1, 2, 3, 4, 5
INODE_SIZE = 128
INODES_MAX = BLOCK // INODE_SIZE
DIRECT = 12
POINTERS = BLOCK // 4
ROOT_INODE = 2
DIRECTORY_CHUNK = 512
FS_MAGIC, CG_MAGIC = 0x011954, 0x090255
IFDIR, IFREG = 0o040000, 0o100000
DT_DIR, DT_REG = 4, 8
CG_MAPS = 168           # where the maps of a cylinder group start
GROUP_BLOCKS_MAX = (BLOCK - CG_MAPS - 64) * 8


def make(tree):
    """The image of `tree': a dict of names to bytes (an executable file) or to
    another dict (a directory).  Raises ValueError for what does not fit."""
    return _Image(tree).bytes()


class _Image:
    def __init__(self, tree):
        self.inodes = {}            # number -> 128 bytes
        self.blocks = []            # data blocks, from DATA on
        self.next_inode = ROOT_INODE
        self.directories = 0
        self.directory(tree, None)

    def directory(self, tree, parent):
        number = self.number()
        self.directories += 1
        entries = [(number, DT_DIR, "."), (parent or number, DT_DIR, "..")]
        links = 2
        for name, what in sorted(tree.items()):
            if isinstance(what, dict):
                entries.append((self.directory(what, number), DT_DIR, name))
                links += 1
            else:
                child = self.number()
                self.inode(child, IFREG | 0o555, 1, what)
                entries.append((child, DT_REG, name))
        self.inode(number, IFDIR | 0o755, links, _directory(entries))
        return number

    def number(self):
        n = self.next_inode
        if n == INODES_MAX:
            raise ValueError(f"more than {INODES_MAX - ROOT_INODE} files")
        self.next_inode += 1
        return n

    def inode(self, number, mode, links, content):
        first = DATA + len(self.blocks)
        data = [content[i:i + BLOCK].ljust(BLOCK, b"\0")
                for i in range(0, len(content), BLOCK)]
        if len(data) > DIRECT + POINTERS:
            raise ValueError(f"a file of {len(content)} bytes needs a double "
                             "indirect block")
        where = list(range(first, first + len(data)))
        self.blocks += data
        pointers = where[:DIRECT] + [0] * (DIRECT - len(where[:DIRECT]))
        indirect, held = 0, len(data)
        if len(data) > DIRECT:
            indirect = DATA + len(self.blocks)
            self.blocks.append(struct.pack(f"<{len(data) - DIRECT}I",
                                           *where[DIRECT:]).ljust(BLOCK, b"\0"))
            held += 1
        self.inodes[number] = struct.pack(
            "<HhIQ24x12I3IIiI", mode, links, 0, len(content), *pointers,
            indirect, 0, 0, 0, held * SECTORS, number).ljust(INODE_SIZE, b"\0")

    def bytes(self):
        # A block is left free, lest the kernel meet a file system without one.
        size = DATA + len(self.blocks) + 1
        if size > GROUP_BLOCKS_MAX:
            raise ValueError(f"{size} blocks do not fit a cylinder group")
        totals = struct.pack("<4i", self.directories, 1,
                             INODES_MAX - self.next_inode, 0)
        inodes = b"".join(self.inodes.get(i, bytes(INODE_SIZE))
                          for i in range(INODES_MAX))
        return b"".join(
            [bytes(BLOCK), _superblock(size, totals),
             _group(size, totals, self.next_inode), inodes,
             totals.ljust(BLOCK, b"\0")] + self.blocks + [bytes(BLOCK)])


def _directory(entries):
    """Records do not cross a chunk; the last of each reaches to its end."""
    chunks, chunk = [], []
    for number, kind, name in entries:
        raw = name.encode()
        need = 8 + (len(raw) + 1 + 3 & ~3)
        if sum(n for n, _ in chunk) + need > DIRECTORY_CHUNK:
            chunks.append(chunk)
            chunk = []
        chunk.append((need, (number, kind, raw)))
    chunks.append(chunk)
    out = b""
    for chunk in chunks:
        left = DIRECTORY_CHUNK
        for i, (need, (number, kind, raw)) in enumerate(chunk):
            size = left if i == len(chunk) - 1 else need
            out += struct.pack("<IHBB", number, size, kind, len(raw))
            out += raw.ljust(size - 8, b"\0")
            left -= size
    return out


def _superblock(size, totals):
    sb = bytearray(BLOCK)

    def put(offset, form, *values):
        struct.pack_into("<" + form, sb, offset, *values)

    put(8, "4i", SUPER, GROUP, INODES, SUMMARY)
    put(24, "ii", 0, -1)                        # no offset between groups
    put(36, "3i", size, size - DATA, 1)         # blocks, data blocks, groups
    put(48, "3i", BLOCK, BLOCK, 1)
    put(60, "3i", 0, 0, 60)                     # minfree, rotdelay, rps
    put(72, "4i", -BLOCK, -BLOCK, 13, 13)       # masks and shifts
    put(88, "ii", 1, size)                      # maxcontig, maxbpg
    put(96, "3i", 0, 4, BLOCK)                  # shifts, superblock size
    put(116, "4i", POINTERS, INODES_MAX, SECTORS, 0)
    put(132, "3i", size * SECTORS, 1, 0)        # sectors a track, interleave
    put(152, "3i", SUMMARY, BLOCK, BLOCK)
    put(164, "4i", 1, size * SECTORS, size * SECTORS, 1)
    put(180, "3i", 1, INODES_MAX, size)         # of the one group
    sb[192:208] = totals
    put(209, "b", 1)                            # clean
    put(1320, "ii", 60, 2)                      # short links, inode format
    put(1328, "Qqq", (DIRECT + POINTERS) * BLOCK - 1, BLOCK - 1, BLOCK - 1)
    put(1356, "ii", 1, 1)                       # dynamic tables, one position
    put(1372, "i", FS_MAGIC)
    return bytes(sb)


def _group(size, totals, next_inode):
    cg = bytearray(BLOCK)
    used_at = CG_MAPS + 4 + 2
    free_at = used_at + INODES_MAX // 8
    struct.pack_into("<4xiiihhi", cg, 0, CG_MAGIC, 0, 0, 1, INODES_MAX, size)
    cg[24:40] = totals
    struct.pack_into("<5i", cg, 84, CG_MAPS, CG_MAPS + 4, used_at, free_at,
                     free_at + (size + 7) // 8)
    struct.pack_into("<ih", cg, CG_MAPS, 1, 1)  # the free block, by cylinder
    for i in range(next_inode):
        cg[used_at + i // 8] |= 1 << i % 8
    free = size - 1
    cg[free_at + free // 8] |= 1 << free % 8
    return bytes(cg)
