# SPDX-License-Identifier: BSD-3-Clause
"""
The SDK: programs built with it by every build system it has files for run in the guest; C programs and scripts do there
what they do on Linux. `make test` has built SDK and ports.
"""
import os
import re
import shutil
import subprocess

import pytest
from conftest import ARM, BOARDS, RISCV, build_folder
from guest import FAILED, OK, TOP, Guest

CPUS = {RISCV: "riscv64", ARM: "aarch64"}
EXAMPLES = os.path.join(TOP, "tools", "sdk", "examples")
POSIX = os.path.join(TOP, "tests", "posix")
OF_ROOT = ("users",)


class Sdk:
    """An SDK, somewhere else than where it was built; and packs with programs."""

    def __init__(self, config, board, folder):
        self.board, self.cpu, self.folder = board, CPUS[board], folder
        self.root = config.getoption("--build-root")
        self.build = build_folder(config, board)
        arch = board.removeprefix("qemu-virt-")
        tarball = os.path.join(self.root, "sdk", f"twizzler-sdk-{arch}.tar.gz")
        assert os.path.isfile(tarball), f"{tarball} is not built"
        place = os.path.join(folder, "a place")  # names may have blanks
        os.mkdir(place)
        subprocess.run(["tar", "-xzf", tarball, "-C", place], check=True)
        self.top = os.path.join(place, f"twizzler-sdk-{arch}")
        self.environment = {**os.environ, "PATH": f"{self.top}/bin:{os.environ['PATH']}"}
        for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "CC", "CFLAGS"):
            self.environment.pop(name, None)

    def run(self, *words, **more):
        done = subprocess.run(words, env={**self.environment, **more.pop("env", {})}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, **more)
        assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    def compile(self, name, *sources, env=None):
        out = os.path.join(self.folder, name)
        self.run(f"{self.cpu}-twizzler-cc", "-O2", "-Wall", "-pthread", "-o", out, *sources, env=env or {})
        return out

    def port(self, name, program):
        arch = self.board.removeprefix("qemu-virt-")
        return os.path.join(self.root, "ports", arch, name, "out", program)

    def guest(self, *programs):
        """A guest with programs beside those that are always there; NAME=PATH gives one another name."""
        build = os.path.join(self.folder, "pack")
        os.makedirs(os.path.join(build, "host"), exist_ok=True)
        for name in os.listdir(self.build):
            if name.startswith(("Image", "kernel.elf", ".config")):
                target = os.path.join(build, name)
                if not os.path.lexists(target):
                    os.symlink(os.path.join(self.build, name), target)
        with open(os.path.join(self.build, "initrd.list"), encoding="ascii") as file:
            entries = [entry for entry in file.read().split() if entry.split("=")[0] in ("init", "hello", "cat")]
        entries += [word if "=" in word else f"{os.path.basename(word)}={word}" for word in programs]
        entries = [e if os.path.isabs(e.split("=")[1]) else e.replace("=", f"={TOP}/") for e in entries]
        subprocess.run([os.path.join(self.build, "host", "twzpack"), "create", "-o", os.path.join(build, "initrd.pack"),
                        "--init", "init", *entries], check=True)
        return Guest(self.board, build, self.folder)


@pytest.fixture(params=BOARDS)
def sdk(request, tmp_path):
    return Sdk(request.config, request.param, str(tmp_path))


def linux(source, folder, *flags):
    """What a C program prints on this machine."""
    program = os.path.join(folder, "linux")
    subprocess.run(["cc", "-O1", "-pthread", "-o", program, source, *flags], check=True)
    work = os.path.join(folder, "linux-work")
    os.makedirs(work)
    # Whoever runs the tests may ignore signals, as nohup does.
    return subprocess.run(["env", "--default-signal", program], cwd=work, capture_output=True, text=True, check=True,
                          timeout=300).stdout


def example(sdk, name):
    """A copy of one that comes with the SDK, as its README has it built in place."""
    copy = os.path.join(sdk.folder, f"example-{len(os.listdir(sdk.folder))}")
    return shutil.copytree(f"{sdk.top}/examples/{name}", copy)


