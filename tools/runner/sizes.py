# SPDX-License-Identifier: BSD-3-Clause
"""Sizes in bytes as people write them: 64M, 1G, 4096K, plain numbers are MiB (as the emulator has it)."""
import re

from .errors import UsageError

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30
PAGE = 4096
BLOCK = 2 * MIB  # the larger mapping; regions are aligned to it

_UNITS = {"": MIB, "B": 1, "K": KIB, "M": MIB, "G": GIB, "T": 1 << 40}


def parse_size(text, what):
    """Bytes in `text`; UsageError that names `what` when it is no positive size."""
    match = re.fullmatch(r"(\d+)(?:([BKMGT])(?:i?B)?)?", str(text).strip(), re.IGNORECASE)
    if not match:
        raise UsageError(f"{what}: '{text}' is not a size (examples: 64M, 1G)")
    size = int(match[1]) * _UNITS[(match[2] or "").upper()]
    if size == 0:
        raise UsageError(f"{what}: the size must not be 0")
    return size


def show_size(size):
    """`size` bytes in the largest unit that divides it, as the emulator takes it."""
    for unit, name in ((GIB, "G"), (MIB, "M"), (KIB, "K")):
        if size % unit == 0:
            return f"{size // unit}{name}"
    return f"{size}B"


def align_up(value, to):
    return (value + to - 1) // to * to


def align_down(value, to):
    return value // to * to
