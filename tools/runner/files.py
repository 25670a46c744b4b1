# SPDX-License-Identifier: BSD-3-Clause
"""Files that a run needs."""
from .errors import UsageError


def need_file(path, what, hint=""):
    """UsageError unless `path` is a readable, non-empty file."""
    try:
        with open(path, "rb") as file:
            if file.read(1):
                return
        reason = "is empty"
    except IsADirectoryError:
        reason = "is a folder"
    except OSError as error:
        reason = error.strerror.lower()
    raise UsageError(f"{what} {path}: {reason}{hint}")
