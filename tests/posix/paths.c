// SPDX-License-Identifier: BSD-3-Clause
/* Names at their limits: long ones, links in circles, files that are gone but open. Compared with Linux. */
#define _GNU_SOURCE
#include "posix.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Not every C library has these. */
#define renameat2(...) syscall(SYS_renameat2, __VA_ARGS__)
#define preadv2(fd, v, n, at, flags) syscall(SYS_preadv2, fd, v, n, at, 0, flags)
#define pwritev2(fd, v, n, at, flags) syscall(SYS_pwritev2, fd, v, n, at, 0, flags)
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif
#ifndef RWF_DSYNC
#define RWF_DSYNC 2
#endif

static void make(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (write(fd, text, strlen(text)) < 0)
		perror(name);
	close(fd);
}

static void long_names(void)
{
	char name[300], path[5000];
	static char huge[200002];

	memset(name, 'n', sizeof(name));
	name[255] = 0;
	SAY(close(open(name, O_CREAT | O_RDWR, 0600)));
	SAY(unlink(name));
	name[255] = 'n', name[256] = 0;
	SAY(open(name, O_CREAT | O_RDWR, 0600));
	SAY(mkdir(name, 0700));
	SAY(unlink(name));
	SAY(symlink("x", name));
	for (size_t i = 0; i < 4094; i += 2)
		memcpy(path + i, "./", 2);
	strcpy(path + 4094, "f");
	make("f", "1");
	SAY(access(path, F_OK));
	strcpy(path + 4094, "./f");
	SAY(access(path, F_OK));
	for (size_t i = 0; i < 200000; i += 2)
		memcpy(huge + i, "d/", 2);
	SAY(open(huge, O_RDONLY));
	SAY(mkdir(huge, 0700));
	SAY(chdir(huge));
	SAY(access("f/", F_OK));
	SAY(access("f/.", F_OK));
	SAY(access("./././f", F_OK));
	SAY(access("/..", F_OK));
	SAY(access("//", F_OK));
	SAY(open("new/", O_CREAT | O_RDWR, 0600));
	SAY(mkdir("newdir/", 0700));
	SAY(rmdir("newdir/"));
	SAY(mkdir(".", 0700));
	SAY(mkdir("..", 0700));
	SAY(rmdir("."));
	SAY(rmdir("f/"));
	SAY(unlink("f/"));
	SAY(rename("f", "g/"));
	SAY(rename("f/", "g"));
	SAY(link("f", "g/"));
	SAY(symlink("f", "g/"));
}

