// SPDX-License-Identifier: BSD-3-Clause
/*
 * The first process of a session: keeps a login shell at the terminal, and ends the machine's run when
 * it is told to. As the commands of the same names do it: SIGTERM is reboot, SIGUSR2 poweroff, SIGUSR1
 * halt, which is poweroff here.
 *
 * It ends when no shell can be kept running; whoever started it has to go on.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <twz/sys/sys.h>
#include <unistd.h>

#define SHELL "/bin/sh"
#define HOME "/root"
#define ASK_SIZE 0x547a /* libtwix: find out how large the console's window is */

/*
 * A shell that ends sooner may be a broken one: a failure counts more than a plain end, which somebody
 * may have typed, and has more time, which a slow machine needs.
 */
#define SOON_NS(status) ((status) ? 5000000000ll : 1000000000ll)
#define PATIENCE 12
#define FAILED 4

static sigset_t awaited; /* what the main loop takes */

static void noted(int sig)
{
	(void)sig;
}

static void set_signals(void)
{
	static const int wanted[] = { SIGCHLD, SIGTERM, SIGUSR1, SIGUSR2 };
	static const int unwanted[] = { SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGHUP, SIGPIPE };
	struct sigaction act = { .sa_handler = noted };

	sigemptyset(&awaited);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		sigaddset(&awaited, wanted[i]);
		sigaction(wanted[i], &act, NULL);
	}
	sigprocmask(SIG_BLOCK, &awaited, NULL);
	act.sa_handler = SIG_IGN;
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
		sigaction(unwanted[i], &act, NULL);
}

/* In the child, for the shell. */
static void reset_signals(void)
{
	struct sigaction act = { .sa_handler = SIG_DFL };

	for (int sig = 1; sig < 32; sig++)
		sigaction(sig, &act, NULL);
	sigprocmask(SIG_UNBLOCK, &awaited, NULL);
}

static void set_environment(void)
{
	setenv("PATH", "/bin", 0);
	setenv("HOME", HOME, 0);
	setenv("SHELL", SHELL, 0);
	setenv("USER", "root", 0);
	setenv("LOGNAME", "root", 0);
	setenv("TERM", "xterm", 0);
	setenv("LANG", "C.UTF-8", 0);
	setenv("PS1", "\\w \\$ ", 0);
}

static void make_file(const char *path, const char *text)
{
	FILE *file = access(path, F_OK) < 0 ? fopen(path, "w") : NULL;

	if (file) {
		fputs(text, file);
		fclose(file);
	}
}

/* What programs expect to be there: in the store, if there is one that can be written. */
static void make_folders(void)
{
	static const char *const folders[] = { HOME, "/tmp", "/etc" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		mkdir(folders[i], i == 1 ? 01777 : 0755);
	make_file("/etc/passwd", "root::0:0:root:" HOME ":" SHELL "\n");
	make_file("/etc/group", "root:x:0:\n");
	if (chdir(HOME) < 0 && chdir("/") < 0)
		perror("session: /");
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static pid_t start_shell(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid();
	ioctl(0, TIOCSCTTY, 1);
	reset_signals();
	execl(SHELL, "-sh", (char *)NULL);
	perror("session: " SHELL);
	_exit(127);
}

/* Everything that runs is told, and the shell waited for, for a second at most. */
static void end_all(pid_t shell)
{
	const struct timespec second = { .tv_sec = 1 };

	kill(-1, SIGTERM);
	kill(-1, SIGHUP);
	kill(-1, SIGCONT);
	while (waitpid(shell, NULL, WNOHANG) == 0)
		if (sigtimedwait(&awaited, NULL, &second) < 0 && errno == EAGAIN)
			break;
}

static void end_machine(int sig, pid_t shell)
{
	bool reboot = sig == SIGTERM;

	end_all(shell);
	sync();
	printf("session: %s\n", reboot ? "reboot" : "power off");
	fflush(stdout);
	tcdrain(1);
	twz_root_action(reboot ? KACTION_CMD_ROOT_REBOOT : KACTION_CMD_ROOT_POWER_OFF, 0);
	printf("session: the machine cannot do that\n");
}

/* Until the shell has ended, or the machine would not: the shell's status. */
static int attend(pid_t shell)
{
	pid_t pid;
	int sig, status;

	for (;;) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == shell)
				return status;
		sig = sigwaitinfo(&awaited, NULL);
		if (sig > 0 && sig != SIGCHLD) {
			end_machine(sig, shell);
			return 0;
		}
	}
}

int main(void)
{
	int failures = 0;

	set_signals();
	set_environment();
	make_folders();
	ioctl(0, ASK_SIZE, 0);
	while (failures < PATIENCE) {
		long long begun = now();
		pid_t shell = start_shell();
		int status = shell < 0 ? errno : attend(shell);

		if (now() - begun >= SOON_NS(status))
			failures = 0;
		else
			failures += status ? FAILED : 1;
	}
	fprintf(stderr, "session: " SHELL " ends again and again: it is broken or missing\n");
	return 1;
}
