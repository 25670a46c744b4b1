# SPDX-License-Identifier: BSD-3-Clause
"""
The manual: links lead somewhere, commands work and print what is shown, and what is named exists.

Commands are the lines of fenced and indented blocks that begin with a tool of the tree; the lines below one, up to the next,
are what it prints. Each is run in the order of its page, with /tmp replaced by a folder of the test, and `make run` by
the line of tools/run it comes down to, on what is built. Those of PLANNED are not run; the reason stands there.
"""
import glob
import os
import re
import shlex
import shutil
import subprocess

import pytest
from conftest import BOARDS, RISCV, build_folder
from guest import OK, TOP, Session, clean

PAGES = sorted(os.path.relpath(path, TOP) for pattern in ("*.md", "docs/*.md", "tests/*/README.md")
               for path in glob.glob(os.path.join(TOP, pattern)))
COMMAND = re.compile(r"(?:[A-Z_]+=\S+ )*(?:make|tools/\w+|tests/(?:run|soak)|bench/run|build/host-tests/[a-z]\S+|twz>)(?= |$)")
# Folders of sources, for names that must exist.
FOLDERS = ("arch", "bench", "boards", "ci", "docs", "drivers", "kernel", "lib", "tests", "tools", "userspace")
# Where a path that a page names may begin.
INCLUDES = ("", "kernel/include", "lib/abi/include", "lib/base/include", "userspace/libtwz/include")
# A make below another one (MAKELEVEL) says which folder it leaves, after the plan.
NOT_FROM_HERE = {k: v for k, v in os.environ.items()
                 if k not in ("BOARD", "LLVM", "APPS", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")}

# Commands that make only plans (make -n), and why.
PLANNED = [
    (r"make( BOARD=\S+| -j4 V=1| LLVM=1| LLVM=1 O=\S+)?|make host-tests|make user .*",
     "a build: make test has just made one, ci/20-build makes those with clang, the examples are built by their page's test"),
    (r"make (test|bench|soak)( .*)?", "would run the tests within the tests, or for minutes"),
    (r"make menuconfig", "needs a person"),
    (r"make sdk( .*)?", "make test has just built it; test_sdk.py tries what came of it"),
    (r"make setup", "changes the machine"),
]
# Commands that are not run at all.
UNTOUCHED = [
    (r".*build/host-tests/store_crash\.test", "explores for minutes; make test runs it"),
    (r"(tests|bench)/run .*|tests/soak( .*)?", "would run the tests within the tests, or for minutes"),
    (r"make run (PORTS|APPS=hello ).*", "needs the SDK's programs: test_sdk.py builds and runs them"),
    (r"tools/mksdk .*", "builds for minutes; test_sdk.py runs it on what is built"),
    (r"tools/setup", "changes the machine; test_make.py asks it what is missing"),
]


def text_of(page):
    with open(os.path.join(TOP, page), encoding="utf-8") as file:
        return file.read()


def blocks(page):
    """(language, lines) of each fenced block, and of each indented one behind an empty line."""
    found, block, fence, blank = [], None, False, True
    for line in text_of(page).splitlines():
        if line.lstrip().startswith("```"):
            fence = not fence
            block = (line.strip("` "), []) if fence else None
            found += [block] if fence else []
        elif fence:
            block[1].append(line)
        elif line.startswith("    "):
            if blank:
                block = ("", [])
                found.append(block)
            if block:
                block[1].append(line.strip())
        else:
            block = None
        blank = not line.strip()
    return found


def commands(page):
    """(command, the lines it prints) in order."""
    found = []
    for language, lines in blocks(page):
        last = None
        for line in lines if language in ("", "sh") else []:
            if COMMAND.match(line):
                last = (line, [])
                found.append(last)
            elif last and line.strip() and not line.endswith("…"):
                last[1].append(line)
    return found


# --- what can be seen without running anything

def slug(heading):
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page):
    body = re.sub(r"^```.*?^```", "", text_of(page), flags=re.M | re.S)
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", body, re.M)}


@pytest.mark.quick
@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    body = re.sub(r"^```.*?^```", "", text_of(page), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", body):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        assert os.path.exists(os.path.join(TOP, path)), f"{page}: {target}: there is no {path}"
        assert not anchor or anchor in anchors(path), f"{page}: {target}: no such heading in {path}"


@pytest.mark.quick
def test_every_page_is_listed():
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", text_of("docs/README.md")))
    there = {os.path.basename(path) for path in glob.glob(os.path.join(TOP, "docs", "*.md"))} - {"README.md"}
    assert listed == there


def sources():
    """(path, text) of every file that people wrote, the manual apart."""
    for folder in FOLDERS:
        for parent, folders, files in os.walk(os.path.join(TOP, folder)):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in files:
                if not name.endswith(".md"):
                    with open(os.path.join(parent, name), encoding="utf-8", errors="replace") as file:
                        yield os.path.relpath(os.path.join(parent, name), TOP), file.read()


@pytest.fixture(scope="module")
def tree():
    return dict(sources())


@pytest.mark.quick
def test_sources_name_pages_that_exist(tree):
    for path, text in tree.items():
        for page in re.findall(r"\bdocs/[\w-]+\.md", text):
            assert os.path.exists(os.path.join(TOP, page)), f"{path} names {page}"


def code_words(page):
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"^```.*?^```", "", text_of(page), flags=re.M | re.S))


