# SPDX-License-Identifier: BSD-3-Clause
"""
Guests for tests: tools/run, called as people call it.

guest.run(...) boots, runs programs and returns a Result; guest.start(...) gives a Session to talk to or to cut
the power of. Every run has a timeout, and one that hangs is a failure of its own kind (status TIMEOUT).
"""
import os
import re
import shlex
import signal
import subprocess
import sys

import pexpect

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(TOP, "tools"))
from runner.errors import FAILED, OK, PANIC, SETUP, TIMEOUT, USAGE  # noqa: E402,F401 (for the tests)

RUN = os.path.join(TOP, "tools", "run")
# Finds hangs only: a machine that shares its CPUs with others is slow, not stuck.
DEFAULT_TIMEOUT = 300
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")


def clean(text):
    """Console text without terminal control sequences and carriage returns."""
    return _ANSI.sub("", text).replace("\r", "")


class Result:
    """A finished run: status (as tools/run gives it), out (console), err (what the runner and emulator said)."""

    def __init__(self, words, status, out, err):
        self.words = words
        self.status = status
        self.out = clean(out)
        self.err = clean(err)

    @property
    def lines(self):
        return self.out.split("\n")

    def find(self, pattern):
        """Lines of the console that match the regular expression somewhere."""
        return [line for line in self.lines if re.search(pattern, line)]

    def describe(self):
        tail = "\n".join(self.lines[-60:])
        return f"{shlex.join(self.words)}\nexit status {self.status}\n{tail}\n--- stderr\n{self.err[-2000:]}"

    def expect(self, *statuses):
        """Fails the test unless the run ended with one of these statuses."""
        assert self.status in statuses, f"wanted status {statuses}:\n{self.describe()}"
        return self

    def expect_line(self, pattern):
        """Fails the test unless a console line matches; returns the first."""
        found = self.find(pattern)
        assert found, f"no line matches /{pattern}/:\n{self.describe()}"
        return found[0]

    def expect_clean(self):
        """Fails the test when a sanitizer or the kernel complained."""
        bad = self.find(r"\bUBSAN: |^panic: |stack smashing")
        assert not bad, f"complaints: {bad}\n{self.describe()}"
        return self


class Session:
    """A running guest on a pseudo-terminal."""

    def __init__(self, words, environment, timeout):
        self.child = pexpect.spawn(words[0], words[1:], env=environment, timeout=timeout, encoding="utf-8",
                                   codec_errors="replace", echo=False)
        self.child.logfile_read = self._log = _Log()

    @property
    def out(self):
        return clean(self._log.text)

    @property
    def console(self):
        """What came over the line, as a terminal takes it."""
        return self._log.text

    def expect(self, pattern, timeout=-1):
        """Waits for console text; returns the match. The test fails when it does not come."""
        try:
            self.child.expect(pattern, timeout=timeout)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            raise AssertionError(f"no /{pattern}/ ({type(error).__name__}):\n{self.out[-3000:]}") from None
        return self.child.match

    def send(self, text):
        self.child.send(text)

    def cut_power(self):
        """SIGKILL to the emulator: everything not in persistent memory is gone."""
        for pid in _children(self.child.pid):
            os.kill(pid, signal.SIGKILL)
        return self.wait()

    def wait(self):
        """Until the runner has ended; its exit status."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus

    def close(self):
        self.child.close(force=True)


class _Log:
    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def _children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except FileNotFoundError:
        return []


class Guest:
    """One board and configuration; keyword arguments become options of tools/run."""

    def __init__(self, board, build, folder, **options):
        self.board = board
        self.build = build
        self.folder = str(folder)
        self.options = options
        self._sessions = []

    def words(self, **options):
        """The command line for these options, on top of the guest's own."""
        merged = {"timeout": DEFAULT_TIMEOUT, **self.options, **options}
        rest = merged.pop("rest", [])
        words = [RUN, "--board", self.board, "--build", self.build]
        for name, value in merged.items():
            option = "--" + name.replace("_", "-")
            if value is True:
                words.append(option)
            elif isinstance(value, (list, tuple)):
                words += [word for item in value for word in (option, str(item))]
            elif value is not None and value is not False:
                words += [option, str(value)]
        return words + (["--", *rest] if rest else [])

    def environment(self):
        return {**os.environ, "TMPDIR": self.folder}

    def _limit(self, options):
        """Seconds after which the runner itself must have ended."""
        return float(options.get("timeout", self.options.get("timeout")) or DEFAULT_TIMEOUT) + 60

    def run(self, autorun=None, **options):
        """Boots, runs `autorun` and powers off."""
        words = self.words(autorun=autorun, **options)
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=self._limit(options), env=self.environment())
        return Result(words, done.returncode, done.stdout.decode(errors="replace"),
                      done.stderr.decode(errors="replace"))

    def start(self, **options):
        """Boots on a pseudo-terminal, to talk to."""
        words = self.words(**options)
        session = Session(words, self.environment(), self._limit(options))
        self._sessions.append(session)
        return session

    def path(self, name):
        """A path for a file of this test."""
        return os.path.join(self.folder, name)

    def close(self):
        for session in self._sessions:
            session.close()
