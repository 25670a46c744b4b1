# SPDX-License-Identifier: BSD-3-Clause
"""What people see of a running system: the kernel's log, and traces of programs."""
import collections
import json
import re

import pytest
from guest import FAILED, OK


@pytest.mark.quick
def test_log_is_readable(guest):
    """Everything since boot, with times that grow; by level; the last few."""
    result = guest.run("dmesg; dmesg -l 0; dmesg -n 1").expect(OK)
    lines = re.findall(r"^\[ *(\d+\.\d{6})\] (\d) (\d+) (.*)$", result.out, re.MULTILINE)
    texts = [text for *_, text in lines]
    assert any(re.match(r"boot: Twizzler for ", text) for text in texts), result.describe()
    assert any("entering user mode" in text for text in texts), result.describe()
    assert texts[-1] == texts[-2], "dmesg -n 1 prints the last record"
    times = [float(time) for time, *_ in lines[:-1]]
    assert times == sorted(times)


def test_log_keeps_what_the_console_does_not_show(guest):
    result = guest.run("dmesg", append="loglevel=0").expect(OK)
    assert not result.find("^boot: Twizzler") and result.find(r"\] 2 0 boot: Twizzler")


def test_log_level_is_set(guest):
    result = guest.run("dmesg -L 0; dmesg -L 7").expect(FAILED)
    result.expect_line("^dmesg: the level cannot be set")


@pytest.mark.quick
def test_trace_as_text(guest):
    result = guest.run("trace -e syscalls -o hello").expect(OK)
    assert result.find(r"^ +\d+\.\d{3} +\d+ [0-9a-f]{8}  call   kec_write\(")
    assert result.find(r"^ +\d+\.\d{3} +\d+ [0-9a-f]{8}  return kec_write = ")
    assert not result.find(r"  (runs|idle|fault)")


@pytest.mark.quick
def test_trace_for_viewers(guest):
    """The export is JSON in the Trace Event Format; what begins on a track ends there, in the order of time."""
    result = guest.run("trace --json hello").expect(OK)
    text = re.search(r'^\{"traceEvents":.*?^\]\}$', result.out, re.MULTILINE | re.DOTALL)
    assert text, result.describe()
    events = json.loads(text.group())["traceEvents"]
    depth, last = collections.Counter(), 0
    for event in events:
        assert event["ph"] in "MBEi" and isinstance(event["ts"], (int, float))
        if event["ph"] == "M":
            continue
        assert event["ts"] >= last, "in the order of time"
        last = event["ts"]
        if event["ph"] in "BE":
            depth[event["pid"], event["tid"]] += 1 if event["ph"] == "B" else -1
    assert not [track for track, count in depth.items() if not -1 <= count <= 1]
    names = {event.get("name") for event in events}
    assert {"kec_write", "fault", "wake", "thread_name"} <= names, names


def test_trace_of_nothing(guest):
    guest.run("trace no_such_program").expect(FAILED).expect_line("^trace: no_such_program cannot be traced")
    guest.run("trace -e nonsense hello").expect(FAILED).expect_line("^usage: trace ")


def test_threads_and_cpus_are_listed(guest):
    """init waits for ps, which runs; every CPU has its counters."""
    result = guest.run("ps", smp=3).expect(OK)
    result.expect_line(r"^[0-9a-f]{16}:[0-9a-f]{16} (sleeps|runs) .* init$")
    result.expect_line(r"^[0-9a-f]{16}:[0-9a-f]{16} runs +\d+ normal 20 +\d+\.\d{3} +\d+ +\d+  ps$")
    assert [line.split()[0] for line in result.find(r"^\d( +\d+){5}$")] == ["0", "1", "2"]


def test_objects_are_described(guest):
    result = guest.run("ostat 0000000000000000:0000000000000004").expect(OK)
    result.expect_line(r"^0{16}:0{15}4 data +r---- +\d+ +0 .* kernel$")
    guest.run("ostat no-such-name").expect(FAILED)
