# SPDX-License-Identifier: BSD-3-Clause
"""Objects survive: an orderly power-off, SIGKILL of the emulator at any time, another CPU count and memory size."""
import random
import re

import pexpect
import pytest
from guest import OK

_COUNTER = re.compile(r"^demo: boot counter (\d+)\s*$", re.MULTILINE)
_LIST = re.compile(r"^demo: list has (\d+) nodes?: *(.*?)\s*$", re.MULTILINE)
_ACKNOWLEDGED = r"demo: list has (\d+) nodes?:[^\n]*\n"
_SHOWN = 64  # of a longer list only the ends are printed


def seen(result):
    """[(counter, nodes)] of the runs of demo on this console; each list must be as long as it says."""
    runs = []
    for counter, (nodes, members) in zip(_COUNTER.findall(result.out), _LIST.findall(result.out), strict=True):
        wanted = int(nodes) if int(nodes) <= _SHOWN else _SHOWN + 1
        assert len(members.split()) == wanted, f"{nodes} nodes announced: {members}"
        runs.append((int(counter), int(nodes)))
    return runs


def one_run(guest, path, **options):
    result = guest.run("demo", pmem=path, **options).expect(OK).expect_clean()
    runs = seen(result)
    assert len(runs) == 1, result.describe()
    return runs[0]


@pytest.mark.quick
def test_list_grows_over_boots(guest):
    path = guest.path("pmem")
    assert [one_run(guest, path, pmem_size="64M") for _ in range(3)] == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.quick
def test_list_survives_a_power_cut(guest):
    """Three boots; each is cut as soon as the console has acknowledged its run."""
    path = guest.path("pmem")
    for wanted in (1, 2, 3):
        session = guest.start(autorun="demo; demo", pmem=path)
        first = int(session.expect(_ACKNOWLEDGED).group(1))
        session.cut_power()
        # The second run of the boot before may have been complete, acknowledged or not.
        assert wanted <= first <= 2 * wanted - 1, session.out
    _, nodes = one_run(guest, path)
    assert 4 <= nodes <= 7


def cut_somewhere(guest, path, rng, **options):
    """One boot that is cut at a random moment; the last number of nodes that the console acknowledged, or 0."""
    session = guest.start(autorun="; ".join(["demo"] * 40), pmem=path, **options)
    session.expect(r"(demo: boot counter|autorun:)")
    session.child.expect(["no such text", pexpect.TIMEOUT, pexpect.EOF], timeout=rng.random() * 0.4)
    session.cut_power()
    found = re.findall(_ACKNOWLEDGED, session.out)
    return max(map(int, found), default=0)


@pytest.mark.parametrize("seed", [pytest.param(1, marks=pytest.mark.quick), 2, 3])
def test_power_cuts_at_random(guest, seed):
    """What was acknowledged is there after the cut; nothing is there that no run can have made."""
    rng, path, known = random.Random(seed), guest.path("pmem"), 0
    for cuts in range(1, 6):
        known = max(known, cut_somewhere(guest, path, rng, smp=rng.choice([1, 2, 4])))
        counter, nodes = one_run(guest, path)
        # One run at most was under way: it may have got its node in unheard, or only its counter.
        assert known + 1 <= nodes <= known + 2, f"{known} were acknowledged, now {nodes}"
        assert nodes <= counter <= nodes + cuts, f"counter {counter}, {nodes} nodes after {cuts} cuts"
        known = nodes


def test_other_machines_read_the_same_region(guest):
    path = guest.path("pmem")
    shapes = [{"smp": 1, "mem": "64M"}, {"smp": 4, "mem": "2G"}, {"smp": 8, "mem": "256M"}, {"smp": 2, "mem": "4G"}]
    assert [one_run(guest, path, **shape)[1] for shape in shapes] == [1, 2, 3, 4]


def test_regions_travel_between_boards(riscv_guest, arm_guest):
    """The same bytes mean the same on both architectures."""
    path = riscv_guest.path("pmem")
    nodes = [one_run(guest, path)[1] for guest in (riscv_guest, arm_guest, riscv_guest, arm_guest)]
    assert nodes == [1, 2, 3, 4]


@pytest.mark.parametrize("size", ["4M", "16M", "300M", "2G"])
def test_region_sizes(guest, size):
    path = guest.path("pmem")
    assert [one_run(guest, path, pmem_size=size)[1] for _ in range(2)] == [1, 2]


@pytest.mark.quick
def test_volatile_machine_says_so(guest):
    result = guest.run("demo").expect(OK)
    result.expect_line(r"store: no persistent memory")
    assert seen(result) == [(1, 1)]
