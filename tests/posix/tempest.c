// SPDX-License-Identifier: BSD-3-Clause
/*
 * Storms from a seed: trees of processes that signal, stop, continue and kill one another wherever they
 * are; programs that run themselves again; pipes whose sides are closed at once; threads that fork;
 * hundreds of descriptors to wait for. Whatever happens, at the end nobody is left and nothing is lost.
 *
 *   tempest SEED ROUNDS [STORM]
 *
 * Told is what the second half of the rounds took and did not give back.
 */
#include "posix.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *self;
static unsigned long dice;

static unsigned draw(unsigned below)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (unsigned)(dice >> 11) % below;
}

/* A child that draws other numbers than its parent. */
static pid_t child(void)
{
	unsigned long other = dice * 6364136223846793005ul + draw(1000000) * 2 + 1;
	pid_t pid = fork();

	if (pid == 0)
		dice = other;
	return pid;
}

static int any_signal(void)
{
	static const int all[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1,
		SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU,
		SIGURG, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO, SIGSYS, 34, 40, 64 };

	return all[draw(sizeof(all) / sizeof(all[0]))];
}

static void nothing(int sig)
{
	(void)sig;
}

/* Something that takes a while, and can be disturbed anywhere. */
static void be_busy(void)
{
	char buf[2000];
	int fd[2];

	for (unsigned i = draw(30); i; i--) {
		if (pipe(fd))
			return;
		if (write(fd[1], buf, sizeof(buf)) == sizeof(buf) && read(fd[0], buf, sizeof(buf)) < 0)
			_exit(9);
		close(fd[0]);
		close(fd[1]);
		free(malloc(draw(300000)));
	}
}

static void end_all(const pid_t *pids, int n)
{
	for (int i = 0; i < n; i++)
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	for (int i = 0; i < n; i++)
		while (pids[i] > 0 && waitpid(pids[i], NULL, 0) < 0 && errno == EINTR)
			;
}

/* --- trees of processes */

static void tree(int depth)
{
	pid_t pids[3];

	if (draw(2))
		signal(SIGUSR1, nothing);
	if (draw(4) == 0)
		signal(SIGTERM, SIG_IGN);
	for (int i = 0; i < 3; i++) {
		pids[i] = depth ? child() : -1;
		if (pids[i] == 0) {
			tree(depth - 1);
			_exit((int)draw(3));
		}
	}
	be_busy();
	for (unsigned i = draw(12); i; i--) {
		pid_t pid = pids[draw(3)];

		if (pid > 0)
			kill(pid, any_signal());
		if (draw(4) == 0)
			waitpid(-1, NULL, WNOHANG | WUNTRACED | WCONTINUED);
	}
	end_all(pids, 3);
}

static void trees(void)
{
	tree(3);
}

/* --- programs that run themselves again */

static void run_again(int left)
{
	char number[16], seed[32];

	snprintf(number, sizeof(number), "%d", left);
	snprintf(seed, sizeof(seed), "%lu", dice);
	execl(self, self, "again", number, seed, (char *)NULL);
	_exit(8);
}

static void again(int left)
{
	be_busy();
	if (left)
		run_again(left - 1);
	_exit(0);
}

static void programs(void)
{
	pid_t pids[4];

	for (int i = 0; i < 4; i++) {
		pids[i] = child();
		if (pids[i] == 0)
			run_again(8);
	}
	for (unsigned i = draw(20); i; i--) {
		usleep(draw(3000));
		kill(pids[draw(4)], draw(2) ? SIGCONT : any_signal());
	}
	end_all(pids, 4);
}

/* --- pipes whose sides are closed at once */

static void talk(int in, int out)
{
	char buf[3000];

	for (unsigned i = draw(20); i; i--) {
		unsigned what = draw(3);

		if (what == 0 && write(out, buf, 1 + draw(sizeof(buf))) < 0)
			break;
		if (what == 1 && read(in, buf, 1 + draw(200)) < 0)
			break;
		if (what == 2)
			usleep(draw(500));
	}
	if (draw(2))
		_exit(0);
	close(draw(2) ? in : out);
	be_busy();
	_exit(0);
}

static void pipes(void)
{
	for (int i = 0; i < 6; i++) {
		int to[2], from[2];
		pid_t pids[2];

		if (pipe(to) || pipe(from))
			_exit(7);
		for (int side = 0; side < 2; side++) {
			pids[side] = child();
			if (pids[side])
				continue;
			close(side ? to[0] : to[1]);
			close(side ? from[1] : from[0]);
			talk(side ? from[0] : to[0], side ? to[1] : from[1]);
		}
		for (int k = 0; k < 2; k++) {
			close(to[k]);
			close(from[k]);
		}
		usleep(draw(3000));
		if (draw(2))
			kill(pids[draw(2)], SIGKILL);
		end_all(pids, 2);
	}
}

