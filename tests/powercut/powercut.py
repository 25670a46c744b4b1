#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Cuts the power of an emulated machine again and again, and looks at what is left.

    tests/powercut/powercut.py --board BOARD [--cuts N] [--seed S]

Each boot mounts what the cut before left, has the program storm print all of it, compares that with what was
acknowledged, lets storm go on, and kills the emulator at an instant drawn from the seed: while the store is formatted,
mounted, recovered, checked or changed. docs/powercut.md tells more.

Exit status: 0 nothing found, 1 a cut lost or invented something (everything about it is kept), 2 wrong usage.
"""
import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from machine import TOP, Boot, Computer, Hung, Region  # noqa: E402
from model import Model, Wrong  # noqa: E402

MIB = 1 << 20
SILENCE_SECONDS = 60
LOOKS_MAX = 16
_RECOVERED = ("completed from the log", "log record is incomplete", "freed ")
_DANGLING = ": there is no such object any more"   # storm deletes objects that have names

# Where to cut: (weight, name, text to wait for, most times of it, most milliseconds after the last).
_ON_A_STORE = ((62, "load", "ack ", 50, 8), (10, "start of the load", "storm: runs", 1, 4), (8, "check", "has ", 40, 2),
               (12, "mount", "store: region", 1, 3), (4, "init", "init: ", 1, 10), (4, "boot", "boot: ", 1, 40))
_ON_A_BLANK_FILE = ((60, "format", "store: region", 1, 3), (15, "first mount", "store: formatted", 1, 2),
                    (15, "name root", "init: ", 1, 8), (10, "first objects", "has ended", 1, 6))
_BLANK_ONE_IN = 12


class Failure(Exception):
    """A cut did harm. `folder`: where the evidence is."""

    def __init__(self, reason, folder):
        super().__init__(reason)
        self.folder = folder


class Plan:
    """One boot: what runs, on how many CPUs, and when the power goes."""

    def __init__(self, seed, number, smp, fresh=None):
        rng = random.Random(f"{seed}:{number}")
        self.blank = number == 0 or rng.randrange(_BLANK_ONE_IN) == 0 if fresh is None else fresh
        places = _ON_A_BLANK_FILE if self.blank else _ON_A_STORE
        _, self.where, self.word, most, delay = rng.choices(places, [place[0] for place in places])[0]
        self.count = rng.randint(1, most)
        self.seconds = rng.random() * delay / 1000
        self.smp = rng.choice([n for n in (1, 2, 4, 8) if n <= smp])
        self.storm_seed = rng.getrandbits(32)
        self.random_words = [rng.getrandbits(32) for _ in range(8)]

    def __str__(self):
        return f"{self.smp} CPUs, {self.where}: {self.seconds * 1000:.2f} ms after '{self.word}' {self.count}"


class Trial:
    """A row of cuts on one board from one seed."""

    def __init__(self, board, build, seed, folder, *, smp=4, size=16 * MIB, flags="", icount=False, keep=None):
        self.board, self.build, self.seed, self.folder = board, build, seed, folder
        self.smp, self.flags, self.icount = smp, flags, icount
        self.keep = keep or os.path.join(os.getcwd(), "powercut-failures")
        self.region = Region(os.path.join(folder, "region"), size)
        self.computers = {}
        self.model = Model()
        self.rewind = False     # put the image of before the last boot back: the oracle must notice
        self.boots = []         # the last two: {"plan", "autorun", "image", "state", "text"}
        self.places = {}        # how often each place was cut
        self.recoveries = 0     # mounts that found an operation cut off in the middle
        self.tool = os.path.join(build, "host", "twzstore")

    # --- one boot

    def _computer(self, smp):
        if smp not in self.computers:
            folder = os.path.join(self.folder, f"machine{smp}")
            self.computers[smp] = Computer(self.board, self.build, folder, self.region, smp=smp, icount=self.icount)
        return self.computers[smp]

    def _autorun(self, plan):
        looks = [f"look={name}" for name in self.model.looks()[:LOOKS_MAX]]
        words = ["storm", f"seed={plan.storm_seed}", f"threads={plan.smp}", f"first={self.model.state['last']}"]
        return " ".join(words + ([self.flags] if self.flags else []) + looks)

    def _remember(self, plan, autorun):
        """What a failure of this boot or the next needs as evidence."""
        image = os.path.join(self.folder, f"before{plan.number % 2}.img")
        self.region.copy_to(image)
        state = json.dumps(self.model.state)
        self.boots = self.boots[-1:] + [{"plan": plan, "autorun": autorun, "image": image, "state": state, "text": ""}]

    def boot(self, plan, autorun=None):
        """One boot up to its cut; raises Failure when what it found, did or said is wrong."""
        autorun = autorun or self._autorun(plan)
        self._remember(plan, autorun)
        boot = Boot(self._computer(plan.smp).command(autorun, plan.random_words))
        try:
            boot.wait_for(plan.word, plan.count, SILENCE_SECONDS, None if plan.where == "load" else "storm: runs")
            boot.go_on(plan.seconds)
        except Hung as hung:
            boot.cut()
            self.boots[-1]["text"] = boot.text
            # Storm says why it ended; the emulator only that it did.
            self._judge(boot.text)
            raise self._failure(str(hung)) from None
        except BaseException:
            boot.cut()
            raise
        boot.cut()
        self.boots[-1]["text"] = boot.text
        self.recoveries += any(words in boot.text for words in _RECOVERED)
        self._judge(boot.text)

    def _judge(self, text):
        try:
            self.model.read(text)
        except Wrong as wrong:
            raise self._failure(str(wrong)) from None
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise self._failure(f"the console cannot be understood ({type(error).__name__}: {error})") from error

    def _tool(self, *words):
        """The host's tool on what the cut left; what it printed."""
        done = subprocess.run([self.tool, *words, self.region.path], capture_output=True, text=True, check=False,
                              errors="replace", timeout=120)
        if done.stderr or (done.returncode and not (done.returncode == 1 and words[0] == "check")):
            raise self._failure(f"twzstore {' '.join(words)}: status {done.returncode}\n{done.stderr[-2000:]}")
        return done.stdout.splitlines()

    def _check_image(self):
        """The host's checker on what the cut left, once there has been a store; then who is there."""
        if not os.path.exists(self.tool) or not self.model.state["mounted"]:
            return
        lines = self._tool("check", "--objects")
        counted = re.search(r"(\d+|no) faults?$", lines[-1])
        dangling = sum(line.endswith(_DANGLING) for line in lines)
        if not counted or counted[1] not in (str(dangling), "no"):
            raise self._failure("twzstore check: " + "; ".join(line for line in lines if not line.endswith(_DANGLING)))
        try:
            self.model.population({line.split()[0] for line in self._tool("list")[1:]})
        except Wrong as wrong:
            raise self._failure(str(wrong)) from None

    # --- many

    def cut(self, number):
        """Cut number `number` of the row."""
        plan = Plan(self.seed, number, 1 if self.icount else self.smp)
        plan.number = number
        if plan.blank:
            if number:
                self.verify(number)
            self.region.blank()
            self.model = self._next_model()
        self.places[plan.where] = self.places.get(plan.where, 0) + 1
        before = self.model.acknowledged
        self.boot(plan)
        self._check_image()
        if self.rewind and number >= 5 and self.model.acknowledged - before > 10:
            self.region.copy_from(self.boots[-1]["image"])

    def _next_model(self):
        model = Model()
        model.complete, model.acknowledged = self.model.complete, self.model.acknowledged
        return model

    def verify(self, number):
        """One more boot that looks at what the last cut left, and does nothing else."""
        plan = Plan(self.seed, number, 1, fresh=False)
        plan.where, plan.word, plan.count, plan.seconds, plan.number = "verify", "has ended", 1, 0.0, number
        looks = [f"look={name}" for name in self.model.looks()[:LOOKS_MAX]]
        self.boot(plan, " ".join(["storm check"] + looks))

    def _failure(self, reason):
        """Keeps what there is, and says how to see it again."""
        last = self.boots[-1]
        folder = os.path.join(self.keep, f"{self.board}-seed{self.seed}-cut{last['plan'].number}")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        self.region.copy_to(os.path.join(folder, "left.img"))
        for name, boot in zip(("found", "before"), reversed(self.boots)):
            shutil.copyfile(boot["image"], os.path.join(folder, f"{name}.img"))
            with open(os.path.join(folder, f"{name}.json"), "w", encoding="ascii") as file:
                plan = dict(vars(boot["plan"]))
                json.dump({"plan": plan, "autorun": boot["autorun"], "state": json.loads(boot["state"])}, file, indent=1)
            with open(os.path.join(folder, f"{name}.log"), "w", encoding="ascii", errors="replace") as file:
                file.write(boot["text"])
        with open(os.path.join(folder, "run.json"), "w", encoding="ascii") as file:
            json.dump({"board": self.board, "seed": self.seed, "smp": self.smp, "size": self.region.size,
                       "flags": self.flags, "icount": self.icount, "reason": reason}, file, indent=1)
        return Failure(f"{self.board}, seed {self.seed}, cut {last['plan'].number} ({last['plan']}): {reason}\n"
                       f"again: tests/powercut/powercut.py --again {folder} --build {self.build}", folder)