@pytest.mark.quick
@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page):
    place = rf"(?:{'|'.join(FOLDERS)})/[\w./*{{}},-]+"
    for word in code_words(page):
        if not re.fullmatch(place, word) or re.search(r"\b[A-Z]{3,}\b|NAME|BOARD", word):
            continue
        choice = re.search(r"\{(.*)\}", word)
        for one in choice.group(1).split(",") if choice else [""]:
            path = word.replace(choice.group(0), one) if choice else word
            assert any(glob.glob(os.path.join(TOP, start, path)) for start in INCLUDES), f"{page} names {path}"


@pytest.mark.quick
def test_functions_and_macros_that_are_named_exist(tree):
    """Functions; of names in capitals those that begin as the names of lib/abi do: others are of machines and firmware."""
    text = "\n".join(tree.values())
    known = set(re.findall(r"\w+", text))
    abi = "\n".join(content for path, content in tree.items() if path.startswith("lib/abi/"))
    begins = {"CONFIG"} | set(re.findall(r"^#define ([A-Z]+)_", abi, re.M))
    for page in PAGES:
        for word in code_words(page):
            names = re.findall(r"\b([a-z_]\w+)\(", word)
            names += [name for name in re.findall(r"\b[A-Z][A-Z0-9_]*[A-Z0-9]\b", word) if name.split("_")[0] in begins - {name}]
            missing = [name for name in names if name not in known and not re.match("CONFIG_(BOARD_|NAME$)", name)]
            assert not missing, f"{page} names {missing}"


# --- libtwz.md

def headers():
    for path in sorted(glob.glob(os.path.join(TOP, "userspace/libtwz/include/twz/**/*.h"), recursive=True)):
        yield os.path.relpath(path, TOP), text_of(path)


def declared():
    """(functions that headers declare, macros that take arguments, other names)"""
    functions, macros, inlines = set(), set(), set()
    for _, text in headers():
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
        macros |= set(re.findall(r"^#define (\w+)(?:\(| \w+$)", text, re.M))
        inlines |= set(re.findall(r"^static inline [^;{(]*?(\w+)\(", text, re.M))
        text = re.sub(r"^(?:[^\n]*\\\n)+[^\n]*\n|^#[^\n]*|^_Static_assert[^;]*;", "", text, flags=re.M)
        functions |= set(re.findall(r"^[\w_][\w \t*]*?[ *(](\w+)\)?\((?=[\w.])[^;{]*\)[^;{]*;", text, re.M))
    return functions - inlines, macros, inlines