def readme_commands(sdk, heading):
    """The commands that the examples' README has under a heading."""
    with open(f"{sdk.top}/examples/README.md", encoding="utf-8") as file:
        part = re.search(rf"^{heading}[^\n]*:\n\n((?:    [^\n]*\n)+)", file.read(), re.M)
    return re.sub("^    ", "", part[1], flags=re.M)


def built_as_told(sdk, name, heading, program):
    """Do what the README says; the program that came of it."""
    source = example(sdk, name)
    told = readme_commands(sdk, heading)
    sdk.run("sh", "-ec", told, cwd=source, env={"SDK": sdk.top, "CPU": sdk.cpu, "PATH": os.environ["PATH"]})
    return os.path.join(source, program)


def test_build_systems(sdk):
    """Each makes a program that runs; the one that counts finds its object again."""
    programs = [f"{kind}={built_as_told(sdk, name, heading, program)}" for kind, name, heading, program in (
        ("cmake", "hello", "CMake", "build/hello"), ("meson", "counter", "Meson", "build/counter"),
        ("autoconf", "hello", "Autoconf", "hello"), ("hand", "hello", "By hand", "hello"))]
    programs += ["gcc=" + sdk.compile("counter-gcc", f"{EXAMPLES}/counter/counter.c"),
                 "clang=" + sdk.compile("counter-clang", f"{EXAMPLES}/counter/counter.c", env={"TWZ_CC": "clang"})]
    guest = sdk.guest(*programs)
    region = guest.path("pmem")
    guest.run("cmake; meson; autoconf; hand; gcc", pmem=region).expect(OK).expect_clean().expect_line("^run number 2$")
    result = guest.run("clang; cat hello.txt", pmem=region).expect(OK)
    result.expect_line("^run number 3$")
    assert len(result.find("^hello$")) == 3  # each hello added its line, result.describe()


USER_OF_ZLIB = r"""
#include <stdio.h>
#include <zlib.h>
static unsigned char text[100000], packed[100000], again[100000];
int main(void)
{
	uLongf small = sizeof(packed), large = sizeof(again);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 7;
	if (compress(packed, &small, text, sizeof(text)) != Z_OK || uncompress(again, &large, packed, small) != Z_OK)
		return 1;
	printf("%zu bytes are %lu, and %lu again\n", sizeof(text), small, large);
}
"""


def test_mksdk(sdk):
    """The script makes the same from elsewhere, and a port with it; musl is taken as it was built."""
    arch = sdk.board.removeprefix("qemu-virt-")
    built, work = (os.path.join(root, "sdk", f"work-{arch}") for root in (sdk.root, f"{sdk.folder}/mksdk-work"))
    shutil.copytree(built, work, ignore=shutil.ignore_patterns("musl", "obj*"), symlinks=True)
    for name in ("musl.fetched", "musl.built"):
        os.utime(os.path.join(work, name))
    sdk.run(os.path.join(TOP, "tools", "mksdk"), "--arch", arch, "--port", "zlib", cwd=sdk.folder)
    tool = f"{sdk.folder}/twizzler-sdk-{arch}/bin/{sdk.cpu}-twizzler-"
    with open(f"{sdk.folder}/compress.c", "w", encoding="ascii") as file:
        file.write(USER_OF_ZLIB)
    library = sdk.run(f"{tool}pkg-config", "--cflags", "--libs", "zlib").split()
    sdk.run(f"{tool}cc", "-o", f"{sdk.folder}/compress", f"{sdk.folder}/compress.c", *library)
    guest = sdk.guest(f"{sdk.folder}/compress", f"{sdk.folder}/ports-{arch}/zlib-example")
    result = guest.run("compress; zlib-example").expect(OK).expect_clean()
    result.expect_line("^inflate with dictionary: hello, hello!$")
    result.expect_line(r"^100000 bytes are \d\d\d, and 100000 again$")


