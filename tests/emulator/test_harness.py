# SPDX-License-Identifier: BSD-3-Clause
"""The harness must fail what is wrong: broken transcripts, hangs, panics, and bad options of tools/run."""
import os
import signal
import subprocess
import sys
import time

import ktap
import pytest
from conftest import ARM, BOARDS, RISCV
from guest import OK, PANIC, RUN, SETUP, TIMEOUT, TOP, USAGE, FAILED, Guest
from runner.board import Board
from runner.layout import WINDOW, Layout
from runner.sizes import GIB, MIB, parse_size
from runner.supervise import Run
from runner.verdict import Verdict

pytestmark = pytest.mark.quick

GOOD = "boot: hello\nKTAP version 1\n1..3\nok 1 one\nok 2 two # SKIP no reason\n# a word\nok 3 - three\nautorun: 1 programs, 0 failed\n"


def faults(text, **options):
    return ktap.parse(text, **options).failures()


def test_good_document_passes():
    report = ktap.parse(GOOD, programs=1)
    assert not report.failures()
    assert [(c.name, c.outcome) for c in report.cases()] == [("one", "passed"), ("two", "skipped"), ("three", "passed")]


def test_carriage_returns_and_colours_do_not_matter():
    assert not faults("\x1b[0m" + GOOD.replace("\n", "\x1b[0m\r\n"))


@pytest.mark.parametrize("broken, why", [
    ("", "no results"),
    ("boot: hello\n", "no results"),
    (GOOD.replace("1..3\n", ""), "no plan"),
    (GOOD.replace("1..3\n", "").replace("ok 3 - three\n", "ok 3 - three\n1..3\n"), "before the plan"),
    (GOOD.replace("1..3", "1..4"), "3 results, 4 planned"),
    (GOOD.replace("1..3", "1..2"), "3 results, 2 planned"),
    (GOOD.replace("1..3", "1..0"), "no cases"),
    (GOOD.replace("1..3\n", "1..3\n1..3\n"), "second plan"),
    (GOOD.replace("ok 3 - three\n", ""), "2 results, 3 planned"),
    (GOOD.replace("ok 2", "ok 1"), "result 1 where 2"),
    (GOOD.replace("ok 2", "ok 3"), "result 3 where 2"),
    (GOOD.replace("ok 1", "not ok 1"), "not ok 1 one"),
    (GOOD.replace("ok 2", "not ok 2"), "not ok 2"),
    (GOOD.replace("ok 3", "Bail out! no memory\nok 3"), "Bail out"),
    (GOOD.replace("# a word", "UBSAN: kernel/x.c:1: overflow"), "UBSAN"),
    (GOOD.replace("# a word", "x.c:3:4: runtime error: overflow"), "runtime error"),
    (GOOD.replace("ok 3", "panic: page fault\nok 3"), "after a panic"),
    (GOOD + "panic: late\n", "panic: late"),
    (GOOD.replace("KTAP version 1", "KTAP version 9"), "unknown version"),
    (GOOD.replace("KTAP version 1\n", ""), "outside"),
    (GOOD + GOOD, "2 programs reported, 1 ran"),
])
def test_broken_documents_fail(broken, why):
    assert any(why in fault for fault in faults(broken, programs=1)), faults(broken, programs=1)


def test_two_programs():
    assert not faults(GOOD + GOOD, programs=2)
    assert faults(GOOD, programs=2)


def test_host_programs_have_no_version_line():
    text = "1..2\nok 1 - a\nok 2 - b\n1..1\nok 1 - c\n"
    assert not faults(text, versioned=False)
    assert len(ktap.parse(text, versioned=False).documents) == 2
    assert faults("ok 1 - a\n", versioned=False)
    assert faults("1..2\nok 1 - a\n1..1\nok 1 - c\n", versioned=False)


def verdict(text, autorun=True, emulator=0):
    found = Verdict()
    data = text.encode()
    for at in range(0, len(data), 7):
        found.feed(data[at:at + 7])
    found.finish()
    return found.status(autorun, emulator)[0]


