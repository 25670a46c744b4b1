# SPDX-License-Identifier: BSD-3-Clause
"""Boards: what boards/*/board.toml says about emulating one."""
import os
import tomllib

from .errors import UsageError
from .sizes import parse_size

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


def board_names():
    """Every board that can be emulated, sorted."""
    folder = os.path.join(TOP, "boards")
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(n for n in names if os.path.isfile(os.path.join(folder, n, "board.toml")))


class Board:
    """One board; attributes are the keys of its board.toml."""

    def __init__(self, name):
        if name not in board_names():
            raise UsageError(f"unknown board '{name}' (there are: {', '.join(board_names())})")
        with open(os.path.join(TOP, "boards", name, "board.toml"), "rb") as file:
            data = tomllib.load(file)
        emulate, memory = data["emulate"], data["memory"]
        self.name = name
        self.qemu = emulate["qemu"]
        self.machine = emulate["machine"]
        self.cpu = emulate["cpu"]
        self.options = emulate.get("options", [])
        self.smp_max = emulate["smp_max"]
        self.mem_max = parse_size(emulate["mem_max"], "mem_max")
        self.mmu = emulate.get("mmu", [])
        self.gic = {int(k): v for k, v in emulate.get("gic", {}).items()}
        self.el2 = emulate.get("el2", False)
        self.ram_base = memory["base"]
        self.kernel_base = memory["kernel"]
        self.tree_limit = memory.get("tree_limit")
        self.place_below = parse_size(memory.get("place_below", "1B"), "place_below")
        self.backend_needs_cpu = memory["backend_needs_cpu"]

    def cpu_limit(self, gic):
        """Most CPUs this board has with interrupt controller version `gic` (None: it has no choice)."""
        return self.gic.get(gic, self.smp_max)
