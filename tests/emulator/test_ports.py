# SPDX-License-Identifier: BSD-3-Clause
"""
Programs of others, built by recipe: what they print in the guest is what they print on this machine; their own tests
pass; a database survives the end of a writer and of the power. `make test` has built the ports.
"""
import os
import random
import re
import subprocess
import time

import pytest
from conftest import BOARDS, build_folder
from guest import OK, TOP, Guest

POSIX = os.path.join(TOP, "tests", "posix")
BEGIN, END = "--- begin", "--- end"


class Ports:
    """The ports of one board, and guests that have some of them."""

    def __init__(self, config, board, folder):
        self.board, self.folder = board, folder
        self.root = config.getoption("--build-root")
        self.build = build_folder(config, board)
        self.environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8", "HOME": folder}

    def program(self, port, name):
        return os.path.join(self.root, "ports", self.board.removeprefix("qemu-virt-"), port, "out", name)

    def guest(self, programs, data=None):
        """A guest with programs (name to path), and with files in /bin (name to text or bytes)."""
        pack = os.path.join(self.folder, "pack")
        os.makedirs(pack, exist_ok=True)
        for name in os.listdir(self.build):
            if name.startswith(("Image", "kernel.elf", ".config")) and not os.path.lexists(os.path.join(pack, name)):
                os.symlink(os.path.join(self.build, name), os.path.join(pack, name))
        if not os.path.lexists(os.path.join(pack, "host")):
            os.symlink(os.path.join(self.build, "host"), os.path.join(pack, "host"))
        words = [f"init={self.build}/user/init.elf", f"dash={self.program('dash', 'dash')}"]
        words += [f"{name}={path}" for name, path in programs.items()]
        for name, content in (data or {}).items():
            path = os.path.join(self.folder, "data-" + name)
            with open(path, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
            words = ["--data", f"{name}={path}", *words]
        subprocess.run([os.path.join(self.build, "host", "twzpack"), "create", "-o", os.path.join(pack, "initrd.pack"),
                        "--init", "init", *words], check=True)
        return Guest(self.board, pack, self.folder)

    def script(self, text, programs, data=None, **options):
        """What a script of dash prints in the guest, as lines."""
        whole = f"export PATH=/bin HOME=/ TZ=UTC LC_ALL=C.UTF-8\necho '{BEGIN}'\n{text}\necho '{END}'\n"
        guest = self.guest(programs, {**(data or {}), "run.sh": whole})
        result = guest.run("dash /bin/run.sh", **options).expect(OK).expect_clean()
        return between(result.out)


def between(out):
    """The lines that a script printed."""
    lines = out.split("\n")
    assert BEGIN in lines and END in lines, out[-3000:]
    return lines[lines.index(BEGIN) + 1:lines.index(END)]


def text_of(name):
    with open(os.path.join(POSIX, name), encoding="utf-8") as file:
        return file.read()


@pytest.fixture(params=BOARDS)
def ports(request, tmp_path):
    return Ports(request.config, request.param, str(tmp_path))


# --- SQLite

@pytest.fixture
def sqlite(ports):
    ports.sqlite = {"sqlite3": ports.program("sqlite", "sqlite3")}
    return ports


def sqlite_here(ports, sql):
    """What this machine's SQLite prints."""
    work = os.path.join(ports.folder, "sql")
    os.makedirs(work)
    return subprocess.run(["sqlite3", "-batch", "x.db"], input=sql, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, cwd=work, env=ports.environment, check=False, timeout=100).stdout.splitlines()


@pytest.mark.parametrize("vfs", ["unix", "objects"])
@pytest.mark.parametrize("name", ["select", "transaction"])
def test_sql(sqlite, name, vfs):
    """A script of SQL prints here what it prints on this machine, with either way to keep files."""
    sql = text_of(name + ".sql")
    expected = sqlite_here(sqlite, sql)
    lines = sqlite.script(f"sqlite3 -batch -vfs {vfs} /x.db </bin/script.sql 2>&1", sqlite.sqlite, {"script.sql": sql})
    assert lines == expected
