// SPDX-License-Identifier: BSD-3-Clause
/* Files and directories: what each call says, in a folder of its own. Compared with Linux. */
#include "posix.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static void opening(void)
{
	char buf[16];
	int fd;

	SAY(open("none", O_RDONLY));
	SAY(open("none/none", O_CREAT | O_RDWR, 0644));
	SAY(open("", O_RDONLY));
	fd = open("file", O_CREAT | O_EXCL | O_RDWR, 0640);
	TELL("created", fd >= 0);
	SAY(open("file", O_CREAT | O_EXCL | O_RDWR, 0640));
	SAY(open("file", O_RDONLY | O_DIRECTORY));
	SAY(open("file/", O_RDONLY));
	SAY(open("file/x", O_RDONLY));
	SAY(open(".", O_RDWR));
	SAY(write(fd, "hello world", 11));
	SAY(lseek(fd, 0, SEEK_CUR));
	SAY(lseek(fd, -4, SEEK_SET));
	SAY(lseek(fd, 6, SEEK_SET));
	SAY(read(fd, buf, 16));
	SAY(read(fd, buf, 16));
	SAY(lseek(fd, -5, SEEK_END));
	SAY(lseek(fd, 1, 77));
	SAY(pread(fd, buf, 5, 0));
	SAY(pwrite(fd, "J", 1, 0));
	SAY(pread(fd, buf, 5, 100));
	SAY(pread(fd, buf, 5, -1));
	SAY(close(fd));
	SAY(close(fd));
	SAY(read(fd, buf, 1));
	SAY(write(-1, buf, 1));
	SAY(close(9999));
}

static void modes_of_access(void)
{
	char buf[8];
	int r = open("file", O_RDONLY), w = open("file", O_WRONLY), a = open("file", O_RDWR | O_APPEND);

	SAY(write(r, "x", 1));
	SAY(read(w, buf, 1));
	SAY(write(a, "!", 1));
	SAY(lseek(a, 0, SEEK_CUR));
	SAY(ftruncate(r, 3));
	SAY(ftruncate(w, 5));
	SAY(ftruncate(w, -1));
	SAY(lseek(a, 0, SEEK_END));
	SAY(ftruncate(w, 9));
	SAY(pread(r, buf, 8, 1));
	TELL("zeroes behind", buf[7] == 0 && buf[5] == 0);
	TELL("flags", fcntl(a, F_GETFL) & (O_ACCMODE | O_APPEND));
	SAY(fcntl(a, F_GETFD));
	SAY(fcntl(a, F_SETFD, FD_CLOEXEC));
	SAY(fcntl(a, F_GETFD));
	SAY(fcntl(99, F_GETFL));
	close(r), close(w), close(a);
}

static void descriptors(void)
{
	int fd = open("file", O_RDONLY), other;

	other = dup(fd);
	TELL("next", other == fd + 1);
	SAY(dup2(fd, 20));
	SAY(dup2(fd, fd) == fd);
	SAY(dup2(99, 20));
	SAY(dup(99));
	SAY(dup2(fd, -1));
	SAY(lseek(fd, 3, SEEK_SET));
	SAY(lseek(20, 0, SEEK_CUR));
	SAY(fcntl(fd, F_DUPFD, 30));
	close(fd), close(other), close(20), close(30);
}

static void pieces(void)
{
	char a[3] = "", b[8] = "";
	struct iovec v[2] = { { a, 2 }, { b, 7 } };
	struct iovec w[2] = { { "ab", 2 }, { "cdef", 4 } };
	int fd = open("pieces", O_CREAT | O_RDWR | O_TRUNC, 0600);
	volatile int count = -1;

	SAY(writev(fd, w, 2));
	SAY(lseek(fd, 0, SEEK_SET));
	SAY(readv(fd, v, 2));
	TELL("content", strcmp(a, "ab") == 0 && strcmp(b, "cdef") == 0);
	SAY(readv(fd, v, count));
	close(fd);
	SAY(unlink("pieces"));
}

