# SPDX-License-Identifier: BSD-3-Clause
"""
Programs as files: those that a program wrote, or that were copied into a store from the host; position-independent ones;
and programs that were linked for Linux, unchanged. `make test` has built the SDK.
"""
import os
import subprocess

import pytest
from conftest import BOARDS
from guest import FAILED, OK, TOP
from test_sdk import POSIX, Sdk, linux

CROSS = {"riscv64": "riscv64-linux-gnu-gcc", "aarch64": "aarch64-linux-gnu-gcc"}

# Copies /bin/NAME, which is data there, to /NAME, and runs that.
COPY = r"""
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char bytes[1 << 16], from[64], to[64];
	int in, out, status;
	ssize_t n;

	snprintf(from, sizeof(from), "/bin/%s", argv[1]);
	snprintf(to, sizeof(to), "/%s", argv[1]);
	in = open(from, O_RDONLY);
	out = open(to, O_CREAT | O_WRONLY | O_TRUNC, 0755);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		write(out, bytes, n);
	close(in);
	close(out);
	argv[1] = to;
	if (fork() == 0)
		return execv(to, argv + 1), perror(to), 99;
	wait(&status);
	printf("status %d of %d\n", status, argc);
	return status != 0;
}
"""

# Every kind of relocation that is left, and calls through tables.
PIE = r"""
#include <stdio.h>

static int one(void) { return 1; }
static int two(void) { return 2; }
static int (*const table[])(void) = { one, two };
static const char *const names[] = { "first", "second" };
__thread int mine = 40;
extern __thread int there;

int main(int argc, char **argv)
{
	printf("%s %s %d\n", names[0], names[1], mine + there + table[0]() + table[argc]());
	return 0;
}
"""


@pytest.fixture(params=BOARDS)
def sdk(request, tmp_path):
    return Sdk(request.config, request.param, str(tmp_path))


def write(sdk, name, text):
    path = os.path.join(sdk.folder, name)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path


def guest_with(sdk, programs, data):
    """A guest with programs, with /bin/linux, and with files as data beside them."""
    guest = sdk.guest("linux=" + os.path.join(sdk.top, "programs", "linux"), *programs)
    add_data(sdk, programs, data)
    return guest


def add_data(sdk, programs, data):
    entries = ["linux=" + os.path.join(sdk.top, "programs", "linux"),
               *(word if "=" in word else f"{os.path.basename(word)}={word}" for word in programs)]
    with open(os.path.join(sdk.build, "initrd.list"), encoding="ascii") as file:
        entries += [entry for entry in file.read().split() if entry.split("=")[0] in ("init", "hello")]
    entries = [e if os.path.isabs(e.split("=")[1]) else e.replace("=", f"={TOP}/") for e in entries]
    for name, path in data.items():
        entries += ["--data", f"{name}={path}"]
    subprocess.run([os.path.join(sdk.build, "host", "twzpack"), "create", "-o",
                    os.path.join(sdk.folder, "pack", "initrd.pack"), "--init", "init", *entries], check=True)


def for_linux(sdk, name, source, *flags):
    """What the plain cross compiler makes of a program, linked statically."""
    out = os.path.join(sdk.folder, name)
    subprocess.run([CROSS[sdk.cpu], "-O1", "-static", "-pthread", "-w", "-o", out, source, *flags], check=True)
    return out


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_position_independent(sdk, compiler):
    """One that can stand anywhere runs from the pack, and as a file that was copied."""
    write(sdk, "there.c", "__thread int there = 2;\n")
    program = sdk.compile("pie", "-fPIE", "-pie", write(sdk, "pie.c", PIE), os.path.join(sdk.folder, "there.c"),
                          env={"TWZ_CC": compiler})
    copy = sdk.compile("copy", write(sdk, "copy.c", COPY))
    guest = guest_with(sdk, [program, copy], {"file": program})
    result = guest.run("pie; copy pie; copy file", smp=4).expect(OK).expect_clean()
    assert len(result.find("^first second 45$")) == 3, result.describe()


