# SPDX-License-Identifier: BSD-3-Clause
"""Address spaces on machines with few numbers for them, and with none."""
import ktap
import pytest
from guest import OK


@pytest.mark.parametrize("numbers", [1, 7])
def test_scarce_numbers(guest, record_cases, numbers):
    """More spaces than numbers: they begin anew thousands of times, or every switch drops everything."""
    result = guest.run("test_tlb; test_share", smp=4, append=f"asids={numbers}", pmem=guest.path("pmem"),
                       pmem_size="64M", timeout=600).expect(OK)
    report = ktap.parse(result.out, programs=2)
    record_cases(report)
    assert not report.failures(), "\n".join(report.failures())
    too_few = result.find(r"numbers are too few")
    assert bool(too_few) == (numbers == 1)
