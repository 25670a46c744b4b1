# SPDX-License-Identifier: BSD-3-Clause
"""The command line of tools/run."""
import argparse
import os
import shlex
import shutil
import signal
import sys
import tempfile

from . import debug, errors
from .board import TOP, Board, board_names
from .errors import RunError, SetupError, UsageError
from .pmem import PMEM_MAX, PmemFile
from .supervise import Run, say

_EPILOG = """\
exit status: 0 all programs of --autorun succeeded (or a plain run ended), 1 a program failed, 2 wrong usage,
3 kernel panic, 4 --timeout ran out, 5 the emulator or the host failed, 130 Ctrl-C.
Everything behind -- goes to the emulator as it stands."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UsageError(message)


def _whole(text, least, name):
    try:
        value = int(text)
    except ValueError:
        raise UsageError(f"{name}: '{text}' is not a number") from None
    if value < least:
        raise UsageError(f"{name}: {value} is too few (at least {least})")
    return value


def _seconds(text):
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"--timeout: '{text}' is not a number of seconds") from None
    if not 0 < value < 1e7:
        raise UsageError(f"--timeout: {text} is no useful number of seconds")
    return value


def _parser():
    parser = _Parser(prog="tools/run", description="Boot a built kernel in the emulator.", epilog=_EPILOG,
                     formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    add = parser.add_argument
    add("--board", required=True, metavar="B", help=f"one of {', '.join(board_names())}")
    add("--build", metavar="DIR", help="build folder (default: build/BOARD)")
    add("--image", metavar="FILE", help="kernel Image (default: from the build folder)")
    add("--initrd", metavar="FILE", help="object pack (default: from the build folder)")
    add("--no-initrd", action="store_true", help="boot without an object pack")
    add("--smp", metavar="N", type=lambda t: _whole(t, 1, "--smp"), help="CPUs (default 4, with --icount 1)")
    add("--mem", metavar="SIZE", default="1G", help="RAM (default 1G)")
    add("--cpu", metavar="MODEL", help="CPU model of the emulator")
    add("--mmu", metavar="MODE", help="largest address-space mode (riscv: sv39, sv48, sv57)")
    add("--gic", metavar="V", type=lambda t: _whole(t, 1, "--gic"), help="interrupt controller version (arm: 2, 3)")
    add("--el2", action="store_true", help="enter the kernel at EL2 (arm)")
    add("--pmem", metavar="FILE", action="append", default=[],
        help="persistent memory; created when missing; may be given several times, for a region each")
    add("--pmem-size", metavar="SIZE", action="append", default=[],
        help="size of the regions (default: the file's, or 256M); given several times, each says that of one --pmem")
    add("--append", metavar="ARGS", help="kernel command line")
    add("--autorun", metavar="CMDS", help="run 'prog args; prog args' and power off")
    add("--timeout", metavar="SEC", type=_seconds, help="give up on a hung guest")
    add("--icount", nargs="?", const="1", default="0", metavar="0|1",
        help="deterministic: 1 ns of guest time an instruction")
    add("--seed", metavar="N", type=lambda t: _whole(t, 0, "--seed"),
        help="with --icount: another run, as repeatable (default 1)")
    add("--record", metavar="FILE", help="with --autorun, one CPU: keep what is needed to repeat the run")
    add("--replay", metavar="FILE", help="the run of --record again, with the same other options")
    add("--gdb", action="store_true", help="wait for gdb-multiarch and attach it")
    add("--gdb-command", metavar="CMD", action="append", default=[], help="with --gdb: a debugger command to run first")
    add("--dtb", metavar="FILE", help="device tree instead of the emulator's")
    add("--dtb-edit", metavar="CMD", action="append", default=[],
        help="change the device tree: 'delete PATH', 'delprop PATH NAME', 'setstr PATH NAME TEXT', "
             "'setcells PATH NAME N...', 'add PATH'; may be given several times")
    add("--log", metavar="FILE", help="copy of the console")
    add("--plugin", metavar="FILE[,ARGS]", action="append", default=[], help="TCG plugin")
    add("--dry-run", action="store_true", help="print the commands, run nothing")
    return parser


def _check_repeating(options):
    """--seed, --record and --replay: what they need, and what they cannot be combined with."""
    if options.record or options.replay:
        name = "--record" if options.record else "--replay"
        if options.record and options.replay:
            raise UsageError("--record and --replay exclude each other")
        if options.autorun is None:
            raise UsageError(f"{name} needs --autorun: what is typed cannot be repeated")
        if options.smp not in (None, 1):
            raise UsageError(f"{name}: the emulator repeats one CPU only; with more, use --icount and --seed")
        if options.pmem or options.mmu or options.dtb or options.dtb_edit:
            raise UsageError(f"{name} excludes --pmem, --mmu, --dtb and --dtb-edit; with them, use --icount and --seed")
        if options.seed is not None:
            raise UsageError(f"{name} excludes --seed: each recording is another run")
        options.icount = True
    if options.replay and not os.path.exists(options.replay):
        raise UsageError(f"--replay: there is no {options.replay}")
    if options.seed is not None and not options.icount:
        raise UsageError("--seed needs --icount")


def parse(words):
    """Options from the command line, with the defaults that depend on others filled in."""
    rest = []
    if "--" in words:
        at = words.index("--")
        words, rest = words[:at], words[at + 1:]
    options = _parser().parse_args(words)
    options.rest = rest
    if options.icount not in ("0", "1"):
        raise UsageError(f"--icount: '{options.icount}' is neither 0 nor 1")
    options.icount = options.icount == "1"
    _check_repeating(options)
    options.machine = Board(options.board)
    options.build = options.build or os.path.join(TOP, "build", options.board)
    options.image = options.image or os.path.join(options.build, "Image")
    if options.no_initrd:
        if options.initrd:
            raise UsageError("--initrd and --no-initrd exclude each other")
    else:
        options.initrd = options.initrd or os.path.join(options.build, "initrd.pack")
    options.symbols = os.path.join(options.build, "kernel.elf")
    if options.pmem_size and not options.pmem:
        raise UsageError("--pmem-size needs --pmem")
    if len(options.pmem_size) > 1 and len(options.pmem_size) != len(options.pmem):
        raise UsageError("--pmem-size: give it once, or once for each --pmem")
    if len(options.pmem) > PMEM_MAX:
        raise UsageError(f"--pmem: at most {PMEM_MAX} regions")
    if len({os.path.realpath(path) for path in options.pmem}) != len(options.pmem):
        raise UsageError("--pmem: one file twice")
    if options.autorun is not None and not options.autorun.strip(" ;"):
        raise UsageError("--autorun: no program named")
    return options


def _console(interactive):
    if interactive:
        return ["-chardev", "stdio,id=console0,mux=on,signal=off", "-serial", "chardev:console0",
                "-mon", "chardev=console0"]
    return ["-chardev", "stdio,id=console0,mux=off,signal=off", "-serial", "chardev:console0", "-monitor", "none"]


def _control(folder, options):
    words = ["-qmp", f"unix:{os.path.join(folder, 'qmp')},server=on,wait=off"] if options.timeout is not None else []
    if options.autorun is not None or options.timeout is not None:
        words.append("-no-reboot")
    if options.gdb:
        words += debug.emulator_words(os.path.join(folder, "gdb"))
    return words


def _dry_run(machine, command, options):
    print(shlex.join(machine.probe_command()))
    if machine.own_tree:
        print(f"# {options.dtb or machine.dumped} is edited and written to {machine.edited}")
    print(shlex.join(command))
    if options.gdb:
        print(shlex.join(debug.gdb_command(options.symbols, os.path.join(machine.folder, "gdb"))))
    return errors.OK


def _execute(options, folder):
    board = options.machine
    sizes = options.pmem_size * len(options.pmem) if len(options.pmem_size) < 2 else options.pmem_size
    pmem = [PmemFile(path, size) for path, size in zip(options.pmem, sizes or [None] * len(options.pmem), strict=True)]
    # Needs the device-tree library, which is not there before tools/setup has run.
    try:
        from .machine import Machine  # pylint: disable=import-outside-toplevel
    except ImportError as error:
        raise SetupError(f"python module {error.name} is missing (tools/setup installs it)") from None
    machine = Machine(options, board, pmem, folder)
    interactive = options.autorun is None and not options.gdb
    machine.probe()
    machine.prepare()
    command = machine.command(_console(interactive), _control(folder, options))
    if options.dry_run:
        return _dry_run(machine, command, options)
    for file in pmem:
        file.open()
        if warning := file.room_warning():
            say(warning)
    keep = tuple(file.fd for file in pmem)
    if options.gdb:
        debug.check(options.symbols)
        extra = [word for text in options.gdb_command for word in ("-ex", text)]
        return debug.run(command, options.symbols, os.path.join(folder, "gdb"), keep, extra)
    if interactive and sys.stdin.isatty():
        say("leave with Ctrl-A x (Ctrl-A h for more); Ctrl-C goes to the guest")
    return Run(command, autorun=options.autorun is not None, timeout=options.timeout, log=options.log,
               interactive=interactive, control_path=os.path.join(folder, "qmp"), symbols=options.symbols,
               keep_fds=keep).run()


def _terminated(number, _frame):
    raise SystemExit(128 + number)


def main(words):
    """tools/run: returns the exit status."""
    signal.signal(signal.SIGTERM, _terminated)
    signal.signal(signal.SIGHUP, _terminated)
    folder = None
    try:
        options = parse(words)
        try:
            if options.dry_run:
                # The printed commands must work, so what they name stays.
                folder_name = os.path.join(options.build, "run")
                os.makedirs(folder_name, exist_ok=True)
                return _execute(options, folder_name)
            folder = tempfile.mkdtemp(prefix="twizzler-run-")
        except OSError as error:
            raise SetupError(f"cannot make a folder for temporary files: {error.strerror}") from None
        return _execute(options, folder)
    except RunError as error:
        say(error)
        return error.status
    except KeyboardInterrupt:
        say("stopped")
        return errors.INTERRUPTED
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
