# SPDX-License-Identifier: BSD-3-Clause
"""
Programs of others, built by recipe: what they print in the guest is what they print on this machine; their own tests
pass; a database survives the end of a writer and of the power. `make test` has built the ports.
"""
import os
import random
import re
import subprocess
import time

import pytest
from conftest import BOARDS, build_folder
from guest import OK, TOP, Guest

POSIX = os.path.join(TOP, "tests", "posix")
BEGIN, END = "--- begin", "--- end"


class Ports:
    """The ports of one board, and guests that have some of them."""

    def __init__(self, config, board, folder):
        self.board, self.folder = board, folder
        self.root = config.getoption("--build-root")
        self.build = build_folder(config, board)
        self.environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8", "HOME": folder}

    def program(self, port, name):
        return os.path.join(self.root, "ports", self.board.removeprefix("qemu-virt-"), port, "out", name)

    def guest(self, programs, data=None):
        """A guest with programs (name to path), and with files in /bin (name to text or bytes)."""
        pack = os.path.join(self.folder, "pack")
        os.makedirs(pack, exist_ok=True)
        for name in os.listdir(self.build):
            if name.startswith(("Image", "kernel.elf", ".config")) and not os.path.lexists(os.path.join(pack, name)):
                os.symlink(os.path.join(self.build, name), os.path.join(pack, name))
        if not os.path.lexists(os.path.join(pack, "host")):
            os.symlink(os.path.join(self.build, "host"), os.path.join(pack, "host"))
        words = [f"init={self.build}/user/init.elf", f"dash={self.program('dash', 'dash')}"]
        words += [f"{name}={path}" for name, path in programs.items()]
        for name, content in (data or {}).items():
            path = os.path.join(self.folder, "data-" + name)
            with open(path, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
            words = ["--data", f"{name}={path}", *words]
        subprocess.run([os.path.join(self.build, "host", "twzpack"), "create", "-o", os.path.join(pack, "initrd.pack"),
                        "--init", "init", *words], check=True)
        return Guest(self.board, pack, self.folder)

    def script(self, text, programs, data=None, **options):
        """What a script of dash prints in the guest, as lines."""
        whole = f"export PATH=/bin HOME=/ TZ=UTC LC_ALL=C.UTF-8\necho '{BEGIN}'\n{text}\necho '{END}'\n"
        guest = self.guest(programs, {**(data or {}), "run.sh": whole})
        result = guest.run("dash /bin/run.sh", **options).expect(OK).expect_clean()
        return between(result.out)


def between(out):
    """The lines that a script printed."""
    lines = out.split("\n")
    assert BEGIN in lines and END in lines, out[-3000:]
    return lines[lines.index(BEGIN) + 1:lines.index(END)]


def text_of(name):
    with open(os.path.join(POSIX, name), encoding="utf-8") as file:
        return file.read()


@pytest.fixture(params=BOARDS)
def ports(request, tmp_path):
    return Ports(request.config, request.param, str(tmp_path))


# --- SQLite

@pytest.fixture
def sqlite(ports):
    ports.sqlite = {"sqlite3": ports.program("sqlite", "sqlite3")}
    return ports


def sqlite_here(ports, sql):
    """What this machine's SQLite prints."""
    work = os.path.join(ports.folder, "sql")
    os.makedirs(work)
    return subprocess.run(["sqlite3", "-batch", "x.db"], input=sql, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, cwd=work, env=ports.environment, check=False, timeout=300).stdout.splitlines()


@pytest.mark.parametrize("vfs", ["unix", "objects"])
@pytest.mark.parametrize("name", ["select", "transaction"])
def test_sql(sqlite, name, vfs):
    """A script of SQL prints here what it prints on this machine, with either way to keep files."""
    sql = text_of(name + ".sql")
    expected = sqlite_here(sqlite, sql)
    lines = sqlite.script(f"sqlite3 -batch -vfs {vfs} /x.db </bin/script.sql 2>&1", sqlite.sqlite, {"script.sql": sql})
    assert lines == expected


# A database whose rows, counted and summed, must be what a second table says. Each transaction says so when it is made.
LOOK = """
pragma busy_timeout = 20000;
create table if not exists item(n integer primary key, body blob);
create table if not exists known(count int, bytes int);
insert into known select 0, 0 where not exists (select * from known);
select 'check ' || integrity_check from pragma_integrity_check;
select 'rows ' || (select count(*) from item), 'known ' || count from known;
select 'bytes ' || (select coalesce(sum(length(body)), 0) from item), 'known ' || bytes from known;
select 'kept ' || coalesce(max(n), 0) from item;
"""
ADD = """
begin immediate;
insert into item select coalesce(max(n), 0) + 1, randomblob(abs(random()) % 9000) from item;
update known set count = count + 1, bytes = bytes + (select length(body) from item order by n desc limit 1);
commit;
select 'done ' || max(n) from item;
"""


def sound(lines):
    """The number of the last row, of a database that agrees with itself."""
    assert "check ok" in lines and not any(line.startswith("check") and line != "check ok" for line in lines), lines
    for word in ("rows", "bytes"):
        found = [re.fullmatch(rf"{word} (\d+)\|known (\d+)", line) for line in lines]
        assert [m for m in found if m and m[1] == m[2]], lines
    return max(int(line.split()[1]) for line in lines if re.fullmatch(r"kept \d+", line))


@pytest.mark.parametrize("vfs,journal", [("objects", "delete"), ("objects", "wal"), ("unix", "delete"), ("unix", "wal")])
def test_power_cut(sqlite, vfs, journal):
    """The power goes while transactions are made: those that were said to be made are there, and no half of another."""
    sql = f"pragma journal_mode = {journal};\n{LOOK}select 'looked';\n" + ADD * 400
    run = f"export PATH=/bin\nsqlite3 -batch -vfs {vfs} /p.db </bin/add.sql\n"
    guest = sqlite.guest(sqlite.sqlite, {"add.sql": sql, "run.sh": run})
    region, rng, done = guest.path("pmem"), random.Random(f"{vfs}{journal}"), 0
    for _ in range(5):
        session = guest.start(autorun="dash /bin/run.sh", pmem=region, pmem_size="64M")
        session.expect("looked")
        kept = sound(session.out.split("\n"))
        assert done <= kept, "a transaction that was said to be made is lost"
        for _ in range(rng.randint(1, 25)):
            session.expect(r"done \d+")
        time.sleep(rng.random() * 0.02)
        session.cut_power()
        # A number that was cut short on its way out is not one.
        done = max(int(n) for n in re.findall(r"done (\d+)\n", session.out))
    assert done > 10


@pytest.mark.parametrize("vfs", ["unix", "objects"])
def test_processes_on_one_database(sqlite, vfs):
    """Four writers at once, one of them killed again and again: nothing is lost, nothing is half."""
    add = ".output /dev/null\npragma busy_timeout = 60000;\n" + ADD * 10
    script = f"""
sqlite3 -batch -vfs {vfs} /s.db </bin/look.sql >/dev/null
for i in 1 2 3; do sqlite3 -batch -vfs {vfs} /s.db </bin/add.sql & w="$w $!"; done
for i in 1 2 3 4; do
	sqlite3 -batch -vfs {vfs} /s.db </bin/add.sql & sleep 0.0$i; kill -9 $!; wait $! 2>/dev/null
done
wait $w
sqlite3 -batch -vfs {vfs} /s.db </bin/look.sql"""
    programs = {**sqlite.sqlite, "sleep": sqlite.program("busybox", "busybox")}
    lines = sqlite.script(script, programs, {"add.sql": add, "look.sql": LOOK}, smp=4)
    assert sound(lines) >= 30


def test_speed(sqlite):
    """SQLite's own measure of speed runs, and finds what it expects; its database is sound."""
    lines = sqlite.script("speedtest1 --size 2 --verify /v.db && speedtest1 --size 2 --verify --vfs unix /w.db\n"
                          "sqlite3 /v.db 'pragma integrity_check'\nsqlite3 /w.db 'pragma integrity_check'",
                          {**sqlite.sqlite, "speedtest1": sqlite.program("sqlite", "speedtest1")})
    hashes = [line for line in lines if line.startswith("Verification Hash")]
    assert len(hashes) == 2 and hashes[0] == hashes[1] and lines[-2:] == ["ok", "ok"], lines


# --- toybox: of its own tests, run by bash, those that pass on Linux as well and are soon done

TOYS = ("basename cmp comm cut dirname echo expand factor head ln mktemp paste printf rev rmdir sort split tee "
        "uudecode wc xxd")
RUN_TOYS = """
mkdir -p /tmp /etc /t/bin
echo root:x:0:0:root:/:/bin/bash >/etc/passwd
echo root:x:0: >/etc/group
cd /t
tar xf /bin/tests.tar
for i in $(toybox); do ln -s /bin/toybox bin/$i; done
for i in bash sh; do ln -sf /bin/bash bin/$i; done
for i in diff awk tr expr; do [ -e bin/$i ] || ln -s /bin/busybox bin/$i; done
cat >run <<'END'
. scripts/runtest.sh
export FILES=/t/tests/files LC_COLLATE=C VERBOSE="all quiet" PATH=/t/bin
for CMDNAME; do
	rm -rf /t/work; mkdir -p /t/work; cd /t/work; C=/t/bin/$CMDNAME
	( . /t/tests/$CMDNAME.test ) </dev/null 2>&1
	echo "END: $CMDNAME"
done
END
bash run """


def test_toybox(ports):
    """The tests that come with toybox, of the commands that are about text and files."""
    source = os.path.join(ports.root, "ports", ports.board.removeprefix("qemu-virt-"), "toybox", "source")
    archive = os.path.join(ports.folder, "tests.tar")
    subprocess.run(["tar", "-C", source, "-cf", archive, "tests", "scripts/runtest.sh"], check=True)
    programs = {"bash": ports.program("bash", "bash"), "busybox": ports.program("busybox", "busybox")}
    programs.update((name, ports.program("toybox", "toybox")) for name in ("toybox", "tar", "mkdir", "ln", "cat"))
    with open(archive, "rb") as file:
        lines = ports.script(RUN_TOYS + TOYS, programs, {"tests.tar": file.read()}, smp=4, timeout=300)
    ended = [line for line in lines if line.startswith("END: ")]
    failed = [line for line in lines if line.startswith("FAIL: ")]
    assert len(ended) == len(TOYS.split()) and not failed, failed
    assert len([line for line in lines if line.startswith("PASS: ")]) > 280