static void links_to_links(void)
{
	char from[16], to[16], buf[16];
	struct stat st;
	int fd;

	make("l0", "end");
	for (int i = 1; i <= 41; i++) {
		snprintf(from, sizeof(from), "l%d", i - 1);
		snprintf(to, sizeof(to), "l%d", i);
		if (symlink(from, to))
			perror(to);
	}
	SAY(access("l40", F_OK));
	SAY(access("l41", F_OK));
	SAY(lstat("l41", &st));
	SAY(symlink("", "empty"));
	SAY(symlink("nowhere", "dangling"));
	SAY(open("dangling", O_RDONLY));
	SAY(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600));
	SAY(fd = open("dangling", O_RDWR | O_CREAT, 0600));
	SAY(close(fd));
	SAY(access("nowhere", F_OK));
	SAY(open("dangling", O_RDONLY | O_NOFOLLOW));
	SAY(open("dangling", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
	SAY(mkdir("dangling", 0700));
	SAY(symlink(".", "here"));
	SAY(access("here/here/here/l0", F_OK));
	SAY(unlink("here/"));
	SAY(rmdir("here"));
	SAY(lstat("here/", &st));
	TELL("a directory", S_ISDIR(st.st_mode));
	SAY(open("here", O_DIRECTORY | O_NOFOLLOW));
	SAY(readlink("here", buf, sizeof(buf)));
	SAY(unlink("here"));
	for (int i = 0; i <= 41; i++) {
		snprintf(to, sizeof(to), "l%d", i);
		unlink(to);
	}
	SAY(unlink("dangling") | unlink("nowhere"));
}

static void gone_but_open(void)
{
	char buf[8] = "";
	struct stat st;
	int fd, other, status;
	pid_t pid;

	SAY(fd = open("ghost", O_CREAT | O_RDWR | O_EXCL, 0600));
	SAY(unlink("ghost"));
	SAY(write(fd, "abc", 3));
	SAY(fstat(fd, &st));
	TELL("links", st.st_nlink);
	pid = fork();
	if (pid == 0)
		_exit(pread(fd, buf, 3, 0) != 3 || memcmp(buf, "abc", 3) || write(fd, "d", 1) != 1);
	waitpid(pid, &status, 0);
	TELL("child", WEXITSTATUS(status));
	SAY(lseek(fd, 0, SEEK_END));
	SAY(close(fd));

	make("one", "1");
	make("two", "22");
	SAY(fd = open("two", O_RDONLY));
	SAY(rename("one", "two"));
	SAY(read(fd, buf, 8));
	SAY(fstat(fd, &st));
	TELL("links", st.st_nlink);
	SAY(close(fd));
	SAY(stat("two", &st));
	TELL("size", st.st_size);
	SAY(unlink("two"));

	SAY(mkdir("gone", 0700));
	SAY(fd = open("gone", O_RDONLY | O_DIRECTORY));
	SAY(chdir("gone"));
	SAY(rmdir("../gone"));
	SAY(open("x", O_CREAT | O_RDWR, 0600));
	SAY(mkdir("x", 0700));
	SAY(symlink("a", "x"));
	SAY(access(".", F_OK));
	SAY(getcwd(buf, sizeof(buf)) != NULL);
	SAY(fstat(fd, &st));
	TELL("links", st.st_nlink);
	SAY(chdir(".."));
	SAY(close(fd));
	SAY(fd = open(".", O_TMPFILE | O_RDWR, 0600));
	SAY(fstat(fd, &st));
	TELL("links", st.st_nlink);
	SAY(write(fd, "xyz", 3));
	SAY(close(fd));
	SAY(open(".", O_TMPFILE | O_RDONLY, 0600));
	SAY(fd = syscall(SYS_memfd_create, "m", 0));
	SAY(write(fd, "xyz", 3));
	SAY(ftruncate(fd, 100));
	SAY(other = dup(fd));
	SAY(lseek(other, 0, SEEK_CUR));
	SAY(close(fd) | close(other));
}

static void paths_only(void)
{
	struct stat st;
	char c;
	int fd, dir;

	make("f", "1");
	SAY(fd = open("f", O_PATH));
	SAY(read(fd, &c, 1));
	SAY(write(fd, &c, 1));
	SAY(fstat(fd, &st));
	SAY(fsync(fd));
	SAY(lseek(fd, 0, SEEK_SET));
	SAY(ftruncate(fd, 0));
	TELL("flags", (fcntl(fd, F_GETFL) & O_PATH) != 0);
	SAY(close(fd));
	SAY(dir = open(".", O_PATH | O_DIRECTORY));
	SAY(faccessat(dir, "f", R_OK, 0));
	SAY(fd = openat(dir, "f", O_RDONLY));
	SAY(close(fd));
	SAY(fchdir(dir));
	SAY(close(dir));
	SAY(faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS));
	SAY(faccessat(AT_FDCWD, "f", R_OK, 1));
	SAY(fstatat(AT_FDCWD, "", &st, 0));
	SAY(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
	TELL("a directory", S_ISDIR(st.st_mode));
	SAY(openat(99, "f", O_RDONLY));
	SAY(mknod("node", S_IFREG | 0600, 0));
	SAY(mknod("node", S_IFREG | 0600, 0));
	SAY(unlink("node"));
}

static void other_names(void)
{
	struct stat st;

	make("a", "a");
	make("b", "bb");
	SAY(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE));
	SAY(renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE));
	SAY(renameat2(AT_FDCWD, "c", AT_FDCWD, "b", 8 | 128));
	SAY(link("c", "d"));
	SAY(rename("c", "d"));
	SAY(access("c", F_OK));
	SAY(link(".", "e"));
	SAY(linkat(AT_FDCWD, "c", AT_FDCWD, "e", 7));
	SAY(mkdir("p", 0700) | mkdir("p/q", 0700) | mkdir("r", 0700));
	SAY(stat("p", &st));
	TELL("links", st.st_nlink);
	SAY(rename("p", "p/q/p"));
	SAY(rename("p/q", "p"));
	SAY(rename("p/q", "r"));
	SAY(stat("p", &st));
	TELL("links", st.st_nlink);
	SAY(access("r/..", F_OK));
	SAY(rename("r", "p/."));
	SAY(rename("r", ".."));
	SAY(rename(".", "r"));
	SAY(rename("c", "p"));
	SAY(rename("p", "c"));
	SAY(rename("", "c"));
	SAY(rmdir("p") | rmdir("r"));
	SAY(unlink("b") | unlink("c") | unlink("d"));
}

