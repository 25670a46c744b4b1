# SPDX-License-Identifier: BSD-3-Clause
"""
The shell that a user gets: what stands there first, editing, jobs, history, the window's size, the end. A program that was
started takes keys when it says something: that is waited for, never a time. `make test` has built SDK and ports.
"""
import os
import re
import subprocess
import time

import pexpect
import pyte
import pytest
from conftest import RISCV
from guest import OK
from test_sdk import POSIX, Sdk, linux, sdk  # noqa: F401 (sdk is a fixture)  pylint: disable=unused-import

PROMPT = r"~ # $"
WAIT = 180  # seconds, for what takes one
QUESTION = r"\x1b\[6n"  # where is the cursor?


class Shell:
    """A guest with a shell, at its first prompt."""

    def __init__(self, sdk, **options):
        folder = os.path.dirname(sdk.port("busybox", "busybox"))
        names = [name for name in os.listdir(folder) if name not in ("sh", "cat")]
        guest = sdk.guest(*(os.path.join(folder, name) for name in names), f"sh={os.path.join(folder, 'busybox')}",
                          sdk.port("session", "session"))
        self.session = guest.start(**options)
        self.session.child.timeout = WAIT
        self.expect = self.session.expect
        self.send = self.session.send

    def prompt(self):
        self.expect(PROMPT)
        return self

    def type(self, line, expected=None):
        """A command; what it prints is waited for, and then the prompt."""
        self.send(line + "\r")
        self.expect(expected or r"\n")
        return self.prompt()

    def screen(self):
        """What a terminal shows by now, line by line."""
        screen = pyte.Screen(80, 25)
        pyte.Stream(screen).feed(self.session.console)
        return [line.rstrip() for line in screen.display]

    def shows(self, *top, bottom=""):
        """Waits until a terminal would show these lines at its top, and at its bottom one that begins so."""
        end = time.monotonic() + WAIT
        while (screen := self.screen())[:len(top)] != list(top) or not screen[-1].startswith(bottom):
            assert time.monotonic() < end, f"wanted {top} … {bottom}:\n" + "\n".join(screen)
            try:
                self.session.child.read_nonblocking(65536, timeout=1)
            except pexpect.TIMEOUT:
                pass
        self.session.child.buffer = ""  # it has been seen

    def ends(self):
        self.send("poweroff\r")
        assert self.session.wait() == OK, self.session.out[-3000:]


@pytest.mark.parametrize("cpus", [1, 4])
def test_terminals(sdk, cpus):  # noqa: F811
    """What a program sees that makes terminals, types at them and uses them."""
    source = os.path.join(POSIX, "terminal.c")
    expected = linux(source, sdk.folder).splitlines()
    result = sdk.guest(sdk.compile("posix", source)).run("posix", smp=cpus).expect(OK).expect_clean()
    first = result.lines.index(expected[0])
    assert result.lines[first:first + len(expected)] == expected


def test_begin_and_end(sdk):  # noqa: F811
    """The prompt is the first thing; the environment; another shell after the first; poweroff."""
    shell = Shell(sdk).prompt()
    assert "can't access tty" not in shell.session.out
    shell.type("echo $PATH:$HOME:$TERM:$LANG", r"/bin:/root:xterm:C.UTF-8\r")
    shell.type("tty; whoami; pwd", r"/root\r")
    shell.type("cd /tmp; cd -", r"/root\r")
    shell.type("exit 3")
    shell.send("\x04")
    shell.prompt().type("stty -a", "rows 25; columns 80;")
    shell.ends()


def test_first_machine(sdk):  # noqa: F811
    """init=twz: the machine's own prompt; `session` leads from there to a shell."""
    shell = Shell(sdk, append="init=twz")
    shell.expect("twz> $")
    shell.send("session\r")
    shell.prompt().ends()


