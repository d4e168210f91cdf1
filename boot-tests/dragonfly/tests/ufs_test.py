#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The file system in memory: read back by a reader that knows only the format,
from the superblock on, and whose allocation maps must agree with the files."""

import os
import struct
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from dragonfly import ufs       # noqa: E402


class Reader:
    def __init__(self, image):
        self.image = image
        self.sb = image[8192:16384]
        self.size, = self.get(36)
        self.bsize, self.fsize, self.frag = self.get(48, 3)
        self.nindir, self.inopb = self.get(116, 2)
        self.ipg, = self.get(184)
        self.iblkno, self.dblkno = self.get(16, 2)
        self.used = set(range(self.dblkno + 1))     # and the summary

    def get(self, offset, count=1):
        return struct.unpack_from(f"<{count}i", self.sb, offset)

    def block(self, n):
        if not self.dblkno <= n < self.size:
            raise AssertionError(f"block {n} is no data block")
        self.used.add(n)
        return self.image[n * self.fsize:n * self.fsize + self.bsize]

    def inode(self, n):
        at = self.iblkno * self.fsize + n * 128
        raw = self.image[at:at + 128]
        mode, links, _, size = struct.unpack_from("<HhIQ", raw)
        pointers = struct.unpack_from("<15i", raw, 40)
        blocks, = struct.unpack_from("<i", raw, 104)
        want = -(-size // self.bsize)
        where = list(pointers[:12])
        held = want
        if want > 12:
            held += 1
            where += struct.unpack(f"<{self.nindir}i", self.block(pointers[12]))
        if pointers[13:] != (0, 0) or blocks != held * self.bsize // 512 \
                or any(where[want:]):
            raise AssertionError(f"inode {n} holds more than its file")
        data = b"".join(self.block(b) for b in where[:want])
        return mode, links, data[:size]

    def tree(self, n=2, parent=2):
        """-> (contents by path, links by inode as the entries have it)"""
        mode, links, data = self.inode(n)
        if mode >> 12 == 8:
            return {"": data}, {n: (links, 0)}
        files, counts = {"": None}, {n: (links, 0)}
        entries = list(self.entries(data))
        if entries[:2] != [(n, 4, "."), (parent, 4, "..")]:
            raise AssertionError(f"directory {n}: {entries[:2]}")
        children = {}
        for child, kind, name in entries:
            have, found = counts.get(child, (0, 0))
            counts[child] = (have, found + 1)
            if name in (".", ".."):
                continue
            if (kind == 4) != (self.inode(child)[0] >> 12 == 4):
                raise AssertionError(f"{name}: type {kind}")
            children[name] = self.tree(child, n)
        for name, (below, links) in children.items():
            files.update({f"/{name}{path}": c for path, c in below.items()})
            for inode, (have, found) in links.items():
                old = counts.get(inode, (0, 0))
                counts[inode] = (have or old[0], found + old[1])
        return files, counts

    def entries(self, data):
        at = 0
        while at < len(data):
            number, size, kind, length = struct.unpack_from("<IHBB", data, at)
            if size < 8 + length + 1 or size % 4 or \
                    at // 512 != (at + size - 1) // 512:
                raise AssertionError(f"entry at {at}: size {size}")
            yield number, kind, data[at + 8:at + 8 + length].decode()
            at += size


class UfsTest(unittest.TestCase):
    TREES = [
        {},
        {"dev": {}, "sbin": {"init": b"\x7fELF" * 700}},
        {"empty": b"", "block": b"b" * 8192, "more": b"m" * 8193},
        {"large": bytes(range(256)) * 1024, "a": {"b": {"c": {"d": b"deep"}}}},
        {"many": {f"a-rather-long-name-{i:03}": b"x" for i in range(50)}},
    ]

    def paths(self, tree, prefix=""):
        yield prefix, None
        for name, what in tree.items():
            if isinstance(what, dict):
                yield from self.paths(what, f"{prefix}/{name}")
            else:
                yield f"{prefix}/{name}", what

    def test_reads_back(self):
        for tree in self.TREES:
            reader = Reader(ufs.make(tree))
            self.assertEqual(reader.get(1372), (0x011954,))
            files, links = reader.tree()
            self.assertEqual(files, dict(self.paths(tree)))
            for inode, (said, found) in links.items():
                # Nothing but the root itself names the root's parent.
                self.assertEqual(said, found, f"links of inode {inode}")

    def test_maps_agree(self):
        for tree in self.TREES:
            image = ufs.make(tree)
            reader = Reader(image)
            _, links = reader.tree()
            self.assertEqual(len(image), reader.size * reader.fsize)
            cg = image[reader.get(12)[0] * 8192:][:8192]
            self.assertEqual(struct.unpack_from("<i", cg, 4), (0x090255,))
            iused, free = struct.unpack_from("<2i", cg, 92)
            inodes = {i for i in range(reader.ipg)
                      if cg[iused + i // 8] >> i % 8 & 1}
            self.assertEqual(inodes, {0, 1} | set(links))
            blocks = {b for b in range(reader.size)
                      if not cg[free + b // 8] >> b % 8 & 1}
            self.assertEqual(blocks, reader.used)
            ndir, nbfree, nifree, nffree = struct.unpack_from("<4i", cg, 24)
            self.assertEqual(nbfree, reader.size - len(blocks))
            self.assertEqual(nifree, reader.ipg - len(inodes))
            self.assertEqual(nffree, 0)
            self.assertEqual(ndir, sum(1 for _, c in reader.tree()[0].items()
                                       if c is None))
            self.assertEqual(cg[24:40], reader.sb[192:208])
            summary, = reader.get(152)
            self.assertEqual(cg[24:40], image[summary * 8192:][:16])

    def test_same_input_same_bytes(self):
        for tree in self.TREES:
            again = dict(reversed(list(tree.items())))
            self.assertEqual(ufs.make(tree), ufs.make(again))

    def test_what_does_not_fit_is_refused(self):
        with self.assertRaisesRegex(ValueError, "double indirect"):
            ufs.make({"f": bytes(8192 * (12 + 2048) + 1)})
        with self.assertRaisesRegex(ValueError, "more than 62 files"):
            ufs.make({str(i): b"" for i in range(62)})


if __name__ == "__main__":
    unittest.main()
