# SPDX-License-Identifier: BSD-3-Clause
"""
Device trees: the emulator's own, dumped, edited, and written again.

The edit language of --dtb-edit, one command each:
    delete PATH                  the node and all below it
    delprop PATH NAME
    setstr PATH NAME TEXT        TEXT may be empty
    setcells PATH NAME N...      32-bit cells, any base
    add PATH                     a node that is not there yet
A PATH may leave out unit addresses (/memory for /memory@80000000).
"""
import shlex
import struct

import libfdt

from .errors import SetupError, UsageError
from .sizes import MIB

MAX_BYTES = 2 * MIB - 64 * 1024
_ROOM = 64 * 1024


def _cells64(*values):
    return struct.pack(f">{len(values)}Q", *values)


class Tree:
    """A device tree that can be changed."""

    def __init__(self, blob, source):
        self.source = source
        try:
            checked = libfdt.Fdt(bytearray(blob))
            checked.pack()
            self.fdt = libfdt.Fdt(bytearray(checked.as_bytearray()))
            self.fdt.resize(self.fdt.totalsize() + _ROOM)
        except (libfdt.FdtException, ValueError) as error:
            raise UsageError(f"{source} is no device tree ({error})") from None

    def node(self, path):
        """Offset of the node at `path`; None when there is none."""
        offset = self.fdt.path_offset(path, quiet=[libfdt.NOTFOUND, libfdt.BADPATH])
        return offset if offset >= 0 else None

    def need(self, path):
        offset = self.node(path)
        if offset is None:
            raise UsageError(f"device tree: no node {path}")
        return offset

    def children(self, path):
        """Names of the nodes right below `path`."""
        found, parent = [], self.need(path)
        child = self.fdt.first_subnode(parent, quiet=[libfdt.NOTFOUND])
        while child >= 0:
            found.append(self.fdt.get_name(child))
            child = self.fdt.next_subnode(child, quiet=[libfdt.NOTFOUND])
        return found

    def add(self, path):
        """A new, empty node; its parent must be there."""
        parent, _, name = path.rpartition("/")
        if not name or self.node(path) is not None:
            raise UsageError(f"device tree: cannot add {path}")
        self.fdt.add_subnode(self.need(parent or "/"), name)

    def delete(self, path):
        self.fdt.del_node(self.need(path))

    def set_bytes(self, path, name, value):
        self.fdt.setprop(self.need(path), name, bytes(value))

    def set_text(self, path, name, text):
        self.set_bytes(path, name, text.encode() + b"\0")

    def delete_property(self, path, name):
        offset = self.need(path)
        if self.fdt.delprop(offset, name, quiet=[libfdt.NOTFOUND]) < 0:
            raise UsageError(f"device tree: {path} has no property {name}")

    def has_property(self, path, name):
        return not isinstance(self.fdt.getprop(self.need(path), name, quiet=[libfdt.NOTFOUND]), int)

    def set_chosen(self, bootargs, initrd):
        """The command line, and where the initrd stands: (first, past the last) byte or None."""
        if self.node("/chosen") is None:
            self.add("/chosen")
        self.set_text("/chosen", "bootargs", bootargs)
        if initrd:
            self.set_bytes("/chosen", "linux,initrd-start", _cells64(initrd[0]))
            self.set_bytes("/chosen", "linux,initrd-end", _cells64(initrd[1]))

    def set_memory(self, banks):
        """Replaces all memory nodes by one a bank."""
        for name in self.children("/"):
            if name == "memory" or name.startswith("memory@"):
                self.delete("/" + name)
        for base, length in banks:
            path = f"/memory@{base:x}"
            self.add(path)
            self.set_text(path, "device_type", "memory")
            self.set_bytes(path, "reg", _cells64(base, length))

    def add_region(self, base, size):
        """The node of persistent memory."""
        path = f"/pmem@{base:x}"
        self.add(path)
        self.set_text(path, "compatible", "pmem-region")
        self.set_bytes(path, "reg", _cells64(base, size))

    def cpus(self):
        return ["/cpus/" + name for name in self.children("/cpus") if name.startswith("cpu@")]

    def drop_far_buses(self):
        """
        Removes the buses whose interrupts a machine with several sockets takes to its second and third one,
        where no CPU of ours listens.
        """
        outer = ["/"] + [f"/{name}" for name in self.children("/") if name.startswith("soc")]
        for parent in outer:
            for name in self.children(parent):
                if name.startswith(("virtio_mmio@", "pci@")):
                    self.delete(parent.rstrip("/") + "/" + name)

    def edit(self, command):
        """One command of the edit language above."""
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"--dtb-edit: '{command}': {error}") from None
        verb, rest = (words[0], words[1:]) if words else ("", [])
        try:
            self._edit(verb, rest, command)
        except libfdt.FdtException as error:
            raise UsageError(f"--dtb-edit: '{command}': {error}") from None

    def _edit(self, verb, rest, command):
        if verb == "delete" and len(rest) == 1:
            self.delete(rest[0])
        elif verb == "add" and len(rest) == 1:
            self.add(rest[0])
        elif verb == "delprop" and len(rest) == 2:
            self.delete_property(*rest)
        elif verb == "setstr" and len(rest) == 3:
            self.set_text(*rest)
        elif verb == "setcells" and len(rest) >= 2:
            self.set_bytes(rest[0], rest[1], b"".join(self._cell(word, command) for word in rest[2:]))
        else:
            raise UsageError(f"--dtb-edit: '{command}' is no edit (delete, delprop, setstr, setcells, add)")

    @staticmethod
    def _cell(word, command):
        try:
            return struct.pack(">I", int(word, 0))
        except (ValueError, struct.error):
            raise UsageError(f"--dtb-edit: '{command}': '{word}' is no 32-bit number") from None

    def write(self, path):
        self.fdt.pack()
        blob = bytes(self.fdt.as_bytearray())
        self.fdt.resize(self.fdt.totalsize() + _ROOM)
        if len(blob) > MAX_BYTES:
            raise UsageError(f"{self.source}: the device tree is too large ({len(blob)} bytes)")
        try:
            with open(path, "wb") as file:
                file.write(blob)
        except OSError as error:
            raise SetupError(f"cannot write {path}: {error.strerror}") from None
