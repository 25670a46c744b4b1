# SPDX-License-Identifier: BSD-3-Clause
"""The native benchmarks compile, and every row they print is in peers.toml."""
import glob
import os
import re
import subprocess
import tomllib

import pytest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
NATIVE = os.path.join(TOP, "bench", "native")


def test_the_native_benchmarks_compile(tmp_path):
    if subprocess.run([os.path.join(TOP, "tools", "setup"), "--check", "bench"], capture_output=True, check=False).returncode:
        pytest.skip("the peers are not installed: tools/setup bench")
    done = subprocess.run(["make", "-s", "-f", "bench/native/build.mk", f"O={tmp_path}", "objects"], cwd=TOP, capture_output=True,
                          text=True, check=False, env={k: v for k, v in os.environ.items() if k != "MAKEFLAGS"})
    assert done.returncode == 0, done.stderr
    assert len(glob.glob(str(tmp_path / "*.o"))) == len(glob.glob(os.path.join(NATIVE, "*.c")))


@pytest.mark.quick
def test_the_rows_are_those_of_the_list():
    printed = set()
    for path in glob.glob(os.path.join(NATIVE, "*.c")):
        with open(path, encoding="utf-8") as file:
            printed |= set(re.findall(r'(?:MEASURE\(|print_row\(|\{ )"(\w+)", (?!begin|NULL|\d)', file.read()))
    with open(os.path.join(TOP, "bench", "peers.toml"), "rb") as file:
        listed = set(tomllib.load(file)["native"])
    assert printed - {"pointers", "walks", "memory", "kv", "streams"} == listed
