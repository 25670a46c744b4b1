#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Cuts the power of a machine in the middle of shell scripts that write, and judges what is left.

    tests/powercut/scripts.py --board BOARD --sdk FOLDER --busybox FILE [--cuts N] [--seed S]

Each boot runs a script drawn from the seed: directories, files, copies, links, renames and removals below /t, each
followed by a line on the terminal. The emulator is killed somewhere, and the host's tools take the tree out of what is
left: it must be as it was between two commands, none of them before the last whose line was seen, or in the middle of
one as that one's steps allow. Nothing else may be in the store but what names lead to, and one object of a step that was cut:
that is gone after the next boot.

Exit status: 0 nothing found, 1 a cut did harm (the image is kept), 2 wrong usage.
"""
import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from machine import TOP, Boot, Computer, Hung, Region  # noqa: E402

MIB = 1 << 20
COMMANDS = 60
SILENCE_SECONDS = 60
UNNAMED_MAX = 1     # objects that one cut may leave without a name, for the next boot to take back


class Harm(Exception):
    """What was found is nothing that the script could have left."""


def numbers(first, last):
    """What seq prints."""
    return "".join(f"{n}\n" for n in range(first, last + 1)).encode()


def below(path, top):
    return path.startswith(top + "/")


class Command:
    """
    One command of a script. State: path -> ("d",), ("f", bytes), ("l", target); sync is what only it changes.
    """

    def __init__(self, text, change, target=None):
        self.text, self._change, self.target = text, change, target

    def after(self, state):
        new = dict(state)
        self._change(new)
        return new

    def explains(self, before, found):
        """Whether `found` may be in the middle of this command."""
        after = self.after(before)
        if found in (before, after):
            return True
        others = {path for path in {*before, *after, *found}
                  if found.get(path) != before.get(path) and found.get(path) != after.get(path)}
        gone = {path for path in before if path not in found}
        if self.text.startswith("busybox rm -r"):
            return not others and all(path not in found or found[path] == before[path] for path in before) and \
                all(not (set(found) & {p for p in before if below(p, path)}) for path in gone)
        return others <= {self.target} and self.target in found and \
            {p for p in {*before, *found} if found.get(p) != before.get(p)} <= {self.target} and \
            self._is_part(before.get(self.target), after[self.target], found[self.target])

    def _is_part(self, before, after, found):
        if after[0] != "f" or found[0] != "f":
            return False
        start = before[1] if before and ">>" in self.text else b""
        return after[1].startswith(found[1]) and found[1].startswith(start)


class Writer:
    """Draws commands that fit a state."""

    def __init__(self, rng, state):
        self.rng, self.state, self.fresh = rng, dict(state), rng.randrange(1 << 30)

    def _pick(self, kind, also=()):
        return self.rng.choice(sorted(p for p, what in self.state.items() if what[0] == kind) + list(also))

    def _has(self, kind):
        return any(what[0] == kind for what in self.state.values())

    def _new(self):
        self.fresh += 1
        return f"{self._pick('d', ['/t'])}/n{self.fresh}"

    def _set(self, path, what):
        return lambda state: state.__setitem__(path, what)

    def mkdir(self):
        path = self._new()
        return Command(f"busybox mkdir {path}", self._set(path, ("d",)), path)

    def write(self):
        path = self._pick("f") if self._has("f") and self.rng.randrange(3) == 0 else self._new()
        first, count = self.rng.randrange(1000), self.rng.choice((1, 20, 300, 3000))
        return Command(f"busybox seq {first} {first + count} > {path}",
                       self._set(path, ("f", numbers(first, first + count))), path)

    def append(self):
        if not self._has("f"):
            return self.write()
        path, first, count = self._pick("f"), self.rng.randrange(1000), self.rng.choice((1, 20, 300, 1200))
        old = self.state[path][1]
        return Command(f"busybox seq {first} {first + count} >> {path}",
                       self._set(path, ("f", old + numbers(first, first + count))), path)

    def copy(self):
        if not self._has("f"):
            return self.write()
        source, path = self._pick("f"), self._new()
        return Command(f"busybox cp {source} {path}", self._set(path, self.state[source]), path)

    def link(self):
        path, target = self._new(), f"../somewhere/{self.fresh}"
        return Command(f"busybox ln -s {target} {path}", self._set(path, ("l", target)), path)

    def move(self):
        """Onto another file or to a new name."""
        if not self._has("f"):
            return self.mkdir()
        source = self._pick("f")
        path = self._pick("f") if self.rng.randrange(2) else self._new()
        if path == source:
            return self.link()

        def change(state):
            state[path] = state.pop(source)
        return Command(f"busybox mv -f {source} {path}", change)

    def move_directory(self):
        if not self._has("d"):
            return self.mkdir()
        source, path = self._pick("d"), self._new()
        if below(path, source):
            return self.link()

        def change(state):
            for old in [p for p in state if p == source or below(p, source)]:
                state[path + old[len(source):]] = state.pop(old)
        return Command(f"busybox mv {source} {path}", change)

    def remove(self):
        if not self._has("f"):
            return self.link()
        path = self._pick("f")
        return Command(f"busybox rm {path}", lambda state: state.pop(path), path)

    def remove_tree(self):
        if not self._has("d"):
            return self.append()
        top = self._pick("d")

        def change(state):
            for path in [p for p in state if p == top or below(p, top)]:
                del state[path]
        return Command(f"busybox rm -r {top}", change)

    def sync(self):
        return Command("busybox sync", lambda state: None)

    def draw(self):
        kinds = (self.mkdir, self.write, self.write, self.append, self.copy, self.link, self.move, self.move,
                 self.move_directory, self.remove, self.remove_tree, self.sync)
        command = self.rng.choice(kinds)()
        self.state = command.after(self.state)
        return command


def judge(states, commands, seen, found):
    """`seen`: commands whose line was on the terminal."""
    for done in range(seen, len(states)):
        if states[done] == found or (done < len(commands) and commands[done].explains(states[done], found)):
            return done
    expected = states[seen]
    different = sorted(path for path in {*expected, *found} if expected.get(path) != found.get(path))
    said = "; ".join(f"{path}: {_short(found.get(path))}, after command {seen} {_short(expected.get(path))}"
                     for path in different[:8])
    raise Harm(f"no point of the script from command {seen} on is like this: {said}; next: "
               + "; ".join(command.text for command in commands[seen:seen + 4]))


def _short(what):
    return f"{len(what[1])} bytes" if what and what[0] == "f" else what


class Machine:
    """A board, programs for it, and a region whose power goes away."""

    def __init__(self, board, build, sdk, busybox, folder, smp=4, size=32 * MIB):
        self.build, self.sdk, self.busybox, self.folder = build, sdk, busybox, folder
        self.cpu = {"qemu-virt-arm64": "aarch64"}.get(board, board.removeprefix("qemu-virt-"))
        os.makedirs(folder, exist_ok=True)
        self.region = Region(os.path.join(folder, "region"), size)
        self.region.blank()
        self.packed = os.path.join(folder, "build")
        os.makedirs(os.path.join(self.packed, "host"))
        for name in os.listdir(build):
            if name.startswith(("Image", "kernel.elf", ".config")):
                os.symlink(os.path.join(build, name), os.path.join(self.packed, name))
        with open(os.path.join(build, "initrd.list"), encoding="ascii") as file:
            self.init = next(entry for entry in file.read().split() if entry.startswith("init="))
        self.pack("exit 0")
        self.computer = Computer(board, self.packed, os.path.join(folder, "machine"), self.region, smp=smp, mem="256M")
        self.tool = os.path.join(build, "host", "twzstore")

    def pack(self, script):
        """A program that runs the script."""
        source, program = os.path.join(self.folder, "script.c"), os.path.join(self.folder, "script")
        text = ",".join(str(byte) for byte in script.encode())
        with open(source, "w", encoding="ascii") as file:
            file.write("#include <unistd.h>\n"
                       f"static char text[] = {{{text},0}};\n"
                       'int main(void) { char *a[] = {"sh", "-c", text, 0}, *e[] = {"PATH=/bin", 0};\n'
                       'execve("/bin/sh", a, e); return 1; }\n')
        subprocess.run([os.path.join(self.sdk, "bin", f"{self.cpu}-twizzler-cc"), "-O1", "-o", program, source], check=True)
        init = self.init if os.path.isabs(self.init.split("=")[1]) else self.init.replace("=", f"={TOP}/")
        subprocess.run([os.path.join(self.build, "host", "twzpack"), "create", "-o",
                        os.path.join(self.packed, "initrd.pack"), "--init", "init", init, f"script={program}",
                        f"sh={self.busybox}", f"busybox={self.busybox}"], check=True, stdout=subprocess.DEVNULL)

    def run(self, script, rng, cut_after, seconds):
        """What the terminal said until the power went, `seconds` after the line of that command."""
        self.pack(script)
        boot = Boot(self.computer.command("script", [rng.getrandbits(32) for _ in range(8)]))
        try:
            boot.wait_for(f"done {cut_after}\r\n", 1, SILENCE_SECONDS, "autorun: ")
            boot.go_on(seconds)
        finally:
            boot.cut()
        return boot.text

    def _run_tool(self, *words):
        done = subprocess.run([self.tool, *words], capture_output=True, text=True, errors="replace", check=False, timeout=300)
        if done.returncode or done.stderr:
            raise Harm(f"twzstore {' '.join(words)}: status {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")
        return done.stdout

    def tree(self):
        """What names lead to, and the objects that no name leads to."""
        self._run_tool("check", "--objects", self.region.path)
        out, state = os.path.join(self.folder, "tree"), {}
        shutil.rmtree(out, ignore_errors=True)
        if any(line.split()[1:] == ["/t/"] for line in self._run_tool("names", self.region.path).splitlines()):
            self._run_tool("export-tree", self.region.path, "t", out)
            for top, folders, files in os.walk(out):
                for name in folders + files:
                    path = os.path.join(top, name)
                    state["/t" + path[len(out):]] = _look(path)
        objects = [line.split() for line in self._run_tool("list", self.region.path).splitlines()[1:]]
        return state, {words[0] for words in objects if len(words) < 5}


def _look(path):
    if os.path.islink(path):
        return ("l", os.readlink(path))
    if os.path.isdir(path):
        return ("d",)
    with open(path, "rb") as file:
        return ("f", file.read())


def script_of(commands):
    lines = ["busybox mkdir -p /t", "echo done 0"]
    lines += [f"{command.text} && echo done {number}" for number, command in enumerate(commands, 1)]
    return "\n".join(lines + ["sleep 1000"])


def seen_in(text):
    numbers_seen = [int(n) for n in re.findall(r"^done (\d+)\r?$", text, re.M)]
    return max(numbers_seen, default=-1)


class Row:
    """Cuts on one machine, one after the other; each goes on with what the last one left."""

    def __init__(self, machine, seed, report=None):
        self.machine, self.seed, self.report = machine, seed, report
        self.state, self.unnamed, self.middle, self.reclaimed = {}, set(), 0, 0

    def cut(self, number):
        rng = random.Random(f"{self.seed}:{number}")
        writer = Writer(rng, self.state)
        commands, states = [], [self.state]
        for _ in range(COMMANDS):
            commands.append(writer.draw())
            states.append(writer.state)
        text = self.machine.run(script_of(commands), rng, rng.randint(0, COMMANDS), rng.random() * 0.05)
        if re.search(r"^panic: | ended by |UBSAN: ", text, re.M):
            raise Harm(f"the machine said:\n{text[-3000:]}")
        seen = seen_in(text)
        if seen < 0 and number == 0:
            return
        found, unnamed = self.machine.tree()
        done = judge(states, commands, max(seen, 0), found)
        self.middle += found not in states
        self.reclaimed += len(self.unnamed - unnamed)
        if unnamed & self.unnamed:
            raise Harm(f"cut {number}: no name leads to {sorted(unnamed & self.unnamed)}, nor did one before the boot")
        if len(unnamed) > UNNAMED_MAX:
            raise Harm(f"cut {number}: no name leads to {sorted(unnamed)}")
        self.state, self.unnamed = found, unnamed
        if self.report:
            self.report(f"cut {number}: {seen} seen, {done} done, {len(found)} names, {len(unnamed)} objects without one")


def run(machine, seed, cuts, report=None):
    """A row of cuts; raises Harm."""
    row = Row(machine, seed, report)
    for number in range(cuts):
        row.cut(number)
    return row


def main(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--board", required=True, help="board to emulate")
    add("--build", help="build folder (default: build/BOARD)")
    add("--sdk", required=True, help="folder of the SDK for the board")
    add("--busybox", required=True, help="busybox, built with it")
    add("--cuts", type=int, default=20, help="how many (default 20)")
    add("--seed", type=int, default=1)
    add("--smp", type=int, default=4, help="CPUs (default 4)")
    add("--keep", default="powercut-failures", help="where the image of a failure is kept")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="scripts-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as work:
        machine = Machine(options.board, os.path.abspath(options.build or os.path.join(TOP, "build", options.board)),
                          os.path.abspath(options.sdk), os.path.abspath(options.busybox), work, options.smp)
        try:
            row = run(machine, options.seed, options.cuts, lambda line: print(line, flush=True))
        except (Harm, Hung) as harm:
            os.makedirs(options.keep, exist_ok=True)
            kept = os.path.join(options.keep, f"scripts-{options.board}-seed{options.seed}.img")
            machine.region.copy_to(kept)
            print(f"{options.board}, seed {options.seed}: {harm}\nkept: {kept}")
            return 1
    print(f"{options.board}, seed {options.seed}: {options.cuts} cuts, {row.middle} in the middle of a command, "
          f"{row.reclaimed} objects without a name taken back, nothing wrong")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
