# SPDX-License-Identifier: BSD-3-Clause
"""
Fixtures and the matrix of machines.

A test that takes `guest` runs on every board; one that takes `machine_guest` runs on every machine of the matrix
(board × CPU count × MMU mode or interrupt controller). Tests marked `quick` are the everyday subset, and of the
matrix QUICK_MACHINES.
"""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from guest import TOP, Guest  # noqa: E402

RISCV, ARM = "qemu-virt-riscv64", "qemu-virt-arm64"
BOARDS = (RISCV, ARM)

MACHINES = ([(RISCV, {"smp": smp, "mmu": mmu}) for smp in (1, 4) for mmu in ("sv39", "sv48", "sv57")]
            + [(ARM, {"smp": smp, "gic": gic}) for smp in (1, 4) for gic in (2, 3)])
QUICK_MACHINES = ((RISCV, {"smp": 4, "mmu": "sv48"}), (RISCV, {"smp": 1, "mmu": "sv39"}),
                  (ARM, {"smp": 4, "gic": 3}), (ARM, {"smp": 1, "gic": 2}))


def pytest_addoption(parser):
    parser.addoption("--build-root", default=os.path.join(TOP, "build"), help="folder with one build folder a board")
    parser.addoption("--counts", help="file to write the numbers of results to")


def pytest_configure(config):
    config.addinivalue_line("markers", "quick: part of the everyday subset")


def pytest_collection_modifyitems(items):
    """What takes minutes comes last, where workers are given few tests at a time: no worker gets all of it."""
    items.sort(key=lambda item: item.originalname == "test_guest_programs")


def machine_name(board, options):
    return "-".join([board.removeprefix("qemu-virt-")] + [f"{k}{v}".replace("mmusv", "sv") for k, v in options.items()])


def machine_params(machines=MACHINES):
    """pytest parameters for machines, the quick ones marked."""
    return [pytest.param(machine, id=machine_name(*machine), marks=[pytest.mark.quick] if machine in QUICK_MACHINES else [])
            for machine in machines]


def build_folder(config, board):
    """The board's build folder; fails the test when it has no kernel."""
    folder = os.path.join(config.getoption("--build-root"), board)
    for name in ("Image", "initrd.pack", "kernel.elf"):
        if not os.path.isfile(os.path.join(folder, name)):
            pytest.fail(f"{folder}/{name} is not built", pytrace=False)
    return folder


def _guest(request, folder, board, options):
    guest = Guest(board, build_folder(request.config, board), folder, **options)
    request.addfinalizer(guest.close)
    return guest


@pytest.fixture(params=BOARDS, ids=[b.removeprefix("qemu-virt-") for b in BOARDS])
def board(request):
    return request.param


@pytest.fixture
def guest(request, tmp_path, board):
    """Each board, with the runner's defaults."""
    return _guest(request, tmp_path, board, {})


@pytest.fixture
def riscv_guest(request, tmp_path):
    return _guest(request, tmp_path, RISCV, {})


@pytest.fixture
def arm_guest(request, tmp_path):
    return _guest(request, tmp_path, ARM, {})


@pytest.fixture(params=machine_params())
def machine(request):
    """Each machine of the matrix."""
    return request.param


@pytest.fixture
def machine_guest(request, tmp_path, machine):
    """A guest on each."""
    return _guest(request, tmp_path, *machine)


@pytest.fixture
def record_cases(request):
    """Adds a console's KTAP cases to the report: record_cases(report)."""
    def record(report):
        request.node.user_properties.append(("cases", [(c.name, c.outcome) for c in report.cases()]))
    return record


class _Counts:
    """Numbers of results over all test processes; the cases of guest programs are counted one by one."""

    def __init__(self, path):
        self.path = path
        self.passed = self.failed = self.skipped = 0

    def pytest_runtest_logreport(self, report):
        cases = [case for name, value in report.user_properties if name == "cases" for case in value]
        if report.when == "call" and cases:
            for _, outcome in cases:
                self._add(outcome)
            # What is wrong with a document as a whole is a failure of its own.
            if report.failed and not any(outcome == "failed" for _, outcome in cases):
                self.failed += 1
        elif report.when == "call" or report.outcome != "passed":
            self._add(report.outcome)

    def pytest_collectreport(self, report):
        if report.failed:
            self.failed += 1

    def _add(self, outcome):
        setattr(self, outcome, getattr(self, outcome) + 1)

    def pytest_sessionfinish(self, session):
        del session
        with open(self.path, "w", encoding="ascii") as file:
            json.dump({"passed": self.passed, "failed": self.failed, "skipped": self.skipped}, file)


def pytest_sessionstart(session):
    path = session.config.getoption("--counts")
    # Worker processes pass their reports to the one that was started with the option's file.
    if path and not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(_Counts(path), "twizzler-counts")
