# SPDX-License-Identifier: BSD-3-Clause
"""How a machine ends when things are not as they should be."""
import os
import subprocess

import pytest
from guest import OK, SETUP, TIMEOUT


@pytest.mark.quick
def test_init_ends(guest):
    """Nobody would start anything any more: that is said, and with panic=poweroff the machine does not stay."""
    pack = guest.path("hello.pack")
    program = os.path.join(guest.build, "user", "hello.elf")
    subprocess.run([os.path.join(guest.build, "host", "twzpack"), "create", "-o", pack, "--init", "hello",
                    f"hello={program}"], check=True)
    result = guest.run("nothing", initrd=pack).expect(SETUP)
    result.expect_line(r"^boot: init has ended$")
    result.expect_line(r"^power: off \(status 1\)$")


def test_no_firmware_to_power_off(arm_guest):
    # The runner waits a while for the emulator to end, and then ends it.
    result = arm_guest.run("hello", dtb_edit=["delete /psci"], smp=1, timeout=20).expect(OK, SETUP, TIMEOUT)
    result.expect_line(r"^cpu: there is no firmware that could power off the machine; stopped$")
