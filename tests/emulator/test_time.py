# SPDX-License-Identifier: BSD-3-Clause
"""Clocks: the time of day from the machine, from the store's record and from nowhere; exact timers."""
import datetime
import re

import pytest
from guest import OK

_RTC_NODES = {"qemu-virt-riscv64": "/soc/rtc@101000", "qemu-virt-arm64": "/pl031@9010000"}
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z(.*)$", re.MULTILINE)


def dates(result):
    """[(time, remark)] that date printed."""
    found = [(datetime.datetime.fromisoformat(stamp).replace(tzinfo=datetime.timezone.utc), remark)
             for stamp, remark in _STAMP.findall(result.out)]
    assert found, result.describe()
    return found


def clock_at(moment):
    """Emulator options for a real-time clock that starts at a moment."""
    return ["-rtc", f"base={moment}"]


@pytest.mark.quick
def test_time_of_day(guest):
    """The machine's clock is that of the host."""
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    result = guest.run("date").expect(OK)
    time, remark = dates(result)[0]
    assert before <= time <= datetime.datetime.now(datetime.timezone.utc) and not remark, result.describe()


def test_without_a_clock(guest):
    """Time begins at 1970, the programs know that it is not the time, and it can be set."""
    result = guest.run("date; date 2033-05-18T03:33:20; date", dtb_edit=[f"delete {_RTC_NODES[guest.board]}"]).expect(OK)
    (first, remark), (second, nothing), _ = dates(result)
    assert first.year == 1970 and "not known" in remark and second.year == 2033 and not nothing
    result.expect_line("^clock: the time is not known until it is set")


def test_clock_that_lost_count(guest):
    result = guest.run("date", rest=clock_at("1985-10-26T01:21:00")).expect(OK)
    result.expect_line(r"^clock: .* says \d+ seconds since 1970, which cannot be right")
    assert "not known" in dates(result)[0][1]


@pytest.mark.quick
def test_never_behind_the_record(guest):
    """What was the time when the machine was left in order is the least it can be later."""
    path = guest.path("pmem")
    first = dates(guest.run("date", pmem=path, pmem_size="16M", rest=clock_at("2031-01-01T12:00:00")).expect(OK))[0]
    assert first[0].year == 2031
    result = guest.run("date", pmem=path, rest=clock_at("2030-01-01T12:00:00")).expect(OK)
    second = dates(result)[0]
    assert second[0] >= first[0] and "on record" in second[1]
    result.expect_line(r"^clock: .* is \d+ seconds behind the latest time on record")
    third = dates(guest.run("date", pmem=path, rest=clock_at("2032-01-01T12:00:00")).expect(OK))[0]
    assert third[0].year == 2032 and not third[1]


def test_record_of_a_time_that_was_set(guest):
    """Setting is durable at once."""
    path = guest.path("pmem")
    session = guest.start(autorun="date 2041-02-03T04:05:06; test_clock; test_clock; test_clock", pmem=path,
                          pmem_size="16M", rest=clock_at("2030-01-01T12:00:00"))
    session.expect("2041-02-03T04:05:06Z")
    session.cut_power()
    result = guest.run("date", pmem=path, rest=clock_at("2030-01-01T12:00:00")).expect(OK)
    assert dates(result)[0][0].year == 2041


@pytest.mark.quick
def test_sleeps_are_exact(guest):
    """In guest time, sleeps of 1 to 1000 microseconds are late by what it takes to wake, not by a tick."""
    result = guest.run("test_clock", icount=True).expect(OK)
    late = re.search(r"# late by (\d+) to (\d+) ns", result.out)
    assert late and int(late.group(2)) < 60_000, result.describe()
