# SPDX-License-Identifier: BSD-3-Clause
"""obj: what it says, what it refuses, its pictures; and that noise in an object does not confuse it."""
import glob
import os
import random
import re
import subprocess
import xml.etree.ElementTree as ET

import pytest

ID = r"[0-9a-f]{16}:[0-9a-f]{16}"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.quick
def test_objects_are_made_and_shown(guest):
    lines = ["obj mkdir d", "obj create --size=5 --rights=r d/a", "obj create b", "obj cp b d/c", "obj stat d/a", "obj ls d",
             "obj tie b d/c", "obj stat b", "obj untie b d/c", "obj rm d/c b", "obj name rename d/a e", "obj name of e",
             "obj name rename e d/a", "obj ls d", "obj check / d d/a", "obj fot /"]
    result = guest.run("; ".join(lines), pmem=guest.path("pmem"))
    result.expect(0).expect_clean()
    for pattern in (r"^  data +5 bytes$", rf"^{ID} object    r---- .* a$", r"^  ties +0 in, 1 out$", r"^d/a: nothing wrong$", "^e$"):
        result.expect_line(pattern)


REFUSED = [
    ("obj nonsense", 2), ("obj", 2), ("obj cp a", 2), ("obj ls a b", 2), ("obj name", 2), ("obj name show", 2),
    ("obj name eat x", 2), ("obj create --rights=q", 2), ("obj create --size=x", 2), ("obj create --size=99999999999", 2),
    ("obj create --red", 2), ("obj create a b", 2), ("obj graph --depth", 2), ("obj graph --depth x", 2), ("obj graph a b", 2),
    ("obj hexdump / 5", 2), ("obj hexdump / 0x40000000", 2), ("obj hexdump / 0x", 2), ("obj hexdump / -1", 2),
    ("obj ls nothing", 1), ("obj stat 00000000000000010000000000000007", 1), ("obj create no/a", 1), ("obj create x/", 1),
    ("obj create " + "n" * 256, 1), ("obj name assign a nothing", 1), ("obj name remove nothing", 1),
    ("obj name link no/l x", 1), ("obj name rename nothing x", 1), ("obj name rename a no/x", 1), ("obj name rename a", 2), ("obj rm nothing", 1), ("obj tie / /", 1), ("obj untie / /", 1), ("obj tie nothing /", 1),
    ("obj check nothing", 1), ("obj name show " + "p/" * 400, 1), ("obj fot nothing", 1), ("obj mkdir /", 1),
    ("obj create --volatile --hash --rights=w", 1),
]


def test_what_is_wrong_gets_one_line(guest):
    result = guest.run("; ".join(command for command, _ in REFUSED), pmem=guest.path("pmem"))
    result.expect_clean()
    statuses = [int(line.rsplit(" ", 1)[1]) for line in result.find(r"^init: obj: exit status \d+$")]
    assert statuses == [status for _, status in REFUSED]
    said = result.find(r"^obj: |^usage: obj ")
    assert len(said) == len(REFUSED), result.describe()


def picture_of(text):
    """What obj graph --svg printed, read as XML."""
    return ET.fromstring(text[text.index("<svg"):text.index("</svg>") + len("</svg>")])


def words_of(picture):
    return {element.text for element in picture.iter(f"{SVG}text")}


def test_a_picture_shows_what_leads_where(guest):
    result = guest.run("obj mkdir d; obj create d/a; obj name assign d/b d/a; obj create x; obj name assign y x; obj rm x; "
                       "obj name assign d/up d; obj graph; obj graph --svg", pmem=guest.path("pmem"))
    result.expect(0).expect_clean()
    picture = picture_of(result.out)
    assert {"/", "d", "d/a", "a", "b", "up", "y", "does not exist"} <= words_of(picture)
    kinds = [box.get("class") for box in picture.iter(f"{SVG}rect")]
    assert kinds.count("gone") == 1 and kinds.count("names") + kinds.count("names start") == 2
    nodes = set(re.findall(r"^\t(n\d+) \[", result.out, re.M))
    arrows = re.findall(r"^\t(n\d+) -> (n\d+) \[", result.out, re.M)
    assert len(nodes) == 4 and len(arrows) == 5 and all(end in nodes for arrow in arrows for end in arrow)


# --- hosted: the same program as a process, over files that anyone may have written to

def hosted_tool(config, name):
    """A program of the hosted build, the sanitised one if it is there."""
    root = config.getoption("--build-root")
    for folder in ("hosted-san", "hosted"):
        path = os.path.join(root, folder, name)
        if os.path.isfile(path):
            return path
    pytest.skip("the hosted build is not there")
    return None


