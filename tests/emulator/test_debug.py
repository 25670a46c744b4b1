# SPDX-License-Identifier: BSD-3-Clause
"""tools/run --gdb: the debugger attaches with symbols, and its kernel commands read a running kernel."""
import pytest
from guest import OK


@pytest.mark.quick
def test_debugger_commands(guest):
    commands = ["break thread_exit", "continue", "cpus", "threads", "objects", "views", "quit"]
    result = guest.run("demo", gdb=True, gdb_command=commands, smp=2).expect(OK)
    text = result.out + result.err
    assert "hit Breakpoint" in text, result.describe()
    result.expect_line(r"^cpu 0: hardware number \d+, online")
    result.expect_line(r"^cpu 1: hardware number \d+, online")
    result.expect_line(r"^\d+ threads$")
    result.expect_line(r"^\d+ objects$")
    result.expect_line(r"^view [0-9a-f:]+: asid \d+")
    assert "cannot read the kernel's state" not in text and "the kernel has no" not in text, result.describe()