def test_wrapper_refusals(sdk):
    compiler = f"{sdk.top}/bin/{sdk.cpu}-twizzler-cc"
    for words, environment, said in ((["-shared", "x.c"], {}, "shared libraries are not supported"),
                                     (["x.c"], {"TWZ_CC": "tcc"}, "TWZ_CC is gcc or clang, not tcc")):
        done = subprocess.run([compiler, *words], env={**sdk.environment, **environment}, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 1 and said in done.stderr, done.stderr


@pytest.mark.parametrize("name", ["files", "processes", "signals", "pointers", "events", "storm", "paths", "devices",
                                  "descriptors", "children", "lent", "users", "fifos", "sockets", "timers", "maps", "threads"])
def test_posix(sdk, name):
    """A program that prints what its calls give prints the same here and on Linux."""
    if name in OF_ROOT and os.geteuid():
        pytest.skip("what Linux does for root only root sees")
    source = os.path.join(POSIX, name + ".c")
    expected = linux(source, sdk.folder).splitlines()
    guest = sdk.guest(sdk.compile("posix", source), f"sh={sdk.port('dash', 'dash')}")  # for system()
    for cpus in (1, 4):
        result = guest.run("posix", smp=cpus).expect(OK).expect_clean()
        lines = [line for line in result.lines if re.match(r"\d+: ", line)]
        assert lines == expected


def test_trace(sdk):
    """TWIX_TRACE=1 shows every call with its arguments and result, those that are missing too."""
    guest = sdk.guest(sdk.compile("traced", os.path.join(POSIX, "traced.c")))
    result = guest.run("traced").expect(FAILED)
    for line in (r'openat\(AT_FDCWD, "/none/such", 0x[0-9a-f]+, 00\) = -ENOENT',
                 r"call 999\(0x1, 0x2, .*\) = -ENOSYS", r"close\(77\) = -EBADF", r"exit_group\(3\) = \?"):
        result.expect_line(rf"^twix\[1\] {line}$")
    assert not result.find("execve"), result.describe()  # before it, nothing is traced


def script_runner(sdk, script, interpreter, option):
    """A program that runs /bin/INTERPRETER on a script it carries."""
    with open(script, "rb") as file:
        text = ",".join(str(byte) for byte in b"\n" + file.read())  # what begins with - would be an option
    source = os.path.join(sdk.folder, "runner.c")
    with open(source, "w", encoding="ascii") as file:
        file.write("#include <unistd.h>\n"
                   f"static char text[] = {{{text},0}};\n"
                   f"int main(void) {{ char *a[] = {{\"{interpreter}\", \"{option}\", text, 0}};\n"
                   f"char *e[] = {{\"PATH=/bin\", \"PWD=/\", \"TZ=UTC\", 0}};\n"
                   f"execve(\"/bin/{interpreter}\", a, e); return 1; }}\n")
    return sdk.compile("runner", source)


def what_linux_prints(sdk, *words):
    work = os.path.join(sdk.folder, "work-linux")
    os.makedirs(work)
    return subprocess.run(words, cwd=work, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "TZ": "UTC"}, timeout=300).stdout.splitlines()


@pytest.mark.parametrize("name,linux_name,option,port", [("sh", "dash", "-c", "dash"), ("lua", "lua5.4", "-e", "lua5.4")])
def test_script(sdk, name, linux_name, option, port):
    """A script does here what it does under the same interpreter on Linux."""
    script = os.path.join(POSIX, f"script.{name}")
    with open(script, encoding="utf-8") as file:
        expected = what_linux_prints(sdk, linux_name, option, "\n" + file.read())
    guest = sdk.guest(script_runner(sdk, script, name, option), f"sh={sdk.port('dash', 'dash')}",
                      f"lua={sdk.port('lua5.4', 'lua')}", f"mkdir={sdk.port('busybox', 'busybox')}")
    result = guest.run("runner", smp=4).expect(OK).expect_clean()
    out = result.out[result.out.index("no persistent store: names"):].splitlines()[1:]
    assert out[:len(expected)] == expected, result.describe()


def test_zlib(sdk):
    """zlib's own test program."""
    guest = sdk.guest(sdk.port("zlib", "zlib-example"))
    guest.run("zlib-example").expect(OK).expect_clean().expect_line("^inflate with dictionary: hello, hello!$")