def run(trial, cuts, report=None):
    """`cuts` cuts, and a last look."""
    for number in range(cuts):
        trial.cut(number)
        if report:
            report(number)
    trial.verify(cuts)


def _load(folder, name):
    with open(os.path.join(folder, name), encoding="ascii") as file:
        return json.load(file)


def _replay(trial, folder, name, look_only):
    """A boot of the kept evidence; with look_only just its check."""
    kept = _load(folder, f"{name}.json")
    plan = Plan(trial.seed, 1, 1)
    vars(plan).update(kept["plan"])
    if look_only:
        plan.where, plan.word, plan.count, plan.seconds = "verify", "has ended", 1, 0.0
    trial.region.copy_from(os.path.join(folder, f"{name}.img"))
    trial.model = Model(kept["state"])
    trial.boot(plan, kept["autorun"])


def again(folder, options):
    """The kept image once more, which shows the same each time; then the cut that made it, which may not."""
    kept = _load(folder, "run.json")
    with tempfile.TemporaryDirectory(prefix="powercut-", dir=options.work) as work:
        trial = Trial(kept["board"], options.build or _default_build(kept["board"]), kept["seed"], work, smp=kept["smp"],
                      size=kept["size"], flags=kept["flags"], icount=kept["icount"], keep=os.path.join(folder, "again"))
        print(f"was: {kept['reason']}\nthe image that the cut left:", flush=True)
        try:
            _replay(trial, folder, "found", True)
            print("  nothing wrong with it now")
        except Failure as failure:
            print(f"  {failure}")
        for number in range(options.tries if os.path.exists(os.path.join(folder, "before.json")) else 0):
            try:
                _replay(trial, folder, "before", False)
                trial.verify(number)
                print(f"the cut, try {number + 1}: nothing wrong", flush=True)
            except Failure as failure:
                print(f"the cut, try {number + 1}: {failure}")
                return 1
    return 0


