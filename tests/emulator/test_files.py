# SPDX-License-Identifier: BSD-3-Clause
"""Files on a persistent store: what was synced is there after a power cut; a full store has room again."""
import os

from guest import OK
from test_sdk import POSIX, sdk  # noqa: F401 (a fixture)


def test_synced_files_survive_a_power_cut(sdk):  # noqa: F811
    guest = sdk.guest(sdk.compile("kept", os.path.join(POSIX, "kept.c")))
    path = guest.path("pmem")
    for _ in range(2):
        session = guest.start(autorun="kept make", pmem=path, smp=2)
        session.expect(r"synced: 0")
        session.expect("no such text|$", timeout=1)
        session.cut_power()
        guest.run("kept look", pmem=path).expect(OK).expect_line("^bad: 0$")


def test_full_store(sdk):  # noqa: F811
    guest = sdk.guest(sdk.compile("kept", os.path.join(POSIX, "kept.c")))
    path = guest.path("pmem")
    result = guest.run("kept full", pmem=path, pmem_size="16M").expect(OK)
    result.expect_line("^bad: 0$")
    assert len(result.find("^full: No space left on device$")) == 3, result.describe()
