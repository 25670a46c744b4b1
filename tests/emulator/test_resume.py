# SPDX-License-Identifier: BSD-3-Clause
"""A thread attached to the root goes on after every reset, by itself and exactly once (docs/resume.md)."""
import random
import re

import pexpect

_COUNT = re.compile(r"counter: (\d+)\r*\n")
_START = re.compile(r"counter: start (\d+) at (\d+), (\w+)")


class Service:
    """The counter over several boots of one region; what it said must fit what it said before."""

    def __init__(self, guest):
        self.guest = guest
        self.path = guest.path("pmem")
        self.starts = 0
        self.count = 0

    def boot(self, **options):
        return self.guest.start(pmem=self.path, pmem_size="64M", **options)

    def check(self, session, wanted):
        """One start in this boot, of the `wanted` kind, that goes on where the last boot was."""
        text = session.out
        assert "AGAIN" not in text, text[-3000:]
        starts = _START.findall(text)
        assert len(starts) == 1, text[-3000:]
        number, at, kind = int(starts[0][0]), int(starts[0][1]), starts[0][2]
        assert (number, kind) == (self.starts + 1, wanted), text[-3000:]
        # What it counted after the last line that was seen may have been durable or not.
        assert at >= self.count, text[-3000:]
        self.starts = number
        counts = [int(count) for count in _COUNT.findall(text)]
        assert counts == sorted(counts)
        self.count = max(counts, default=at)

    def begin(self):
        session = self.boot()
        session.expect("twz> ")
        session.send("counter start\r")
        session.expect(r"counter: 10\D")
        session.cut_power()
        self.check(session, "new")

    def run_for(self, seconds, **options):
        """A boot that is cut a while after the service has started."""
        session = self.boot(**options)
        session.expect(r"counter: start \d+ at \d+, \w+")
        session.child.expect(["no such text", pexpect.TIMEOUT], timeout=seconds)
        session.cut_power()
        self.check(session, "resumed")


def test_a_service_goes_on_after_power_cuts(guest):
    service = Service(guest)
    rng = random.Random(7)
    service.begin()
    for smp in (1, 2, 4, 1, 3):
        before = service.count
        service.run_for(0.3 + rng.random(), smp=smp)
        assert service.count > before


def said(session, command, answer):
    """Types a command at the prompt, which may have come long ago among what the service says."""
    if "twz> " not in session.out:
        session.expect("twz> ")
    session.send(command + "\r")
    session.expect(answer)


def expect_silence(service):
    """A boot in which the service does not run; its state is as it was."""
    result = service.guest.run("counter; counter", pmem=service.path).expect(0).expect_clean()
    assert not result.find("counter: start|resumed"), result.describe()
    shown = result.find(r"counter: has \d+ after \d+ starts")
    assert len(shown) == 2 and shown[0] == shown[1], result.describe()
    assert int(re.search(r"has (\d+)", shown[0]).group(1)) >= service.count


def test_a_service_that_was_detached_is_not_resumed(guest):
    service = Service(guest)
    service.begin()
    session = service.boot()
    said(session, "counter stop", "counter: done")
    # It runs on until the machine is reset.
    session.expect(r"counter: (\d+)\D")
    first = int(session.child.match.group(1))
    session.expect(rf"counter: {first + 20}\D")
    session.cut_power()
    service.check(session, "resumed")
    expect_silence(service)
    expect_silence(service)


def test_a_service_that_ended_is_not_resumed(guest):
    service = Service(guest)
    service.begin()
    session = service.boot()
    said(session, "counter end", "counter: done")
    session.cut_power()
    service.check(session, "resumed")
    expect_silence(service)


def test_two_starts_are_refused(guest):
    service = Service(guest)
    service.begin()
    session = service.boot()
    said(session, "counter start", "counter: error -17")
    session.cut_power()
    service.check(session, "resumed")


def how(session):
    """Class and context that the service says it runs with."""
    session.expect(r"counter: class (\d), context ([0-9a-f]{16}:[0-9a-f]{16})")
    return session.child.match.groups()


def test_scheduling_and_contexts_are_kept(guest):
    none = ("0", "0" * 16 + ":" + "0" * 16)
    service = Service(guest)
    service.begin()
    session = service.boot()
    assert how(session) == none
    said(session, "counter lower", "counter: done")
    session.cut_power()
    session = service.boot()
    assert how(session) == ("2", none[1])
    said(session, "counter confine", "counter: done")
    # What is attached from outside counts when the thread runs next.
    session.expect(r"counter: \d+\s.*counter: \d+\s.*counter: \d+\s")
    session.cut_power()
    session = service.boot(smp=2)
    confined = how(session)
    session.cut_power()
    assert confined[0] == "2" and confined[1] != none[1]
    session = service.boot(smp=1)
    assert how(session) == confined
    session.cut_power()
