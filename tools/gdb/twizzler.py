# SPDX-License-Identifier: BSD-3-Clause
"""
Commands for gdb on a running kernel: threads, objects, views, cpus.

They read the kernel's own structures by name, and say which name is missing when those have changed.
"""
import gdb

# A damaged list must not keep the debugger busy for ever.
_LONGEST = 100000


def _value(expression):
    return gdb.parse_and_eval(expression)


def _global(expression, *files):
    """A static of one of the files, or a global. Other files may have statics of that name."""
    for text in [f"'{file}'::{expression}" for file in files] + [expression]:
        try:
            return _value(text)
        except gdb.error:
            continue
    raise gdb.GdbError(f"the kernel has no '{expression}' (was it built with debug information?)")


def _has(value, field):
    return any(f.name == field for f in value.type.strip_typedefs().fields())


def _list(head, type_name, member):
    """Structures of a kernel list: `head` is the struct list, `member` the link in each of them."""
    wanted = gdb.lookup_type(type_name)
    offset = next(f.bitpos // 8 for f in wanted.fields() if f.name == member)
    byte = gdb.lookup_type("char").pointer()
    node, count = head["next"], 0
    while node != head.address:
        if not node or count > _LONGEST:
            gdb.write("(the list is damaged)\n")
            return
        yield (node.cast(byte) - offset).cast(wanted.pointer()).dereference()
        node, count = node["next"], count + 1


def _id(value):
    """A 128-bit ID as the kernel prints it; debuggers of today cannot take it for a number."""
    memory = gdb.selected_inferior().read_memory(int(value.address), 16).tobytes()
    low, high = (int.from_bytes(memory[i:i + 8], "little") for i in (0, 8))
    return f"{high:016x}:{low:016x}"


def _place(address):
    try:
        text = gdb.execute(f"info symbol {address:#x}", to_string=True)
    except gdb.error:
        return ""
    return "" if text.startswith("No symbol") else " <" + text.split(" in section")[0].strip() + ">"


def _pc(thread):
    """Saved user program counter; architectures name the field differently."""
    for name in ("pc", "sepc", "elr", "elr_el1"):
        if _has(thread["regs"], name):
            return int(thread["regs"][name])
    return None


_WAITS = ("", "arming", "asleep", "woken")


def _state(thread, running):
    cpu = running.get(int(thread.address))
    if cpu is not None:
        return f"runs on cpu {cpu}"
    if _has(thread, "sleep"):
        number = int(thread["sleep"]["state"])
        if 0 < number < len(_WAITS):
            return _WAITS[number]
    return "ready"


def _cpus():
    cpus, count = _global("cpus"), int(_global("cpu_count"))
    return [cpus[i] for i in range(count)]


class _Command(gdb.Command):
    """Turns what goes wrong while reading the kernel into one line."""

    def __init__(self, name):
        super().__init__(name, gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        del argument, from_tty
        try:
            self.show()
        except (gdb.error, StopIteration, KeyError) as error:
            raise gdb.GdbError(f"cannot read the kernel's state: {error}") from None

    def show(self):
        raise NotImplementedError


def _count(value, field, what):
    """`, N what` for a counter that the structure has."""
    return f", {int(value[field])} {what}" if _has(value, field) else ""


def _counters(cpu):
    """What a CPU has counted, once it has where to."""
    if not int(cpu["stats"]):
        return ""
    stats = cpu["stats"].dereference()
    return "".join(_count(stats, field, what) for field, what in (
        ("switches", "switches"), ("timer", "timer interrupts"), ("calls", "calls"), ("interrupts", "interrupts")))


class Cpus(_Command):
    """What each CPU does."""

    def show(self):
        idle = int(_global("sched_idle_mask"))
        for cpu in _cpus():
            number = int(cpu["id"])
            doing = "no thread"
            if int(cpu["current"]):
                doing = f"thread {_id(cpu['current']['id'])}"
            elif idle >> number & 1:
                doing = "idle"
            gdb.write(f"cpu {number}: hardware number {int(cpu['hwid'])}, "
                      f"{'online' if int(cpu['online']) else 'offline'}, {doing}"
                      f"{_counters(cpu)}\n")


class Threads(_Command):
    """All threads: identity, state, where in its program."""

    def show(self):
        running = {int(cpu["current"]): int(cpu["id"]) for cpu in _cpus() if int(cpu["current"])}
        count = 0
        for thread in _list(_global("threads_all"), "struct thread", "all_link"):
            pc = _pc(thread)
            gdb.write(f"{_id(thread['id'])}  {_state(thread, running):12} "
                      f"pc {'?' if pc is None else hex(pc) + _place(pc)}, view {_id(thread['space']['view']['id'])}"
                      f"{_count(thread, 'faults', 'faults')}{_count(thread, 'switches', 'switches')}"
                      f"  (struct thread *){int(thread.address):#x}\n")
            count += 1
        gdb.write(f"{count} threads\n")


_KSO = ("", "view", "context", "thread", "root", "device", "directory", "data")


def _objects():
    table = _global("table", "kernel/obj/table.c")
    size = gdb.lookup_type("struct list").sizeof
    buckets = (4096 << int(table["order"])) // size
    for index in range(buckets):
        yield from _list(table["buckets"][index], "struct object", "table_link")


class Objects(_Command):
    """All objects in memory."""

    def show(self):
        count = 0
        for item in _objects():
            kind = int(item["kso_type"])
            words = [word for word, on in (("persistent", item["persistent"]), ("kernel", item["kernel_owned"]),
                                           ("deleted", item["deleted"])) if int(on)]
            words += [_KSO[kind]] if 0 < kind < len(_KSO) else []
            gdb.write(f"{_id(item['id'])}  {int(item['refs'])} references, {int(item['page_count'])} pages, "
                      f"{int(item['map_count'])} mappings{'  ' if words else ''}{' '.join(words)}\n")
            count += 1
        gdb.write(f"{count} objects\n")


class Views(_Command):
    """Address spaces: each view that threads run in, and what the hardware has of it."""

    def show(self):
        count = 0
        for item, space in ((o, s) for o in _objects() for s in _list(o["spaces"], "struct addrspace", "view_link")):
            gdb.write(f"view {_id(item['id'])}: asid {int(space['tag']) & 0xffff}, {int(space['refs'])} threads, "
                      f"{int(space['mapping_count'])} slots mapped\n")
            for mapping in self._mappings(space):
                gdb.write(f"  slot {int(mapping['slot']):6} ({int(mapping['slot']) << 30:#014x})  "
                          f"{str(mapping['prot']).removeprefix('OBJ_PROT_').lower():3} {_id(mapping['object']['id'])}\n")
            count += 1
        gdb.write(f"{count} address spaces\n")

    @staticmethod
    def _mappings(space):
        found = []
        for index in range(1 << int(space["bucket_order"])):
            mapping = space["buckets"][index]
            while int(mapping) and len(found) < _LONGEST:
                found.append(mapping.dereference())
                mapping = mapping["next"]
        return sorted(found, key=lambda m: int(m["slot"]))


Cpus("cpus")
Threads("threads")
Objects("objects")
Views("views")
gdb.write("twizzler: commands cpus, threads, objects, views\n")
