// SPDX-License-Identifier: BSD-3-Clause
/* /dev and /proc, as far as they say the same everywhere. Compared with Linux. */
#define _GNU_SOURCE
#include "posix.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void device(const char *path)
{
	struct stat st;
	char buf[4] = "zzz";
	int fd;

	SAY(stat(path, &st));
	TELL("a device", S_ISCHR(st.st_mode));
	TELL("number", major(st.st_rdev) * 1000 + minor(st.st_rdev));
	SAY(fd = open(path, O_RDWR));
	SAY(read(fd, buf, 3));
	SAY(write(fd, "abc", 3));
	SAY(lseek(fd, 0, SEEK_SET));
	SAY(fstat(fd, &st));
	TELL("number", major(st.st_rdev) * 1000 + minor(st.st_rdev));
	SAY(close(fd));
	SAY(open(path, O_RDONLY | O_DIRECTORY));
	SAY(open(path, O_CREAT | O_EXCL | O_RDWR, 0600));
}

static int has(const char *path, const char *name)
{
	struct dirent *e;
	DIR *d = opendir(path);
	int found = 0;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, name) == 0)
			found += 1 + (e->d_type == DT_DIR) * 10 + (e->d_type == DT_LNK) * 100 + (e->d_type == DT_CHR) * 1000;
	if (d)
		closedir(d);
	return found;
}

static void directories(void)
{
	char buf[64];
	struct stat st;

	TELL("dev", has("/", "dev"));
	TELL("proc", has("/", "proc"));
	TELL("dot", has("/dev", ".") + has("/dev", ".."));
	TELL("fd", has("/dev", "fd"));
	TELL("shm", has("/dev", "shm"));
	TELL("self", has("/proc", "self"));
	TELL("stat", has("/proc/self", "stat") > 0);
	TELL("cwd", has("/proc/self", "cwd"));
	SAY(chdir("/dev"));
	SAY(getcwd(buf, sizeof(buf)) && strcmp(buf, "/dev") == 0);
	SAY(access("../proc/self/../self/stat", R_OK));
	SAY(chdir("/proc/self/fd"));
	SAY(chdir("../.."));
	SAY(getcwd(buf, sizeof(buf)) && strcmp(buf, "/proc") == 0);
	SAY(stat("self", &st));
	TELL("a directory", S_ISDIR(st.st_mode));
	SAY(lstat("self", &st));
	TELL("a link", S_ISLNK(st.st_mode));
	SAY(access("/proc/999999", F_OK));
	SAY(access("/proc/self/none", F_OK));
	SAY(access("/proc/self/fd/777", F_OK));
	SAY(access("/dev/none", F_OK));
	SAY(access("/dev/null/x", F_OK));
	SAY(open("/proc/none", O_CREAT | O_RDWR, 0600) < 0);
	SAY(open("/proc/self", O_RDWR));
	SAY(chdir("/"));
}

static long line(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = 0;
	close(fd);
	return n;
}

static void processes(void)
{
	char buf[4096], name[64] = "";
	int pid = 0, parent = 0, group = 0, session = 0, status;
	char state = 0, *end;
	siginfo_t info;
	pid_t child;

	line("/proc/self/stat", buf, sizeof(buf));
	end = strrchr(buf, ')');
	SAY(sscanf(buf, "%d (%63[^)]", &pid, name));
	SAY(end && sscanf(end + 2, "%c %d %d %d", &state, &parent, &group, &session));
	TELL("self", pid == getpid());
	TELL("parent", parent == getppid());
	TELL("group", group == getpgrp());
	TELL("session", session == getsid(0));
	TELL("state", state);
	line("/proc/self/comm", buf, sizeof(buf));
	TELL("name", strncmp(buf, name, strlen(name)));
	TELL("command", line("/proc/self/cmdline", buf, sizeof(buf)) == (long)strlen(buf) + 1);
	TELL("status", line("/proc/self/status", buf, sizeof(buf)) > 100 && strstr(buf, "\nPPid:\t") != NULL);
	child = fork();
	if (child == 0)
		pause();
	snprintf(name, sizeof(name), "/proc/%d/stat", child);
	do {
		line(name, buf, sizeof(buf));
		end = strrchr(buf, ')');
	} while (end && end[2] == 'R');
	TELL("state", end ? end[2] : 0);
	kill(child, SIGKILL);
	SAY(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
	line(name, buf, sizeof(buf));
	end = strrchr(buf, ')');
	TELL("state", end ? end[2] : 0);
	waitpid(child, &status, 0);
	SAY(access(name, F_OK));
}

static void descriptors(void)
{
	char buf[256] = "", c;
	int fd, again, to[2];
	ssize_t n;

	SAY(fd = open("/tmp/posix-devices", O_CREAT | O_RDWR | O_TRUNC, 0600));
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", fd);
	SAY(write(fd, "hello", 5));
	SAY(again = open(buf, O_RDONLY));
	SAY(lseek(again, 0, SEEK_CUR));
	SAY(read(again, &c, 1));
	TELL("first", c);
	n = readlink(buf, buf + 100, 100);
	TELL("leads to it", n == 18 && strncmp(buf + 100, "/tmp/posix-devices", 18) == 0);
	SAY(unlink("/tmp/posix-devices"));
	SAY(close(again));
	SAY(again = open(buf, O_RDWR));
	SAY(read(again, &c, 1));
	SAY(close(again) | close(fd));
	SAY(open(buf, O_RDWR));
	SAY(pipe(to));
	SAY(write(to[1], "x", 1));
	SAY(dup2(to[0], 0));
	SAY(fd = open("/dev/stdin", O_RDONLY));
	SAY(read(fd, &c, 1));
	SAY(close(fd));
	n = readlink("/proc/self/fd/0", buf, sizeof(buf));
	TELL("a pipe", n > 5 && strncmp(buf, "pipe:", 5) == 0);
	n = readlink("/dev/fd", buf, sizeof(buf));
	TELL("a link", n == 13);
	n = readlink("/proc/self/exe", buf, sizeof(buf));
	TELL("a path", n > 0 && buf[0] == '/');
	SAY(close(to[0]) | close(to[1]));
}

static void shared_memory(void)
{
	int fd, status;
	char *p;

	shm_unlink("/posix-devices");
	SAY(shm_open("/posix-devices", O_RDWR, 0600));
	SAY((fd = shm_open("/posix-devices", O_RDWR | O_CREAT | O_EXCL, 0600)) >= 0);
	SAY(ftruncate(fd, 8192));
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TELL("mapped", p != MAP_FAILED);
	close(fd);
	if (fork() == 0) {
		fd = shm_open("/posix-devices", O_RDWR, 0);
		p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		p[5000] = 77;
		_exit(0);
	}
	wait(&status);
	TELL("child", status);
	TELL("shared", p[5000]);
	SAY(munmap(p, 8192));
	SAY(shm_unlink("/posix-devices"));
	SAY(shm_unlink("/posix-devices"));
}

int main(void)
{
	mkdir("/tmp", 01777);
	device("/dev/null");
	device("/dev/zero");
	device("/dev/full");
	device("/dev/urandom");
	directories();
	processes();
	descriptors();
	shared_memory();
	return 0;
}