def library(config):
    """Functions that the built libtwz.a defines."""
    listing = subprocess.run(["nm", "-g", os.path.join(build_folder(config, RISCV), "user", "libtwz.a")],
                             capture_output=True, text=True, check=False).stdout
    return set(re.findall(r" [TW] (\w+)$", listing, re.M))


@pytest.mark.quick
def test_libtwz_has_what_headers_and_manual_name(pytestconfig):
    functions, macros, inlines = declared()
    defined = library(pytestconfig)
    assert {"twz_object_new", "mutex_acquire", "_clwb", "sys_ocreate", "kec_printf", "objid_parse"} <= functions & defined
    missing = functions - defined
    assert not missing, "headers declare what the library does not define"
    page = text_of("docs/libtwz.md")
    named = set(re.findall(r"`(\w+)\(\)`", re.sub(r"^```.*?^```", "", page, flags=re.M | re.S)))
    ours = defined | macros | inlines | set(re.findall(r"\bwrite_entry|print\b", page)) | {"snprintf"}
    missing = named - ours
    assert not missing, "the manual names what there is not"
    public = {name for name in functions if not name.startswith(("__", "sys_"))}
    anywhere = "".join(text_of(path) for path in PAGES if path.startswith("docs/"))
    missing = public - set(re.findall(r"`(\w+)\(\)`", re.sub(r"^```.*?^```", "", anywhere, flags=re.M | re.S)))
    assert not missing, "the manual does not name what headers declare"
    wrappers = {name for name in functions if "sys_" in name}
    assert not set(re.findall(r"\b(?:__)?sys_\w+(?=\()", text_of("docs/system-calls.md"))) - wrappers


@pytest.mark.quick
def test_the_listings_are_the_examples():
    listings = [lines for language, lines in blocks("docs/libtwz.md") if language == "c"]
    examples = [text_of(path).splitlines() for path in re.findall(r"\[`(userspace/examples/\w+\.c)`\]",
                                                                  text_of("docs/libtwz.md"))]
    assert listings == examples and len(examples) == len(glob.glob(os.path.join(TOP, "userspace/examples/*.c")))


# --- pages with a program of their own

# What such a page links to as userspace/examples/FOLDER/NAME.c, it shows whole, builds and runs.
EXAMPLE = re.compile(r"\[`(userspace/examples/\w+/\w+\.c)`\]")
WITH_EXAMPLES = [page for page in PAGES if page.startswith("docs/") and EXAMPLE.search(text_of(page))
                 and page not in ("docs/libtwz.md", "docs/tutorial.md")]


@pytest.mark.quick
@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_the_listings_of_a_page_are_its_examples(page):
    listings = [lines for language, lines in blocks(page) if language == "c"]
    examples = [text_of(path).splitlines() for path in EXAMPLE.findall(text_of(page))]
    assert all(example in listings for example in examples)


# --- tutorial.md

TUTORIAL = "docs/tutorial.md"
STEPS = sorted(glob.glob(os.path.join(TOP, "userspace/examples/stock/*.c")))


@pytest.mark.quick
def test_the_listings_of_the_tutorial_are_in_its_programs():
    """Each listing stands, line by line, in the program of its step."""
    steps = re.split(r"^## Step \d+:.*$", text_of(TUTORIAL), flags=re.M)[1:]
    assert len(steps) == len(STEPS)
    for path, step in zip(STEPS, steps):
        listings = re.findall(r"^```c\n(.*?)^```$", step, re.M | re.S)
        program = text_of(path)
        assert listings
        for listing in listings:
            assert "\n" + listing in program, f"{os.path.basename(path)} does not have:\n{listing}"


# --- pages about one structure each