def _default_build(board):
    return os.path.join(TOP, "build", board)


def work_folder():
    """Where images are quick to write."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _row(options):
    with tempfile.TemporaryDirectory(prefix="powercut-", dir=options.work) as work:
        trial = Trial(options.board, os.path.abspath(options.build or _default_build(options.board)), options.seed, work,
                      smp=options.smp, size=options.size * MIB, flags="lie" if options.lie else "", icount=options.icount,
                      keep=options.keep)
        trial.rewind = options.rewind
        start = time.monotonic()

        def report(number):
            if options.verbose:
                print(f"cut {number}: {trial.boots[-1]['plan']}; {trial.model.acknowledged} acknowledged, "
                      f"{time.monotonic() - start:.1f} s", flush=True)

        try:
            run(trial, options.cuts, report)
        except Failure as failure:
            print(failure)
            return 1
        seconds = time.monotonic() - start
        places = ", ".join(f"{count} {where}" for where, count in sorted(trial.places.items()))
        print(f"{options.board}: {options.cuts} cuts ({places}), {trial.model.complete} images compared, "
              f"{trial.model.acknowledged} operations acknowledged, {trial.recoveries} cut in the middle of one, {seconds:.0f} s, "
              f"{options.cuts * 60 / seconds:.0f} cuts/min, nothing wrong")
    return 0


def main(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--board", help="board to emulate")
    add("--build", help="build folder (default: build/BOARD)")
    add("--cuts", type=int, default=100, help="how many (default 100)")
    add("--seed", type=int, default=1)
    add("--smp", type=int, default=4, help="most CPUs; each boot draws 1, 2, 4 or 8 up to it (default 4)")
    add("--size", type=int, default=16, help="MiB of persistent memory (default 16)")
    add("--icount", action="store_true", help="one CPU, guest time by instructions")
    add("--lie", action="store_true", help="storm acknowledges before it does: must be found out")
    add("--rewind", action="store_true", help="give the machine an older image after a cut: must be found out")
    add("--again", metavar="FOLDER", help="look at a kept failure again")
    add("--tries", type=int, default=20, help="with --again: how often to try the cut (default 20)")
    add("--keep", help="where failures are kept (default: powercut-failures)")
    add("--work", default=work_folder(), help="folder for images")
    add("-v", "--verbose", action="store_true", help="a line for each cut")
    options = parser.parse_args(words)
    if options.again:
        return again(options.again, options)
    if not options.board:
        parser.error("--board or --again is needed")
    return _row(options)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
