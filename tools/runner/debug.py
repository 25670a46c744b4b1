# SPDX-License-Identifier: BSD-3-Clause
"""--gdb: the emulator waits, gdb-multiarch is attached to it."""
import os
import shutil
import signal
import subprocess
import threading

from .board import TOP
from .errors import SetupError
from .files import need_file

GDB = "gdb-multiarch"


def check(symbols):
    """Raises unless there is a debugger and a kernel with symbols."""
    if not shutil.which(GDB):
        raise SetupError(f"{GDB} is not installed (tools/setup installs it)")
    need_file(symbols, "kernel with symbols")


def emulator_words(socket_path):
    """Arguments that make the emulator wait for the debugger."""
    return ["-S", "-gdb", f"unix:{socket_path},server=on,wait=off"]


def gdb_command(symbols, socket_path):
    return [GDB, "-q", "-iex", "set confirm off", "-iex", "set pagination off", symbols,
            "-ex", f"target remote {socket_path}", "-x", os.path.join(TOP, "tools", "gdb", "twizzler.py")]


def _wait_for(path, process):
    for _ in range(100):
        if os.path.exists(path):
            return
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        raise SetupError("the emulator ended before the debugger could attach")
    raise SetupError("the emulator did not open its debug socket in 5 s")


def run(command, symbols, socket_path, keep_fds, extra=()):
    """Runs both until the debugger ends; Ctrl-C belongs to the debugger. Returns the debugger's status."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    emulator = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=keep_fds, start_new_session=True)
    try:
        _wait_for(socket_path, emulator)
        with _Ender(emulator):
            return subprocess.call(gdb_command(symbols, socket_path) + list(extra),
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    finally:
        emulator.kill()
        emulator.wait()
        signal.signal(signal.SIGINT, before)


class _Ender:
    """Reaps the emulator when the guest powers off under the debugger."""

    def __init__(self, process):
        self._thread = threading.Thread(target=process.wait, daemon=True)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        pass