OWN_TESTS = ("docs/libtwz.md", TUTORIAL, "docs/testing.md")
HOSTED = [f"-Iuserspace/libtwz/{folder}" for folder in ("hosted/arch/x86_64/include", "hosted/include", "include")]


def programs(page):
    listings = ["\n".join(lines) + "\n" for language, lines in blocks(page) if language == "c"]
    return [listing for listing in listings if "int main(" in listing]


@pytest.mark.quick
@pytest.mark.parametrize("page", [page for page in PAGES if page not in OWN_TESTS and programs(page)])
def test_programs_of_a_page_compile(page):
    for program in programs(page):
        done = subprocess.run(["cc", "-x", "c", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *HOSTED,
                               "-Ilib/abi/include", "-Ilib/base/include", "-"], cwd=TOP, input=program, capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stderr


# --- system-calls.md

@pytest.mark.quick
def test_system_calls_are_those_of_the_kernel():
    numbers = dict(re.findall(r"^#define (SYS_\w+) (0x1\w{3})\b", text_of("lib/abi/include/abi/syscall.h"), re.M))
    numbers.pop("SYS_BASE", None)
    present = set(re.findall(r"SLOT\((SYS_\w+)\) = (?!sys_retired)", text_of("kernel/sys/table.c")))
    page = text_of("docs/system-calls.md")
    calls, rest = page.split("## Numbers that answer", 1)
    row = r"^\| (0x\w+) \| \[?`(SYS_\w+)`"
    assert {name: number for number, name in re.findall(row, page, re.M)} == numbers
    assert {name for _, name in re.findall(row, calls, re.M)} == present
    assert set(re.findall(r"^### (.*)$", rest, re.M)) and present <= set(re.findall(r"SYS_\w+", "".join(
        re.findall(r"^### .*$", rest, re.M)))), "a call has no section"


# --- commands

def make(*words):
    return subprocess.run(["make", *words], cwd=TOP, env=NOT_FROM_HERE, stdin=subprocess.DEVNULL, timeout=900,
                          capture_output=True, encoding="utf-8", errors="replace", check=False)


class Reader:
    """Someone who types what a page says, in a folder of their own."""

    def __init__(self, config, folder):
        self.config = config
        self.folder = str(folder)
        self.pack = {}
        self.session = None

    def own(self, word):
        """The word with the reader's folders in it, and what takes minutes made short."""
        word = re.sub(r"^STORE_CRASH_OPS=.*", "STORE_CRASH_OPS=20", word.replace("/tmp/", self.folder + "/"))
        if word.startswith("build/host-tests/"):
            root = self.config.getoption("--build-root")
            found = [path for folder in (root, os.path.join(root, "*"))
                     for path in glob.glob(os.path.join(folder, "host-tests", os.path.basename(word)))]
            word = found[0] if found else word
        return word

    def make_words(self, words):
        """Words for make that leave alone what is built and how the checkout is configured."""
        board = next((word.split("=")[1] for word in words if word.startswith("BOARD=")), None)
        configured = next((word.removesuffix("_defconfig") for word in words if word.endswith("_defconfig")), None)
        kind = "clang" if "LLVM=1" in words else "out"
        if not any(word.startswith("O=") for word in words):
            words = words + [f"O={self.folder}/{kind}-{board or configured or RISCV}"]
        return words + ([] if board or configured else [f"BOARD={RISCV}"])

    def runner_words(self, words):
        """The line of tools/run that `make run` or `make debug` ends in, for what is built."""
        plan = make("-n", *self.make_words(words))
        assert plan.returncode == 0, plan.stderr
        line = shlex.split(plan.stdout.strip().splitlines()[-1].removeprefix("exec "))
        board = line[line.index("--board") + 1]
        line[line.index("--build") + 1] = build_folder(self.config, board)
        return line + (["--initrd", self.pack[board]] if board in self.pack else [])

    def emulate(self, line):
        if "--gdb" in line:
            line = line + ["--dry-run"]  # test_debug.py talks to the debugger
        if "--build" not in line:
            line = line[:1] + ["--build", build_folder(self.config, line[line.index("--board") + 1])] + line[1:]
        if "--autorun" not in line and "--dry-run" not in line:
            return self.talk(line)
        done = subprocess.run([*line, "--timeout", "300"], cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True,
                              check=False, env={**os.environ, "TMPDIR": self.folder})
        text = clean((done.stdout + done.stderr).decode(errors="replace"))
        assert done.returncode == OK, f"{shlex.join(line)}\n{text[-3000:]}"
        return text

    def talk(self, line):
        """Boot to the prompt; the twz> lines of the page are typed there."""
        self.close()
        self.session = Session([os.path.join(TOP, line[0]), *line[1:]], {**os.environ, "TMPDIR": self.folder}, 300)
        self.session.expect("twz> ")
        return self.session.out

    def ask(self, command):
        assert self.session, "a twz> line before any make run"
        before = len(self.session.out)
        self.session.send(command + "\r")
        self.session.expect("\ntwz> ")
        return self.session.out[before:]

    def type(self, command):
        """What it prints; fails the test when it fails, unless its comment says that it is refused."""
        if command.startswith("twz>"):
            return self.ask(command.removeprefix("twz>").strip())
        words = [self.own(word) for word in shlex.split(command, comments=True)]
        bare = re.sub(r"\s+#.*", "", command)
        if any(re.fullmatch(pattern, bare) for pattern, _ in UNTOUCHED):
            return ""
        if words[0] == "make" and words[1:2] in (["run"], ["debug"]):
            return self.emulate(self.runner_words(words[1:]))
        if words[0] == "tools/run" and "--board" in words:
            return self.emulate(words)
        if words[0] == "make":
            planned = ["-n"] if any(re.fullmatch(pattern, bare) for pattern, _ in PLANNED) else []
            done = make(*planned, *self.make_words(words[1:]))
        else:
            assignments = [word for word in words if re.match(r"[A-Z_]+=", word)]
            done = subprocess.run(["env", *assignments, *words[len(assignments):]], cwd=TOP, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, errors="replace", check=False)
        assert (done.returncode != 0) == ("# refused" in command), f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout + done.stderr

    def close(self):
        if self.session:
            self.session.close()


def expect_shown(text, shown, command):
    """The lines shown, IDs apart, are among those printed, in this order."""
    printed = iter(text.splitlines())
    for line in shown:
        pattern = re.sub(r"[0-9a-f]{16}:[0-9a-f]{16}", "[0-9a-f]{16}:[0-9a-f]{16}", re.escape(line.strip()))
        assert any(re.fullmatch(pattern, one.strip()) for one in printed), f"{command}\ndoes not print: {line}\n{text[-3000:]}"


@pytest.fixture
def reader(pytestconfig, tmp_path):
    someone = Reader(pytestconfig, tmp_path)
    yield someone
    someone.close()


def read(reader, page):
    for command, shown in commands(page):
        expect_shown(reader.type(command), shown, command)


@pytest.mark.quick
@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("docs/libtwz.md", TUTORIAL, *WITH_EXAMPLES) and commands(page)])
def test_commands_of_a_page(reader, page):
    read(reader, page)