@pytest.mark.parametrize("text, status", [
    ("autorun: 2 programs, 0 failed\npower: off (status 0)\n", OK),
    ("autorun: 1 program, 0 failed\r\n", OK),
    ("\x1b[1mautorun: 2 programs, 0 failed\x1b[0m", OK),
    ("autorun: 2 programs, 1 failed\npower: off (status 1)\n", FAILED),
    ("autorun: 0 programs, 0 failed\n", SETUP),
    ("", SETUP),
    ("power: off (status 0)\n", SETUP),
    ("autorun: 2 programs, 0 failed\nautorun: 2 programs, 0 failed\n", SETUP),
    ("text autorun: 2 programs, 0 failed\n", SETUP),
    ("panic: no memory\n", PANIC),
    ("autorun: 2 programs, 0 failed\npanic: at the end\n", PANIC),
])
def test_verdict_of_a_console(text, status):
    assert verdict(text) == status


def test_verdict_without_autorun():
    assert verdict("hello\n", autorun=False) == OK
    assert verdict("hello\n", autorun=False, emulator=1) == SETUP
    assert verdict("power: off (status 3)\n", autorun=False, emulator=1) == FAILED
    assert verdict("panic: x\n", autorun=False) == PANIC


def pretend(script, tmp_path, timeout=None, autorun=True):
    """Runs a shell script in the emulator's place."""
    return Run(["/bin/sh", "-c", script], autorun=autorun, timeout=timeout, log=str(tmp_path / "log"),
               interactive=False, control_path=str(tmp_path / "none"), symbols="/none", keep_fds=()).run()


def test_a_hang_is_a_timeout(tmp_path):
    begin = time.monotonic()
    assert pretend("echo begin; sleep 1000", tmp_path, timeout=0.5) == TIMEOUT
    assert time.monotonic() - begin < 10


def test_an_endless_talker_is_a_timeout(tmp_path):
    assert pretend("while :; do echo x; done > /dev/stdout", tmp_path, timeout=0.5) == TIMEOUT


def test_an_early_end_is_a_failure(tmp_path):
    assert pretend("echo begin", tmp_path) == SETUP
    assert pretend("kill -SEGV $$", tmp_path) == SETUP
    assert pretend("echo 'autorun: 1 programs, 0 failed'; kill -KILL $$", tmp_path) == OK


def test_the_log_is_the_console_byte_for_byte(tmp_path, capfdbinary):
    text = bytes(range(256)) * 20 + b"\nautorun: 1 programs, 0 failed\n"
    (tmp_path / "text").write_bytes(text)
    assert pretend(f"cat {tmp_path}/text", tmp_path) == OK
    assert (tmp_path / "log").read_bytes() == text
    assert capfdbinary.readouterr().out == text