def test_copies(sdk):
    """A program's bytes are a program: of one in the pack, and of an ELF file."""
    hello = sdk.compile("greet", f"{TOP}/tools/sdk/examples/hello/hello.c")
    guest = guest_with(sdk, [hello, sdk.compile("copy", write(sdk, "copy.c", COPY))], {"elf": hello})
    result = guest.run("copy greet; copy elf", pmem=guest.path("pmem")).expect(OK).expect_clean()
    assert len(result.find("^status 0 of 2$")) == 2, result.describe()


@pytest.mark.parametrize("cpus", [1, 4])
def test_exec(sdk, cpus):
    """What execve() takes and refuses is what Linux does."""
    source = os.path.join(POSIX, "exec.c")
    expected = linux(source, sdk.folder, "-w").splitlines()
    result = sdk.guest(sdk.compile("posix", source)).run("posix", smp=cpus).expect(OK).expect_clean()
    out = result.out[result.out.index("no persistent store: names"):].splitlines()[1:]
    assert out[:len(expected)] == expected, result.describe()


@pytest.mark.parametrize("name", ["events", "exec", "files", "processes"])
@pytest.mark.parametrize("cpus", [1, 4])
def test_linux(sdk, name, cpus):
    """A program of another C library, linked for Linux, prints here what it prints there."""
    source = os.path.join(POSIX, name + ".c")
    expected = linux(source, sdk.folder).splitlines()
    copy = sdk.compile("copy", write(sdk, "copy.c", COPY))
    guest = guest_with(sdk, [copy], {"foreign": for_linux(sdk, "foreign", source)})
    result = guest.run("copy foreign", smp=cpus).expect(OK).expect_clean()
    out = result.out[result.out.index("no persistent store: names"):].splitlines()[1:]
    assert out[:len(expected)] == expected, result.describe()


def test_put(sdk):
    """Programs that the host tool copied into a store are run, twice, from the same image."""
    image, tool = os.path.join(sdk.folder, "pmem.img"), os.path.join(sdk.build, "host", "twzstore")
    plain = write(sdk, "plain.c", '#include <stdio.h>\nint main(void) { return puts("plain") < 0; }\n')
    runner = sdk.compile("run", write(sdk, "run.c", "#include <unistd.h>\nint main(int c, char **v)\n"
                                                    "{ execv(v[1], v + 1); return 99; }\n"))
    sdk.run(tool, "create", image, "64M")
    sdk.run(tool, "put", image, sdk.compile("own", plain))
    sdk.run(tool, "put", image, for_linux(sdk, "other", plain), "foreign")
    taken = subprocess.run([tool, "put", image, plain, "foreign"], capture_output=True, text=True, check=False)
    assert taken.returncode == 1 and "foreign: exists already" in taken.stderr
    guest = guest_with(sdk, [runner], {})
    for _ in range(2):
        result = guest.run("run /own; run /foreign", pmem=image).expect(OK).expect_clean()
        assert len(result.find("^plain$")) == 2, result.describe()
    guest.run("run /none", pmem=image).expect(FAILED)
    sdk.run(tool, "check", "--objects", image)


def test_put_refusals(sdk):
    """No image, no file, no room, no folder, an image that is in use: each is said, and nothing is changed."""
    image, tool = os.path.join(sdk.folder, "pmem.img"), os.path.join(sdk.build, "host", "twzstore")
    small, large = write(sdk, "small", "x"), write(sdk, "large", "x" * (6 << 20))
    sdk.run(tool, "create", image, "4M")
    for words, said in (([image + "x", small], "No such file"), ([image, small + "x"], "No such file"),
                        ([image, large], "no space left"), ([image, small, "none/x"], "no such namespace"),
                        ([small, small], "")):
        done = subprocess.run([tool, "put", *words], capture_output=True, text=True, check=False)
        assert done.returncode in (1, 3) and said in done.stderr and done.stderr.count("\n") == 1, (words, done.stderr)
    guest = guest_with(sdk, [], {})
    session = guest.start(pmem=image)
    session.expect("twz> ")
    done = subprocess.run([tool, "put", image, small], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "in use" in done.stderr, done.stderr
    session.close()
