# SPDX-License-Identifier: BSD-3-Clause
"""
Several regions of persistent memory: each is a store of its own, the machine is one. Objects are found wherever their
region is plugged in; a region that is missing, foreign or a copy stops none of the others.
"""
import hashlib
import os
import re
import shutil

import pytest
from guest import OK

MIB = 1 << 20
EXDEV = -18
_MADE = re.compile(r"^regions: made (\S+) 0\s*$", re.MULTILINE)
_TOLD = re.compile(r"^regions: (\S+) (\S+) (-?\d+)\s*$", re.MULTILINE)
_SEEN = re.compile(r"^regions: (\S+) is (\w+)\s*$", re.MULTILINE)
_MOUNTED = re.compile(r"^store: mounted: (\d+) objects", re.MULTILINE)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Machine:
    """A guest, and what is plugged into it."""

    def __init__(self, guest):
        self.guest = guest

    def path(self, name, size=8):
        """A region file, blank if it is not there yet."""
        path = self.guest.path(name)
        if not os.path.exists(path):
            with open(path, "wb") as file:
                file.truncate(size * MIB)
        return path

    def run(self, regions, *commands, **options):
        autorun = "; ".join("test_regions " + command for command in commands)
        return self.guest.run(autorun, pmem=[self.path(r) for r in regions], **options).expect(OK).expect_clean()

    def make(self, regions, count, pages=4):
        return _MADE.findall(self.run(regions, f"make {count} {pages}").out)

    def fill(self, regions):
        """As many objects of 1 MiB as there is room for, their IDs; and what then still fits."""
        out = self.run(regions, "make 1000 256 full", "make 1000 8 full", "make 1000 0 full").out
        return _MADE.findall(out.split("regions: last")[0])

    def look(self, regions, ids, **options):
        """What each object is like: {id: whole, missing or damaged}."""
        commands = ["look " + " ".join(ids[i:i + 8]) for i in range(0, len(ids), 8)]
        return dict(_SEEN.findall(self.run(regions, *commands, **options).out))

    def do(self, regions, command):
        """The last thing a command tells: (id, result)."""
        name, ident, result = _TOLD.findall(self.run(regions, command).out)[-1]
        assert name == command.split()[0]
        return ident, int(result)


@pytest.fixture
def machine(guest):
    return Machine(guest)


def all_are(what, seen, ids):
    return set(seen) == set(ids) and set(seen.values()) == {what}


@pytest.mark.quick
def test_objects_land_in_both_and_survive(machine):
    ids = machine.fill(["a", "b"])
    assert 8 <= len(ids) <= 12, "each has room for four to six"
    result = machine.run(["b", "a"], "look " + " ".join(ids[:8]), "look " + " ".join(ids[8:] or ids))
    assert all_are("whole", dict(_SEEN.findall(result.out)), ids)
    counts = [int(n) for n in _MOUNTED.findall(result.out)]
    assert len(counts) == 2 and min(counts) >= 4, f"objects in each: {counts}"


@pytest.mark.quick
def test_one_region_is_missing(machine):
    ids = machine.fill(["a", "b"])
    in_a, in_b = machine.look(["a"], ids), machine.look(["b"], ids)
    for i in ids:
        assert {in_a[i], in_b[i]} == {"whole", "missing"}, f"{i}: {in_a[i]}, {in_b[i]}"
    assert all_are("whole", machine.look(["b", "a"], ids), ids)


@pytest.mark.quick
@pytest.mark.parametrize("order", [("a", "x"), ("x", "a")])
def test_one_region_is_foreign(machine, order):
    ids = machine.make(["a"], 3)
    foreign = machine.path("x")
    with open(foreign, "r+b") as file:
        file.write(b"somebody's file system" * 1000)
    before = digest(foreign)
    result = machine.run(order, "look " + " ".join(ids), "make 1 1")
    assert all_are("whole", dict(_SEEN.findall(result.out)), ids)
    result.expect_line(r"^store: refusing the region at .*not ours; left untouched")
    assert digest(foreign) == before


@pytest.mark.quick
def test_one_region_is_full(machine):
    machine.fill(["a"])
    ids = machine.make(["a", "b"], 3, 100)
    assert all_are("whole", machine.look(["b"], ids), ids)
    # Deleted from a, there is room in a again, wherever b is.
    machine.run(["a"], "delete " + ids[0])


