# SPDX-License-Identifier: BSD-3-Clause
"""From options to the emulator's command line: nothing here starts a guest."""
import os
import re
import shutil
import struct
import subprocess

from .errors import SetupError, UsageError
from .files import need_file
from .layout import Layout, image_size
from .sizes import PAGE, parse_size, show_size
from .tree import Tree

BOOTARGS_MAX = 3000
_PROBE_SECONDS = 30

# First emulator version that may write its tree to the end of memory, and that connects the interrupt
# controllers of any number of CPUs a socket (7.2 stops unless a socket has as many CPUs as all before it).
_TREE_AT_END = 8


def bootargs(options):
    """The kernel command line; `autorun=` comes last, since all behind it is its value."""
    words = [options.append] if options.append else []
    if re.search(r"(^|\s)autorun=", options.append or ""):
        raise UsageError("--append: use --autorun for autorun=")
    if options.autorun is not None or options.timeout is not None:
        words.append("panic=poweroff")
    if options.autorun is not None:
        words.append(f'autorun="{options.autorun}"')
    line = " ".join(words)
    if '"' in (options.autorun or ""):
        raise UsageError("--autorun: a double quote must not occur in it")
    if not line.isprintable() or not line.isascii():
        raise UsageError("--append and --autorun take printable ASCII only")
    if len(line) > BOOTARGS_MAX:
        raise UsageError(f"the kernel command line has {len(line)} characters (at most {BOOTARGS_MAX})")
    return line


