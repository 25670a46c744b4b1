# SPDX-License-Identifier: BSD-3-Clause
"""
Hard times for programs on libtwix: storms of processes and signals, much of everything, a full store, noise instead of
arguments; and the power cut in the middle of shell scripts that write.
"""
import os
import re
import sys

import pytest
from guest import OK, TOP
from test_sdk import POSIX, linux, sdk  # noqa: F401 (a fixture)

sys.path.insert(0, os.path.join(TOP, "tests", "powercut"))

import scripts  # noqa: E402

CUTS_A_TEST = 4
ROUNDS = 24
# Tables grow to what was once in use at the same time; what each round loses would be more.
LOST_MAX = 2 << 20


def test_crowd(sdk):  # noqa: F811
    """Hundreds of processes, descriptors, files, pipes: as on Linux."""
    source = os.path.join(POSIX, "crowd.c")
    expected = linux(source, sdk.folder).splitlines()
    result = sdk.guest(sdk.compile("crowd", source)).run("crowd").expect(OK).expect_clean()
    assert [line for line in result.lines if re.match(r"\d+: ", line)] == expected


@pytest.mark.parametrize("seed", [1, 2])
def test_storms(sdk, seed):  # noqa: F811
    """Trees of processes, programs, pipes, threads, signals anywhere: nobody hangs, no open file and no memory is lost."""
    guest = sdk.guest(sdk.compile("tempest", os.path.join(POSIX, "tempest.c")))
    result = guest.run(f"tempest {seed} {ROUNDS}", smp=4).expect(OK).expect_clean()
    line = result.expect_line(r"^tempest: -?\d+ bytes and -?\d+ open files less, bad 0$")
    lost, files = (int(number) for number in re.findall(r"-?\d+", line)[:2])
    assert lost < LOST_MAX and files <= 0, result.describe()
    assert not result.find("ended by"), result.describe()


def test_full_store(sdk):  # noqa: F811
    """Each call says ENOSPC, a mapping gives SIGBUS, and what is removed makes room."""
    guest = sdk.guest(sdk.compile("full", os.path.join(POSIX, "full.c")))
    region = guest.path("pmem")
    guest.run("full store; hello", pmem=region, pmem_size="12M").expect(OK).expect_clean().expect_line("^full: bad 0$")
    # The next boot finds nothing to complain of.
    guest.run("hello", pmem=region).expect(OK).expect_clean()


def test_noise(sdk):  # noqa: F811
    """Calls with any arguments, argument lists that are too long: whoever makes them may end, nobody else."""
    guest = sdk.guest(sdk.compile("hostile", os.path.join(POSIX, "hostile.c")))
    result = guest.run("hostile 1 20 300; hello", smp=4).expect(OK).expect_clean()
    result.expect_line("^hostile: bad 0$")


def test_power_cuts_in_scripts(sdk, tmp_path):  # noqa: F811
    """Each finds the tree as a script had it between two commands, or within one."""
    machine = scripts.Machine(sdk.board, sdk.build, sdk.top, sdk.port("busybox", "busybox"), str(tmp_path / "cuts"))
    scripts.run(machine, 1, CUTS_A_TEST)


# --- the oracle of the cuts alone

def a_script(seed):
    """Its commands, and the states between them."""
    writer = scripts.Writer(scripts.random.Random(seed), {})
    commands, states = [], [{}]
    for _ in range(scripts.COMMANDS):
        commands.append(writer.draw())
        states.append(writer.state)
    return commands, states


@pytest.mark.parametrize("seed", range(5))
def test_oracle_takes_every_state(seed):
    commands, states = a_script(seed)
    for at, state in enumerate(states):
        assert scripts.judge(states, commands, at, dict(state)) >= at


@pytest.mark.parametrize("change", ["lost", "torn", "more", "older"])
def test_oracle_notices(change):
    """A file that is lost or torn, a name that nobody made, a state of long ago."""
    commands, states = a_script(7)
    at = max(n for n, state in enumerate(states) if any(what[0] == "f" for what in state.values()))
    state = dict(states[at])
    path = next(path for path, what in state.items() if what[0] == "f")
    if change == "lost":
        del state[path]
    elif change == "torn":
        state[path] = ("f", b"x" + state[path][1][1:])
    elif change == "more":
        state["/t/nobody"] = ("d",)
    else:
        state = dict(states[at // 2])
    with pytest.raises(scripts.Harm):
        scripts.judge(states, commands, at, state)
