# SPDX-License-Identifier: BSD-3-Clause
"""Talking to a running emulator (QMP), to tell where a hung guest stands."""
import bisect
import json
import re
import socket
import struct

_WAIT_SECONDS = 3
# Registers worth a line: program counter, return address, stack, cause, address; in both emulators' spelling.
_REGISTERS = re.compile(r"(?:^|\s)(pc|PC|x1/ra|X30|x2/sp|SP|sepc|scause|stval|PSTATE)[ =]+([0-9a-f]+)")


def registers(path):
    """Raw `info registers` of all CPUs from the QMP socket at `path`; OSError or ValueError when it fails."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(_WAIT_SECONDS)
        link.connect(path)
        stream = link.makefile("rw")
        json.loads(stream.readline())
        _ask(stream, {"execute": "qmp_capabilities"})
        return _ask(stream, {"execute": "human-monitor-command", "arguments": {"command-line": "info registers -a"}})


def _ask(stream, request):
    stream.write(json.dumps(request) + "\n")
    stream.flush()
    while True:
        answer = json.loads(stream.readline())
        if "return" in answer:
            return answer["return"]
        if "error" in answer:
            raise ValueError(answer["error"])


class Symbols:
    """Function names of an ELF file, for addresses."""

    def __init__(self, path):
        self._starts, self._rows = [], []
        try:
            with open(path, "rb") as file:
                self._read(file.read())
        except (OSError, struct.error, IndexError, ValueError):
            self._starts, self._rows = [], []

    def _read(self, blob):
        if blob[:5] != b"\x7fELF\x02":
            return
        table, = struct.unpack_from("<Q", blob, 0x28)
        size, count = struct.unpack_from("<HH", blob, 0x3a)
        sections = [struct.unpack_from("<IIQQQQIIQQ", blob, table + i * size) for i in range(count)]
        for section in sections:
            if section[1] == 2:
                self._read_symbols(blob, section, sections[section[6]])
        self._rows.sort()
        self._starts = [row[0] for row in self._rows]

    def _read_symbols(self, blob, section, strings):
        for at in range(section[4], section[4] + section[5], 24):
            name, info, _, index, value, size = struct.unpack_from("<IBBHQQ", blob, at)
            if info & 15 in (0, 2) and index and value:
                start = strings[4] + name
                text = blob[start:blob.index(b"\0", start)].decode(errors="replace")
                if text and text[0] not in ".$":
                    self._rows.append((value, size, text))

    def name(self, address):
        """`function+offset` or an empty string."""
        at = bisect.bisect_right(self._starts, address) - 1
        if at < 0:
            return ""
        start, size, text = self._rows[at]
        return f"{text}+{address - start:#x}" if address - start < max(size, 0x1000) else ""


def summary(text, symbols):
    """A few lines a CPU out of `info registers -a`."""
    lines = []
    for cpu, part in enumerate(re.split(r"^CPU#\d+\s*$", text, flags=re.MULTILINE)[1:]):
        found = [(name.removeprefix("x1/").removeprefix("x2/").lower(), int(value, 16))
                 for name, value in _REGISTERS.findall(part)]
        words = []
        for name, value in found:
            place = symbols.name(value) if name in ("pc", "ra", "x30", "sepc") else ""
            words.append(f"{name} {value:#x}" + (f" <{place}>" if place else ""))
        lines.append(f"  cpu {cpu}: " + ", ".join(words))
    return lines