static void directories(void)
{
	struct dirent *e;
	int names = 0;
	DIR *d;

	SAY(mkdir("dir", 0755));
	SAY(mkdir("dir", 0755));
	SAY(mkdir("no/dir", 0755));
	SAY(mkdir("dir/sub", 0700));
	SAY(rmdir("dir"));
	SAY(rmdir("file"));
	SAY(unlink("dir"));
	SAY(unlink("none"));
	SAY(rmdir("none"));
	SAY(chdir("dir"));
	SAY(chdir("../file"));
	SAY(chdir("none"));
	SAY(access("sub", F_OK));
	SAY(chdir(".."));
	d = opendir("dir");
	while ((e = readdir(d)))
		names++;
	closedir(d);
	TELL("names", names);
	SAY(rmdir("dir/sub"));
	SAY(rmdir("dir"));
	SAY(opendir("dir") != NULL);
}

static void links_and_renames(void)
{
	char buf[32];
	struct stat st;

	SAY(symlink("file", "soft"));
	SAY(symlink("file", "soft"));
	SAY(readlink("soft", buf, 32));
	SAY(readlink("soft", buf, 2));
	SAY(readlink("file", buf, 32));
	SAY(readlink("none", buf, 32));
	SAY(lstat("soft", &st));
	TELL("is a link", S_ISLNK(st.st_mode));
	SAY(stat("soft", &st));
	TELL("is a file", S_ISREG(st.st_mode));
	SAY(symlink("loop", "loop"));
	SAY(open("loop", O_RDONLY));
	SAY(stat("loop", &st));
	SAY(open("soft", O_RDONLY | O_NOFOLLOW));
	SAY(link("file", "hard"));
	SAY(link("file", "hard"));
	SAY(link("none", "hard2"));
	SAY(stat("hard", &st));
	TELL("links", st.st_nlink);
	SAY(unlink("hard"));
	SAY(stat("file", &st));
	TELL("links", st.st_nlink);
	SAY(rename("file", "moved"));
	SAY(rename("file", "moved"));
	SAY(access("file", F_OK));
	SAY(mkdir("d1", 0755) | mkdir("d2", 0755) | mkdir("d1/in", 0755));
	SAY(rename("d1", "d1/in/x"));
	SAY(rename("moved", "d2"));
	SAY(rename("d2", "moved"));
	SAY(rename("d2", "d1"));
	SAY(rename("d1", "d2"));
	SAY(access("d2/in", F_OK));
	SAY(rename("moved", "file"));
	SAY(rmdir("d2/in") | rmdir("d2"));
	SAY(unlink("soft") | unlink("loop"));
}

static void attributes(void)
{
	struct stat st;

	umask(027);
	SAY(close(open("masked", O_CREAT | O_RDWR, 0777)));
	SAY(stat("masked", &st));
	TELL("mode", st.st_mode & 07777);
	SAY(chmod("masked", 0604));
	SAY(stat("masked", &st));
	TELL("mode", st.st_mode & 07777);
	TELL("size", st.st_size);
	SAY(truncate("masked", 100));
	SAY(stat("masked", &st));
	TELL("size", st.st_size);
	SAY(truncate("none", 1));
	SAY(chmod("none", 0600));
	SAY(unlink("masked"));
	SAY(fstat(99, &st));
	SAY(access("file", 64));
}

static void gone_but_open(void)
{
	char buf[8] = "";
	int fd = open("ghost", O_CREAT | O_RDWR, 0600);

	SAY(write(fd, "boo", 3));
	SAY(unlink("ghost"));
	SAY(access("ghost", F_OK));
	SAY(pread(fd, buf, 8, 0));
	TELL("content", strcmp(buf, "boo") == 0);
	SAY(close(fd));
}

int main(void)
{
	SAY(mkdir("posix-files", 0755));
	SAY(chdir("posix-files"));
	opening();
	modes_of_access();
	descriptors();
	pieces();
	directories();
	links_and_renames();
	attributes();
	gone_but_open();
	SAY(unlink("file"));
	SAY(chdir(".."));
	SAY(rmdir("posix-files"));
	return 0;
}
