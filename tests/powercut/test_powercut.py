# SPDX-License-Identifier: BSD-3-Clause
"""Power cuts at any instant of a load on the store, and proof that the oracle notices what is lost."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from model import Model, Wrong  # noqa: E402
from powercut import Failure, Trial, run, work_folder  # noqa: E402

BOARDS = ("qemu-virt-riscv64", "qemu-virt-arm64")
CUTS_A_TEST = 50
ID, OTHER = "0000000000000001:0000000000000002", "0000000000000003:0000000000000004"


@pytest.fixture(params=BOARDS, ids=[name.removeprefix("qemu-virt-") for name in BOARDS])
def trial(request, tmp_path):
    """trial(seed, flags): a row of cuts on a board; what it keeps goes where the tests' images are not."""
    build = os.path.join(request.config.getoption("--build-root"), request.param)
    if not os.path.isfile(os.path.join(build, "Image")):
        pytest.fail(f"{build}/Image is not built", pytrace=False)
    # Memory, where there is some: a region file that is written back to a disk costs most of the time.
    folder = os.path.join(work_folder() or str(tmp_path), f"powercut-test-{os.getpid()}")

    def make(seed, flags=""):
        os.makedirs(folder, exist_ok=True)
        return Trial(request.param, build, seed, folder, flags=flags,
                     keep=str(tmp_path) if flags else os.path.join(build, "powercut-failures"))

    yield make
    for path, _, names in os.walk(folder, topdown=False):
        for name in names:
            os.unlink(os.path.join(path, name))
        os.rmdir(path)


def survive(row, cuts):
    try:
        run(row, cuts)
    except Failure as failure:
        pytest.fail(str(failure), pytrace=False)
    return row


@pytest.mark.quick
def test_ten_cuts(trial):
    row = survive(trial(0), 10)
    assert row.model.acknowledged > 0 and row.model.complete > 0


@pytest.mark.parametrize("seed", range(1, 5))
def test_cuts(trial, seed):
    """Together 200 for each board."""
    row = survive(trial(seed), CUTS_A_TEST)
    # A run in which nothing was done or compared proves nothing.
    assert row.model.acknowledged > 4 * CUTS_A_TEST and row.model.complete > CUTS_A_TEST / 4


def test_early_acknowledgements_are_noticed(trial):
    with pytest.raises(Failure):
        for seed in range(1, 4):
            run(trial(seed, flags="lie"), 40)


def test_an_older_image_is_noticed(trial):
    row = trial(1)
    row.keep, row.rewind = os.path.join(row.folder, "kept"), True
    with pytest.raises(Failure):
        run(row, 60)


# --- the oracle alone

BEGUN = f"has begun\nhas directory {ID}\n"


def model_with(*lines):
    """A model that has read these lines of a first boot."""
    model = Model()
    model.read("has begun\nhas ended\ntry 0 1 i\nack 0 1\n" + "".join(line + "\n" for line in lines))
    return model


def dump(*lines, shared=0):
    return f"{BEGUN}has shared {shared}\n" + "".join(f"has {line}\n" for line in lines) + "has ended\n"


def has_object(*lines):
    """A model with an object in slot 1 of thread 0."""
    return model_with("try 0 2 c 1", f"ack 0 2 {OTHER}", f"try 0 3 e 1 {OTHER}", "ack 0 3", *lines)


WRITTEN = ("try 0 4 w 1 2 1", "ack 0 4")

TIED = ("try 0 4 c 2", f"ack 0 4 {ID}", f"try 0 5 e 2 {ID}", "ack 0 5", "try 0 6 t 1 2", "ack 0 6")
MARKED = TIED + ("try 0 7 m 1", "ack 0 7")
PARENT = f"slot 0 2 {ID} size 0"

# A cut between `r` and `d` leaves a tied object that no slot holds: its parent may become a child, and be deleted.
TOP = "0000000000000005:0000000000000006"
CHAIN = MARKED + ("try 0 8 r 1", "ack 0 8", "try 0 9 c 3", f"ack 0 9 {TOP}", f"try 0 10 e 3 {TOP}", "ack 0 10",
                  "try 0 11 t 2 3", "ack 0 11", "try 0 12 m 2", "ack 0 12")