def runner(*words, **options):
    return subprocess.run([RUN, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          **options)


@pytest.fixture
def fake_build(tmp_path):
    """A build folder whose kernel spins: enough for what ends before a guest runs, or never."""
    folder = tmp_path / "build"
    folder.mkdir()
    # `j .`, and `b .` where the other architecture's image starts: each spins on its own board.
    spin = {RISCV: bytes.fromhex("6f000000"), ARM: bytes.fromhex("00000014")}
    for board in BOARDS:
        (folder / board).mkdir()
        header = spin[board] + bytes(4) + (0).to_bytes(8, "little") + (4096).to_bytes(8, "little")
        magic = bytes(32) + (b"ARM\x64" if board == ARM else b"RSC\x05") + bytes(4)
        (folder / board / "Image").write_bytes((header + magic).ljust(4096, b"\0"))
        (folder / board / "initrd.pack").write_bytes(b"pack" * 1000)
    return folder


BAD_OPTIONS = [
    ["--smp", "0"], ["--smp", "-1"], ["--smp", "many"], ["--smp", "1000"], ["--mem", "0"], ["--mem", "x"],
    ["--mem", "100000G"], ["--mem", "-1G"], ["--mem", "4097B"], ["--cpu", "abacus"], ["--timeout", "0"],
    ["--timeout", "soon"], ["--pmem-size", "1G"], ["--pmem", "/"], ["--pmem", "/nowhere/x"],
    ["--initrd", "/nowhere"], ["--image", "/nowhere"], ["--image", "/"], ["--autorun", " ; "],
    ["--autorun", 'say "hello"'], ["--autorun", "a\nb"], ["--append", "x" * 4000], ["--append", "autorun=x"],
    ["--dtb", "/nowhere"], ["--dtb", "/etc/passwd"], ["--dtb-edit", "paint /"], ["--dtb-edit", "delete /nowhere"],
    ["--dtb-edit", "setcells / x 99999999999"], ["--bogus"], ["stray"], ["--initrd", "/x", "--no-initrd"],
    ["--log", "/nowhere/x", "--autorun", "x"], ["--icount", "3"],
]


@pytest.mark.parametrize("words", BAD_OPTIONS, ids=lambda words: " ".join(words)[:40])
def test_bad_options_get_one_line(words, fake_build, board):
    done = runner("--board", board, "--build", str(fake_build / board), *words)
    assert done.returncode == USAGE, done
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("run: "), done.stderr
    assert not done.stdout


@pytest.mark.parametrize("words", [["--board", "x"], [], ["--board", RISCV, "--gic", "3"], ["--board", RISCV, "--el2"],
                                   ["--board", ARM, "--mmu", "sv39"], ["--board", ARM, "--gic", "4"],
                                   ["--board", ARM, "--gic", "2", "--smp", "9"], ["--board", RISCV, "--mmu", "sv32"]])
def test_what_a_board_lacks_gets_one_line(words, fake_build):
    build = ["--build", str(fake_build / words[1])] if len(words) > 2 else []
    done = runner(*words, *build)
    assert done.returncode == USAGE
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_dry_run_prints_commands_that_work(fake_build, board, tmp_path):
    words = ["--board", board, "--build", str(fake_build / board), "--pmem", str(tmp_path / "a b"), "--dry-run"]
    done = runner(*words, "--autorun", "it's; b")
    assert done.returncode == OK, done.stderr
    dump, _, command = done.stdout.splitlines()
    assert dump.startswith("qemu-system-") and command.startswith("qemu-system-")
    assert not (tmp_path / "a b").exists(), "a dry run must not create the region's file"
    subprocess.run(["/bin/sh", "-c", dump + " 2>/dev/null"], check=True, stdin=subprocess.DEVNULL, timeout=300)
    plain = runner("--board", board, "--build", str(fake_build / board), "--dry-run", "--autorun", "it's; b")
    assert """'panic=poweroff autorun="it'"'"'s; b"'""" in plain.stdout


@pytest.mark.parametrize("size, words", [("3M", "no multiple"), ("1M", "too few"), ("0", "must not be 0")])
def test_bad_region_sizes(fake_build, tmp_path, size, words):
    path = tmp_path / "pm"
    done = runner("--board", ARM, "--build", str(fake_build / ARM), "--pmem", str(path), "--pmem-size", size)
    assert done.returncode == USAGE and words in done.stderr
    assert not path.exists()


@pytest.mark.parametrize("length", [0, 1, 4096, (2 << 20) - 1, (2 << 20) + 512])
def test_region_file_is_never_resized(fake_build, tmp_path, length):
    path = tmp_path / "pm"
    path.write_bytes(b"\x5a" * length)
    for extra in ([], ["--pmem-size", "64M"]):
        done = runner("--board", RISCV, "--build", str(fake_build / RISCV), "--pmem", str(path), "--timeout", "1",
                      "--autorun", "x", *extra)
        assert done.returncode == USAGE and len(done.stderr.splitlines()) == 1, done.stderr
        assert path.read_bytes() == b"\x5a" * length


def spinning(fake_build, board, *words):
    """A runner whose guest never ends, once its emulator is up."""
    process = subprocess.Popen([RUN, "--board", board, "--build", str(fake_build / board), "--autorun", "x", *words],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env={**os.environ, "TMPDIR": str(fake_build)})
    for _ in range(2000):
        if emulators(fake_build):
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"no emulator came up: {process.communicate()}")


