#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reads and checks a store image, written from docs/format-store.md alone.

A second opinion on the format: it shares no code with the kernel. The image must be at rest and its last
operation complete (not cut off between log and place).

    image.py FILE      lists the objects, exit status 1 and one line on any inconsistency
"""
import struct
import sys

PAGE = 4096
MASK = (1 << 64) - 1


class Damaged(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Damaged(what)


def crc16(payload):
    crc = 0
    for byte in payload.to_bytes(6, "big"):
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x3D65 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def sum64(seed, words):
    total = seed ^ 0x9E3779B97F4A7C15
    for word in words:
        total = (total ^ word) * 0xFF51AFD7ED558CCD & MASK
        total ^= total >> 32
    return total


def mix(value):
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD & MASK
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53 & MASK
    return value ^ value >> 33


class Image:
    def __init__(self, data):
        self.data = data
        self.objects = {}  # id -> (inode page, flags, [its own pages], [content pages])
        self.ties = {}     # record -> (parent inode, child inode)
        self._superblocks()
        self._log()
        self._walk()
        self._orphans()
        self._bitmap()

    def word(self, offset):
        return struct.unpack_from("<Q", self.data, offset)[0]

    def words(self, offset, count):
        return struct.unpack_from("<%dQ" % count, self.data, offset)

    def sealed(self, offset):
        word = self.word(offset)
        payload = word & (1 << 48) - 1
        need(word >> 48 == crc16(payload), "word at 0x%x fails its check" % offset)
        return payload

    def _superblocks(self):
        for base in (0, 15 * PAGE):
            need(self.data[base:base + 8] == b"TWZSTORE", "no superblock at 0x%x" % base)
            need(self.word(base + 504) == sum64(0, self.words(base, 63)),
                 "superblock at 0x%x fails its sum" % base)
            need(self.word(base + 136) == base // PAGE, "superblock out of place")
        need(self.data[512:608] == self.data[15 * PAGE + 512:15 * PAGE + 608],
             "superblock copies differ")
        self.pages, self.buckets, self.first = self.word(56), self.word(112), self.word(128)
        self.refs = self.word(120) * PAGE
        self.bitmap, self.bucket_page = self.word(88) * PAGE, self.word(104)
        self.uuid = self.words(40, 2)
        self.boots, self.free, self.count = (self.sealed(512 + 8 * i) for i in range(3))
        root = [self.sealed(544 + 8 * i) for i in range(3)]
        self.root = root[0] | root[1] << 48 | root[2] << 96
        self.clock = self.sealed(568)

    def _log(self):
        count = self.word(PAGE + 8)
        need(0 < count <= 96, "log record has no sensible count")
        total = sum64(sum64(self.uuid[1], self.words(PAGE, 3)), self.words(PAGE + 32, 2 * count))
        need(total == self.word(PAGE + 24), "log record fails its sum")

    def _inode(self, inode):
        base = inode * PAGE
        need(self.data[base:base + 8] == b"TWZINODE" and self.word(base + 24) == inode and
             self.word(base + 56) == sum64(self.uuid[0], self.words(base, 7)),
             "inode %d fails its sum" % inode)
        low, high = self.words(base + 8, 2)
        pages, content = [inode], self._named(base + 512, 192)
        node = self.sealed(base + 104)
        leaves = self._named(node * PAGE, 512) if node else []
        pages += [node] * bool(node)
        for leaf in leaves + self._named(base + 2048, 16):
            if leaf >> 47:  # a run
                pages += range(leaf ^ 1 << 47, (leaf ^ 1 << 47) + 512)
            else:
                pages.append(leaf)
                content += self._named(leaf * PAGE, 512)
        need(len(pages) + len(content) == self.sealed(base + 96),
             "inode %d has a wrong page count" % inode)
        parents = self._ties(inode, 16, 5)
        return high << 64 | low, (inode, self.sealed(base + 72), pages, content, parents)

    def _ties(self, inode, head, link):
        """Checks one of an object's two lists of ties; returns its length."""
        record, count, previous = self.sealed(inode * PAGE + 8 * head), 0, 0
        while record:
            at = record * 64
            need(self.sealed(at + 8 * (link + 1)) == previous, "a list of ties is broken")
            self.ties[record] = (self.sealed(at), self.sealed(at + 8))
            need(self.ties[record][link == 5] == inode, "a tie is in a wrong list")
            previous, record, count = record, self.sealed(at + 8 * link), count + 1
        need(count == self.sealed(inode * PAGE + 8 * (head + 1)), "a count of ties is wrong")
        if head == 16:
            self._ties(inode, 14, 3)
        return count

    def _named(self, offset, count):
        return [page for page in (self.sealed(offset + 8 * i) for i in range(count)) if page]

    def _walk(self):
        for bucket in range(self.buckets):
            inode = self.sealed(self.bucket_page * PAGE + 8 * bucket)
            while inode:
                ident, found = self._inode(inode)
                low, high = ident & MASK, ident >> 64
                hashed = mix(mix(low ^ self.uuid[0]) ^ high ^ self.uuid[1])
                need(hashed % self.buckets == bucket, "inode %d is in the wrong chain" % inode)
                need(ident not in self.objects, "two objects of one ID")
                self.objects[ident] = found
                inode = self.sealed(inode * PAGE + 64)

    def _orphans(self):
        self.hidden = []
        listed, inode = set(), self.sealed(536)
        while inode:
            need(inode not in listed, "the orphan list is a circle")
            listed.add(inode)
            found = self._inode(inode)[1]
            if found[1] == 2:
                self.hidden.append(found)
            inode = self.sealed(inode * PAGE + 80)
        deleted = {found[0] for found in self.objects.values() if found[1] and not found[4]}
        need(listed == deleted | {found[0] for found in self.hidden}, "orphan list is wrong")
        need(self.count == len(self.objects) + len(self.hidden), "object count is wrong")

    def _bitmap(self):
        used, owners = set(range(self.first)), {}
        for _, _, pages, content, _ in list(self.objects.values()) + self.hidden:
            need(not used & set(pages), "a page is used twice")
            used |= set(pages)
            for page in content:
                owners[page] = owners.get(page, 0) + 1
        need(not used & set(owners), "content is used as something else")
        used |= set(owners) | self._tie_pages(used)
        for page in range(self.pages):
            word = self.sealed(self.refs + 8 * (page // 4))
            need(word >> page % 4 * 12 & 0xFFF == max(0, owners.get(page, 0) - 1),
                 "page %d has a wrong count of owners" % page)
        marked = [page for page in range(self.pages)
                  if self.sealed(self.bitmap + 8 * (page // 32)) >> page % 32 & 1]
        need(set(marked) == used, "bitmap and objects disagree")
        need(self.free == self.pages - len(marked), "free count is wrong")


    def _tie_pages(self, used):
        found = {record // 64 for record in self.ties}
        need(not used & found, "a tie page is used twice")
        roomy, page = set(), self.sealed(576)
        while page:
            need(page in found and page not in roomy, "the list of tie pages is wrong")
            roomy.add(page)
            page = self.sealed(page * PAGE + 48)
        for page in found:
            bits = self.sealed(page * PAGE + 32) | self.sealed(page * PAGE + 40) << 32
            lines = {line for line in range(64) if bits >> line & 1}
            need(lines == {0} | {record % 64 for record in self.ties if record // 64 == page},
                 "tie page %d has a wrong map" % page)
            need((len(lines) < 64) == (page in roomy), "tie page %d is not listed" % page)
        return found


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    try:
        image = Image(data)
    except (Damaged, struct.error) as error:
        sys.exit("%s: %s" % (sys.argv[1], error))
    print("boot %d, %d objects, %d of %d pages free, name root %016x:%016x" % (
        image.boots, image.count, image.free, image.pages, image.root >> 64, image.root & MASK))
    for ident, (_, flags, pages, content, parents) in sorted(image.objects.items()):
        print("%016x:%016x  %d pages%s%s" % (
            ident >> 64, ident & MASK, len(pages) + len(content), ", deleted" if flags else "",
            ", %d parents" % parents if parents else ""))


if __name__ == "__main__":
    main()