CHAIN_STANDS = (f"slot 0 2 {ID} size 0 ties:1 deleted:1", f"slot 0 3 {TOP} size 0",
                f"loose {OTHER} size 0 ties:1 deleted:1")
CHAIN_IS_GONE = (f"slot 0 2 {ID} gone", f"slot 0 3 {TOP} gone", f"loose {OTHER} gone")

POSSIBLE = [
    (has_object, TIED, dump(f"slot 0 1 {OTHER} size 0 ties:1", PARENT)),
    (has_object, TIED[:-1], dump(f"slot 0 1 {OTHER} size 0", PARENT)),
    (has_object, TIED + ("try 0 7 d 2",), dump(f"slot 0 1 {OTHER} size 0", f"slot 0 2 {ID} gone")),
    (has_object, TIED + ("try 0 7 m 1",), dump(f"slot 0 1 {OTHER} size 0 ties:1", PARENT)),
    (has_object, MARKED, dump(f"slot 0 1 {OTHER} size 0 ties:1 deleted:1", PARENT)),
    (has_object, MARKED + ("try 0 8 d 2",), dump(f"slot 0 1 {OTHER} gone", f"slot 0 2 {ID} gone")),
    (has_object, MARKED + ("try 0 8 d 2", "ack 0 8"), dump(f"slot 0 1 {OTHER} gone")),
    (has_object, CHAIN, dump(*CHAIN_STANDS)),
    (has_object, CHAIN + ("try 0 13 d 3",), dump(*CHAIN_STANDS)),
    (has_object, CHAIN + ("try 0 13 d 3",), dump(*CHAIN_IS_GONE)),
    (has_object, CHAIN + ("try 0 13 r 2", "ack 0 13", "try 0 14 d 3", "ack 0 14"), dump()),
    (model_with, (), dump()),
    (model_with, ("try 0 2 k 1",), dump("counter 0 1")),
    (model_with, ("try 0 2 k 1",), dump("counter 0 0")),
    (model_with, ("try 0 2 s", "try 1 2 s"), dump(shared=2)),
    (model_with, ("try 0 2 c 1",), dump()),
    (has_object, (), dump(f"slot 0 1 {OTHER} size 0")),
    (has_object, WRITTEN, dump(f"slot 0 1 {OTHER} size 0 2:4")),
    (has_object, ("try 0 4 w 1 2 1",), dump(f"slot 0 1 {OTHER} size 0 2:0*100+4*412")),
    (has_object, ("try 0 4 w 1 2 1",), dump(f"slot 0 1 {OTHER} size 0")),
    (has_object, WRITTEN + ("try 0 5 w 1 2 1",), dump(f"slot 0 1 {OTHER} size 0 2:0*0+4*1+5*511")),
    (has_object, ("try 0 4 d 1",), dump(f"slot 0 1 {OTHER} gone")),
    (has_object, ("try 0 4 d 1",), dump(f"loose {OTHER} gone")),
    (has_object, ("try 0 4 z 1 77",), dump(f"slot 0 1 {OTHER} size 77")),
    (has_object, ("try 0 4 n 0 1",), dump(f"slot 0 1 {OTHER} size 0", f"name 0 0 {OTHER}")),
]