@pytest.mark.parametrize("options", [{"smp": 1}, {"mem": "64M"}, {"mmu": "sv39"}], ids=["smp1", "64M", "sv39"])
def test_machines(sdk, options):  # noqa: F811
    if "mmu" in options and sdk.board != RISCV:
        pytest.skip("a mode of RISC-V")
    Shell(sdk, **options).prompt().type("ls -l / | wc -l", r"\d+\r").ends()


def test_editing_and_jobs(sdk):  # noqa: F811
    """Editing, history, Ctrl-C, Ctrl-Z, jobs."""
    shell = Shell(sdk).prompt()
    shell.type("echo hello wor\x7f\x7fxx", r"\nhello wxx\r")
    shell.type("\x1b[A", r"\nhello wxx\r")
    shell.type("echo one two\x17three \x01\x06\x05x", r"\none three x\r")
    shell.type("ec\tcompleted", r"\ncompleted\r")
    shell.type("echo /ro\t", r"\n/root/\r")
    shell.send("sh -c 'echo begun; sleep 1000'\r")
    shell.expect(r"\nbegun\r")
    shell.send("\x03")
    shell.prompt().type("echo status $?", r"\nstatus 130\r")
    shell.send("sh -c 'echo begun; sleep 1000'\r")
    shell.expect(r"\nbegun\r")
    shell.send("\x1a")
    shell.expect("Stopped")
    shell.prompt().type("bg").type("jobs", "Running").type("kill %1").type("wait")
    shell.type("for i in 1 2 3 4 5 6 7 8 9 10; do sh -c true & done; wait; echo all done", r"\nall done\r")
    shell.ends()


def test_editor(sdk):  # noqa: F811
    """vi by what its screen shows."""
    shell = Shell(sdk).prompt()
    shell.type("echo abc | tr a-c A-C > /f; cat /f", r"\nABC\r")
    shell.send("vi /f\r")
    shell.shows("ABC", "~", "~", bottom="- /f 1/1 100%")
    # An escape that is followed at once is part of a key.
    for keys, top, bottom in (
            ("iedited \x1b", ["edited ABC", "~"], "- /f [Modified] 1/1 100%"),
            ("oline two\x1b", ["edited ABC", "line two", "~"], "- /f [Modified] 2/2 100%"),
            ("othree\x1b", ["edited ABC", "line two", "three", "~"], "- /f [Modified] 3/3 100%"),
            ("1Gdd", ["line two", "three", "~"], "- /f [Modified] 1/2 50%")):
        shell.send(keys)
        shell.shows(*top, bottom=bottom)
    shell.send(":wq\r")
    shell.prompt().type("cat /f; rm /f", r"\nline two\r+\nthree\r").ends()


def test_pager(sdk):  # noqa: F811
    """less by what its screen shows: pages, lines, a search."""
    shell = Shell(sdk).prompt()
    shell.type("seq 1 100 > /numbers")
    for keys, first in (("less /numbers\r", 1), (" ", 25), ("j", 26), ("/^44\r", 44), ("g", 1)):
        shell.send(keys)
        shell.shows(*[str(n) for n in range(first, first + 24)])
    shell.send("q")
    shell.prompt().ends()


def test_everything_is_killed(sdk):  # noqa: F811
    """kill -9 -1 ends all but who sends it and the first process, which nobody else ends: a job, then the shell above."""
    shell = Shell(sdk).prompt()
    shell.type("sleep 1000 &")
    shell.type("kill -9 1; kill -STOP 1; echo spared", r"\nspared\r")
    shell.type("kill -9 -1").type("wait; echo nobody is '%s'" % "left", r"\nnobody is left\r")
    shell.send("sh -c 'kill -9 -1; echo still here'\r")
    shell.expect(r"\nstill here\r")
    shell.prompt().type("echo below $PPID", r"\nbelow 1\r").ends()


def test_no_shell(sdk):  # noqa: F811
    """Where there is none it is said, and the machine's own prompt comes."""
    session = sdk.guest(sdk.port("session", "session")).start()
    session.expect("session: /bin/sh: No such file or directory")
    session.expect("session: /bin/sh ends again and again: it is broken or missing")
    session.expect("init: no session any more")
    session.expect("twz> $")
    session.send("hello\r")
    session.expect("twz> $")
    session.cut_power()


