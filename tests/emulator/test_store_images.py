# SPDX-License-Identifier: BSD-3-Clause
"""
Files that hold a store, between twzstore on the host and the kernels of both architectures: each reads what
the others wrote; what is no store, or a damaged one, is left as it was.
"""
import fcntl
import hashlib
import os
import random
import re
import signal
import struct
import subprocess
import time

import pytest
from conftest import RISCV, build_folder
from guest import OK, TOP

DONE, FAILED, USAGE, NO_STORE = 0, 1, 2, 3
READING = ("info", "list", "names", "check", "dump")
MIB = 1 << 20


class Tool:
    """twzstore, and a folder to work in."""

    def __init__(self, path, folder):
        self.path, self.folder = path, str(folder)

    def run(self, *words, status=DONE):
        """Runs it; the test fails unless it ends with this status."""
        done = subprocess.run([self.path, *words], capture_output=True, check=False, timeout=300, cwd=self.folder)
        text = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
        assert done.returncode == status, f"{' '.join(words)}: status {done.returncode}, not {status}\n{text}"
        if status != DONE:
            assert text.strip(), f"{' '.join(words)}: status {status} without a word"
        return text

    def path_of(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path_of(name), "wb") as file:
            file.write(content)
        return name

    def digest(self, name):
        with open(self.path_of(name), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") \
                else hashlib.sha256(file.read()).hexdigest()


@pytest.fixture
def tool(request, tmp_path):
    path = os.path.join(build_folder(request.config, RISCV), "host", "twzstore")
    assert os.path.isfile(path), f"{path} is not built"
    return Tool(path, tmp_path)


def snapshot(folder):
    """{path: content} of a folder; None for folders, the target of links."""
    found = {}
    for here, folders, files in os.walk(os.fsencode(folder)):
        for name in folders + files:
            path = os.path.join(here, name)
            key = os.path.relpath(path, os.fsencode(folder))
            if os.path.islink(path):
                found[key] = ("link", os.readlink(path))
            elif os.path.isdir(path):
                found[key] = None
            else:
                with open(path, "rb") as file:
                    found[key] = hashlib.sha256(file.read()).hexdigest()
    return found


def make_tree(folder):
    """Empty, small, large and sparse files, names of odd bytes, folders in folders, links."""
    names = [b"plain", b" spaces ", b"new\nline", b"\xff\xfe\x01", b"-dash", b"back\\slash", b"x" * 255,
             "Grüße".encode(), b"$(true)", b"..."]
    root = os.fsencode(folder)
    os.makedirs(os.path.join(root, b"one/two/three"))
    os.makedirs(os.path.join(root, b"empty folder"))
    rng = random.Random(1)
    for size, name in enumerate(names):
        with open(os.path.join(root, name), "wb") as file:
            file.write(rng.randbytes([0, 1, 4095, 4096, 4097, 100000][size % 6]))
    with open(os.path.join(root, b"one/two/large"), "wb") as file:
        file.write(rng.randbytes(MIB) * 70)
    with open(os.path.join(root, b"one/sparse"), "wb") as file:
        file.truncate(300 * MIB)
        file.seek(200 * MIB + 5)
        file.write(b"in the middle")
    os.symlink("../large", os.path.join(root, b"one/two/three/link"))
    os.symlink("/etc/passwd", os.path.join(root, b"absolute"))


@pytest.mark.quick
def test_a_folder_comes_back_byte_identical(tool):
    make_tree(tool.path_of("tree"))
    tool.run("create", "image", "128M")
    tool.run("import-tree", "image", "tree")
    assert "no faults" in tool.run("check", "--objects", "image")
    tool.run("export-tree", "image", "tree", "back")
    assert snapshot(tool.path_of("tree")) == snapshot(tool.path_of("back"))
    tool.run("import-tree", "image", "tree/one/two/three", "tree/again/")
    tool.run("export-tree", "image", "/", "all")
    assert os.readlink(tool.path_of("all/tree/again/link")) == "../large"
    tool.run("export", "image", "tree/one/sparse", "sparse")
    assert tool.digest("sparse") == tool.digest("tree/one/sparse")


@pytest.mark.quick
def test_what_does_not_fit_changes_nothing(tool):
    tool.run("create", "image", "8M")
    os.makedirs(tool.path_of("tree/a"))
    tool.write("tree/a/first", b"1")
    tool.write("tree/z", b"")
    tool.run("import", "image", "first=tree/a/first")
    before = tool.digest("image")

    def refused(told, *words):
        assert told in tool.run(*words, status=FAILED)
        assert tool.digest("image") == before

    os.truncate(tool.path_of("tree/z"), 0x3e000000 - 0x1000 + 1)
    refused("too large for an object", "import-tree", "image", "tree")
    refused("too large for an object", "import", "image", "a=tree/a/first", "z=tree/z")
    tool.write("tree/z", b"x" * 7 * MIB)
    refused("no space left", "import-tree", "image", "tree")
    os.unlink(tool.path_of("tree/z"))
    os.mkfifo(tool.path_of("tree/z"))
    refused("neither file nor folder", "import-tree", "image", "tree")
    os.unlink(tool.path_of("tree/z"))
    refused("exists already", "import-tree", "image", "tree", "first")
    refused("no namespace", "import-tree", "image", "tree", "first/below")
    refused("No such file", "import-tree", "image", "tree", "nowhere/below")
    refused("No such file", "import", "image", "a=tree/a/first", "b=missing")
    tool.run("import-tree", "image", "tree")


@pytest.mark.quick
def test_usage(tool):
    for words in ((), ("fly",), ("create", "image"), ("create", "image", "5M"), ("create", "image", "2M"),
                  ("create", "image", "x"), ("create", "image", "99999999999T"), ("check",), ("list", "--all", "image"),
                  ("import", "image"), ("import", "image", "name"), ("create", "--uuid", "12", "image", "4M")):
        tool.run(*words, status=USAGE)
    assert not os.path.exists(tool.path_of("image"))
    assert "usage:" in tool.run("--help")


def foreign_images(tool):
    """Names of files that hold anything but a store."""
    tool.write("empty", b"")
    tool.write("byte", b"T")
    tool.write("magic alone", b"TWZSTORE")
    tool.write("zeroes", bytes(8 * MIB))
    tool.write("text", b"To be, or not to be.\n" * 300000)
    tool.write("random", random.Random(2).randbytes(6 * MIB))
    ext4 = bytearray(8 * MIB)
    ext4[1024:1024 + 64] = struct.pack("<14I4H", *range(1, 15), 0xef53, 1, 1, 0)
    tool.write("ext4", ext4)
    with open(tool.path, "rb") as program:
        tool.write("program", program.read().ljust(5 * MIB, b"\0"))
    tool.write("zeroes but the last byte", bytes(8 * MIB - 2 * MIB - 1) + b"\1" + bytes(2 * MIB))
    tool.write("odd size", bytes(4 * MIB + 1))
    return [name for name in os.listdir(tool.folder) if os.path.isfile(tool.path_of(name))]


@pytest.mark.quick
def test_any_file_is_no_store(tool):
    os.mkdir(tool.path_of("tree"))
    for name in foreign_images(tool):
        before = tool.digest(name)
        for command in READING:
            assert len(tool.run(command, name, status=NO_STORE).splitlines()) <= 2
        tool.run("import-tree", name, "tree", status=NO_STORE)
        if name != "zeroes":
            tool.run("create", name, "8M", status=FAILED)
        assert tool.digest(name) == before, name
    for name in ("tree", "missing", "/dev/null", "/dev/zero"):
        tool.run("check", name, status=FAILED)
    tool.run("create", "zeroes", "8M")
    tool.run("check", "zeroes")
    tool.run("create", "zeroes", "8M", status=FAILED)


@pytest.mark.quick
def test_truncated_images(tool):
    """At every page: it is said to be damaged or no store, and not written."""
    os.mkdir(tool.path_of("tree"))
    tool.write("tree/file", b"content")
    tool.run("create", "image", "6M")
    tool.run("import-tree", "image", "tree")
    reference = open(tool.path_of("image"), "rb").read()
    for size in range(6 * MIB - 4096, -1, -4096):
        os.truncate(tool.path_of("image"), size)
        tool.run("check", "image", status=FAILED if size >= 4 * MIB else NO_STORE)
        if size % (1 << 18) == 0:
            tool.run("list", "image", status=FAILED if size >= 4 * MIB else NO_STORE)
            tool.run("import-tree", "image", "tree", "b", status=FAILED if size >= 4 * MIB else NO_STORE)
            assert open(tool.path_of("image"), "rb").read() == reference[:size]


@pytest.mark.quick
def test_images_in_use_are_left_alone(tool):
    tool.run("create", "image", "4M")
    tool.write("file", b"content")
    with open(tool.path_of("image"), "rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        tool.run("check", "image")
        assert "in use" in tool.run("import", "image", "a=file", status=FAILED)
        fcntl.flock(file, fcntl.LOCK_EX)
        for command in READING:
            assert "in use" in tool.run(command, "image", status=FAILED)
    tool.run("import", "image", "a=file")


@pytest.mark.quick
def test_reading_needs_no_right_to_write(tool):
    tool.run("create", "image", "4M")
    os.chmod(tool.path_of("image"), 0o444)
    before = tool.digest("image")
    for command in READING:
        tool.run(command, "image")
    assert tool.digest("image") == before


def kill_import(tool, seconds):
    """Starts an import and kills it; whether it was still at work."""
    with subprocess.Popen([tool.path, "import-tree", "image", "tree"], cwd=tool.folder, stderr=subprocess.DEVNULL) as child:
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        return child.wait() == -signal.SIGKILL


@pytest.mark.quick
def test_an_import_that_is_killed(tool):
    """Nothing of it has a name, nothing is lost, and the next one works."""
    make_tree(tool.path_of("tree"))
    tool.run("create", "image", "128M")
    tool.write("file", b"content")
    tool.run("import", "image", "file=file")
    rng = random.Random(3)
    for _ in range(12):
        if not kill_import(tool, rng.random() * 0.4):
            break
        assert "no faults" in tool.run("check", "--objects", "image")
        names = tool.run("names", "image")
        if "/tree/" in names:
            break
    tool.run("export", "image", "file", "out")
    assert tool.digest("out") == tool.digest("file")
    if "/tree/" not in tool.run("names", "image"):
        tool.run("import-tree", "image", "tree")
    assert "no faults" in tool.run("check", "--objects", "image")


@pytest.mark.quick
def test_an_import_that_is_interrupted(tool):
    """It takes back what it did, unless it was done already."""
    make_tree(tool.path_of("tree"))
    tool.run("create", "image", "128M")
    tool.write("file", b"content")
    tool.run("import", "--sync", "image", "file=file")
    before = tool.run("info", "image")
    with subprocess.Popen([tool.path, "import-tree", "image", "tree"], cwd=tool.folder, stderr=subprocess.DEVNULL) as child:
        time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        status = child.wait()
    assert "no faults" in tool.run("check", "--objects", "image")
    assert status in (DONE, FAILED, -signal.SIGINT)
    if status != DONE:
        def counts(text):
            return re.findall(r"^(?:free|objects) .*", text, re.MULTILINE)
        assert counts(tool.run("info", "image")) == counts(before)


@pytest.mark.quick
def test_every_fault_is_explained():
    """Whatever the store's checker can say has a sentence in twzstore."""
    folder = os.path.join(TOP, "kernel", "store")
    said = set()
    for name in os.listdir(folder):
        if name.startswith("check") and name.endswith(".c"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                said |= set(re.findall(r'(?:check_fault|check_zero)\(\w+, "([^"]+)"', file.read()))
    with open(os.path.join(TOP, "tools", "twzstore", "check.c"), encoding="utf-8") as file:
        explained = set(re.findall(r'^\t\{ "([^"]+)",', file.read(), re.MULTILINE))
    assert len(said) > 20
    assert said == explained


def demo(guest, path):
    """The counter of a run of demo on this region."""
    result = guest.run("demo", pmem=path).expect(OK).expect_clean()
    return int(re.search(r"boot counter (\d+)", result.expect_line(r"^demo: boot counter")).group(1))


def sound(tool):
    return tool.run("check", "--objects", "image")


@pytest.mark.quick
def test_stores_travel(tool, riscv_guest, arm_guest):
    """From one kernel over the tool to the other, and back."""
    path, text = tool.path_of("image"), b"Written on the host.\n"
    assert demo(riscv_guest, path) == 1
    sound(tool)
    assert "/demo" in tool.run("list", "image")
    assert demo(arm_guest, path) == 2
    sound(tool)
    tool.write("greeting", text)
    tool.run("import", "image", "greeting=greeting")
    for counter, guest in ((3, riscv_guest), (4, arm_guest)):
        result = guest.run("cat greeting; demo", pmem=path).expect(OK).expect_clean()
        result.expect_line(r"^Written on the host\.")
        result.expect_line(rf"^demo: boot counter {counter}\b")
        sound(tool)
    tool.run("export", "image", "greeting", "back")
    tool.run("export", "image", "demo", "demo")
    with open(tool.path_of("back"), "rb") as back, open(tool.path_of("demo"), "rb") as exported:
        assert back.read() == text
        assert struct.unpack("<8sQ", exported.read(16)) == (b"TWZDEMO1", 4)


def test_a_store_made_on_the_host(tool, guest):
    """A new store with a folder in it boots, is listed by name, and gets what programs add."""
    os.makedirs(tool.path_of("tree/sub"))
    tool.write("tree/sub/text", b"Deep inside.\n")
    tool.run("create", "image", "16M")
    tool.run("import-tree", "image", "tree", "data")
    path = tool.path_of("image")
    session = guest.start(pmem=path)
    session.expect("twz> ")
    session.send("ls\r")
    session.expect(r"[0-9a-f]{16}:[0-9a-f]{16}  data/")
    session.expect("twz> ")
    session.send("run cat data/sub/text\r")
    session.expect("Deep inside.")
    session.expect("twz> ")
    session.cut_power()
    sound(tool)
    assert demo(guest, path) == 1
    sound(tool)
    tool.run("export-tree", "image", "data", "back")
    assert snapshot(tool.path_of("tree")) == snapshot(tool.path_of("back"))


def test_stores_that_were_cut_are_read_and_not_written(tool, guest):
    rng = random.Random(4)
    for _ in range(6):
        session = guest.start(autorun="; ".join(["demo"] * 40), pmem=tool.path_of("image"))
        session.expect(r"demo: (boot|made)")
        time.sleep(rng.random() * 0.3)
        session.cut_power()
        before = tool.digest("image")
        sound(tool)
        for command in READING:
            tool.run(command, "image")
        assert tool.digest("image") == before
