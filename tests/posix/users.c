// SPDX-License-Identifier: BSD-3-Clause
/* For whom a process acts. On Linux this says what is expected only if root runs it. */
#define _GNU_SOURCE
#include "posix.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The C libraries do this for all threads, each in its own way: the calls themselves are meant. */
#define setuid(a) syscall(SYS_setuid, a)
#define setgid(a) syscall(SYS_setgid, a)
#define setreuid(a, b) syscall(SYS_setreuid, a, b)
#define setregid(a, b) syscall(SYS_setregid, a, b)
#define setresuid(a, b, c) syscall(SYS_setresuid, a, b, c)
#define setresgid(a, b, c) syscall(SYS_setresgid, a, b, c)
#define setgroups(a, b) syscall(SYS_setgroups, a, b)

static void who(int line)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	getresuid(&r, &e, &s);
	getresgid(&gr, &ge, &gs);
	printf("%d: %d %d %d, %d %d %d; %d %d %d %d\n", line, (int)r, (int)e, (int)s, (int)gr, (int)ge, (int)gs, (int)getuid(),
	    (int)geteuid(), (int)getgid(), (int)getegid());
	fflush(stdout);
}

#define WHO who(__LINE__)

static void child(void (*fn)(void))
{
	int status;

	if (!fork()) {
		fn();
		_exit(0);
	}
	wait(&status);
	TELL("child", status);
}

static void here(void)
{
	WHO;
}

static void one(void)
{
	SAY(setuid(-1));
	SAY(setgid(77));
	WHO;
	SAY(setuid(1000));
	WHO;
	SAY(setuid(0));
	SAY(setuid(1000));
	SAY(setgid(0));
	SAY(setgid(77));
	SAY(setgroups(0, NULL));
	SAY(setreuid(-1, 0));
	SAY(setresuid(-1, -1, 0));
	SAY(kill(getppid(), 0));
	SAY(kill(getppid(), SIGTERM));
	SAY(kill(getppid(), SIGCONT));
	SAY(kill(getpid(), 0));
	SAY(setpriority(PRIO_PROCESS, 0, 4));
	SAY(setpriority(PRIO_PROCESS, 0, 3));
	SAY(setpriority(PRIO_PROCESS, getppid(), 5));
	SAY(syscall(SYS_sethostname, "x", 1));
	child(here);
}

static void two(void)
{
	SAY(setreuid(1000, -1));
	WHO;
	SAY(setreuid(-1, 2000));
	WHO;
	SAY(setreuid(2000, 1000));
	WHO;
	SAY(setreuid(5, -1));
	SAY(setreuid(-1, 2000));
	WHO;
	SAY(setreuid(-1, -1));
	WHO;
}

static void swap(void)
{
	SAY(setreuid(0, 1000));
	WHO;
	SAY(setreuid(1000, 0));
	WHO;
	SAY(setregid(3, 4));
	WHO;
	SAY(setreuid(1000, 1000));
	WHO;
	SAY(setuid(0));
}

static void three(void)
{
	SAY(setresgid(1, 2, 3));
	WHO;
	SAY(setresuid(1, 2, 3));
	WHO;
	SAY(setresuid(3, -1, 1));
	WHO;
	SAY(setresuid(4, -1, -1));
	SAY(setresgid(3, 1, 1));
	SAY(setuid(1));
	WHO;
	SAY(setuid(3));
	WHO;
	SAY(setuid(2));
}

static void groups(void)
{
	gid_t all[40] = { 5, 7, 5 };

	SAY(setgroups(3, all));
	SAY(getgroups(0, NULL));
	SAY(getgroups(2, all));
	SAY(getgroups(-1, all));
	SAY(getgroups(40, all));
	printf("%d: %d %d %d\n", __LINE__, (int)all[0], (int)all[1], (int)all[2]);
	SAY(setgroups(65537, all));
	SAY(setgroups(-1, all));
	SAY(setgroups(0, NULL));
	SAY(getgroups(40, all));
	SAY(setgroups(2, all));
	SAY(setuid(9));
	SAY(setgroups(1, all));
	SAY(getgroups(0, NULL));
	SAY(syscall(SYS_setfsuid, 9));
	SAY(syscall(SYS_setfsuid, -1));
	SAY(syscall(SYS_setfsgid, -1));
}

static void limits(void)
{
	struct rlimit l = { 100, 200 };

	SAY(setrlimit(RLIMIT_NPROC, &l));
	SAY(setuid(1000));
	l.rlim_max = 201;
	SAY(setrlimit(RLIMIT_NPROC, &l));
	l.rlim_max = 150;
	SAY(setrlimit(RLIMIT_NPROC, &l));
	l.rlim_max = 200;
	SAY(setrlimit(RLIMIT_NPROC, &l));
}

static void owner_of(int line, const char *path)
{
	struct stat st;
	int r = lstat(path, &st);

	printf("%d: %s: %d %d %o\n", line, path, r ? -1 : (int)st.st_uid, r ? -1 : (int)st.st_gid, r ? 0 : st.st_mode & 07777);
	fflush(stdout);
}