@pytest.mark.quick
def test_a_copied_file_is_left_alone(machine):
    ids = machine.make(["a"], 3)
    shutil.copy(machine.path("a"), machine.guest.path("copy"))
    before = digest(machine.path("copy"))
    result = machine.run(["a", "copy"], "look " + " ".join(ids), "make 1 1")
    result.expect_line(r"^store: it holds a copy of the store at 0x\w+, which is in use")
    assert digest(machine.path("copy")) == before
    assert all_are("whole", dict(_SEEN.findall(result.out)), ids)


@pytest.mark.quick
def test_one_id_in_two_stores_is_told(machine):
    first, result = machine.do(["a"], "hash")
    assert result == 0
    assert machine.do(["b"], "hash") == (first, 0)
    for order in (["a", "b"], ["b", "a"]):
        run = machine.run(order, "look " + first)
        run.expect_line(rf"^store: object {first} is in two stores: the first one's is used")
        assert _SEEN.findall(run.out)[0][0] == first
    # The one that counts goes; the other is found then.
    machine.run(["a", "b"], "delete " + first)
    seen = machine.look(["a", "b"], [first])
    assert seen[first] != "missing"
    machine.run(["a", "b"], "delete " + first)
    assert machine.look(["a", "b"], [first])[first] == "missing"


@pytest.mark.quick
def test_ties_stay_in_one_store(machine):
    a, = machine.make(["a"], 1)
    b, = machine.make(["b"], 1)
    both = ["a", "b"]
    assert machine.do(both, f"tie {a} {b}")[1] == EXDEV
    assert machine.do(both, f"child {a} {b}")[1] == EXDEV
    in_a, result = machine.do(both, f"child {a}")
    in_b, other = machine.do(both, f"child {b}")
    assert (result, other) == (0, 0)
    # Born deleted, they live where their parents do, and as long.
    assert machine.look(["a"], [in_a, in_b]) == {in_a: "whole", in_b: "missing"}
    assert machine.look(["b"], [in_a, in_b]) == {in_a: "missing", in_b: "whole"}
    machine.run(both, f"delete {a}")
    assert machine.look(both, [in_a, in_b]) == {in_a: "missing", in_b: "whole"}


@pytest.mark.quick
def test_ties_of_objects_that_moved(machine):
    """A child that was deleted is there after a power cut if, and only if, it and its parent are in the store by then."""
    session = machine.guest.start(autorun="test_regions families; test_regions look " + "0" * 32, pmem=[machine.path("a")])
    session.expect(r"regions: 0+:0+ is missing")
    session.cut_power()
    told = _TOLD.findall(session.out)
    assert len(told) == 32 and all(result == "0" for _, _, result in told), session.out
    wanted = {ident: "whole" if what == "kept" else "missing" for what, ident, _ in told}
    assert machine.look(["a"], list(wanted)) == wanted


@pytest.mark.quick
def test_copies_between_stores(machine):
    source, = machine.make(["a"], 1, 20)
    machine.fill(["a"])
    copy, result = machine.do(["a", "b"], f"copy {source}")
    assert result == 0
    assert machine.look(["b"], [copy, source]) == {copy: "whole", source: "missing"}
    assert machine.look(["a"], [source]) == {source: "whole"}


@pytest.mark.quick
def test_ranges_of_one_node(machine):
    """Two entries in one node's reg are two regions."""
    ids = machine.fill(["a", "b"])
    result = machine.run(["a", "b"], "look " + ids[0])
    bases = [int(b, 16) for b in re.findall(r"^store: region at 0x(\w+)", result.out, re.MULTILINE)]
    cells = " ".join(f"0 {base:#x} 0 {8 * MIB:#x}" for base in reversed(bases))
    nodes = [f"/pmem@{base:x}" for base in bases]
    edits = [f"delete {nodes[1]}", f"setcells {nodes[0]} reg {cells}"]
    assert all_are("whole", machine.look(["a", "b"], ids, dtb_edit=edits), ids)


@pytest.mark.quick
def test_names_of_two_stores(machine):
    """Each file brings a root of names along; which of them counts does not depend on where it is plugged in."""
    roots = {machine.do([name], "root") for name in ("a", "b")}
    assert len(roots) == 2
    used, again = (machine.do(order, "root") for order in (["a", "b"], ["b", "a"]))
    assert used == again and used in roots
    other, = roots - {used}
    # Any object can be the root, from whichever store; without its store the other's own is used again.
    assert machine.do(["a", "b"], "root " + other[0]) == other
    assert machine.do(["b", "a"], "root") == other
    assert [machine.do([name], "root")[0] for name in ("a", "b")].count(other[0]) >= 1
