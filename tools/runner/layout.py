# SPDX-License-Identifier: BSD-3-Clause
"""
Where things stand in the machine's physical memory.

Plain runs leave it to the emulator. A run with a device tree of ours (Layout) places the initrd itself, and
with persistent memory the memory backends: RAM, the regions, and for some emulators a short tail of RAM, because
they write their device tree to the end of memory and must not hit a region.
"""
import struct

from .errors import UsageError
from .sizes import BLOCK, MIB, align_down, align_up, show_size

# Room for the device tree: below 2 MiB, and put at a multiple of 2 MiB.
WINDOW = 4 * MIB


def image_size(path):
    """Bytes of memory the Image at `path` asks for (both architectures have the same header fields)."""
    with open(path, "rb") as file:
        head = file.read(64)
        length = file.seek(0, 2)
    if len(head) < 64:
        return max(length, 1)
    offset, size = struct.unpack_from("<QQ", head, 8)
    return max(size + (offset if offset < BLOCK else 0), length)


class Layout:
    """
    ram, tail: bytes of those memory backends (tail may be 0); ram comes first, from ram_base, tail last.
    regions: (base, bytes) of each region of persistent memory, one after another between them.
    banks: (base, bytes) of what the device tree calls memory; together as much as was asked for.
    place: whether the runner itself puts kernel and tree into memory.
    """

    def __init__(self, board, mem, region_sizes, *, place, tree_at_end):
        self.board = board
        self.mem = mem
        self.place = place
        self.ram = align_up(mem, BLOCK) if region_sizes else mem
        self.tail = 0
        self.banks = [(board.ram_base, mem)]
        if region_sizes and board.tree_limit:
            self._make_windows(tree_at_end, sum(region_sizes))
        self.regions, at = [], board.ram_base + self.ram
        for size in region_sizes:
            self.regions.append((at, size))
            at += size
        self.total = at + self.tail - board.ram_base

    def _make_windows(self, tree_at_end, regions):
        """
        Keeps the emulator's tree out of the regions: they begin at the limit or above, the memory right below
        the limit is there, and for an emulator that writes to the end of memory there is a tail behind the regions.
        """
        base, limit = self.board.ram_base, self.board.tree_limit
        if self.mem < 4 * WINDOW:
            raise UsageError(f"--mem {show_size(self.mem)} is too little beside persistent memory on {self.board.name} "
                             f"(at least {show_size(4 * WINDOW)})")
        self.tail = WINDOW if tree_at_end else 0
        first = self.mem - self.tail
        self.ram = align_up(first, BLOCK)
        self.banks = [(base, first)]
        if base + first < limit:
            self.ram = limit - base
            self.banks = [(base, first - WINDOW), (limit - WINDOW, WINDOW)]
        if self.tail:
            self.banks.append((base + self.ram + regions, self.tail))

    def initrd_address(self, size, kernel_size):
        """Where an initrd of `size` bytes goes: as high in the first bank as the emulator's own tree lets it."""
        base, length = self.banks[0]
        end = base + length
        if self.board.tree_limit:
            end = min(end, self.board.tree_limit) - WINDOW
        start = align_down(end - size, BLOCK)
        # A tree that we place ourselves goes right below it.
        if start < align_up(self.board.kernel_base + kernel_size, BLOCK) + BLOCK:
            raise UsageError(f"--mem {show_size(self.mem)} is too little for the kernel ({kernel_size} bytes in memory) "
                             f"and the initrd ({size} bytes)")
        return start

    def tree_address(self, initrd_start):
        """Where a tree that we place ourselves goes."""
        return initrd_start - BLOCK