# --- the tutorial, and the test that testing.md shows

def guest_test_of_the_manual(folder):
    """A folder with the guest test of testing.md and what it includes."""
    os.makedirs(folder)
    for name in ("ktap", "testlib"):
        for kind in "ch":
            shutil.copy(os.path.join(TOP, "userspace", "tests", f"{name}.{kind}"), folder)
    listing = next(lines for language, lines in blocks("docs/testing.md") if language == "c")
    with open(os.path.join(folder, "shown.c"), "w", encoding="utf-8") as file:
        file.write("\n".join(listing) + "\n")
    return folder


def build_examples(reader, board, apps, *others):
    """A pack with programs (and others that are built) beside init, as APPS= makes it, without building the rest."""
    names = [os.path.basename(path).removesuffix(".c") for path in apps]
    out, built = os.path.join(reader.folder, "apps"), build_folder(reader.config, board)
    for fetched in (os.path.join(built, "third-party"), os.path.join(TOP, "build", "third-party")):
        if os.path.isdir(fetched) and not os.path.isdir(os.path.join(out, "third-party")):
            shutil.copytree(fetched, os.path.join(out, "third-party"))
    done = make(f"O={out}", f"BOARD={board}", f"APPS={' '.join(apps)}", "-j2", *[f"{out}/user/{name}.elf" for name in names])
    assert done.returncode == 0, done.stdout + done.stderr
    reader.pack[board] = os.path.join(reader.folder, "examples.pack")
    subprocess.run([os.path.join(built, "host", "twzpack"), "create", "-o", reader.pack[board], "--init", "init",
                    *[f"{name}={built}/user/{name}.elf" for name in ("init", *others)],
                    *[f"{name}={out}/user/{name}.elf" for name in names]], check=True)


