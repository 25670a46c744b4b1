# SPDX-License-Identifier: BSD-3-Clause
"""
Reads KTAP off a console, strictly: what is missing counts as failed.

A document is `KTAP version 1`, then the plan `1..N`, then N results numbered from 1. Other lines are diagnostics.
TAP without the version line (host programs) is read by the same rules.
"""
import re
from dataclasses import dataclass, field

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")
_PLAN = re.compile(r"1\.\.(\d+)(?:\s+#\s*(.*))?\Z")
_RESULT = re.compile(r"(ok|not ok) (\d+)(?:\s+-?\s*(.*))?\Z")
_SKIP = re.compile(r"#\s*SKIP\b", re.IGNORECASE)

# What a sanitizer or the kernel prints when something is wrong, whatever the results say.
_REPORTS = re.compile(r"\b(UBSAN: |AddressSanitizer|runtime error: |stack smashing|panic: )")


def clean_lines(text):
    """Console text as lines, without terminal control sequences and line ends."""
    return [_ANSI.sub("", line).rstrip("\r") for line in text.split("\n")]


@dataclass
class Case:
    """One result: `outcome` is passed, failed or skipped."""

    number: int
    name: str
    outcome: str


@dataclass
class Document:
    """One program's results, and what is wrong with them as a whole."""

    plan: int | None = None
    cases: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    closed: bool = False

    def take_plan(self, count):
        if self.plan is not None:
            self.faults.append("a second plan line")
        elif self.cases:
            self.faults.append("the plan line comes after results")
        if count == 0:
            self.faults.append("a plan of no cases")
        self.plan = count

    def take_result(self, word, number, rest):
        if self.plan is None:
            self.faults.append(f"result {number} comes before the plan")
        if number != len(self.cases) + 1:
            self.faults.append(f"result {number} where {len(self.cases) + 1} was due")
        skipped = bool(_SKIP.search(rest)) and word == "ok"
        name = _SKIP.split(rest)[0].strip() or f"case {number}"
        self.cases.append(Case(number, name, "skipped" if skipped else "passed" if word == "ok" else "failed"))

    def close(self):
        """No more lines belong to this document."""
        if self.closed:
            return
        self.closed = True
        if self.plan is None:
            self.faults.append("no plan line")
        elif len(self.cases) != self.plan:
            self.faults.append(f"{len(self.cases)} results, {self.plan} planned")

    def complete(self):
        return self.plan is not None and len(self.cases) >= self.plan


@dataclass
class Report:
    """All documents of a console, and faults that belong to none of them."""

    documents: list = field(default_factory=list)
    faults: list = field(default_factory=list)

    def cases(self):
        return [case for document in self.documents for case in document.cases]

    def failures(self):
        """Everything wrong, one line each; empty when all is well."""
        found = list(self.faults)
        for index, document in enumerate(self.documents, 1):
            found += [f"program {index}: {fault}" for fault in document.faults]
            found += [f"program {index}: not ok {c.number} {c.name}" for c in document.cases if c.outcome == "failed"]
        return found


class _Reader:
    def __init__(self, versioned):
        self.report = Report()
        self.versioned = versioned
        self.current = None
        self.panicked = False

    def line(self, line):
        if self.panicked and line.startswith(("ok ", "not ok ", "KTAP ")):
            self.report.faults.append(f"output after a panic: {line}")
        if _REPORTS.search(line):
            self.report.faults.append(line.strip())
            self.panicked |= line.startswith("panic: ")
        elif line.startswith("Bail out!"):
            self.report.faults.append(line.strip())
        elif line.startswith(("KTAP version ", "TAP version ")):
            self._open(line)
        elif match := _PLAN.match(line):
            self._plan(int(match[1]), match[2] or "")
        elif match := _RESULT.match(line):
            self._result(match)

    def _open(self, line):
        self._close()
        self.current = Document()
        self.report.documents.append(self.current)
        if line.startswith("KTAP") and line != "KTAP version 1":
            self.current.faults.append(f"unknown version: {line}")

    def _plan(self, count, comment):
        # Host programs print one document after the other without a version line.
        if not self.versioned and (self.current is None or self.current.complete()):
            self._close()
            self.current = Document()
            self.report.documents.append(self.current)
        if self.current is None:
            self.report.faults.append(f"a plan outside of a program's results: 1..{count} {comment}".rstrip())
        else:
            self.current.take_plan(count)

    def _result(self, match):
        if self.current is None:
            self.report.faults.append(f"a result outside of a program's results: {match[0]}")
        else:
            self.current.take_result(match[1], int(match[2]), match[3] or "")

    def _close(self):
        if self.current:
            self.current.close()


def parse(text, programs=None, versioned=True):
    """
    The report of a console's text. `programs`: how many documents there must be; with None, at least one.
    `versioned`: whether each must begin with `KTAP version 1`.
    """
    reader = _Reader(versioned)
    for line in clean_lines(text):
        reader.line(line)
    for document in reader.report.documents:
        document.close()
    count = len(reader.report.documents)
    if count == 0:
        reader.report.faults.append("no results at all")
    elif programs is not None and count != programs:
        reader.report.faults.append(f"{count} programs reported, {programs} ran")
    return reader.report
