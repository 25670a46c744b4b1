# SPDX-License-Identifier: BSD-3-Clause
"""One Image boots every machine: CPU counts, memory sizes, CPU models, MMU modes, interrupt controllers, EL2."""
import pytest
from guest import OK


def boots(guest, **options):
    """The demonstration runs to its end and nobody complains."""
    result = guest.run("demo", **options).expect(OK).expect_clean()
    result.expect_line(r"^demo: list has \d+ nodes?:")
    return result


def online(result):
    """How many CPUs the kernel says it has."""
    line = result.expect_line(r"^cpu: \d+ online")
    return int(line.split()[1])


@pytest.mark.parametrize("smp", [pytest.param(n, marks=pytest.mark.quick if n in (1, 8) else []) for n in range(1, 9)])
def test_cpu_counts(guest, smp):
    assert online(boots(guest, smp=smp)) == smp


@pytest.mark.parametrize("smp", [1, 3, 8])
def test_cpu_counts_beside_persistent_memory(guest, smp):
    """The emulator may run more CPUs than the device tree names: those stay out of it."""
    assert online(boots(guest, smp=smp, pmem=guest.path("pmem"), pmem_size="16M")) == smp


@pytest.mark.parametrize("pmem", [False, True], ids=["volatile", "pmem"])
@pytest.mark.parametrize("mem", [pytest.param(m, marks=pytest.mark.quick if m in ("64M", "4G") else [])
                                 for m in ("64M", "128M", "200M", "512M", "1G", "1030M", "2G", "3G", "4G")])
def test_memory_sizes(guest, mem, pmem):
    boots(guest, mem=mem, pmem=guest.path("pmem") if pmem else None)


@pytest.mark.parametrize("mmu", ["sv39", "sv48", "sv57"])
def test_mmu_modes(riscv_guest, mmu):
    result = boots(riscv_guest, mmu=mmu)
    assert result.find(rf"(?i)\b{mmu}\b"), f"the kernel does not say that it uses {mmu}:\n{result.describe()}"


@pytest.mark.parametrize("el2", [False, True], ids=["el1", "el2"])
@pytest.mark.parametrize("gic", [2, 3])
@pytest.mark.parametrize("smp", [1, 4])
def test_interrupt_controllers_and_levels(arm_guest, gic, el2, smp):
    boots(arm_guest, gic=gic, el2=el2, smp=smp)


@pytest.mark.parametrize("pmem", [False, True], ids=["volatile", "pmem"])
@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a57", "cortex-a72", "cortex-a76", "neoverse-n1", "max"])
def test_arm_models(arm_guest, cpu, pmem):
    """Not all have the instruction that cleans to the point of persistence."""
    boots(arm_guest, cpu=cpu, pmem=arm_guest.path("pmem") if pmem else None)


def test_arm_placed_by_a_boot_loader(arm_guest):
    """The way that boards boot: kernel and tree are somewhere in memory, at EL2."""
    boots(arm_guest, dtb_edit=["setstr / model tested"], el2=True, mem="128M")


@pytest.mark.quick
def test_deterministic(guest):
    """Under --icount two runs print the same, byte for byte."""
    first, second = (boots(guest, icount=True) for _ in range(2))
    assert first.out == second.out


@pytest.mark.quick
def test_interactive_console(guest):
    """A terminal: the kernel comes up, Ctrl-A x leaves."""
    session = guest.start(timeout=None)
    session.expect("Ctrl-A x")
    session.expect(r"init: ")
    session.send("\x01x")
    assert session.wait() == OK
