# SPDX-License-Identifier: BSD-3-Clause
"""Each public header by itself, as C and as C++, and a program in C++ that uses the hosted libtwz.a."""
import os
import platform
import shutil
import subprocess

import pytest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
PUBLIC = ("userspace/libtwz/include", "lib/abi/include")
FOLDERS = [f"userspace/libtwz/hosted/arch/{platform.machine()}/include", "userspace/libtwz/hosted/include", *PUBLIC,
           "lib/base/include"]
INCLUDE = ["-I" + os.path.join(TOP, folder) for folder in FOLDERS]
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
COMPILERS = [("gcc", "c", "-std=gnu11"), ("g++", "c++", "-std=gnu++17"),
             ("clang", "c", "-std=gnu11"), ("clang++", "c++", "-std=gnu++17")]

PROGRAM = """
#include <twz/alloc.h>
#include <twz/ds/map.h>
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/sys/kec.h>

int main()
{
	twzobj o;
	uint64_t value = 42;

	if (twz_object_new(&o, nullptr, nullptr, TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE) < 0 ||
	    twz_object_init_alloc(&o, sizeof(struct twz_map)) < 0)
		return 1;
	struct twz_map *map = static_cast<struct twz_map *>(twz_object_base(&o));
	if (twz_map_put_u64(&o, map, 7, &value, sizeof(value), 0) < 0)
		return 2;
	value = 0;
	if (twz_map_get_u64(&o, map, 7, &value, sizeof(value)) != sizeof(value))
		return 3;
	kec_printf("value %lu\\n", static_cast<unsigned long>(value));
	return 0;
}
"""


def headers():
    for folder in PUBLIC:
        top = os.path.join(TOP, folder)
        for path, _, names in os.walk(top):
            yield from (os.path.relpath(os.path.join(path, name), top) for name in names if name.endswith(".h"))


def run(words, **more):
    return subprocess.run(words, capture_output=True, text=True, check=False, **more)


@pytest.mark.parametrize("compiler, language, standard", COMPILERS, ids=lambda value: value)
def test_each_header_stands_alone(compiler, language, standard):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    wrong = []
    for header in sorted(headers()):
        done = run([compiler, standard, *WARNINGS, "-fsyntax-only", *INCLUDE, "-x", language, "-"],
                   input=f"#include <{header}>\n#include <{header}>\n")
        if done.returncode:
            wrong.append(f"{header}: {done.stderr[:500]}")
    assert not wrong, "\n".join(wrong)


def test_a_program_in_cplusplus(pytestconfig, tmp_path):
    library = os.path.join(pytestconfig.getoption("--build-root"), "hosted", "libtwz.a")
    if not shutil.which("g++") or not os.path.isfile(library):
        pytest.skip("no g++, or the hosted build is not there")
    source, program = tmp_path / "program.cc", tmp_path / "program"
    source.write_text(PROGRAM, encoding="ascii")
    done = run(["g++", "-std=gnu++17", *WARNINGS, *INCLUDE, "-o", program, source, library, "-pthread"])
    assert done.returncode == 0, done.stderr
    done = run([program])
    assert (done.returncode, done.stdout) == (0, "value 42\n"), done
