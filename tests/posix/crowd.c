// SPDX-License-Identifier: BSD-3-Clause
/*
 * Much of everything: processes, pipes in a row, descriptors, files in a directory, directories in
 * one another, names of all bytes, calls in one another.
 *
 *   crowd [PART [NUMBER]]
 */
#include "posix.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int how_many;

static int number(int otherwise)
{
	return how_many ? how_many : otherwise;
}

/* --- processes that all live at once */

static void sleeping_children(void)
{
	int n = number(300), started = 0, ended = 0, status;
	pid_t *pids = calloc((size_t)n, sizeof(*pids));

	while (started < n && (pids[started] = fork()) > 0)
		started++;
	if (started < n && pids[started] == 0)
		for (;;)
			pause();
	TELL("children that were not to be had", n - started);
	for (int i = 0; i < started; i++)
		kill(pids[i], SIGTERM);
	while (wait(&status) > 0)
		ended += WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
	TELL("children that did not end by the signal", started - ended);
	free(pids);
}

/* --- pipes in a row */

static void copy(int from, int to)
{
	char buf[777];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, (size_t)n) != n)
			_exit(1);
	_exit(n < 0);
}

/* The reading side of a new last process behind that one. */
static int append_process(int from)
{
	int fd[2];
	pid_t pid;

	if (pipe(fd))
		return -1;
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		copy(from, fd[1]);
	}
	close(from);
	close(fd[1]);
	return pid < 0 ? -1 : fd[0];
}

static void write_all(int fd, int bytes)
{
	for (int i = 0; i < bytes; i += 512) {
		char block[512];

		memset(block, i / 512, sizeof(block));
		if (write(fd, block, sizeof(block)) != sizeof(block))
			_exit(1);
	}
	_exit(0);
}

static void pipes_in_a_row(void)
{
	int n = number(100), fd[2], bad = 0, good = 0, last, status, bytes = 0x20000, got = 0;
	unsigned char buf[1000];
	ssize_t r;

	SAY(pipe(fd));
	if (fork() == 0) {
		close(fd[0]);
		write_all(fd[1], bytes);
	}
	close(fd[1]);
	last = fd[0];
	for (int i = 0; i < n && last >= 0; i++)
		last = append_process(last);
	while ((r = read(last, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < r; i++, got++)
			bad += buf[i] != (unsigned char)(got / 512);
	close(last);
	while (wait(&status) > 0)
		good += status == 0;
	TELL("bytes missing", bytes - got);
	TELL("bytes wrong", bad);
	TELL("processes that failed", n + 1 - good);
}

/* --- descriptors */

static void descriptors(void)
{
	int n = 0, last = 0, fd, bad = 0;

	while ((fd = dup(0)) >= 0) {
		last = fd;
		n++;
	}
	TELL("no more descriptors", errno);
	TELL("the last is the limit's", last + 1 == sysconf(_SC_OPEN_MAX));
	TELL("many", n > 1000);
	SAY(pipe((int[2]){ 0 }));
	SAY(open("/", O_RDONLY));
	for (fd = last; n; fd--, n--)
		bad += close(fd) != 0;
	TELL("not closed", bad);
	SAY(close(last));
}

/* --- files in a directory */

static int count_names(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void many_files(void)
{
	int n = number(2000), bad = 0;
	char name[64];

	SAY(mkdir("crowd", 0755));
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "crowd/a file with the number %d", i);
		int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);

		bad += fd < 0 || write(fd, name, 20) != 20 || close(fd);
	}
	TELL("not made", bad);
	TELL("names missing", n + 2 - count_names("crowd"));
	SAY(rmdir("crowd"));
	for (int i = 0; i < n; i++) {
		struct stat st;

		snprintf(name, sizeof(name), "crowd/a file with the number %d", i);
		bad += stat(name, &st) || st.st_size != 20 || unlink(name);
	}
	TELL("not removed", bad);
	SAY(rmdir("crowd"));
}

/* --- directories in one another */

static void deep_tree(void)
{
	int n = number(200), made = 0, left = 0;
	char here[4096];

	SAY(mkdir("deep", 0755));
	SAY(chdir("deep"));
	while (made < n && mkdir("directory", 0755) == 0 && chdir("directory") == 0)
		made++;
	TELL("deep", made);
	TELL("length of the path", getcwd(here, sizeof(here)) ? (long)strlen(strstr(here, "/deep/")) : -1);
	while (left < made && chdir("..") == 0 && rmdir("directory") == 0)
		left++;
	TELL("removed", left);
	SAY(chdir(".."));
	SAY(rmdir("deep"));
}

/* --- names */

static void all_bytes(void)
{
	char name[] = "x?y", dir[] = "names/x?y";
	struct dirent *e;
	unsigned seen = 0, bad = 0;
	DIR *d;

	SAY(mkdir("names", 0755));
	for (int c = 1; c < 256; c++) {
		dir[7] = (char)c;
		int fd = c == '/' ? -1 : open(dir, O_CREAT | O_EXCL | O_RDWR, 0600);

		bad += c != '/' && (fd < 0 || close(fd));
	}
	TELL("not made", bad);
	d = opendir("names");
	while (d && (e = readdir(d))) {
		name[1] = e->d_name[1];
		seen += strcmp(e->d_name, name) == 0;
	}
	closedir(d);
	TELL("seen", seen);
	for (int c = 1; c < 256; c++) {
		dir[7] = (char)c;
		bad += c != '/' && unlink(dir);
	}
	TELL("not removed", bad);
	SAY(rmdir("names"));
}

/* --- calls in one another */

static int __attribute__((noinline)) recurse(volatile char *above, int more)
{
	volatile char here[1000];

	here[0] = above[0];
	return more ? recurse(here, more - 1) + here[0] : 0;
}

static void recursion(void)
{
	char top[1] = "";
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(recurse(top, 1000000));
	SAY(waitpid(pid, &status, 0) == pid);
	TELL("ended by", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
}

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {
	{ "processes", sleeping_children },
	{ "pipes", pipes_in_a_row },
	{ "descriptors", descriptors },
	{ "files", many_files },
	{ "tree", deep_tree },
	{ "names", all_bytes },
	{ "recursion", recursion },
};

int main(int argc, char **argv)
{
	how_many = argc > 2 ? atoi(argv[2]) : 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (argc > 1 && strcmp(argv[1], parts[i].name))
			continue;
		printf("0: %s\n", parts[i].name);
		fflush(stdout);
		parts[i].run();
	}
	return 0;
}
