# SPDX-License-Identifier: BSD-3-Clause
"""The build as people meet it: mistakes told in one line, and nothing compiled that need not be."""
import os
import shutil
import subprocess

import pytest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
RISCV, ARM = "qemu-virt-riscv64", "qemu-virt-arm64"
CLEAN = {k: v for k, v in os.environ.items()
         if k not in ("BOARD", "LLVM", "CROSS_COMPILE", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
# One small object of the kernel, and a header that it reads.
OBJECT, SOURCE, HEADER = "obj/kernel/debug/symbols.o", "kernel/debug/symbols.c", "kernel/include/sections.h"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the source tree, so that a test may change it."""
    copy = tmp_path_factory.mktemp("tree") / "src"
    shutil.copytree(TOP, copy, ignore=shutil.ignore_patterns("build", ".git", "__pycache__", "docs"),
                    ignore_dangling_symlinks=True)
    # `build` is an output folder at the top and a source folder elsewhere.
    shutil.copytree(os.path.join(TOP, "tools", "build"), copy / "tools" / "build")
    return copy


def make(tree, *words):
    return subprocess.run(["make", *map(str, words)], cwd=tree, env=CLEAN, stdin=subprocess.DEVNULL, timeout=900,
                          capture_output=True, encoding="utf-8", errors="replace", check=False)


def compile_one(tree, out, *words):
    """Build OBJECT; the words that make showed for OBJECT's source, and its exit status checked."""
    done = make(tree, f"O={out}", *words, f"{out}/{OBJECT}")
    assert done.returncode == 0, done.stderr
    return [line.split()[0] for line in done.stdout.splitlines() if SOURCE in line]


@pytest.mark.quick
@pytest.mark.parametrize("words, told", [
    (["BORAD=x"], "unknown variable BORAD"),
    (["BOARD=pdp11"], "unknown board 'pdp11'; the boards are: " + ARM),
    (["pdp11_defconfig"], "unknown board 'pdp11'"),
    (["BOARD=a b"], "one word"),
    (["V=2"], "V=2"),
    (["LLVM=yes"], "LLVM=yes"),
    (["O=a b"], "blanks"),
    (["O=."], "source tree"),
    (["O=Makefile"], "a file, not a folder"),
    (["O=/proc/none"], "cannot be made"),
    (["APPS=none.c"], "no such file"),
    (["APPS=lib"], "no .c file"),
    (["CROSS_COMPILE=none-"], "none-gcc not found: install the Debian package"),
    (["HOSTCC=none"], "none not found"),
    (["nonsense"], "nonsense"),
], ids=lambda value: value[0] if isinstance(value, list) else "")
def test_a_mistake_is_told_in_one_line(tree, tmp_path, words, told):
    out = [] if any(w.startswith("O=") for w in words) else [f"O={tmp_path}"]
    done = make(tree, *words, *out)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and told in lines[0], done.stderr


@pytest.mark.quick
def test_help_names_every_board(tree):
    done = make(tree, "help")
    assert done.returncode == 0 and done.stderr == ""
    assert f"    {RISCV} " in done.stdout and f"    {ARM} " in done.stdout


@pytest.mark.quick
def test_a_configuration_is_for_one_board(tree, tmp_path):
    assert make(tree, f"O={tmp_path}", f"{ARM}_defconfig").returncode == 0
    assert "CONFIG_BOARD_QEMU_VIRT_ARM64=y" in (tmp_path / ".config").read_text()
    done = make(tree, f"O={tmp_path}", f"BOARD={RISCV}")
    assert done.returncode == 2 and f"is for {ARM}, not {RISCV}" in done.stderr
    done = make(tree, f"O={tmp_path}", "savedefconfig")
    assert done.returncode == 0 and (tmp_path / "defconfig").read_text() == "CONFIG_BOARD_QEMU_VIRT_ARM64=y\n"


@pytest.mark.quick
def test_a_wrong_value_is_reported_and_replaced(tree, tmp_path):
    make(tree, f"O={tmp_path}", f"{RISCV}_defconfig")
    config = tmp_path / ".config"
    config.write_text(config.read_text().replace("MAX_CPUS=8", "MAX_CPUS=1000") + "CONFIG_NONE=y\n")
    done = make(tree, f"O={tmp_path}", f"{tmp_path}/auto.mk")
    assert done.returncode == 0
    assert "MAX_CPUS" in done.stderr and "NONE" in done.stderr and len(done.stderr.splitlines()) == 2
    assert "CONFIG_MAX_CPUS=8" in config.read_text()


def test_only_what_changed_is_compiled(tree, tmp_path):
    assert compile_one(tree, tmp_path) == ["CC"]
    assert compile_one(tree, tmp_path) == []
    os.utime(tree / HEADER)
    assert compile_one(tree, tmp_path) == ["CC"], "a header that it includes changed"
    os.utime(tmp_path / ".config")
    assert compile_one(tree, tmp_path) == [], "the configuration was saved with nothing changed"
    config = (tmp_path / ".config").read_text()
    (tmp_path / ".config").write_text(config.replace("LOG_LEVEL=3", "LOG_LEVEL=4"))
    assert compile_one(tree, tmp_path) == ["CC"], "an option changed"
    assert compile_one(tree, tmp_path, "LLVM=1") == ["CC"], "the compiler changed"
    assert compile_one(tree, tmp_path, "LLVM=1", "V=1") == []
    assert compile_one(tree, tmp_path, "V=1")[0].endswith("-gcc")


def test_what_is_listed_must_be_there(tree, tmp_path):
    listing = tree / "kernel" / "debug" / "build.mk"
    text = listing.read_text()
    listing.write_text(text + "obj-y += none.o\nsubdir-y += nowhere\n")
    try:
        objects = [f"{tmp_path}/obj/kernel/debug/{name}" for name in ("none.o", "nowhere/build.mk.o")]
        done = make(tree, f"O={tmp_path}", "-k", *objects)
        assert done.returncode == 2
        assert "kernel/debug/build.mk lists none.o, but there is no none.c or none.S in kernel/debug" in done.stderr
        assert "kernel/debug/nowhere has no build.mk" in done.stderr
    finally:
        listing.write_text(text)


def test_distclean_leaves_what_it_did_not_make(tree, tmp_path):
    (tmp_path / "mine").write_text("mine")
    compile_one(tree, tmp_path)
    assert make(tree, f"O={tmp_path}", "distclean").returncode == 0
    assert os.listdir(tmp_path) == ["mine"]


@pytest.mark.quick
def test_setup_knows_its_groups(tree):
    done = subprocess.run(["tools/setup", "--check", "none"], cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "unknown group 'none'" in done.stderr
