# SPDX-License-Identifier: BSD-3-Clause
"""
Hard times for programs on libtwix: much of everything; and the power cut in the middle of shell scripts that write.
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


def test_crowd(sdk):  # noqa: F811
    """Hundreds of processes, descriptors, files, pipes: as on Linux."""
    source = os.path.join(POSIX, "crowd.c")
    expected = linux(source, sdk.folder).splitlines()
    result = sdk.guest(sdk.compile("crowd", source)).run("crowd").expect(OK).expect_clean()
    assert [line for line in result.lines if re.match(r"\d+: ", line)] == expected


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
