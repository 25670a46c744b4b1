# SPDX-License-Identifier: BSD-3-Clause
"""
What a run came to, read from the console.

Lines that count: `panic: …`, `autorun: N programs, M failed` (once), `power: off (status K)`.
"""
import re

from . import errors

_ANSI = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")
_AUTORUN = re.compile(rb"autorun: (\d+) programs?, (\d+) failed\Z")
_POWER = re.compile(rb"power: off \(status (-?\d+)\)")
_LONGEST = 65536


def clean_line(line):
    """A console line without its line end and without terminal control sequences."""
    return _ANSI.sub(b"", line).strip(b"\r\n")


class Verdict:
    """Fed with console bytes as they come."""

    def __init__(self):
        self.panic = None     # the line
        self.autorun = []     # (programs, failed), one an `autorun:` line
        self.power = None     # status K
        self._rest = b""

    def feed(self, data):
        """Takes more console bytes."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()[-_LONGEST:]
        for line in lines:
            self._line(clean_line(line))

    def finish(self):
        """No more bytes come: an unfinished line counts as one."""
        self.feed(b"\n")

    def _line(self, line):
        if line.startswith(b"panic: ") and self.panic is None:
            self.panic = line.decode(errors="replace")
        elif match := _AUTORUN.match(line):
            self.autorun.append((int(match[1]), int(match[2])))
        elif match := _POWER.match(line):
            self.power = int(match[1])

    def over(self):
        """Whether the guest has said its last word, so that only power-off can follow."""
        return self.panic is not None or self.power is not None or bool(self.autorun)

    def status(self, autorun, emulator_status):
        """(exit status, reason or None) of a run that ended by itself."""
        if self.panic is not None:
            return errors.PANIC, None
        if not autorun:
            return self._plain_status(emulator_status)
        if len(self.autorun) != 1:
            times = "more than one 'autorun:' line" if self.autorun else "no 'autorun:' line"
            return errors.SETUP, f"{times} on the console"
        programs, failed = self.autorun[0]
        if programs == 0:
            return errors.SETUP, "the guest ran no program"
        return (errors.FAILED, None) if failed else (errors.OK, None)

    def _plain_status(self, emulator_status):
        if self.power is not None:
            return (errors.FAILED if self.power else errors.OK), None
        if emulator_status:
            return errors.SETUP, f"the emulator ended with status {emulator_status}"
        return errors.OK, None
