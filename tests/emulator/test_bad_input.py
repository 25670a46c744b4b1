# SPDX-License-Identifier: BSD-3-Clause
"""
Bad regions, packs, device trees and sizes: each gets a clear message, none a hang or a crash, and nothing that is
not ours is overwritten.
"""
import hashlib
import os
import random
import shutil

import pytest
from guest import FAILED, OK, PANIC, SETUP, TIMEOUT, USAGE

MIB = 1 << 20


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_region(guest, size="16M"):
    """A region with a store that has been used."""
    path = guest.path("pmem")
    guest.run("demo; demo", pmem=path, pmem_size=size).expect(OK)
    return path


def refused(guest, path):
    """Boots with a region that must not be touched: the store says no, the machine runs on without it."""
    before = digest(path)
    result = guest.run("demo", pmem=path).expect(OK, FAILED).expect_clean()
    line = result.expect_line(r"^store: .*(refus|read-only)")
    assert digest(path) == before, f"the region was changed although: {line}"
    return result


@pytest.mark.quick
@pytest.mark.parametrize("fill", ["ones", "random", "text", "late-byte", "byte-in-the-middle"])
def test_foreign_region(guest, fill):
    path, size = guest.path("pmem"), 16 * MIB
    with open(path, "wb") as file:
        file.truncate(size)
        if fill == "ones":
            file.write(b"\xff" * size)
        elif fill == "random":
            file.write(random.Random(1).randbytes(size))
        elif fill == "text":
            file.write(b"This is somebody's file system.\n" * 4096)
        else:
            # The last 2 MiB are never the store's: emulators leave their device tree there.
            file.seek(size - 2 * MIB - 1 if fill == "late-byte" else size // 2 + 12345)
            file.write(b"x")
    refused(guest, path)


@pytest.mark.quick
def test_blank_region_is_formatted(guest):
    path = guest.path("pmem")
    with open(path, "wb") as file:
        file.truncate(16 * MIB)
    result = guest.run("demo", pmem=path).expect(OK).expect_clean()
    result.expect_line(r"^store: formatted")


@pytest.mark.quick
@pytest.mark.parametrize("size", [2 * MIB, 8 * MIB, 14 * MIB])
def test_truncated_region(guest, size):
    path = make_region(guest)
    os.truncate(path, size)
    refused(guest, path)


def test_grown_region(guest):
    """More room than the store knows of is no damage, but it must not be lost data either."""
    path = make_region(guest)
    os.truncate(path, 32 * MIB)
    before = digest(path)
    result = guest.run("demo", pmem=path).expect(OK, FAILED).expect_clean()
    if result.find(r"^store: .*refus"):
        assert digest(path) == before
    else:
        result.expect_line(r"^demo: list has 3 nodes")


def flip(path, offset, bit):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ (1 << bit)]))


def used_pages(path):
    """Offsets of the pages of a region that hold anything."""
    with open(path, "rb") as file:
        data = file.read()
    return [at for at in range(0, len(data), 4096) if any(data[at:at + 4096])]


@pytest.mark.quick
@pytest.mark.parametrize("offset", [0, 8, 64, 128])
def test_flipped_bit_in_the_first_page(guest, offset):
    path = make_region(guest)
    flip(path, offset, 3)
    before = digest(path)
    result = guest.run("demo", pmem=path).expect(OK, FAILED).expect_clean()
    if result.find(r"^store: .*refus"):
        assert digest(path) == before, "a refused region was changed"
    else:
        # A copy of the damaged page stood in for it, or nothing used the byte: then nothing may be lost.
        result.expect_line(r"^demo: list has 3 nodes")


@pytest.mark.parametrize("seed", range(8))
def test_flipped_bits_anywhere(guest, seed):
    """Whatever is damaged, the machine comes up, says so or does not need it, and never crashes."""
    rng, path = random.Random(seed), make_region(guest)
    for _ in range(4):
        flip(path, rng.choice(used_pages(path)) + rng.randrange(4096), rng.randrange(8))
    guest.run("demo", pmem=path).expect(OK, FAILED).expect_clean()


@pytest.mark.quick
def test_no_pack(guest):
    result = guest.run("demo", no_initrd=True).expect(PANIC)
    result.expect_line(r"(?i)\b(initrd|pack)\b")


def bad_pack(guest, change, *statuses):
    """Boots with a changed copy of the pack: `change` gets and returns its bytes."""
    with open(os.path.join(guest.build, "initrd.pack"), "rb") as file:
        data = change(bytearray(file.read()))
    path = guest.path("bad.pack")
    with open(path, "wb") as file:
        file.write(data)
    # Where a changed program may run for ever, that is not waited for.
    limit = {"timeout": 30} if TIMEOUT in statuses else {}
    return guest.run("demo", initrd=path, **limit).expect(*statuses)