static void holes(void)
{
	char buf[8] = "";
	struct stat st;
	int fd;

	SAY(fd = open("holes", O_CREAT | O_RDWR, 0600));
	SAY(pwrite(fd, "x", 1, 1 << 20));
	SAY(fstat(fd, &st));
	TELL("size", st.st_size);
	TELL("few blocks", st.st_blocks < 64);
	SAY(lseek(fd, 0, SEEK_HOLE));
	SAY(lseek(fd, 0, SEEK_DATA));
	SAY(lseek(fd, 1 << 20, SEEK_HOLE));
	SAY(lseek(fd, (1 << 20) + 1, SEEK_DATA));
	SAY(lseek(fd, -1, SEEK_DATA));
	SAY(pread(fd, buf, 8, 4096));
	TELL("zero", buf[0]);
	SAY(ftruncate(fd, 10));
	SAY(ftruncate(fd, 1 << 21));
	SAY(pread(fd, buf, 8, 1 << 20));
	TELL("zero", buf[0]);
	SAY(lseek(fd, 0, SEEK_SET));
	SAY(lseek(fd, INT64_MAX, SEEK_CUR));
	SAY(lseek(fd, 1, SEEK_CUR));
	SAY(lseek(fd, -1, SEEK_SET));
	SAY(close(fd));
	SAY(truncate("holes", -1));
	SAY(truncate(".", 1));
	SAY(unlink("holes"));
}

static void at_the_end(void)
{
	char buf[64];
	int a, b, status, bad = 0;

	make("log", "");
	SAY(a = open("log", O_WRONLY | O_APPEND));
	SAY(b = open("log", O_RDWR | O_APPEND));
	SAY(write(a, "one", 3));
	SAY(write(b, "two", 3));
	SAY(lseek(a, 0, SEEK_CUR));
	SAY(lseek(b, 0, SEEK_CUR));
	SAY(pwrite(b, "three", 5, 0));
	SAY(pread(b, buf, 64, 0));
	TELL("appended", memcmp(buf, "onetwothree", 11));
	SAY(ftruncate(b, 0));
	for (int i = 0; i < 4; i++) {
		if (fork())
			continue;
		int fd = open("log", O_WRONLY | O_APPEND);

		memset(buf, 'a' + i, 10);
		for (int n = 0; n < 100; n++)
			bad += write(fd, buf, 10) != 10;
		_exit(bad);
	}
	for (int i = 0; i < 4; i++)
		if (wait(&status) < 0 || status)
			bad++;
	TELL("bad", bad);
	SAY(lseek(b, 0, SEEK_END));
	for (int n = 0; n < 400; n++) {
		if (pread(b, buf, 10, n * 10) != 10)
			bad++;
		for (int i = 1; i < 10; i++)
			bad += buf[i] != buf[0];
	}
	TELL("bad", bad);
	SAY(close(a) | close(b) | unlink("log"));
}

