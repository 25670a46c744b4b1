# SPDX-License-Identifier: BSD-3-Clause
"""kv: commands, bad input, and what killed programs and cut power leave."""
import os
import random
import subprocess
import time

import pytest
from test_obj import Store as Objects, hosted_tool


@pytest.mark.quick
def test_commands(guest):
    result = guest.run("kv s put b 1; kv s put a 2; kv s put b 3; kv s list; kv s count; kv s check; kv s dump; kv s stat",
                       pmem=guest.path("pmem"))
    result.expect(0).expect_clean()
    assert result.find("^[ab] ") == ["a 2", "b 3"] * 2 and "nothing wrong" in result.lines and "2" in result.lines
    again = guest.run("kv s get b; kv s del b; kv s list", pmem=guest.path("pmem"))
    again.expect(0).expect_clean()
    assert "3" in again.lines and again.find("^[ab] ") == ["a 2"]


REFUSED = [("kv s get x", 1), ("kv s put x 1", 0), ("kv s get y", 1), ("kv s del y", 1), ("kv s nonsense", 2), ("kv", 2), ("kv s put x", 2),
           ("kv s put x 1 2", 2), ("kv s get", 2), (r"kv s put \q 1", 2), (r"kv s put a \x4", 2), ("kv s put " + "k" * 513 + " 1", 1),
           ("kv / get x", 1), ("kv no/s put x 1", 1), ("kv 00000000000000010000000000000009 put x 1", 1), ("kv s list a b c", 2)]


def test_what_is_wrong_gets_one_line(guest):
    result = guest.run("; ".join(command for command, _ in REFUSED), pmem=guest.path("pmem"))
    result.expect_clean()
    statuses = [int(line.rsplit(" ", 1)[1]) for line in result.find(r"^init: kv: exit status \d+$")]
    assert statuses == [status for _, status in REFUSED if status]
    assert len(result.find("^kv: |^usage: kv ")) == len(statuses), result.describe()


def test_acknowledged_puts_survive_a_power_cut(guest):
    """Puts are typed until the power goes: those whose prompt came back are there."""
    session = guest.start(pmem=guest.path("pmem"))
    session.expect("twz> ")
    session.send("kv s\r")
    session.expect("kv> ")
    for i in range(40):
        session.send(f"put key{i:03} value{i}\r")
        session.expect(r"\nkv> ")
    session.send("put key040 value40\r")
    session.cut_power()
    result = guest.run("kv s check; kv s dump", pmem=guest.path("pmem"))
    result.expect(0).expect_clean()
    found = result.find(r"^key\d{3} ")
    wanted = [f"key{i:03} value{i}" for i in range(41)]
    assert found in (wanted, wanted[:40])


# --- hosted

class Store:
    def __init__(self, program, folder):
        self.words = [program, "s"]
        self.environment = {**os.environ, "TWZ_STORE": str(folder)}

    def kv(self, *words, text="", status=0):
        done = subprocess.run([*self.words, *words], env=self.environment, timeout=300, input=text.encode(), capture_output=True,
                              check=False)
        out = (done.stdout + done.stderr).decode(errors="replace")
        assert done.returncode == status, f"kv {words}: status {done.returncode}\n{out[-3000:]}"
        assert "Sanitizer" not in out and "runtime error" not in out, out
        return done.stdout.decode(errors="replace")


@pytest.fixture
def store(pytestconfig, tmp_path):
    return Store(hosted_tool(pytestconfig, "kv"), tmp_path)


def test_hosted_every_byte(store):
    everything = "".join(f"\\x{c:02x}" for c in range(256))
    store.kv("put", "key", everything)
    store.kv("put", everything, "value")
    assert store.kv("count") == "2\n"
    dumped = store.kv("dump")
    assert len(dumped.splitlines()) == 2
    store.kv("del", everything)
    store.kv("load", text=dumped)
    assert store.kv("dump") == dumped and "nothing wrong" in store.kv("check")


def test_hosted_great_values(store):
    store.kv("load", text="big " + "x" * (1 << 20) + "\n")
    assert store.kv("get", "big") == "x" * (1 << 20) + "\n"
    assert "at most" in store.kv("load", text="big " + "x" * ((1 << 20) + 1) + "\nk v\n", status=1)
    assert store.kv("get", "k") == "v\n"


def test_hosted_noise(store):
    chance = random.Random(2)
    for _ in range(50):
        noise = bytes(chance.choice(range(1, 256)) for _ in range(chance.randrange(200)))
        subprocess.run(store.words, input=noise, env=store.environment, capture_output=True, timeout=300, check=False)
    store.kv("put", "a", "b")
    assert "nothing wrong" in store.kv("check")


def test_hosted_noise_in_the_object(pytestconfig, store, tmp_path):
    """Whatever is written over the map and the allocator: an answer, in time, and nobody else's bytes change."""
    chance = random.Random(4)
    obj = Objects(hosted_tool(pytestconfig, "obj"), tmp_path)
    text = "".join(f"k{i} {'v' * (i % 50)}\n" for i in range(300))
    store.kv("load", text=text)
    store.words[1] = "other"
    store.kv("load", text=text)
    good = store.kv("dump")
    with open(obj.file_of("other"), "rb") as file:
        file.seek(0x1000)
        sound = file.read(0x40000)
    for turn in range(15):
        with open(obj.file_of("other"), "r+b") as file:
            file.seek(0x1000)
            file.write(sound)
            for _ in range(chance.choice((1, 3, 30))):
                file.seek(0x1000 + chance.randrange(8, 0x20000) if turn % 3 else 0x1000 + chance.randrange(64, 128))
                file.write(chance.randbytes(chance.choice((1, 8, 64))))
        for words in (("check",), ("dump",), ("get", "k7"), ("count",), ("put", "k7", "new"), ("put", f"n{turn}", "x" * 300),
                      ("del", "k9"), ("stat",)):
            done = subprocess.run([*store.words, *words], env=store.environment, timeout=300, stdin=subprocess.DEVNULL,
                                  capture_output=True, check=False)
            out = (done.stdout + done.stderr).decode(errors="replace")
            assert done.returncode in (0, 1), f"turn {turn}: kv {words}: status {done.returncode}\n{out[-3000:]}"
            assert "Sanitizer" not in out and "runtime error" not in out, f"turn {turn}: kv {words}\n{out[-5000:]}"
        obj.obj("check", "other", statuses=(0, 1))
    store.words[1] = "s"
    assert store.kv("dump") == good and "nothing wrong" in store.kv("check")


def test_hosted_kill_leaves_a_prefix(store):
    """load is killed at any time: the lines up to one are there, none behind it, and the store is whole."""
    chance = random.Random(3)
    lines = [f"key{i:06} {'v' * (i % 90)}{i}" for i in range(30000)]
    text = ("\n".join(lines) + "\n").encode()
    reached = set()
    for turn in range(6):
        store.words[1] = f"s{turn}"
        with subprocess.Popen([*store.words, "load"], env=store.environment, stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            feeder = os.fork()
            if feeder == 0:
                try:
                    child.stdin.write(text)
                    child.stdin.flush()
                finally:
                    os._exit(0)
            time.sleep(chance.uniform(0.05, 0.4))
            child.kill()
            child.wait()
            os.waitpid(feeder, 0)
            child.stdin.close()
        if turn == 0:
            store.kv("put", "key", "made")  # killed before the store had its name, perhaps
            store.kv("del", "key")
        kept = store.kv("dump").splitlines()
        assert kept == lines[:len(kept)]
        assert "nothing wrong" in store.kv("check")
        reached.add(len(kept))
    assert len(reached) > 2, "no kill came in the middle"
