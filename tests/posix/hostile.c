// SPDX-License-Identifier: BSD-3-Clause
/*
 * Noise: calls with arguments that make no sense, from children that may die of them; files,
 * directories and what a file has beside its bytes with noise in them; argument lists that are too
 * long; programs without standard descriptors. This program goes on, whatever they do.
 *
 *   hostile SEED CHILDREN [CALLS]
 *
 * In a guest only: on Linux it would do the same to the machine it runs on.
 */
#include "posix.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *self;
static unsigned long dice;
static int bad;

static unsigned long draw(void)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return dice >> 3;
}

static void must(int true, const char *what)
{
	if (!true) {
		printf("not so: %s (errno %d)\n", what, errno);
		bad++;
	}
}

/* --- calls */

/* What would end more than the child, or last too long, is not called. */
static int is_left_out(long n)
{
	static const long out[] = { SYS_exit, SYS_exit_group, SYS_kill, SYS_tkill, SYS_tgkill, SYS_reboot, SYS_clone, SYS_execve,
		SYS_rt_sigsuspend, SYS_rt_sigtimedwait, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_execveat, SYS_setsid,
		SYS_setpgid, SYS_munmap, SYS_mremap, SYS_brk, SYS_mount, SYS_umount2, SYS_chroot, SYS_sync, SYS_vhangup };

	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		if (out[i] == n)
			return 1;
	return n == 435; /* clone3 */
}

static char area[65536];

static long argument(void)
{
	static const char *const paths[] = { "/", "", ".", "hostile-file", "hostile-dir/..", "/dev/null", "/proc/self/fd/0",
		"hostile-link", "/bin", "//.//", "none/such" };
	static const long edges[] = { 0, 1, -1, 2, 3, 4, 7, 8, 63, 64, 65, 255, 256, 1023, 1024, 4095, 4096, 4097, 65535, 65536,
		0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, -100, -4096 };

	switch (draw() % 8) {
	case 0:
		return (long)draw();
	case 1:
		return (long)(draw() & 0xff);
	case 2:
	case 3:
		return edges[draw() % (sizeof(edges) / sizeof(edges[0]))];
	case 4:
		return (long)paths[draw() % (sizeof(paths) / sizeof(paths[0]))];
	case 5:
		return (long)(area + draw() % sizeof(area));
	case 6:
		return (long)(draw() % 12);
	default:
		return 1l << draw() % 64;
	}
}

static void noise_in(void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((unsigned char *)p)[i] = draw() % 3 ? 0 : (unsigned char)draw();
}

static void call_at_random(int calls)
{
	for (int i = 0; i < calls; i++) {
		long n = (long)(draw() % 300);

		if (is_left_out(n))
			continue;
		if (i % 16 == 0) {
			noise_in(area + draw() % 60000, 4096);
			alarm(2);
		}
		syscall(n, argument(), argument(), argument(), argument(), argument(), argument());
	}
	_exit(0);
}

static void prepare(void)
{
	int fd = open("hostile-file", O_CREAT | O_RDWR | O_TRUNC, 0644);

	must(fd >= 0 && write(fd, area, 5000) == 5000 && close(fd) == 0, "a file");
	mkdir("hostile-dir", 0755);
	symlink("hostile-link", "hostile-link");
}

static void calls(int children, int n)
{
	int died = 0;

	for (int i = 0; i < children; i++) {
		unsigned long seed = draw();
		int status = -1;
		pid_t pid;

		prepare();
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			dice = seed;
			setpgid(0, 0);
			call_at_random(n);
		}
		must(pid > 0 && waitpid(pid, &status, 0) == pid, "the child is waited for");
		died += status != 0;
	}
	printf("hostile: %d of %d children died\n", died, children);
}

/* --- argument lists */

static int run_with(char **argv, char **envp)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execve(self, argv, envp);
		_exit(errno);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid, "the child with arguments");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void arguments(void)
{
	static char *many[400001], *none[] = { NULL };
	char *one[] = { (char *)self, (char *)"nothing", NULL, NULL };
	char *large = malloc(8 << 20);

	for (int i = 0; i < 400000; i++)
		many[i] = (char *)"an argument of some length, of which there are too many";
	must(run_with(many, none) == E2BIG, "too many arguments: E2BIG");
	must(run_with(one, many) == E2BIG, "too much environment: E2BIG");
	memset(large, 'x', (8 << 20) - 1);
	large[(8 << 20) - 1] = 0;
	one[2] = large;
	must(run_with(one, none) == E2BIG, "one argument too long: E2BIG");
	large[100000] = 0;
	must(run_with(one, none) == 0, "one of 100,000 bytes is not too long");
	free(large);
}

/* --- without standard descriptors */

static void without_descriptors(void)
{
	char *argv[] = { (char *)self, (char *)"nothing", NULL }, *none[] = { NULL };
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		for (int fd = 0; fd < 3; fd++)
			close(fd);
		if (run_with(argv, none))
			_exit(1);
		printf("nobody sees this\n");
		_exit(open("/dev/null", O_RDWR) == 0 ? 0 : 2);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "without descriptors");
}

/* --- signals in a call's place */

static volatile sig_atomic_t faults;

static void count_fault(int sig)
{
	(void)sig;
	if (++faults > 3)
		_exit(7);
}

static void faulty_handlers(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, count_fault);
		*(volatile int *)(draw() & 8) = 1;
		_exit(1);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7,
	    "a handler is called again and again");
	pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, (void (*)(int))16);
		*(volatile int *)(draw() & 8) = 1;
		_exit(1);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "a handler that is none");
}

/* What is called at random removes, renames and makes what it can reach: never on somebody's machine. */
static void refuse_elsewhere(void)
{
	struct utsname u;

	if (uname(&u) || strcmp(u.sysname, "Twizzler")) {
		fputs("hostile: this is for a guest that can be thrown away\n", stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	static char path[256];

	refuse_elsewhere();
	setvbuf(stdout, NULL, _IOLBF, 1000);
	if (argc > 1 && strcmp(argv[1], "nothing") == 0)
		return 0;
	snprintf(path, sizeof(path), "%s%s", argv[0][0] == '/' ? "" : "/bin/", argv[0]);
	self = path;
	dice = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	printf("hostile: seed %lu\n", dice);
	calls(argc > 2 ? atoi(argv[2]) : 20, argc > 3 ? atoi(argv[3]) : 500);
	arguments();
	without_descriptors();
	faulty_handlers();
	printf("hostile: bad %d\n", bad);
	return bad != 0;
}