static void only_one(void)
{
	int status, made = 0;

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 4; i++)
			if (fork() == 0)
				_exit(open("lockfile", O_CREAT | O_EXCL | O_WRONLY, 0600) < 0);
		for (int i = 0; i < 4; i++)
			if (wait(&status) > 0 && status == 0)
				made++;
		unlink("lockfile");
	}
	TELL("made", made);
}

static void copying(void)
{
	struct iovec v = { "vec", 3 }, into;
	loff_t from = 2, to = 0;
	off_t at = 1;
	char buf[16] = "";
	int in, out;

	make("in", "0123456789");
	SAY(in = open("in", O_RDWR));
	SAY(out = open("out", O_CREAT | O_RDWR | O_TRUNC, 0600));
	SAY(copy_file_range(in, &from, out, &to, 5, 0));
	TELL("from", from);
	TELL("to", to);
	SAY(copy_file_range(in, NULL, out, NULL, 100, 0));
	SAY(lseek(in, 0, SEEK_CUR));
	SAY(lseek(out, 0, SEEK_CUR));
	SAY(copy_file_range(in, NULL, out, NULL, 100, 0));
	SAY(copy_file_range(in, NULL, out, NULL, 100, 1));
	SAY(copy_file_range(99, NULL, out, NULL, 100, 0));
	SAY(sendfile(out, in, &at, 4));
	TELL("at", at);
	SAY(pread(out, buf, 15, 0));
	TELL("content", memcmp(buf, "01234567891234", 14));
	SAY(sendfile(out, 99, NULL, 4));
	into = (struct iovec){ buf, 4 };
	SAY(preadv2(in, &into, 1, 3, 0));
	TELL("content", memcmp(buf, "3456", 4));
	SAY(pwritev2(in, &v, 1, 0, RWF_DSYNC));
	SAY(preadv2(in, &v, 1, 0, 0x4000));
	SAY(posix_fadvise(in, 0, 0, POSIX_FADV_RANDOM));
	SAY(posix_fadvise(in, 0, 0, 77));
	SAY(fdatasync(in));
	SAY(syncfs(in));
	SAY(close(in) | close(out) | unlink("in") | unlink("out"));
}

static void attributes(void)
{
	struct timespec now[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1000, .tv_nsec = 5 } };
	char value[8];
	struct stat st;
	int fd;

	make("f", "1");
	SAY(getxattr("f", "user.none", value, sizeof(value)));
	SAY(getxattr("none", "user.none", value, sizeof(value)));
	SAY(getxattr("f", "odd", value, sizeof(value)));
	SAY(listxattr("f", value, sizeof(value)));
	SAY(fgetxattr(99, "user.none", value, sizeof(value)));
	SAY(utimensat(AT_FDCWD, "f", now, 0));
	SAY(stat("f", &st));
	TELL("time", st.st_mtim.tv_sec * 10 + st.st_mtim.tv_nsec);
	now[1].tv_nsec = 1000000000;
	SAY(utimensat(AT_FDCWD, "f", now, 0));
	SAY(utimensat(AT_FDCWD, "none", NULL, 0));
	SAY(utimensat(AT_FDCWD, "f", NULL, 77));
	SAY(fd = open("f", O_RDONLY));
	SAY(futimens(fd, NULL));
	SAY(fchmod(fd, 07755));
	SAY(fstat(fd, &st));
	TELL("mode", st.st_mode & 07777);
	SAY(close(fd));
	SAY(symlink("none", "s"));
	now[1].tv_nsec = 0;
	SAY(utimensat(AT_FDCWD, "s", now, AT_SYMLINK_NOFOLLOW));
	SAY(fchmodat(AT_FDCWD, "s", 0600, 0));
	SAY(unlink("s") | unlink("f"));
}

int main(void)
{
	SAY(mkdir("posix-paths", 0755));
	SAY(chdir("posix-paths"));
	long_names();
	links_to_links();
	gone_but_open();
	paths_only();
	other_names();
	holes();
	at_the_end();
	only_one();
	copying();
	attributes();
	SAY(chdir(".."));
	SAY(rmdir("posix-paths"));
	return 0;
}
