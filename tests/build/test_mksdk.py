# SPDX-License-Identifier: BSD-3-Clause
"""tools/mksdk, which builds the SDK from outside the source tree: what it refuses, and how it says so."""
import os
import subprocess

import pytest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
MKSDK = os.path.join(TOP, "tools", "mksdk")
pytestmark = pytest.mark.quick


def mksdk(folder, *words):
    return subprocess.run([MKSDK, *words], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words, told", [
    (["--arch", "vax"], "unknown architecture 'vax' (riscv64, arm64)"),
    (["--arch"], "--arch wants a value"),
    (["--port", "none"], "unknown port 'none' ("),
    (["--output", "/proc/none"], "/proc/none cannot be made"),
    (["--output", "a b"], "where a name has a blank"),
    (["sdk"], "unknown argument 'sdk'"),
], ids=lambda value: value[0] if isinstance(value, list) else "")
def test_a_mistake_is_told_in_one_line(tmp_path, words, told):
    done = mksdk(tmp_path, *words)
    assert done.returncode == 1 and told in done.stderr.splitlines()[-1], done.stderr
    assert "mksdk-work" not in os.listdir(tmp_path)


def test_help(tmp_path):
    done = mksdk(tmp_path, "--help")
    assert done.returncode == 0 and done.stdout.startswith("Build the SDK from anywhere") and "usage: mksdk" in done.stdout
