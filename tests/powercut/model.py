# SPDX-License-Identifier: BSD-3-Clause
"""
What a store must hold: kept from the lines of the program storm alone, and compared with what storm finds after a cut.

An operation that was acknowledged happened. One that was announced and not acknowledged when the power went happened
or did not; a page it was writing may be torn between the two, word by word. Nothing else is possible.

The whole model is plain data (`state`), so that it can be kept beside an image.
"""
import errno
import re

_OUT_OF_ROOM = (errno.ENOSPC, errno.ENOMEM)
_LINE = re.compile(r"(try|ack|nak|has) ([0-9a-z:*+ ]+)\Z")

# Said by the kernel, init or storm: each is a failure by itself.
_COMPLAINTS = re.compile(r"panic: |UBSAN: |stack smashing|ended by fault|exit status|amage|refusing|read-only|"
                         r"cannot be|names last until|storm: (what|there)|nothing is|assert")


class Wrong(Exception):
    """The store holds what it cannot hold."""


def _key(*numbers):
    return ".".join(str(number) for number in numbers)


def _kinds(text):
    """The patterns in a page: {pattern: words}; pattern 0 is a word never written."""
    if "*" not in text:
        return {text: 512}
    found = {}
    for part in text.split("+"):
        pattern, _, words = part.partition("*")
        if int(words):
            found[pattern] = int(words)
    return found


def _new_object():
    return {"size": 0, "ties": 0, "deleted": False, "pages": {}}


class _Dump:
    """What storm printed of a store between `has begun` and `has ended`."""

    def __init__(self):
        self.directory = None
        self.shared = 0
        self.counters, self.logs, self.slots, self.names = {}, {}, {}, {}
        self.objects = {}   # id -> {"size", "pages"}, or None when it is gone
        self.loose = set()

    def line(self, words):
        getattr(self, "_" + words[0])(words[1:])

    def _directory(self, words):
        self.directory = words[0]

    def _shared(self, words):
        self.shared = int(words[0])

    def _counter(self, words):
        self.counters[words[0]] = int(words[1])

    def _name(self, words):
        self.names[_key(words[0], words[1])] = words[2]

    def _slot(self, words):
        self.slots[_key(words[0], words[1])] = words[2]
        if words[3] == "log":
            if len(words) > 5:
                raise Wrong(f"log {words[0]}: record {words[6]} of {words[4]} is not what was appended")
            self.logs[words[0]] = int(words[4])
            self.objects[words[2]] = _new_object()
        else:
            self._object(words[2], words[3:])

    def _loose(self, words):
        self.loose.add(words[0])
        self._object(words[0], words[1:])

    def _object(self, name, words):
        if words == ["gone"]:
            self.objects[name] = None
        elif words[0] == "size":
            # A page of zeroes and no page read the same.
            pages = dict(word.split(":", 1) for word in words[2:] if not word.endswith(":0*512"))
            ties, deleted = int(pages.pop("ties", "0")), bool(pages.pop("deleted", ""))
            self.objects[name] = {"size": int(words[1]), "ties": ties, "deleted": deleted, "pages": pages}
        else:
            raise Wrong(f"object {name}: {' '.join(words)}")


