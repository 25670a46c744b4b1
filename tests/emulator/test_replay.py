# SPDX-License-Identifier: BSD-3-Clause
"""Runs that can be had again: a recording replays byte for byte, a seed makes the same machine."""
import re

import pytest
from guest import OK, USAGE

_MADE = r"^demo: made volatile objects (\S+)"


def made(result):
    """The ID of the object that demo made: chance."""
    return re.search(_MADE, result.expect(OK).out, re.MULTILINE).group(1)


@pytest.mark.quick
def test_recording_replays(guest):
    """Chance and the time of day are in it; another recording is another run."""
    path = guest.path("recording")
    recorded = guest.run("date; demo; trace hello; dmesg", record=path)
    assert guest.run("date; demo; trace hello; dmesg", replay=path).out == recorded.out
    again = guest.run("date; demo", record=path)
    assert made(again) != made(recorded)


@pytest.mark.quick
def test_seeds(guest):
    """The same seed is the same run, another is another."""
    first, second, third = (made(guest.run("demo", icount=True, seed=seed)) for seed in (7, 7, 8))
    assert first == second != third


def test_several_cpus_repeat(arm_guest):
    first, second = (arm_guest.run("demo; test_log", icount=True, smp=4, seed=3).expect(OK) for _ in range(2))
    assert first.out == second.out


@pytest.mark.parametrize("options", [
    {"record": "x", "replay": "x"}, {"record": "x", "smp": 2}, {"record": "x", "seed": 1}, {"replay": "/nowhere/x"},
    {"record": "x", "pmem": "x"}, {"seed": 1}, {"seed": -1, "icount": True}])
def test_senseless_requests(guest, options):
    guest.run("demo", **options).expect(USAGE)


def test_typing_is_not_recorded(guest):
    guest.run(None, record=guest.path("recording")).expect(USAGE)
