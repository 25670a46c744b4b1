# SPDX-License-Identifier: BSD-3-Clause
"""
The KTAP programs of userspace/tests, in the guest: all of them on the everyday machines of the matrix, on the others
those that see the difference.
"""
import glob
import os

import ktap
import pytest
from conftest import MACHINES, QUICK_MACHINES, RISCV
from guest import FAILED, OK, TOP

# Finds hangs only: four emulated CPUs that wait for each other on a busy host are slow, not stuck.
HANG_SECONDS = 900

# What depends on the layout of page tables: riscv64's machines differ in their depth.
OF_PAGING = ("test_tlb test_large test_slots test_either test_share test_copy test_traps test_faults test_user_faults "
             "test_fault_contexts test_become test_backing test_objects test_ptr test_permissions test_leaks test_races "
             "test_stress test_fuzz_calls").split()
# What depends on interrupts and who takes them: arm64's differ in their controller.
OF_INTERRUPTS = ("test_tlb test_sched test_sync test_signals test_threads test_clock test_races test_stress test_pty "
                 "test_trace test_kso test_leaks test_fuzz_calls").split()


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


def run_all(guest, record_cases, names=None, **options):
    names = names or test_programs(guest.build)
    result = guest.run("; ".join(names), timeout=HANG_SECONDS, **options)
    report = ktap.parse(result.out, programs=len(names))
    record_cases(report)
    failures = report.failures()
    assert not failures, "\n".join(failures + [result.describe()])
    result.expect(OK)


def test_guest_programs(machine_guest, machine, record_cases):
    """An everyday machine has the same CPU count and the same programs; another has a reason of its own for each."""
    names = None if machine in QUICK_MACHINES else OF_PAGING if machine[0] == RISCV else OF_INTERRUPTS
    run_all(machine_guest, record_cases, names, pmem=machine_guest.path("pmem"), pmem_size="64M")


@pytest.mark.quick
def test_every_kind_of_machine_runs_all():
    """Of each board, each CPU count, and riscv64's and arm64's variants but the widest tables, some machine runs all."""
    wanted = {(board, name, value) for board, options in MACHINES for name, value in options.items()} - {(RISCV, "mmu", "sv57")}
    assert wanted == {(board, name, value) for board, options in QUICK_MACHINES for name, value in options.items()}


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
