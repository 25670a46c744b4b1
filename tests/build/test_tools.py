# SPDX-License-Identifier: BSD-3-Clause
"""The build's helpers: fetch-source (from a cache, so without a network) and mksyms."""
import hashlib
import io
import os
import subprocess
import tarfile

import pytest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
pytestmark = pytest.mark.quick

RECIPE = """
name=thing
package=thing
version_min=1.0
version_max=1.9
known="{known}"
folder=src
files="a.c include/b.h"
"""


class Fetch:
    """A cache with one tarball of thing 1.2, a recipe that pins it, and the tool."""

    def __init__(self, folder):
        self.cache, self.recipe, self.out = folder / "cache", folder / "recipe", folder / "out"
        self.cache.mkdir()
        self.tarball = self.cache / "thing_1.2.orig.tar.gz"
        with tarfile.open(self.tarball, "w:gz") as archive:
            for name in ("thing-1.2/src/a.c", "thing-1.2/src/include/b.h", "thing-1.2/other.c"):
                member = tarfile.TarInfo(name)
                member.size = len(name)
                archive.addfile(member, io.BytesIO(name.encode()))
        self.digest = hashlib.sha256(self.tarball.read_bytes()).hexdigest()
        self.write_recipe()

    def write_recipe(self, **changes):
        text = RECIPE.format(known=changes.pop("known", f"1.2:{self.digest}"))
        for key, value in changes.items():
            text += f'{key}="{value}"\n'
        self.recipe.write_text(text)

    def run(self):
        # With no apt-get in PATH nothing can be fetched: only the cache is left.
        bare = self.cache.parent / "bin"
        bare.mkdir(exist_ok=True)
        if not (bare / "dpkg").exists():
            (bare / "dpkg").symlink_to("/usr/bin/dpkg")
        return subprocess.run([os.path.join(TOP, "tools", "fetch-source"), self.recipe, self.out], check=False,
                              env={"PATH": str(bare), "TWZ_CACHE": str(self.cache)}, capture_output=True, text=True)

    def refused(self, told):
        done = self.run()
        assert done.returncode == 1 and len(done.stderr.splitlines()) >= 1
        assert told in done.stderr.splitlines()[-1] and not self.out.exists()


@pytest.fixture
def fetch(tmp_path):
    return Fetch(tmp_path)


def test_only_the_wanted_files_are_unpacked(fetch):
    done = fetch.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    files = sorted(str(p.relative_to(fetch.out)) for p in fetch.out.rglob("*") if p.is_file())
    assert files == [".fetched", "a.c", "include/b.h"]
    assert fetch.run().returncode == 0, "again, over what is there"


def test_a_damaged_tarball_is_not_used(fetch):
    with open(fetch.tarball, "ab") as stream:
        stream.write(b"x")
    fetch.refused("no apt-get here")
    assert not fetch.tarball.exists()


def test_a_version_out_of_range_is_not_used(fetch):
    fetch.write_recipe(version_max="1.1")
    fetch.refused("no apt-get here")


def test_an_unpinned_tarball_needs_the_hash_it_came_with(fetch):
    fetch.write_recipe(known="1.1:00")
    (fetch.cache / (fetch.tarball.name + ".sha256")).write_text(fetch.digest + "\n")
    assert fetch.run().returncode == 0


def test_a_tarball_without_the_files_is_refused(fetch):
    fetch.write_recipe(files="a.c none.c")
    fetch.refused("thing_1.2.orig.tar.gz has no src/none.c")


def test_a_recipe_has_known_keys(fetch):
    fetch.write_recipe(colour="red")
    fetch.refused("unknown keys: ['colour']")


def mksyms(text, *words):
    return subprocess.run([os.path.join(TOP, "tools", "build", "mksyms"), *words], input=text, check=False,
                          capture_output=True, text=True)


def test_symbols_are_sorted_functions():
    done = mksyms("00ffff20 t second\n00ffff00 T __kernel_start\n00ffff10 T first\n00ffff10 t alias\n"
                  "00ffff30 D data\n00ffff18 t .L0\n00ffff1c t $x\n")
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert [line for line in lines if line.startswith(".4byte")] == [".4byte 2", ".4byte 0x10", ".4byte 0x20"]
    assert [line for line in lines if line.startswith(".asciz")] == ['.asciz "first"', '.asciz "second"']


def test_symbols_need_a_start():
    done = mksyms("00ffff10 T first\n")
    assert done.returncode == 1 and "__kernel_start" in done.stderr


def test_an_empty_table():
    done = mksyms("", "--empty")
    assert done.returncode == 0 and ".4byte 0" in done.stdout
