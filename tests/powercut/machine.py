# SPDX-License-Identifier: BSD-3-Clause
"""A machine whose power can be cut: the emulator as tools/run starts it, without what a person at a console needs."""
import ctypes
import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(TOP, "tools"))
from runner.cli import parse  # noqa: E402
from runner.machine import Machine, bootargs  # noqa: E402

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_PIPE = 1 << 20

# A busy host is not waited for: once some of what was to be seen has been, power may go.
LONGEST_SECONDS = 3


class Hung(Exception):
    """The guest did not come to where it should have been cut, or ended by itself."""


class Region:
    """The file behind the persistent memory."""

    def __init__(self, path, size):
        self.path = path
        self.size = size

    def blank(self):
        with open(self.path, "wb") as file:
            file.truncate(self.size)

    def copy_to(self, path):
        shutil.copyfile(self.path, path)

    def copy_from(self, path):
        # Into the same file: blocks that are zero in `path` must become zero here.
        shutil.copyfile(path, self.path)


class Computer:
    """A board with a number of CPUs and a region; each boot gets a command line and seeds of its own."""

    def __init__(self, board, build, folder, region, *, smp, mem="128M", icount=False):
        words = ["--board", board, "--build", build, "--mem", mem, "--smp", str(smp), "--timeout", "1"]
        self.options = parse(words + (["--icount"] if icount else []))
        os.makedirs(folder, exist_ok=True)
        self.machine = Machine(self.options, self.options.machine, [region], folder)
        self.machine.probe()

    def command(self, autorun, random_words):
        """The emulator's command line. `random_words`: eight numbers, the machine's entropy."""
        self.options.autorun = autorun
        cells = " ".join(str(word) for word in random_words)
        self.options.dtb_edit = [f"setcells /chosen rng-seed {cells}"]
        self.machine.bootargs = bootargs(self.options)
        self.machine.prepare()
        console = ["-chardev", "stdio,id=console0,mux=off,signal=off", "-serial", "chardev:console0",
                   "-monitor", "none", "-no-reboot"]
        return self.machine.command(console, [])


def _die_with_parent():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Boot:
    """One run of the emulator until its power is cut."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, preexec_fn=_die_with_parent)
        # The emulator must never wait for us: what it has written is what the guest has said.
        fcntl.fcntl(self.process.stdout, fcntl.F_SETPIPE_SZ, _PIPE)
        self.output = bytearray()

    @property
    def text(self):
        return self.output.decode("ascii", errors="replace")

    def _read(self, seconds):
        """Takes what comes within that time; False at the end of all output."""
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return True
        data = os.read(self.process.stdout.fileno(), 65536)
        self.output += data
        return bool(data)

    def wait_for(self, word, count, patience, unless):
        """
        Until the console has said `word` `count` times, or `unless` (None: only the words). `patience`: seconds
        without any output; a guest that goes on saying things is waited for.
        """
        word = word.encode()
        start, seen = 0, 0
        begun = heard = time.monotonic()
        while seen < count:
            at = self.output.find(word, start)
            if at >= 0:
                seen, start = seen + 1, at + len(word)
                continue
            if unless and unless.encode() in self.output:
                return
            if time.monotonic() - begun > LONGEST_SECONDS and seen:
                return
            start = max(start, len(self.output) - len(word) + 1)
            before = len(self.output)
            if not self._read(0.5):
                raise Hung(f"the emulator ended by itself: {self.process.stderr.read().decode(errors='replace')}")
            if len(self.output) > before:
                heard = time.monotonic()
            elif time.monotonic() - heard > patience:
                raise Hung(f"the guest has been silent for {patience} s")

    def go_on(self, seconds):
        """Lets it run for a (short) time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not self._read(left):
                return

    def cut(self):
        """SIGKILL: not even the instruction under way need come to its end. Takes the rest of the output."""
        self.process.kill()
        self.process.wait()
        while self._read(0.5):
            pass
        self.process.stdout.close()
        self.process.stderr.close()