def read_in_one_boot(reader, board, page, *more):
    """All that the page's lines of make run do, in one boot of this board; what it printed."""
    lines = [dict(word.split("=", 1) for word in shlex.split(command) if "=" in word) for command, _ in commands(page)]
    programs = "; ".join([line["AUTORUN"] for line in lines if "AUTORUN" in line] + list(more))
    text = reader.emulate(reader.runner_words(["run", f"BOARD={board}", f"AUTORUN={programs}"]))
    for command, shown in commands(page):
        expect_shown(text, shown, command)
    return text


@pytest.mark.parametrize("board", BOARDS)
def test_the_first_programs(reader, board):
    apps = sorted(glob.glob(os.path.join(TOP, "userspace", "examples", "*.c")))
    build_examples(reader, board, apps + [guest_test_of_the_manual(os.path.join(reader.folder, "manual_test"))])
    if board == RISCV:
        read(reader, "docs/libtwz.md")
    else:
        assert "ok 1 - new objects read as zeroes" in read_in_one_boot(reader, board, "docs/libtwz.md", "manual_test")


@pytest.mark.parametrize("board", BOARDS)
def test_the_pages_with_examples(reader, board):
    build_examples(reader, board, sorted({os.path.join(TOP, path) for page in WITH_EXAMPLES
                                          for path in EXAMPLE.findall(text_of(page))}))
    for page in WITH_EXAMPLES:
        if board == RISCV:
            read(reader, page)
        else:
            read_in_one_boot(reader, board, page)


@pytest.mark.parametrize("board", BOARDS)
def test_the_tutorial(reader, board):
    build_examples(reader, board, STEPS, "obj")
    if board == RISCV:
        read(reader, TUTORIAL)
    else:
        read_in_one_boot(reader, board, TUTORIAL)


def test_the_tutorial_hosted(pytestconfig, tmp_path):
    """The same lines as processes of this machine."""
    tools = [os.path.join(pytestconfig.getoption("--build-root"), folder) for folder in ("hosted-san", "hosted")]
    tools = [folder for folder in tools if os.path.isfile(os.path.join(folder, "stock1"))]
    if not tools:
        pytest.skip("the hosted build is not there")
    environment = {**os.environ, "TWZ_STORE": str(tmp_path)}
    for command, shown in commands(TUTORIAL):
        assignments = dict(word.split("=", 1) for word in shlex.split(command) if "=" in word)
        printed = ""
        for line in assignments["AUTORUN"].split(";"):
            name, *words = line.split()
            done = subprocess.run([os.path.join(tools[0], name), *words], env=environment, capture_output=True, text=True,
                                  timeout=300, stdin=subprocess.DEVNULL, check=True)
            printed += done.stdout
        expect_shown(printed, shown, command)
