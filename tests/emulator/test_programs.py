# SPDX-License-Identifier: BSD-3-Clause
"""The KTAP programs of userspace/tests, in the guest, on every machine of the matrix."""
import glob
import os

import ktap
import pytest
from guest import FAILED, OK, TOP

# Finds hangs only: four emulated CPUs that wait for each other on a busy host are slow, not stuck.
HANG_SECONDS = 900


def packed_programs(build):
    """Names in the pack that was built."""
    with open(os.path.join(build, "initrd.list"), encoding="ascii") as file:
        return [entry.split("=")[0] for entry in file.read().split()]


def test_programs(build):
    """Names of the test programs, as the pack has them; each source must have got there."""
    names = sorted(name for name in packed_programs(build) if name.startswith("test_"))
    sources = glob.glob(os.path.join(TOP, "userspace", "tests", "test_*.c"))
    wanted = {os.path.basename(source).removesuffix(".c") for source in sources}
    missing = wanted - set(names)
    assert not missing, f"not in the pack: {sorted(missing)}"
    assert names, "the pack has no test program"
    return names


test_programs.__test__ = False


def run_all(guest, record_cases, **options):
    names = test_programs(guest.build)
    result = guest.run("; ".join(names), timeout=HANG_SECONDS, **options)
    report = ktap.parse(result.out, programs=len(names))
    record_cases(report)
    failures = report.failures()
    assert not failures, "\n".join(failures + [result.describe()])
    result.expect(OK)


def test_guest_programs(machine_guest, record_cases):
    run_all(machine_guest, record_cases, pmem=machine_guest.path("pmem"), pmem_size="64M")


@pytest.mark.quick
def test_guest_programs_volatile(guest, record_cases):
    """Without persistent memory: what needs it is skipped, the rest is the same."""
    run_all(guest, record_cases, smp=2)


@pytest.mark.quick
def test_unknown_program_fails(guest):
    result = guest.run("no_such_program").expect(FAILED)
    assert result.find("no_such_program")
    result.expect_line(r"^autorun: 1 programs?, 1 failed$")


@pytest.mark.quick
def test_one_failure_among_several(guest):
    result = guest.run("demo; no_such_program; demo").expect(FAILED)
    result.expect_line(r"^autorun: 3 programs, 1 failed$")
    assert len(result.find(r"^demo: boot counter")) == 2
