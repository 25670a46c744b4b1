# SPDX-License-Identifier: BSD-3-Clause
"""The emulator runner: from a board and options to a finished run and its exit status."""