def truncations(size):
    """Lengths to cut a pack of this size to, as parts of it and as bytes."""
    return sorted({1, 16, 127, 128, 129, 160, 4095, 4096, 4097, size // 4, size // 2, size - 4097, size - 4096, size - 1})


@pytest.mark.parametrize("index", [pytest.param(i, marks=pytest.mark.quick if i in (0, 3, 13) else [])
                                   for i in range(14)])
def test_truncated_pack(guest, index):
    lengths = truncations(os.path.getsize(os.path.join(guest.build, "initrd.pack")))
    result = bad_pack(guest, lambda data: data[:lengths[index]], PANIC)
    result.expect_line(r"(?i)^panic: .*\b(initrd|pack)\b")


@pytest.mark.parametrize("seed", [pytest.param(i, marks=pytest.mark.quick if i < 2 else []) for i in range(12)])
def test_mutated_pack_tables(guest, seed):
    """A flipped bit in the header or the tables is found before anything of them is used."""
    rng = random.Random(seed)

    def change(data):
        tables = int.from_bytes(data[32:40], "little")
        data[rng.randrange(min(tables, len(data)))] ^= 1 << rng.randrange(8)
        return data
    result = bad_pack(guest, change, PANIC)
    result.expect_line(r"(?i)^panic: .*\b(initrd|pack)\b")


@pytest.mark.parametrize("seed", range(6))
def test_mutated_pack_data(guest, seed):
    """
    Flipped bits in page data: an object's ID tells, or its program goes wrong by itself, never the kernel. If that
    program is init, nobody is left to power the machine off.
    """
    rng = random.Random(seed)

    def change(data):
        begin = int.from_bytes(data[32:40], "little")
        for _ in range(8):
            data[rng.randrange(begin, len(data))] ^= 1 << rng.randrange(8)
        return data
    result = bad_pack(guest, change, OK, FAILED, PANIC, TIMEOUT, SETUP)
    assert not result.find(r"UBSAN|assertion failed|page fault in the kernel"), result.describe()


# What is taken out of the device tree, and what the kernel must say (it may go on where it can). On riscv the firmware
# reads the tree first, and stops without a time base or CPUs.
RISCV_TREES = {
    "zero-timer": (["setcells /cpus timebase-frequency 0"], r"(?i)timer|timebase"),
    "no-memory": (["delete /memory"], r"(?i)\bmemory\b"),
    "empty-memory": (["setcells /memory reg"], r"(?i)\bmemory\b"),
    "no-stdout": (["delprop /chosen stdout-path"], r"(?i)console|stdout"),
    "no-interrupt-controller": (["delete /soc/plic"], r"(?i)interrupt|plic|irq"),
}
ARM_TREES = {
    "no-timer": (["delete /timer"], r"(?i)timer"),
    "no-memory": (["delete /memory"], r"(?i)\bmemory\b"),
    "empty-memory": (["setcells /memory reg"], r"(?i)\bmemory\b"),
    "no-stdout": (["delprop /chosen stdout-path"], r"(?i)console|stdout"),
    "no-interrupt-controller": (["delete /intc"], r"(?i)interrupt|gic|irq"),
    "no-cpus": (["delete /cpus"], r"(?i)\bcpus?\b"),
    "no-psci": (["delete /psci"], r"^cpu: CPU 1 .*cannot be started|psci"),
}
_QUICK_TREES = ("no-timer", "zero-timer", "no-memory", "no-stdout")


def tree_params(trees):
    return [pytest.param(*trees[name], id=name, marks=pytest.mark.quick if name in _QUICK_TREES else [])
            for name in trees]


def lacking(guest, edits, pattern):
    # Without the firmware's help nothing can power the machine off: the runner does.
    result = guest.run("demo", dtb_edit=edits, timeout=30).expect(OK, PANIC, SETUP)
    result.expect_line(pattern)


@pytest.mark.parametrize("edits, pattern", tree_params(RISCV_TREES))
def test_riscv_tree_lacks(riscv_guest, edits, pattern):
    lacking(riscv_guest, edits, pattern)


@pytest.mark.parametrize("edits, pattern", tree_params(ARM_TREES))
def test_arm_tree_lacks(arm_guest, edits, pattern):
    lacking(arm_guest, edits, pattern)


def smallest_memory(guest):
    """Smallest --mem in MiB that boots, by halving; what is too small must say so."""
    low, high = 1, 64
    while high - low > 1:
        middle = (low + high) // 2
        result = guest.run("demo", mem=f"{middle}M")
        if result.status == OK:
            high = middle
        else:
            low = middle
            # The runner or the emulator refuses what cannot hold kernel and pack, the kernel the rest.
            result.expect(PANIC, USAGE, SETUP)
            assert result.find(r"(?i)memory") or result.err.strip(), result.describe()
    return high


def test_too_little_memory(guest, record_property):
    smallest = smallest_memory(guest)
    record_property("smallest_mib", smallest)
    assert smallest <= 64


def configured_cpus(build):
    with open(os.path.join(build, ".config"), encoding="ascii") as file:
        for line in file:
            if line.startswith("CONFIG_MAX_CPUS="):
                return int(line.split("=")[1])
    raise AssertionError("no CONFIG_MAX_CPUS in .config")


def test_more_cpus_than_configured(guest):
    limit = configured_cpus(guest.build)
    result = guest.run("demo", smp=limit + 2, timeout=180).expect(OK).expect_clean()
    result.expect_line(rf"(?i)cpus?\b.*\b{limit}\b|\b{limit}\b.*cpus?\b")


def test_bootargs_garbage(guest):
    for words in ("=", "=====", "loglevel=abc", "loglevel=99999999999999999999", "panic=", "\" \"", "x" * 2500):
        guest.run("demo", append=words).expect(OK).expect_clean()


def test_seldom_used_copy_of_the_region(guest):
    """A copied region is the same region."""
    path = make_region(guest)
    copy = guest.path("copy")
    shutil.copyfile(path, copy)
    guest.run("demo", pmem=copy).expect(OK).expect_line(r"^demo: list has 3 nodes")
