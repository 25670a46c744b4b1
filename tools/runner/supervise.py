# SPDX-License-Identifier: BSD-3-Clause
"""
Runs the emulator: passes its console on, watches the clock, and leaves nothing behind.

The emulator dies with us, however we die. The console goes to stdout (and the log) byte for byte as it comes.
"""
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import termios
import time

from . import control, errors
from .errors import SetupError
from .verdict import Verdict

# How long a guest that has said its last word may take to power off.
_LAST_WORD_SECONDS = 15
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def _die_with_parent(parent):
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(errors.SETUP)


def say(text):
    """One line of our own for the user."""
    print(f"run: {text}", file=sys.stderr, flush=True)


class _Stopped(Exception):
    """A signal told us to stop."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


def _raise_stopped(number, _frame):
    raise _Stopped(number)


class Run:
    """One emulator process from start to exit status."""

    def __init__(self, command, *, autorun, timeout, log, interactive, control_path, symbols, keep_fds):
        self.command = command
        self.autorun = autorun
        self.timeout = timeout
        self.log_path = log
        self.interactive = interactive
        self.control_path = control_path
        self.symbols = symbols
        self.keep_fds = keep_fds
        self.verdict = Verdict()
        self.process = None
        self.log = None
        self.errors = b""

    def run(self):
        """Runs to the end; returns the exit status of tools/run."""
        terminal = self._save_terminal()
        before = {number: signal.signal(number, _raise_stopped) for number in _STOP_SIGNALS}
        try:
            self._start()
            return self._watch()
        except _Stopped as stopped:
            self._kill()
            say("stopped")
            return errors.INTERRUPTED if stopped.number == signal.SIGINT else 128 + stopped.number
        finally:
            for number in before:
                signal.signal(number, signal.SIG_IGN)
            self._kill()
            self._restore_terminal(terminal)
            if self.log:
                self.log.close()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start(self):
        if self.log_path:
            try:
                self.log = open(self.log_path, "wb", buffering=0)
            except OSError as error:
                raise errors.UsageError(f"--log {self.log_path}: {error.strerror}") from None
        parent = os.getpid()
        try:
            self.process = subprocess.Popen(
                self.command, stdin=None if self.interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=self.keep_fds,
                process_group=None if self.interactive else 0,
                preexec_fn=lambda: _die_with_parent(parent))
        except OSError as error:
            raise SetupError(f"cannot start {self.command[0]}: {error.strerror}") from None

    def _watch(self):
        """Passes output on until the emulator ends or time is up."""
        start = time.monotonic()
        deadline = start + self.timeout if self.timeout is not None else None
        grace = None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ, self._take_console)
            selector.register(self.process.stderr, selectors.EVENT_READ, self._take_error)
            while selector.get_map():
                now = time.monotonic()
                if deadline is not None and now >= deadline:
                    return self._timed_out()
                if grace is None and self.verdict.over() and (self.autorun or deadline is not None):
                    grace = now + _LAST_WORD_SECONDS
                if grace is not None and now >= grace:
                    return self._no_power_off()
                wait = [at - now for at in (deadline, grace) if at is not None]
                for key, _ in selector.select(min(wait) if wait else None):
                    data = os.read(key.fd, 65536)
                    if not data:
                        selector.unregister(key.fileobj)
                    key.data(data)
        return self._ended(self.process.wait())

    def _take_console(self, data):
        if not data:
            self.verdict.finish()
            return
        self.verdict.feed(data)
        _write_all(1, data, "stdout")
        if self.log:
            _write_all(self.log.fileno(), data, self.log_path)

    def _take_error(self, data):
        """What the emulator says of itself; the end is kept for the reason of a failure."""
        self.errors = (self.errors + data)[-4096:]
        if data:
            _write_all(2, data, "stderr")

    def _ended(self, code):
        status, reason = self.verdict.status(self.autorun, code)
        if code < 0 and status not in (errors.OK, errors.PANIC):
            hint = " (is the disk under the region's file full?)" if code == -signal.SIGBUS else ""
            status, reason = errors.SETUP, f"the emulator was killed by {signal.Signals(-code).name}{hint}"
        if reason:
            say(reason + (f" (emulator status {code})" if self.autorun and code > 0 else ""))
        return status

    def _no_power_off(self):
        self._kill()
        say(f"the guest did not power off within {_LAST_WORD_SECONDS} s of its last word")
        return errors.PANIC if self.verdict.panic is not None else errors.SETUP

    def _timed_out(self):
        say(f"no end after {self.timeout:g} s; the CPUs stand at:")
        for line in self._state():
            print(line, file=sys.stderr, flush=True)
        self._kill()
        return errors.PANIC if self.verdict.panic is not None else errors.TIMEOUT

    def _state(self):
        try:
            return control.summary(control.registers(self.control_path), control.Symbols(self.symbols))
        except (OSError, ValueError) as error:
            return [f"  (the emulator does not answer: {error})"]

    def _kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @staticmethod
    def _save_terminal():
        try:
            return termios.tcgetattr(0), os.get_blocking(0)
        except (termios.error, OSError):
            return None

    @staticmethod
    def _restore_terminal(saved):
        if saved is None:
            return
        # The emulator may have been killed with the terminal raw; a background process must not stop here.
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            os.set_blocking(0, saved[1])
            termios.tcsetattr(0, termios.TCSANOW, saved[0])
        except termios.error:
            pass
        signal.signal(signal.SIGTTOU, before)


def _write_all(fd, data, name):
    """Writes all bytes, also to a descriptor that does not block; SetupError when it cannot."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view):]
        except BlockingIOError:
            time.sleep(0.01)
        except OSError as error:
            raise SetupError(f"cannot write to {name}: {error.strerror}") from None
