// SPDX-License-Identifier: BSD-3-Clause
/*
 * No room left: each call says so as Linux does, this program goes on, and what is given back is there
 * again. With little memory and a small store it takes some seconds.
 *
 *   full store     files, directories, links, mappings until the store is full
 *   full memory    anonymous memory, processes, pipes until memory is
 */
#include "posix.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 65536

static char block[BLOCK];
static int bad;

/* What must be so. */
static void must(int true, const char *what)
{
	if (!true) {
		printf("not so: %s (errno %d)\n", what, errno);
		bad++;
	}
}

/* --- the store */

/* How much went into a file until there was no room. */
static long fill(const char *name, size_t piece)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_APPEND, 0644);
	long total = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = write(fd, block, piece)) > 0)
		total += n;
	must(n < 0 && errno == ENOSPC, "a write to a full store says ENOSPC");
	must(close(fd) == 0, "a file on a full store is closed");
	return total;
}

static void check_bytes(const char *name, long total)
{
	int fd = open(name, O_RDONLY);
	char buf[4096];
	long seen = 0, wrong = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++, seen++)
			wrong += buf[i] != block[seen % BLOCK];
	close(fd);
	must(seen == total, "the file has all that was written");
	must(wrong == 0, "the file's bytes are those that were written");
}

/* Files, directories and links until there are no more; how many. */
static int fill_with_names(int first)
{
	char name[64];
	int n = first;

	for (;; n++) {
		snprintf(name, sizeof(name), "full/%d", n);
		if (n % 3 == 0 && mkdir(name, 0755))
			break;
		if (n % 3 == 1 && symlink("nowhere", name))
			break;
		if (n % 3 == 2) {
			int fd = open(name, O_CREAT | O_WRONLY, 0644);

			if (fd < 0 || close(fd))
				break;
		}
	}
	must(errno == ENOSPC, "no more names: ENOSPC");
	return n;
}

static int remove_names(int n)
{
	char name[64];
	int gone = 0;

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "full/%d", i);
		gone += (i % 3 == 0 ? rmdir(name) : unlink(name)) == 0;
	}
	return gone;
}

/* A store beyond what there is room for, in a mapping: SIGBUS. */
static void touch(void)
{
	int fd = open("full/mapped", O_RDWR), status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		char *p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		for (long i = 0; p != MAP_FAILED && i < 64 << 20; i += 4096)
			p[i] = 1;
		_exit(1);
	}
	must(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS,
	    "a store into a mapped file without room: SIGBUS");
	printf("touch: status %x\n", status);
	close(fd);
}

/* Another program runs although there is no room for files. */
static void run_another(const char *self)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execl(self, self, "nothing", (char *)NULL);
		_exit(99);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "another program runs");
}

static unsigned long free_blocks(void)
{
	struct statvfs s;

	return statvfs("/", &s) ? 0 : s.f_bfree;
}

static void one_full_store(const char *self)
{
	unsigned long before = free_blocks();
	long total, more;
	int names, fd;

	must(mkdir("full", 0755) == 0, "a directory");
	fd = open("full/mapped", O_CREAT | O_RDWR, 0644);
	must(fd >= 0 && ftruncate(fd, 64 << 20) == 0 && close(fd) == 0, "a file with holes");
	names = fill_with_names(0);
	must(names > 100 && remove_names(names / 2) == names / 2, "names are removed from a full store");
	total = fill("full/big", BLOCK);
	total += fill("full/big", 100);
	run_another(self);
	touch();
	check_bytes("full/big", total);
	must(truncate("full/big", 0) == 0, "truncate on a full store");
	more = fill("full/big", BLOCK);
	must(more > total / 2, "what was truncated can be written again");
	check_bytes("full/big", more);
	must(unlink("full/big") == 0 && unlink("full/mapped") == 0, "files are removed from a full store");
	must(remove_names(names) == names - names / 2, "all names are removed");
	must(rmdir("full") == 0, "the directory is empty");
	printf("full: %ld bytes, %d names, %ld blocks less\n", total, names, (long)(before - free_blocks()));
	must(before - free_blocks() < 16 || before < free_blocks(), "the room is there again");
}

static void full_store(const char *self)
{
	for (int i = 0; i < BLOCK; i++)
		block[i] = (char)(i * 7 + i / 256);
	for (int i = 0; i < 3; i++)
		one_full_store(self);
}

/* --- memory */

static unsigned long free_memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : info.freeram;
}

/* What can be had is touched, too: then it is there. In a child, which may be killed for it. */
static void take_all(void)
{
	size_t size = 1 << 20;
	long total = 0;

	while (size >= 4096) {
		char *p = malloc(size);

		if (p) {
			memset(p, 1, size);
			total += (long)size;
		} else {
			size /= 2;
		}
	}
	_exit(total > 1 << 20 ? 0 : 1);
}

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

/* Children that each take some memory, until one cannot be made. */
static void many_processes(void)
{
	static pid_t pids[4096];
	int n = 0, status;

	while (n < 4096 && (pids[n] = fork()) > 0)
		n++;
	if (n < 4096 && pids[n] == 0) {
		memset(malloc(200000) ?: block, 1, 60000);
		sleep_for_ever();
	}
	must(n == 4096 || errno == EAGAIN || errno == ENOMEM, "no more processes: EAGAIN or ENOMEM");
	printf("processes: %d\n", n);
	for (int i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < n; i++)
		must(waitpid(pids[i], &status, 0) == pids[i], "a child that was killed is waited for");
}

static void many_pipes(void)
{
	int n = 0, fd[2];

	while (pipe(fd) == 0 && fcntl(fd[1], F_SETFL, O_NONBLOCK) == 0) {
		while (write(fd[1], block, 4096) > 0)
			;
		n++;
	}
	_exit(errno == EMFILE || errno == ENFILE || errno == ENOMEM ? 0 : 1);
}

static int in_a_child(void (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		fn();
	must(pid > 0 && waitpid(pid, &status, 0) == pid, "a child");
	return status;
}

static void full_memory(const char *self)
{
	unsigned long before = 0;

	for (int i = 0; i < 4; i++) {
		if (i == 2)
			before = free_memory();
		printf("memory: status %x\n", in_a_child(take_all));
		run_another(self);
		many_processes();
		run_another(self);
		printf("pipes: status %x\n", in_a_child(many_pipes));
		run_another(self);
	}
	printf("memory: %ld bytes less\n", (long)(before - free_memory()));
	must((long)(before - free_memory()) < 256 << 10, "memory is there again");
}

int main(int argc, char **argv)
{
	static char self[256];

	snprintf(self, sizeof(self), "%s%s", argv[0][0] == '/' ? "" : "/bin/", argv[0]);
	if (argc < 2 || strcmp(argv[1], "nothing") == 0)
		return 0;
	if (strcmp(argv[1], "store") == 0)
		full_store(self);
	else
		full_memory(self);
	printf("full: bad %d\n", bad);
	return bad != 0;
}