#define OWNER(path) owner_of(__LINE__, path)

static void someone(void)
{
	struct timespec omit[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } }, when[2] = { { 1, 0 }, { 2, 0 } };
	gid_t groups[] = { 7 };
	int fd;

	setgroups(1, groups);
	setgid(1000);
	setuid(1000);
	SAY(chown("of-root", 1000, -1));
	SAY(chown("of-root", -1, -1));
	SAY(chmod("of-root", 0777));
	SAY(open("of-root", O_RDONLY) > 0);
	SAY(open("of-root", O_WRONLY));
	SAY(open("secret", O_RDONLY));
	SAY(access("of-root", R_OK));
	SAY(access("of-root", W_OK));
	SAY(faccessat(AT_FDCWD, "secret", R_OK, AT_EACCESS));
	SAY(truncate("of-root", 0));
	SAY(open("group", O_RDWR) > 0);
	SAY(open("ours/x", O_RDONLY));
	SAY(open("closed/x", O_RDONLY));
	SAY(stat("closed/x", &(struct stat){ 0 }));
	SAY(mkdir("root-dir/x", 0755));
	SAY(open("root-dir/x", O_CREAT | O_RDWR, 0600));
	SAY(unlink("of-root"));
	SAY(rename("of-root", "other"));
	SAY(symlink("x", "root-dir/link"));
	SAY(mkfifo("root-dir/f", 0600));
	SAY(unlink("sticky/root"));
	SAY(rename("sticky/root", "sticky/mine"));
	fd = open("sticky/mine", O_CREAT | O_RDWR, 0400);
	SAY(fd > 0);
	SAY(write(fd, "x", 1));
	OWNER("sticky/mine");
	SAY(open("sticky/mine", O_RDWR));
	SAY(chmod("sticky/mine", 06755));
	OWNER("sticky/mine");
	SAY(chown("sticky/mine", -1, 7));
	OWNER("sticky/mine");
	SAY(chown("sticky/mine", -1, 8));
	SAY(chown("sticky/mine", 1001, -1));
	SAY(fchown(fd, 1000, 1000));
	SAY(utimensat(AT_FDCWD, "of-root", when, 0));
	SAY(utimensat(AT_FDCWD, "of-root", NULL, 0));
	SAY(utimensat(AT_FDCWD, "of-root", omit, 0));
	SAY(utimensat(AT_FDCWD, "none", omit, 0));
	SAY(utimensat(AT_FDCWD, "group", NULL, 0));
	SAY(mkdir("inherits/d", 0755));
	OWNER("inherits/d");
	SAY(close(open("inherits/f", O_CREAT | O_RDWR, 0644)));
	OWNER("inherits/f");
	SAY(unlink("sticky/mine"));
	SAY(chmod("mine", 02755));
	OWNER("mine");
	SAY(rmdir("inherits/d"));
	SAY(unlink("inherits/f"));
}

static void make(const char *path, uid_t u, gid_t g, mode_t mode)
{
	close(open(path, O_CREAT | O_RDWR, 0600));
	chown(path, u, g);
	chmod(path, mode);
}

static void directory(const char *path, uid_t u, gid_t g, mode_t mode)
{
	mkdir(path, 0700);
	chown(path, u, g);
	chmod(path, mode);
}

static void files(void)
{
	SAY(mkdir("work", 0755));
	SAY(chdir("work"));
	make("of-root", 0, 0, 0644);
	SAY(chown("of-root", 12, 34));
	OWNER("of-root");
	SAY(chown("of-root", -1, 35));
	OWNER("of-root");
	SAY(chmod("of-root", 06755));
	SAY(chown("of-root", 13, -1));
	OWNER("of-root");
	SAY(chmod("of-root", 02644));
	SAY(lchown("of-root", 0, 0));
	OWNER("of-root");
	chmod("of-root", 0644);
	make("secret", 0, 0, 0600);
	make("group", 0, 7, 0660);
	make("mine", 1000, 9, 0600);
	directory("ours", 1000, 0, 0077);
	directory("closed", 0, 0, 0700);
	make("closed/x", 0, 0, 0666);
	directory("root-dir", 0, 0, 0755);
	directory("sticky", 0, 0, 01777);
	make("sticky/root", 0, 0, 0666);
	directory("inherits", 0, 44, 02777);
	child(someone);
	SAY(unlink("closed/x") | unlink("sticky/root"));
	SAY(rmdir("closed") | rmdir("ours") | rmdir("root-dir") | rmdir("sticky") | rmdir("inherits"));
	SAY(unlink("of-root") | unlink("secret") | unlink("group") | unlink("mine"));
	SAY(chdir(".."));
	SAY(rmdir("work"));
}

int main(void)
{
	umask(022);
	WHO;
	files();
	child(one);
	child(two);
	child(swap);
	child(three);
	child(groups);
	child(limits);
	WHO;
	return 0;
}
