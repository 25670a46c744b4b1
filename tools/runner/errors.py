# SPDX-License-Identifier: BSD-3-Clause
"""Exit statuses of tools/run, and the exceptions that carry one clear line to the user."""

OK = 0
FAILED = 1
USAGE = 2
PANIC = 3
TIMEOUT = 4
SETUP = 5
INTERRUPTED = 130


class RunError(Exception):
    """One line for stderr, and the exit status that goes with it."""

    status = SETUP


class UsageError(RunError):
    """The user asked for something that cannot be."""

    status = USAGE


class SetupError(RunError):
    """The emulator or the host failed us."""