def emulators(folder):
    """Emulators that run with files of this folder; the probe that ends by itself is none."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = file.read()
        except OSError:
            continue
        if command.startswith(b"qemu-system-") and str(folder).encode() in command and b"dumpdtb" not in command:
            found.append(int(pid))
    return found


def leftovers(fake_build):
    return [name for name in os.listdir(fake_build) if name.startswith("twizzler-run-")]


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_nothing_behind(fake_build, board, number, status):
    path = fake_build / "pm"
    process = spinning(fake_build, board, "--pmem", str(path), "--pmem-size", "16M")
    process.send_signal(number)
    process.communicate(timeout=200)
    assert process.returncode == status
    assert not emulators(fake_build) and not leftovers(fake_build)
    assert path.stat().st_size == 16 << 20


def test_a_killed_runner_takes_its_emulator_along(fake_build):
    process = spinning(fake_build, ARM)
    process.kill()
    process.communicate()
    for _ in range(2000):
        if not emulators(fake_build):
            return
        time.sleep(0.05)
    raise AssertionError("an emulator is left over")


def test_one_region_one_emulator(fake_build):
    path = str(fake_build / "pm")
    process = spinning(fake_build, ARM, "--pmem", path)
    try:
        done = runner("--board", RISCV, "--build", str(fake_build / RISCV), "--pmem", path, "--autorun", "x")
        assert done.returncode == SETUP and "in use" in done.stderr and len(done.stderr.splitlines()) == 1
    finally:
        process.terminate()
        process.communicate()


def test_a_full_disk_ends_the_run(fake_build, board):
    words = ["--board", board, "--build", str(fake_build / board), "--autorun", "x", "--timeout", "5"]
    # The riscv firmware talks by itself; on the other board the log is what cannot be opened for writing.
    with open("/dev/full", "wb") as full:
        done = subprocess.run([RUN, *words], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False, env={**os.environ, "TMPDIR": str(fake_build)})
    if board == RISCV:
        assert done.returncode == SETUP and "No space left" in done.stderr
    assert not emulators(fake_build) and not leftovers(fake_build)


def test_a_hung_guest_is_shown(fake_build, board):
    done = runner("--board", board, "--build", str(fake_build / board), "--autorun", "x", "--timeout", "2", "--smp", "2")
    assert done.returncode == TIMEOUT
    assert "cpu 0: pc" in done.stderr and "cpu 1: pc" in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) < 10


def test_interactive_says_how_to_leave(fake_build, tmp_path):
    session = Guest(RISCV, str(fake_build / RISCV), tmp_path, timeout=None).start()
    session.expect("Ctrl-A x")
    session.expect("OpenSBI")
    session.send("\x03")
    time.sleep(0.5)
    assert session.child.isalive(), "Ctrl-C must go to the guest"
    session.send("\x01x")
    assert session.wait() == OK


def test_sizes():
    assert [parse_size(t, "x") for t in ("64M", "1g", "64", "4096K", "512MiB")] == [
        64 * MIB, GIB, 64 * MIB, 4 * MIB, 512 * MIB]


@pytest.mark.parametrize("tree_at_end", [False, True])
@pytest.mark.parametrize("sizes", [[2 * MIB], [256 * MIB], [4 * GIB], [4 * MIB, 2 * MIB], [GIB, 2 * MIB, 64 * MIB, 2 * MIB]],
                         ids=str)
@pytest.mark.parametrize("mem", [64 * MIB, 100 * MIB + 4096, 512 * MIB, GIB - 4 * MIB, GIB, GIB + 4096, 2 * GIB, 4 * GIB])
def test_layout_keeps_the_tree_out_of_the_regions(board, mem, sizes, tree_at_end):
    facts = Board(board)
    layout = Layout(facts, mem, sizes, place=False, tree_at_end=tree_at_end)
    assert [size for _, size in layout.regions] == sizes
    first, behind = layout.regions[0][0], sum(layout.regions[-1])
    assert behind - first == sum(sizes), "the regions follow one another"
    memory = [(facts.ram_base, facts.ram_base + layout.ram)]
    if layout.tail:
        memory.append((behind, behind + layout.tail))
    assert sum(length for _, length in layout.banks) == mem
    for base, length in layout.banks:
        assert any(low <= base and base + length <= high for low, high in memory), "a bank where there is no memory"
    assert all(base % (2 * MIB) == 0 for base, _ in layout.regions)
    if facts.tree_limit:
        end = facts.ram_base + layout.total
        for tree in [end] if tree_at_end else [min(end, facts.tree_limit)]:
            window = (tree - WINDOW, tree)
            assert window[1] <= first or window[0] >= behind
            assert any(base <= window[0] and window[1] <= base + length for base, length in layout.banks)


def test_the_driver_fails_without_tests(tmp_path):
    done = subprocess.run([os.path.join(TOP, "tests", "run"), "--build", str(tmp_path), "-k", "no_such_test_anywhere"],
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode != 0
    assert sys.version_info >= (3, 11)
