# SPDX-License-Identifier: BSD-3-Clause
"""
The file behind a region of persistent memory. It holds the region and nothing else.

It is created sparse when it is missing; one that exists is never grown, cut or replaced. An exclusive lock
on it, which the emulator inherits, keeps a second emulator away for as long as either process lives.
"""
import fcntl
import os
import stat

from .errors import SetupError, UsageError
from .sizes import BLOCK, MIB, parse_size, show_size

DEFAULT_SIZE = "256M"
PMEM_MAX = 4
MIN_SIZE = 2 * MIB


class PmemFile:
    """An open, locked region file: `path`, `size` in bytes, `fd`."""

    def __init__(self, path, size_text):
        self.path = os.path.abspath(path)
        wanted = parse_size(size_text, "--pmem-size") if size_text else None
        self.fd = -1
        if os.path.lexists(self.path):
            self.size = self._check_existing(wanted)
        else:
            self.size = wanted or parse_size(DEFAULT_SIZE, "--pmem-size")
        self._check_size()

    def _check_existing(self, wanted):
        try:
            info = os.stat(self.path)
        except OSError as error:
            raise UsageError(f"--pmem: cannot read {self.path}: {error.strerror}") from None
        if not stat.S_ISREG(info.st_mode):
            raise UsageError(f"--pmem: {self.path} is not a regular file")
        if wanted is not None and wanted != info.st_size:
            raise UsageError(f"--pmem-size: {self.path} has {info.st_size} bytes, not {wanted}; "
                             "leave the option out to use the file as it is")
        return info.st_size

    def _check_size(self):
        if self.size < MIN_SIZE:
            raise UsageError(f"--pmem: {self.path}: {self.size} bytes are too few (at least {show_size(MIN_SIZE)})")
        if self.size % BLOCK:
            raise UsageError(f"--pmem: {self.path}: {self.size} bytes are no multiple of {show_size(BLOCK)}")

    def open(self):
        """Creates the file if it is missing, and locks it."""
        existed = os.path.exists(self.path)
        try:
            self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UsageError(f"--pmem: cannot open {self.path} for writing: {error.strerror}") from None
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SetupError(f"--pmem: {self.path} is in use by another emulator") from None
        if not existed:
            self._make_sparse()

    def _make_sparse(self):
        try:
            os.ftruncate(self.fd, self.size)
        except OSError as error:
            os.unlink(self.path)
            raise SetupError(f"--pmem: cannot create {self.path}: {error.strerror}") from None

    def room_warning(self):
        """A line for the user when the disk cannot take the whole region, else None."""
        info, disk = os.fstat(self.fd), os.fstatvfs(self.fd)
        free = disk.f_bavail * disk.f_frsize
        missing = self.size - info.st_blocks * 512
        if missing <= free:
            return None
        return (f"the disk under {self.path} has {free // MIB} MiB free, the region may still need "
                f"{missing // MIB} MiB: the emulator is killed if it runs full")
