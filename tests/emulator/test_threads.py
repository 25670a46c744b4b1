# SPDX-License-Identifier: BSD-3-Clause
"""Threads, where the machine matters: many of them in little memory, and everything at once on many CPUs."""
import pytest
from guest import OK

# Finds hangs only, see test_programs.py.
HANG_SECONDS = 600


def run(guest, programs, **options):
    result = guest.run(programs, timeout=HANG_SECONDS, **options)
    assert not result.find(r"^not ok"), result.describe()
    assert not result.find(r"# SKIP"), result.describe()
    result.expect(OK)


@pytest.mark.parametrize("smp", [1, 4])
def test_ten_thousand_threads_in_256_mib(guest, smp):
    run(guest, "test_many", smp=smp, mem="256M")


@pytest.mark.parametrize("seed", [1, 2])
def test_everything_at_once_on_eight_cpus(guest, seed):
    """More CPUs than the host has: they stand still at any point."""
    run(guest, f"test_stress seconds=5 seed={seed}", smp=8)