class Model:
    """The store as acknowledged, and the operations whose end nobody heard."""

    def __init__(self, state=None):
        self.state = state or {"directory": None, "shared": 0, "counters": {}, "logs": {}, "slots": {}, "names": {},
                               "objects": {}, "ties": {}, "pending": {}, "last": 0, "strays": 0, "mounted": False}
        self.dump = None
        self.complete = 0       # dumps compared
        self.acknowledged = 0   # operations
        self.running = False

    def looks(self):
        """Objects that no slot leads to and whose fate the next boot must tell."""
        s = self.state
        entered = set(s["slots"].values())
        found = [name for name in s["objects"] if name not in entered]
        for operation in s["pending"].values():
            if operation["what"] in ("e", "x"):
                found.append(operation["args"][-1])
            elif operation["what"] in ("d", "r"):
                found.append(s["slots"][_key(operation["thread"], operation["args"][0])])
        return list(dict.fromkeys(found))

    def population(self, listed):
        """
        Compares all objects there are (IDs) with those there must be. Objects whose creation nobody heard of may be
        there; nothing leads to them, but their number is bounded.
        """
        s = self.state
        leaving = {self._object_of(operation) for operation in s["pending"].values() if operation["what"] in ("d", "x")}
        while more := {child for child, parent in s["ties"].items() if parent in leaving} - leaving:
            leaving |= more
        missing = set(s["objects"]) - leaving - listed
        if missing:
            raise Wrong(f"objects are missing from the list: {', '.join(sorted(missing))}")
        unknown = listed - set(s["objects"])
        most = 2 + s["strays"] + self._creations(s["pending"].values())
        if len(unknown) > most:
            raise Wrong(f"{len(unknown)} objects that nobody knows (at most {most}): {', '.join(sorted(unknown))}")

    @staticmethod
    def _creations(operations):
        """How many operations of unknown fate may have made an object."""
        return sum({"c": 1, "y": 1, "b": 2}.get(operation["what"], 0) for operation in operations)

    # --- reading the console

    def read(self, text):
        """Takes what a boot printed; raises Wrong. A line without its end was not finished, and does not count."""
        self.dump, self.running = None, False
        self.state["mounted"] |= "store: mounted" in text
        # Until there is a directory, a boot may make a name root and a directory that nothing leads to.
        self.state["strays"] += 2 if not self.state["directory"] else 0
        for line in text.replace("\r", "").split("\n")[:-1]:
            if match := _LINE.match(line):
                getattr(self, "_" + match[1])(match[2].split())
            elif _COMPLAINTS.search(line) and not line.startswith("machine: options"):
                raise Wrong(f"the console says: {line}")

    def _has(self, words):
        if words == ["begun"]:
            self.dump = _Dump()
        elif words == ["ended"]:
            self._compare(self.dump)
            self.dump = None
            self.complete += 1
            self.running = True
        else:
            self.dump.line(words)

    def _try(self, words):
        thread, number = words[0], int(words[1])
        if not self.running or thread in self.state["pending"]:
            raise Wrong(f"an operation out of turn: {' '.join(words)}")
        self.state["pending"][thread] = {"thread": thread, "number": number, "what": words[2], "args": words[3:]}
        self.state["last"] = max(self.state["last"], number)

    def _ended(self, words):
        operation = self.state["pending"].pop(words[0], None)
        if not operation or operation["number"] != int(words[1]):
            raise Wrong(f"the end of an operation that had not begun: {' '.join(words)}")
        return operation

    def _ack(self, words):
        operation = self._ended(words)
        self.acknowledged += 1
        getattr(self, "_do_" + operation["what"])(operation, operation["args"], words[2:])

    def _nak(self, words):
        operation = self._ended(words)
        if int(words[2]) not in _OUT_OF_ROOM:
            raise Wrong(f"operation {operation} was refused with {errno.errorcode.get(int(words[2]), words[2])}")

    # --- what acknowledged operations do

    def _slot_of(self, operation, slot):
        return self.state["slots"][_key(operation["thread"], slot)]

    def _do_i(self, _operation, _args, _result):
        self.state["directory"] = "unseen"

    def _do_c(self, _operation, _args, result):
        self.state["objects"][result[0]] = _new_object()

    def _do_b(self, operation, args, result):
        self.state["objects"][result[0]] = self._burst_object(operation)
        self.state["slots"][_key(operation["thread"], args[0])] = result[0]

    def _burst_object(self, operation):
        return {**_new_object(), "pages": {"0": self._pattern(operation)}}

    def _do_y(self, operation, args, result):
        source = self.state["objects"][self._slot_of(operation, args[1])]
        self.state["objects"][result[0]] = {**_new_object(), "size": source["size"], "pages": dict(source["pages"])}

    def _do_e(self, operation, args, _result):
        self.state["slots"][_key(operation["thread"], args[0])] = args[1]
        if args[0] == "0":
            self.state["logs"][operation["thread"]] = 0

    def _do_d(self, operation, args, _result):
        name = self.state["slots"].pop(_key(operation["thread"], args[0]))
        self.state["objects"].pop(name, None)
        self._loosen(name)

    def _loosen(self, parent):
        """What was tied to an object that is gone is untied, and goes, too, if it had been deleted."""
        s = self.state
        for child in [child for child, holder in s["ties"].items() if holder == parent]:
            del s["ties"][child]
            if child in s["objects"]:
                s["objects"][child]["ties"] = 0
                if s["objects"][child]["deleted"]:
                    del s["objects"][child]
                    self._loosen(child)

    def _do_t(self, operation, args, _result):
        child = self._slot_of(operation, args[0])
        self.state["ties"][child] = self._slot_of(operation, args[1])
        self.state["objects"][child]["ties"] = 1

    def _do_v(self, operation, args, _result):
        child = self._slot_of(operation, args[0])
        del self.state["ties"][child]
        self.state["objects"][child]["ties"] = 0

    def _do_m(self, operation, args, _result):
        self.state["objects"][self._slot_of(operation, args[0])]["deleted"] = True

    def _do_r(self, operation, args, _result):
        del self.state["slots"][_key(operation["thread"], args[0])]

    def _do_f(self, _operation, args, _result):
        del self.state["slots"][_key(*args)]

    def _do_x(self, _operation, args, _result):
        self.state["objects"].pop(args[0], None)

    def _do_w(self, operation, args, _result):
        pages = self.state["objects"][self._slot_of(operation, args[0])]["pages"]
        for place in self._places(args):
            pages[place] = self._pattern(operation)

    def _do_p(self, operation, args, _result):
        pages = self.state["objects"][self._slot_of(operation, args[0])]["pages"]
        source = self.state["objects"][self._slot_of(operation, args[3])]["pages"]
        for place in self._places(args):
            pages.pop(place, None)
            if place in source:
                pages[place] = source[place]

    def _do_z(self, operation, args, _result):
        self.state["objects"][self._slot_of(operation, args[0])]["size"] = int(args[1])

    def _do_n(self, operation, args, _result):
        self.state["names"][_key(operation["thread"], args[0])] = self._slot_of(operation, args[1])

    def _do_u(self, operation, args, _result):
        self.state["names"].pop(_key(operation["thread"], args[0]), None)

    def _do_l(self, operation, args, _result):
        self.state["logs"][operation["thread"]] = int(args[0])

    def _do_k(self, operation, args, _result):
        self.state["counters"][operation["thread"]] = int(args[0])

    def _do_s(self, _operation, _args, _result):
        self.state["shared"] += 1

    @staticmethod
    def _places(args):
        return [str(place) for place in range(int(args[1]), int(args[1]) + int(args[2]))]

    @staticmethod
    def _pattern(operation):
        return str(int(operation["thread"]) << 28 | operation["number"])

    # --- after a cut

    def _compare(self, dump):
        """Every part of what was found is possible; then it is what counts from here on."""
        s = self.state
        unheard = list(s["pending"].values())
        s["pending"] = {}
        s["strays"] += self._creations(unheard)
        if not self._compare_directory(dump, unheard):
            return
        self._compare_numbers(dump, unheard)
        self._compare_names(dump, unheard)
        touched = {}
        for operation in unheard:
            touched.setdefault(self._object_of(operation), []).append(operation)
        self._compare_slots(dump, unheard)
        for name, operations in touched.items():
            if any(operation["what"] in ("d", "x") for operation in operations) and dump.objects.get(name, 0) is None:
                self._loosen(name)
        self._compare_objects(dump, touched, unheard)
        self._take_ties(dump, unheard)
        s["directory"], s["shared"] = dump.directory, dump.shared
        s["counters"], s["logs"] = dump.counters, dump.logs
        s["slots"], s["names"] = dump.slots, dump.names
        s["objects"] = {name: content for name, content in dump.objects.items() if content}

    def _compare_directory(self, dump, unheard):
        """Whether there is anything to compare; makes sure that a directory that was acknowledged is there."""
        s = self.state
        if dump.directory is None:
            if s["directory"]:
                raise Wrong("the name `storm' or its object is gone")
            return False
        if s["directory"] not in (None, "unseen", dump.directory):
            raise Wrong(f"the name `storm' leads to {dump.directory}, not {s['directory']}")
        if s["directory"] is None and not any(operation["what"] == "i" for operation in unheard):
            raise Wrong("a directory that nobody made")
        return True

    def _object_of(self, operation):
        """The object that an operation of unknown fate may have changed."""
        args = operation["args"]
        if operation["what"] in ("w", "z", "d", "p", "t", "v", "m"):
            return self._slot_of(operation, args[0])
        return args[-1] if operation["what"] == "x" else None

    def _compare_numbers(self, dump, unheard):
        s = self.state
        adds = sum(operation["what"] == "s" for operation in unheard)
        if not s["shared"] <= dump.shared <= s["shared"] + adds:
            raise Wrong(f"shared counter {dump.shared}: {s['shared']} acknowledged, {adds} under way")
        for what, name, known, found in (("k", "counter", s["counters"], dump.counters),
                                         ("l", "log", s["logs"], dump.logs)):
            under_way = {operation["thread"] for operation in unheard if operation["what"] == what}
            for thread in set(known) | set(found):
                least = known.get(thread, 0)
                value = found.get(thread, 0)
                if not least <= value <= least + (thread in under_way):
                    raise Wrong(f"{name} of thread {thread} is {value}, {least} acknowledged"
                                + (", one more under way" if thread in under_way else ""))

    def _compare_names(self, dump, unheard):
        known = self.state["names"]
        for key in set(known) | set(dump.names):
            possible = {known.get(key)}
            for operation in unheard:
                if operation["what"] in ("n", "u") and _key(operation["thread"], operation["args"][0]) == key:
                    possible.add(None if operation["what"] == "u" else self._slot_of(operation, operation["args"][1]))
            if dump.names.get(key) not in possible:
                raise Wrong(f"name {key} leads to {dump.names.get(key)}, possible: {possible}")

    def _compare_slots(self, dump, unheard):
        known = self.state["slots"]
        possible = {key: {known.get(key)} for key in set(known) | set(dump.slots)}
        for operation in unheard:
            if operation["what"] in ("e", "d", "r"):
                key = _key(operation["thread"], operation["args"][0])
                possible.setdefault(key, {None}).add(operation["args"][1] if operation["what"] == "e" else None)
            elif operation["what"] == "b":
                possible[_key(operation["thread"], operation["args"][0])] = self._burst_slots(dump, operation)
            elif operation["what"] == "f":
                possible[_key(*operation["args"])].add(None)
        for key, choices in possible.items():
            if dump.slots.get(key) not in choices:
                raise Wrong(f"slot {key} holds {dump.slots.get(key)}, possible: {choices}")

    def _burst_slots(self, dump, operation):
        """What the slot of a burst may hold: nothing, or an object that was not there before, whole or deleted."""
        name = dump.slots.get(_key(operation["thread"], operation["args"][0]))
        if name in self.state["objects"] or list(dump.slots.values()).count(name) > 1:
            return {None}
        if name and dump.objects[name] not in (None, self._burst_object(operation)):
            raise Wrong(f"object {name} of a burst is half made: {dump.objects[name]}")
        return {None, name}

    def _compare_objects(self, dump, touched, unheard):
        known = self.state["objects"]
        bursts = {dump.slots.get(_key(operation["thread"], operation["args"][0]))
                  for operation in unheard if operation["what"] == "b"}
        for name in known:
            if name not in dump.objects:
                raise Wrong(f"object {name} was not looked at")
        for name, found in dump.objects.items():
            operations = touched.get(name, [])
            wanted = known.get(name)
            may_be_gone = not wanted or any(operation["what"] in ("d", "x") for operation in operations)
            if found is None:
                if not may_be_gone:
                    raise Wrong(f"object {name} is gone")
            elif not wanted and name not in bursts:
                raise Wrong(f"object {name} was deleted and is there")
            elif wanted:
                self._compare_object(name, wanted, found, operations)
        self._compare_deleted_slots(dump, touched)

    @staticmethod
    def _compare_deleted_slots(dump, touched):
        """Storm deletes the object first: an empty slot means that it is gone."""
        for name, operations in touched.items():
            if any(operation["what"] == "d" for operation in operations):
                if name not in dump.slots.values() and dump.objects.get(name):
                    raise Wrong(f"object {name} is there after its slot was cleared")

    def _take_ties(self, dump, unheard):
        """What became of ties that were being made or taken back."""
        for operation in unheard:
            child = self._object_of(operation)
            if operation["what"] in ("t", "v"):
                parent = self.state["ties"].pop(child, None)
                if dump.objects[child]["ties"]:
                    self.state["ties"][child] = parent or self._slot_of(operation, operation["args"][1])

    def _compare_object(self, name, wanted, found, operations):
        sizes, writes, copies = {wanted["size"]}, {}, {}
        self._compare_life(name, wanted, found, operations)
        for operation in operations:
            if operation["what"] == "z":
                sizes.add(int(operation["args"][1]))
            elif operation["what"] == "w":
                writes.update({place: self._pattern(operation) for place in self._places(operation["args"])})
            elif operation["what"] == "p":
                source = self.state["objects"][self._slot_of(operation, operation["args"][3])]["pages"]
                copies.update({place: source.get(place) for place in self._places(operation["args"])})
        if found["size"] not in sizes:
            raise Wrong(f"object {name} has size {found['size']}, possible: {sizes}")
        for place in set(wanted["pages"]) | set(found["pages"]):
            before, now = wanted["pages"].get(place), found["pages"].get(place)
            if before == now or (place in copies and now == copies[place]):
                continue
            if not self._torn(before, now, writes.get(place)):
                raise Wrong(f"object {name}, page {place}: {now}, acknowledged: {before}"
                            + (f", under way: {writes[place]}" if place in writes else "")
                            + (f", under way: a copy of {copies[place]}" if place in copies else ""))

    @staticmethod
    def _compare_life(name, wanted, found, operations):
        """Ties, and the mark of deletion."""
        kinds = {operation["what"] for operation in operations}
        ties = {wanted["ties"]} | ({0, 1} if kinds & {"t", "v"} else set())
        deleted = {wanted["deleted"]} | ({True} if "m" in kinds else set())
        if found["ties"] not in ties or found["deleted"] not in deleted:
            raise Wrong(f"object {name} has {found['ties']} ties (possible: {ties}), deleted: {found['deleted']} "
                        f"(possible: {deleted})")

    @staticmethod
    def _torn(before, now, writing):
        """Whether a page may look like this when `writing` was being written over `before`."""
        if writing is None:
            return False
        return set(_kinds(now) if now else {"0": 512}) <= set(_kinds(before) if before else {"0": 512}) | {writing}