IMPOSSIBLE = [
    (has_object, TIED, dump(f"slot 0 1 {OTHER} size 0", PARENT)),
    (has_object, TIED + ("try 0 7 d 2",), dump(f"slot 0 1 {OTHER} size 0 ties:1", f"slot 0 2 {ID} gone")),
    (has_object, MARKED, dump(f"slot 0 1 {OTHER} gone", PARENT)),
    (has_object, MARKED, dump(f"slot 0 1 {OTHER} size 0 ties:1", PARENT)),
    (has_object, MARKED + ("try 0 8 d 2",), dump(f"slot 0 1 {OTHER} size 0 ties:1 deleted:1", f"slot 0 2 {ID} gone")),
    (has_object, MARKED + ("try 0 8 d 2",), dump(f"slot 0 1 {OTHER} gone", PARENT)),
    (has_object, MARKED + ("try 0 8 d 2", "ack 0 8"), dump(f"slot 0 1 {OTHER} size 0 deleted:1")),
    (has_object, CHAIN, dump(*CHAIN_STANDS[:2], f"loose {OTHER} gone")),
    (has_object, CHAIN, dump(*CHAIN_IS_GONE)),
    (model_with, (), "has begun\nhas ended\n"),
    (model_with, (), dump("counter 0 1")),
    (model_with, ("try 0 2 k 1", "ack 0 2"), dump("counter 0 0")),
    (model_with, ("try 0 2 s", "ack 0 2 1"), dump(shared=0)),
    (model_with, ("try 0 2 s",), dump(shared=2)),
    (model_with, (), dump(f"name 0 0 {OTHER}")),
    (has_object, (), dump()),
    (has_object, (), dump(f"slot 0 1 {OTHER} gone")),
    (has_object, (), dump(f"slot 0 1 {ID} size 0")),
    (has_object, (), dump(f"slot 0 1 {OTHER} size 1")),
    (has_object, (), dump(f"slot 0 1 {OTHER} error 5")),
    (has_object, WRITTEN, dump(f"slot 0 1 {OTHER} size 0")),
    (has_object, WRITTEN, dump(f"slot 0 1 {OTHER} size 0 2:0*1+4*511")),
    (has_object, WRITTEN, dump(f"slot 0 1 {OTHER} size 0 2:4 3:4")),
    (has_object, ("try 0 4 w 1 2 1",), dump(f"slot 0 1 {OTHER} size 0 2:0*511+bad*1")),
    (has_object, WRITTEN + ("try 0 5 w 1 2 1",), dump(f"slot 0 1 {OTHER} size 0 2:0*1+4*510+5*1")),
    (has_object, ("try 0 4 d 1",), dump(f"loose {OTHER} size 0")),
    (has_object, ("try 0 4 d 1", "ack 0 4"), dump(f"slot 0 1 {OTHER} size 0")),
    (has_object, ("try 0 4 c 0", f"ack 0 4 {ID}", f"try 0 5 e 0 {ID}", "ack 0 5"),
     dump(f"slot 0 1 {OTHER} size 0", f"slot 0 0 {ID} log 0 wrong 1")),
]


@pytest.mark.quick
@pytest.mark.parametrize("make, lines, found", POSSIBLE)
def test_oracle_takes_what_is_possible(make, lines, found):
    model = make(*lines)
    model.read(found)
    assert model.complete == 2 and not model.state["pending"]


@pytest.mark.quick
@pytest.mark.parametrize("make, lines, found", IMPOSSIBLE)
def test_oracle_refuses_what_is_not(make, lines, found):
    model = make(*lines)
    with pytest.raises(Wrong):
        model.read(found)


@pytest.mark.quick
@pytest.mark.parametrize("line", ["panic: of any kind", "UBSAN: shift", "init: storm: ended by fault 3",
                                  "store: refusing the region", "nak 0 1 5", "ack 0 1", "try 0 1 k 1"])
def test_oracle_refuses_such_lines(line):
    with pytest.raises(Wrong):
        Model().read(line + "\n")


@pytest.mark.quick
@pytest.mark.parametrize("last, left", [((), None), (("try 0 13 d 3",), {ID, OTHER}), (("try 0 13 d 3",), set())])
def test_oracle_knows_what_goes_along(last, left):
    """What is tied to what goes may go, too, however far away; while it stays, all of that stays."""
    model = has_object(*CHAIN, *last)
    if left is None:
        model.population({ID, OTHER, TOP})
        with pytest.raises(Wrong):
            model.population({ID, TOP})
    else:
        model.population(left)


@pytest.mark.quick
def test_oracle_counts_objects():
    model = has_object("try 0 4 c 2")
    model.read(dump(f"slot 0 1 {OTHER} size 0"))
    model.population({OTHER, ID, "root", "unheard"})
    with pytest.raises(Wrong):
        model.population({ID, "root"})
    with pytest.raises(Wrong):
        model.population({OTHER} | {str(number) for number in range(20)})