class Machine:
    """One machine to emulate. `pmem`: region files; `folder` takes the files it needs (device tree, boot code)."""

    def __init__(self, options, board, pmem, folder):
        self.options = options
        self.board = board
        self.pmem = pmem
        self.folder = folder
        self.mem = self._check_mem()
        self.smp = self._check_smp()
        self._check_variants()
        self.bootargs = bootargs(options)
        need_file(options.image, "kernel image", f" (make {board.name}_defconfig && make builds it)")
        if options.initrd:
            need_file(options.initrd, "initrd")
        self.dumped = os.path.join(folder, "machine.dtb")
        self.edited = os.path.join(folder, "run.dtb")
        special_tree = bool(options.dtb or options.dtb_edit)
        self.own_tree = bool(special_tree or pmem or options.mmu)
        place = bool(board.place_below > 1 and (special_tree or (pmem and self.mem < board.place_below)))
        self.major = self._emulator_version() if pmem and board.backend_needs_cpu else 0
        self.layout = Layout(board, self.mem, [file.size for file in pmem], place=place,
                             tree_at_end=self.major >= _TREE_AT_END)

    def _check_mem(self):
        size = parse_size(self.options.mem, "--mem")
        if size > self.board.mem_max:
            raise UsageError(f"--mem: {show_size(size)} is too much (at most {show_size(self.board.mem_max)})")
        if size % PAGE:
            raise UsageError(f"--mem: {size} bytes are no multiple of {PAGE}")
        return size

    def _check_smp(self):
        smp = self.options.smp or (1 if self.options.icount else 4)
        limit = self.board.cpu_limit(self.options.gic or 3)
        if smp > limit:
            gic = f" with GICv{self.options.gic}" if self.options.gic else ""
            raise UsageError(f"--smp: {smp} CPUs are too many (at most {limit}{gic} on {self.board.name})")
        return smp

    def _check_variants(self):
        if self.options.mmu and self.options.mmu not in self.board.mmu:
            raise UsageError(f"--mmu: {self.board.name} has no {self.options.mmu}")
        if self.options.gic and self.options.gic not in self.board.gic:
            raise UsageError(f"--gic: {self.board.name} has no GICv{self.options.gic}")
        if self.options.el2 and not self.board.el2:
            raise UsageError(f"--el2: {self.board.name} has no EL2")

    def _machine_value(self):
        parts = [self.board.machine]
        if self.board.gic:
            parts.append(f"gic-version={self.options.gic or 3}")
            if self.options.icount and not self._recording() and self.options.seed is None:
                parts.append("dtb-randomness=off")
        if self.options.el2:
            parts.append("virtualization=on")
        return ",".join(parts)

    def probe_command(self):
        """The command that makes the emulator write its device tree, and refuse what it does not have."""
        return [self.board.qemu, "-machine", f"{self._machine_value()},dumpdtb={self.dumped}",
                "-cpu", self.options.cpu or self.board.cpu, "-smp", str(self.smp), "-m", show_size(self.mem),
                *self.board.options, *self._seed(), "-nodefaults", "-display", "none"]

    def _emulator_version(self):
        self._need_emulator()
        text = subprocess.run([self.board.qemu, "--version"], capture_output=True, text=True, check=False).stdout
        match = re.search(r"version (\d+)\.", text)
        if not match:
            raise SetupError(f"{self.board.qemu} does not tell its version")
        return int(match[1])

    def _need_emulator(self):
        if not shutil.which(self.board.qemu):
            raise SetupError(f"{self.board.qemu} is not installed (tools/setup installs it)")

    def probe(self):
        """Runs probe_command: afterwards the tree is there, and CPU model, counts and sizes are known good."""
        self._need_emulator()
        try:
            done = subprocess.run(self.probe_command(), capture_output=True, text=True, errors="replace",
                                  stdin=subprocess.DEVNULL, timeout=_PROBE_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise SetupError(f"{self.board.qemu} did not write its device tree in {_PROBE_SECONDS} s") from None
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if "module ui-" not in line] or ["no reason given"]
            raise UsageError(f"the emulator refuses: {lines[-1]}")

    def prepare(self):
        """Writes the files that command() names."""
        if not self.own_tree:
            return
        source = self.options.dtb or self.dumped
        need_file(source, "device tree")
        with open(source, "rb") as file:
            tree = Tree(file.read(), source)
        self._edit_tree(tree)
        tree.write(self.edited)
        if self.layout.place:
            with open(self._boot_code(), "wb") as file:
                file.write(self._boot_code_bytes())

    def _edit_tree(self, tree):
        if self.pmem:
            tree.set_memory(self.layout.banks)
            for base, size in self.layout.regions:
                tree.add_region(base, size)
            if self.board.backend_needs_cpu:
                tree.drop_far_buses()
        if self.options.mmu:
            for cpu in tree.cpus():
                tree.set_text(cpu, "mmu-type", f"riscv,{self.options.mmu}")
        tree.set_chosen(self.bootargs, self._initrd_range())
        for command in self.options.dtb_edit:
            tree.edit(command)

    def _initrd_range(self):
        if not self.options.initrd:
            return None
        size = os.path.getsize(self.options.initrd)
        start = self._top(size)
        return start, start + size

    def _top(self, size):
        return self.layout.initrd_address(size, image_size(self.options.image))

    def _tree_address(self):
        size = os.path.getsize(self.options.initrd) if self.options.initrd else 0
        return self.layout.tree_address(self._top(size))

    def _boot_code(self):
        return os.path.join(self.folder, "boot.bin")

    def _boot_code_bytes(self):
        """What a boot loader does last: tree address into the first register, zeroes, jump to the kernel."""
        code = (0x580000c0, 0xaa1f03e1, 0xaa1f03e2, 0xaa1f03e3, 0x58000084, 0xd61f0080)
        return struct.pack("<6I2Q", *code, self._tree_address(), self.board.kernel_base)

    def command(self, console, control):
        """
        The emulator's command line. `console`: arguments that give the guest its console;
        `control`: those that let us talk to the emulator.
        """
        return [self.board.qemu, "-machine", self._machine_value(), "-cpu", self.options.cpu or self.board.cpu,
                *self._memory_and_cpus(), *self.board.options, *self._boot(), "-nodefaults", "-display", "none",
                *console, *control, *self._clock(), *self._plugins(), *self.options.rest]

    def _memory_and_cpus(self):
        if not self.pmem:
            return ["-smp", str(self.smp), "-m", show_size(self.mem)]
        layout = self.layout
        backends = [f"memory-backend-ram,id=ram0,size={layout.ram}",
                    *(f"memory-backend-file,id=pm{i},size={file.size},share=on,mem-path={file.path.replace(',', ',,')}"
                      for i, file in enumerate(self.pmem))]
        if layout.tail:
            backends.append(f"memory-backend-ram,id=tail0,size={layout.tail}")
        cpus = self._cpus_of_nodes(len(backends))
        words = ["-smp", str(sum(cpus)), "-m", show_size(layout.total)]
        for backend in backends:
            words += ["-object", backend]
        first = 0
        names = ["ram0", *(f"pm{i}" for i in range(len(self.pmem))), "tail0"]
        for index, name in enumerate(names[:len(backends)]):
            share = f",cpus={first}-{first + cpus[index] - 1}" if cpus[index] else ""
            words += ["-numa", f"node,nodeid={index},memdev={name}{share}"]
            first += cpus[index]
        return words

    def _cpus_of_nodes(self, nodes):
        """
        CPUs of each memory node: all that the tree names belong to the first. Where every node must have CPUs, the
        others get some that the tree does not name, and that the firmware therefore stops.
        """
        if not self.board.backend_needs_cpu:
            return [self.smp] + [0] * (nodes - 1)
        cpus = [self.smp]
        while len(cpus) < nodes:
            cpus.append(1 if self.major >= _TREE_AT_END else sum(cpus))
        return cpus

    def _boot(self):
        image, initrd = self.options.image, self.options.initrd
        if not self.own_tree:
            words = ["-kernel", image] + (["-initrd", initrd] if initrd else [])
            return words + (["-append", self.bootargs] if self.bootargs else [])
        words = [] if self.layout.place else ["-kernel", image, "-dtb", self.edited]
        if self.layout.place:
            # Between the tree that the emulator puts at the start of memory and the kernel.
            stub = self.board.kernel_base - 0x1000
            words += self._loader(image, self.board.kernel_base) + self._loader(self.edited, self._tree_address())
            words += self._loader(self._boot_code(), stub) + ["-device", f"loader,addr={stub:#x},cpu-num=0"]
        if initrd:
            words += self._loader(initrd, self._initrd_range()[0])
        return words

    @staticmethod
    def _loader(path, address):
        return ["-device", f"loader,file={path.replace(',', ',,')},addr={address:#x},force-raw=on"]

    def _clock(self):
        if not self.options.icount:
            return []
        if self._recording():
            mode, file = ("record", self.options.record) if self.options.record else ("replay", self.options.replay)
            return ["-icount", f"shift=0,sleep=off,rr={mode},rrfile={os.path.abspath(file).replace(',', ',,')}"]
        return ["-icount", "shift=0,sleep=off", "-rtc", "base=2024-01-01T00:00:00,clock=vm", *self._seed()]

    def _seed(self):
        """What chance begins with, of a run that is to be repeatable by that alone."""
        if not self.options.icount or self._recording():
            return []
        return ["-seed", str(1 if self.options.seed is None else self.options.seed)]

    def _recording(self):
        """Whether chance and the time of day come from a recording, or go into one."""
        return bool(self.options.record or self.options.replay)

    def _plugins(self):
        return [word for plugin in self.options.plugin for word in ("-plugin", plugin)]