/* --- threads that fork */

static void *fork_a_while(void *seed)
{
	for (int i = 0; i < 6; i++) {
		pid_t pid = fork();

		if (pid == 0 && i % 3 == 0) {
			execl(self, self, "again", "0", (const char *)seed, (char *)NULL);
			_exit(8);
		}
		if (pid == 0)
			_exit(i);
		while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return NULL;
}

static void threads(void)
{
	char seeds[4][32];
	pid_t pid = child();

	if (pid == 0) {
		pthread_t all[4];
		int n = 0;

		for (int i = 0; i < 4; i++)
			snprintf(seeds[i], sizeof(seeds[i]), "%d", i + 1);
		while (n < 4 && pthread_create(&all[n], NULL, fork_a_while, seeds[n]) == 0)
			n++;
		if (draw(3))
			usleep(draw(20000));
		else
			while (n)
				pthread_join(all[--n], NULL);
		_exit(0);
	}
	usleep(draw(20000));
	if (draw(2))
		kill(pid, any_signal());
	end_all(&pid, 1);
}

/* --- many descriptors to wait for */

#define WATCHED 150

static void answer(int fds[WATCHED][2])
{
	for (int i = 0; i < WATCHED; i++)
		if (write(fds[draw(WATCHED)][1], "x", 1) != 1)
			_exit(6);
	_exit(0);
}

static void watching(void)
{
	static int fds[WATCHED][2];
	struct pollfd all[WATCHED];
	pid_t pids[2];
	char c;

	for (int i = 0; i < WATCHED; i++) {
		if (pipe(fds[i]))
			_exit(5);
		all[i] = (struct pollfd){ .fd = fds[i][0], .events = POLLIN };
	}
	for (int i = 0; i < 2; i++) {
		pids[i] = child();
		if (pids[i] == 0)
			answer(fds);
	}
	for (unsigned left = 200; left;) {
		if (poll(all, WATCHED, 1000) <= 0)
			break;
		for (int i = 0; i < WATCHED && left; i++)
			if (all[i].revents & POLLIN && read(all[i].fd, &c, 1) == 1)
				left--;
	}
	end_all(pids, 2);
}

/* --- all of it */

static void (*const storms[])(void) = { trees, programs, pipes, watching, threads };

#define STORMS (sizeof(storms) / sizeof(storms[0]))

/*
 * Each in a group of its own. The pipe ends when the last of them has gone, whoever started it; until
 * then what is stopped is stopped no longer.
 */
static int one_round(unsigned storm)
{
	int fd[2], status;
	pid_t pid;
	char c;

	if (pipe(fd))
		return 1;
	pid = child();
	if (pid == 0) {
		setpgid(0, 0);
		close(fd[0]);
		storms[storm % STORMS]();
		_exit(0);
	}
	close(fd[1]);
	if (pid < 0)
		return 2;
	if (waitpid(pid, &status, 0) != pid)
		return 3;
	kill(-pid, SIGKILL);
	while (read(fd[0], &c, 1) < 0 && errno == EINTR)
		;
	close(fd[0]);
	return status != 0 ? 4 : 0;
}

static long free_memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? -1 : (long)info.freeram;
}

static int open_files(void)
{
	char text[32] = "";
	int fd = open("/proc/sys/fs/file-nr", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -1;
	close(fd);
	return atoi(text);
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 10, bad = 0;
	long before = 0, files = 0;
	static char path[256];

	snprintf(path, sizeof(path), "%s%s", argv[0][0] == '/' ? "" : "/bin/", argv[0]);
	self = path;
	if (argc > 3 && strcmp(argv[1], "again") == 0) {
		dice = strtoul(argv[3], NULL, 10);
		again(atoi(argv[2]));
	}
	dice = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	printf("tempest: seed %lu\n", dice);
	for (int i = 0; i < rounds && !bad; i++) {
		if (i == rounds / 2) {
			before = free_memory();
			files = open_files();
		}
		bad = one_round(argc > 3 ? (unsigned)atoi(argv[3]) : (unsigned)i);
		if (bad)
			printf("tempest: round %d: %d\n", i, bad);
	}
	while (wait(NULL) > 0)
		printf("tempest: a child was left\n");
	printf("tempest: %ld bytes and %ld open files less, bad %d\n", before - free_memory(), open_files() - files, bad);
	return bad;
}