class Store:
    """A folder that is a store, and obj over it."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = str(folder)

    def obj(self, *words, statuses=(0,)):
        done = subprocess.run([self.program, *words], env={**os.environ, "TWZ_STORE": self.folder}, timeout=300,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        text = (done.stdout + done.stderr).decode(errors="replace")
        assert done.returncode in statuses, f"obj {words}: status {done.returncode}\n{text[-3000:]}"
        assert "Sanitizer" not in text and "runtime error" not in text, text
        return text

    def file_of(self, path):
        """The file of the object of that name."""
        name = re.search(ID, self.obj("name", "show", path))[0].replace(":", "")
        found = [file for file in glob.glob(os.path.join(self.folder, "**"), recursive=True)
                 if os.path.isfile(file) and os.path.basename(file).replace(":", "") == name]
        assert found, f"no file of {path}"
        return found[0]


@pytest.fixture
def store(pytestconfig, tmp_path):
    return Store(hosted_tool(pytestconfig, "obj"), tmp_path)


def test_hosted_commands(store):
    store.obj("mkdir", "d")
    store.obj("create", "d/a")
    assert "d/a" in store.obj("name", "of", "d/a")
    assert "nothing wrong" in store.obj("check", "d")
    assert {"/", "d", "d/a"} <= words_of(picture_of(store.obj("graph", "--svg")))
    store.obj("ls", "nothing", statuses=(1,))
    store.obj("bad", statuses=(2,))


QUEUE, PTY, USER, IO = 0x99999999, 0x77777777, 0x05e20001, 0x10101010


def write_words(path, at, *words):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(b"".join(word.to_bytes(8, "little") for word in words))


def subqueue(at, l2length, stride):
    words = [0] * 38
    words[8:11] = at, l2length, stride
    return words


# What an extension leads to, as words at the base; what `obj check` says of it, None: nothing wrong.
MARKED = [
    (QUEUE, [0x45554555515a5754, 0] + subqueue(0x2000, 4, 16) + subqueue(0x3000, 0, 8), None),
    (QUEUE, [0x45554555515a5755, 0] + subqueue(0x2000, 4, 16) + subqueue(0x3000, 0, 8), "no queue header"),
    (QUEUE, [0x45554555515a5754, 0] + subqueue(0x2000, 21, 16) + subqueue(0x3000, 0, 8), "ring 0 of 2^21"),
    (QUEUE, [0x45554555515a5754, 0] + subqueue(0x2000, 4, 16) + subqueue(0x3dfffff8, 1, 8), "ring 1, at 3dfffff8"),
    (QUEUE, [0x45554555515a5754, 0] + subqueue(0x2000, 4, 16) + subqueue(0x3000, 1, 12), "entries of 12 bytes"),
    (USER, [0, 0, 0, 0x1040, 0, 0, 0, 0, 0x6e6e61], None),
    (USER, [0, 0, 0, 0x1040, 0, 0, 0, 0, 0], "no bytes"),
    (USER, [0, 0, 0, 0x3dffffff, 0, 0, 0, 0, 0x6e6e61], "name, at 3dffffff"),
    (USER, [0, 0, 0, 0x1040, 1, 0, 0, 0, 0x6e6e61], "header is damaged"),
    (PTY, [0x2000, 0x3000], "neither side"),
]


def test_what_extensions_lead_to_is_checked(store):
    for number, (tag, words, complaint) in enumerate(MARKED):
        name = f"v{number}"
        store.obj("create", name)
        path = store.file_of(name)
        write_words(path, 0x1000, *words)
        write_words(path, 0x3ffff000 + 64, tag, 0x1000)
        said = store.obj("check", name, statuses=(1,) if complaint else (0,))
        assert (complaint or "nothing wrong") in said, (words, said)


# Where noise goes: the metadata page, the FOT below it, the data.
PLACES = [(0x3ffff000 + 4, 60), (0x3ffff000 + 64, 512), (0x3ffff000 - 512, 512), (0x1000, 512), (0x3ffff000, 4096)]


def test_noise_in_an_object_gets_an_answer(store):
    chance = random.Random(1)
    store.obj("mkdir", "d")
    store.obj("create", "d/a")
    for turn in range(12):
        store.obj("create", f"d/v{turn}")
        target = "d" if turn == 11 else f"d/v{turn}"
        place, length = PLACES[3] if target == "d" else PLACES[turn % len(PLACES)]
        with open(store.file_of(target), "r+b") as file:
            file.seek(place)
            file.write(chance.randbytes(length))
            if turn % 2:  # many entries
                file.seek(0x3ffff008)
                file.write(b"\xff\xff\x0f\x00")
        for words in (("stat",), ("check",), ("fot",), ("hexdump",), ("ls",), ("name", "of"), ("graph",)):
            store.obj(*words, target, statuses=(0, 1))
        store.obj("graph", "--svg", statuses=(0,))
        store.obj("check", "/", "d", statuses=(0, 1))