def test_utf8(sdk):  # noqa: F811
    """One key takes one character back, in the shell's editor and in that of the terminal."""
    shell = Shell(sdk).prompt()
    shell.type("echo a\u00e4\u20ac\U0001f600\x7f\x7fb | hexdump -C", r"61 c3 a4 62 0a ")
    shell.send("cat > f\r")
    shell.expect(r"\n")
    shell.send("a\u00e4\u20ac\U0001f600\x7f\x7fb\r\x04")
    shell.prompt().type("hexdump -C f", r"61 c3 a4 62 0a ").ends()


def test_size(sdk):  # noqa: F811
    """The window's size is asked for once, and again by resize, which tells programs."""
    shell = Shell(sdk)
    shell.expect(QUESTION)
    shell.send("\x1b[40;100R")
    shell.expect("~ # ")  # perhaps drawn again for the new size
    shell.type("stty size", r"\n40 100\r")
    shell.type("sh -c 'trap \"echo changed\" WINCH; stty rows 30; true'", r"\nchanged\r")
    shell.send("resize\r")
    shell.expect(QUESTION)
    shell.send("\x1b[50;120R")
    shell.expect("~ # ")
    shell.type("stty size", r"\n50 120\r").ends()


def test_history_over_reboot(sdk):  # noqa: F811
    """The home directory is in the store: files and history are there after a reboot."""
    shell = Shell(sdk, pmem=os.path.join(sdk.folder, "pmem"), timeout=None).prompt()
    shell.type("echo kept > note; echo first-boot", r"\nfirst-boot\r")
    shell.send("reboot\r")
    shell.expect("session: reboot")
    shell.prompt().type("cat note", r"\nkept\r")
    shell.type("\x1b[A\x1b[A\x1b[A", r"\nfirst-boot\r").ends()


def test_paste(sdk):  # noqa: F811
    """4 KiB at once, into the shell and into a program that reads lines."""
    lines = [f"echo line-{n:03}-{'x' * 20} >> f" for n in range(100)]
    shell = Shell(sdk).prompt()
    shell.send("\r".join(lines) + "\rwc -l f; echo 'all' there\r")
    shell.expect(r"\nall there\r")
    shell.prompt().type("grep -c '^line-...-x*$' f", r"\n100\r")
    shell.send("cat > g\r")
    shell.expect(r"\n")
    shell.send("\r".join(lines) + "\r\x04")
    shell.prompt().type("wc -l g", r"\n *100 g\r").ends()


def test_nested_shells(sdk):  # noqa: F811
    shell = Shell(sdk).prompt()
    for depth in range(1, 11):
        shell.type(f"level={depth} sh").type("echo at $level", rf"\nat {depth}\r")
    shell.type("sh -c 'echo begun; kill -INT $$; echo no'", r"\nbegun\r")
    for depth in range(9, 0, -1):
        shell.type("exit").type("echo at $level", rf"\nat {depth}\r")
    shell.type("exit").ends()


@pytest.mark.parametrize("cpus", [1, 4])
def test_interrupts(sdk, cpus):  # noqa: F811
    """Ctrl-C again and again at the prompt."""
    shell = Shell(sdk, smp=cpus).prompt()
    for _ in range(5):
        shell.send("half a line" + "\x03" * 20)
        shell.send("\recho still '%s'\r" % "there")
        shell.expect(r"\nstill there\r")
        shell.prompt()
    shell.ends()


def test_make_run_without_ports():
    """make says what PORTS= leaves out."""
    top = os.path.join(os.path.dirname(__file__), "..", "..")
    done = subprocess.run(["make", "-n", "-C", top, "run", "PORTS="], capture_output=True, text=True, check=False,
                          env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")})
    assert re.search("PORTS is empty: there is no shell", done.stdout), done.stdout[-2000:] + done.stderr[-2000:]
