// SPDX-License-Identifier: BSD-3-Clause
/*
 * Terminals: one is made, typed at and looked at from one side, and used from the other. Compared with
 * Linux. What is typed arrives at some time: each text ends a line, or is waited for by its length.
 */
#define _GNU_SOURCE
#include "posix.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int master, slave;
static struct termios usual;

static void begin(void)
{
	master = posix_openpt(O_RDWR | O_NOCTTY);
	grantpt(master);
	unlockpt(master);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	tcgetattr(slave, &usual);
}

static void end(void)
{
	close(slave);
	close(master);
}

static void print(const char *what, const unsigned char *text, ssize_t n)
{
	printf("%s %zd \"", what, n);
	for (ssize_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] >= 127 || text[i] == '"')
			printf("\\%03o", (unsigned)text[i]);
		else
			putchar(text[i]);
	printf("\"\n");
	fflush(stdout);
}

static void type(const char *text)
{
	if (write(master, text, strlen(text)) != (ssize_t)strlen(text))
		printf("typing failed\n");
}

/* One read by the program. */
static void reads(int line)
{
	unsigned char buf[300];
	ssize_t n = read(slave, buf, sizeof(buf));

	printf("%d: ", line);
	print("reads", buf, n);
}

/* What the screen got so far: all that comes before a mark. */
static void shows(int line)
{
	unsigned char buf[600];
	ssize_t n = 0;

	if (write(slave, "\006", 1) != 1)
		printf("no mark\n");
	while (n < (ssize_t)sizeof(buf) && read(master, buf + n, 1) == 1 && buf[n] != 6)
		n++;
	printf("%d: ", line);
	print("shows", buf, n);
}

#define TRY(text)               \
	do {                    \
		type(text);     \
		reads(__LINE__); \
		shows(__LINE__); \
	} while (0)

static void with(tcflag_t iflag, tcflag_t not_i, tcflag_t lflag, tcflag_t not_l)
{
	struct termios t = usual;

	t.c_iflag = (t.c_iflag | iflag) & ~not_i;
	t.c_lflag = (t.c_lflag | lflag) & ~not_l;
	tcsetattr(slave, TCSANOW, &t);
}

static void settings(void)
{
	struct winsize w;
	struct termios t;

	TELL("iflag", usual.c_iflag);
	TELL("oflag", usual.c_oflag);
	TELL("cflag", usual.c_cflag);
	TELL("lflag", usual.c_lflag);
	for (int i = 0; i < 17; i++)
		TELL("cc", usual.c_cc[i]);
	SAY(ioctl(slave, TIOCGWINSZ, &w));
	TELL("window", w.ws_row + w.ws_col);
	w = (struct winsize){ 30, 90, 1, 2 };
	SAY(ioctl(master, TIOCSWINSZ, &w));
	memset(&w, 0, sizeof(w));
	SAY(ioctl(slave, TIOCGWINSZ, &w));
	TELL("rows", w.ws_row);
	SAY(isatty(slave));
	SAY(isatty(master));
	SAY(tcgetattr(master, &t));
	SAY(tcgetattr(99, &t));
	SAY(ioctl(slave, 0x54ff, &t));
	SAY(lseek(slave, 0, SEEK_SET));
	SAY(tcsetattr(slave, 7, &t));
}

static void lines(void)
{
	TRY("hello\r");
	TRY("one\ntwo\n");
	reads(__LINE__);
	TRY("ab\177c\n");
	TRY("\177\177x\n");
	TRY("one two-three_4  \027x\n");
	TRY("one two-\027x\n");
	TRY("gone\025kept\n");
	TRY("\025\027kept\n");
	TRY("a\026\003b\026\177c\n");
	TRY("again\022 and\n");
	TRY("no end\004");
	TRY("\004");
	TRY("a\001b\033c\td\n");
	TRY("\001\177x\n");
	with(IUTF8, 0, 0, 0);
	TRY("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\177\177b\n");
	TRY("\xc3\xa4\xc3\xa4 \xc3\xa4\027b\n");
	tcsetattr(slave, TCSANOW, &usual);
	TRY("a\xc3\xa4\177b\n");
}

static void flags(void)
{
	with(0, 0, 0, ECHO);
	TRY("unseen\177\n");
	with(0, 0, ECHONL, ECHO);
	TRY("unseen\n");
	with(0, 0, 0, ECHOE);
	TRY("ab\177c\n");
	TRY("ab\025c\n");
	with(0, 0, 0, ECHOKE);
	TRY("ab\025c\n");
	with(0, 0, 0, ECHOKE | ECHOK);
	TRY("ab\025c\n");
	with(0, 0, 0, ECHOCTL);
	TRY("a\001\177b\n");
	with(0, 0, 0, IEXTEN);
	TRY("a b\027\026\022c\n");
	with(0, 0, 0, ISIG);
	TRY("a\003b\n");
	with(INLCR, ICRNL, 0, ICANON | ECHO);
	TRY("a\nb\r");
	with(IGNCR, ICRNL, 0, 0);
	TRY("a\rb\n");
	with(ISTRIP, 0, 0, 0);
	TRY("\xe1\xe2\n");
	with(0, ICRNL, 0, 0);
	TRY("a\rb\n");
	tcsetattr(slave, TCSANOW, &usual);
}

static void output(void)
{
	struct termios t = usual;

	SAY(write(slave, "a\nb\r\nc\td\n", 9));
	shows(__LINE__);
	t.c_oflag = OPOST | OCRNL;
	tcsetattr(slave, TCSADRAIN, &t);
	SAY(write(slave, "a\nb\rc", 5));
	shows(__LINE__);
	t.c_oflag = ONLCR;
	tcsetattr(slave, TCSADRAIN, &t);
	SAY(write(slave, "a\nb\rc", 5));
	shows(__LINE__);
	tcsetattr(slave, TCSANOW, &usual);
	SAY(tcdrain(slave));
	SAY(tcsendbreak(slave, 0));
	SAY(tcflow(slave, 9));
	SAY(tcflush(slave, 9));
}

static void waiting(unsigned char least, unsigned char patience)
{
	struct termios t = usual;

	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	t.c_cc[VMIN] = least;
	t.c_cc[VTIME] = patience;
	tcsetattr(slave, TCSAFLUSH, &t);
}

static void wait_for(int n)
{
	int there = 0;

	while (there < n) {
		struct pollfd p = { .fd = slave, .events = POLLIN };

		poll(&p, 1, -1);
		ioctl(slave, FIONREAD, &there);
	}
	TELL("bytes there", there);
}

static void raw(void)
{
	pid_t pid;

	waiting(1, 0);
	type("a\003\004\r");
	wait_for(4);
	reads(__LINE__);
	waiting(0, 0);
	reads(__LINE__);
	SAY(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK));
	reads(__LINE__);
	waiting(1, 0);
	reads(__LINE__);
	SAY(fcntl(slave, F_SETFL, O_RDWR));
	waiting(0, 1);
	reads(__LINE__);
	type("x");
	reads(__LINE__);
	waiting(2, 1);
	type("x");
	reads(__LINE__);
	waiting(3, 0);
	pid = fork();
	if (pid == 0) {
		type("a");
		usleep(10000);
		type("b");
		usleep(10000);
		type("c");
		_exit(0);
	}
	reads(__LINE__);
	waitpid(pid, NULL, 0);
	waiting(1, 0);
	type("lost");
	wait_for(4);
	SAY(tcflush(slave, TCIFLUSH));
	type("kept");
	wait_for(4);
	/* what was typed raw can be read in lines, and the other way round */
	tcsetattr(slave, TCSANOW, &usual);
	type("+\n");
	reads(__LINE__);
	reads(__LINE__);
	tcflush(slave, TCIFLUSH);
	shows(__LINE__);
	with(0, 0, 0, ICANON);
	TRY("\n");
	tcsetattr(slave, TCSAFLUSH, &usual);
}

static void flow(void)
{
	struct pollfd p = { .fd = master, .events = POLLIN };

	with(0, 0, 0, ECHO);
	TRY("a\023\021b\n");
	type("\023x\n");
	reads(__LINE__);
	SAY(poll(&p, 1, 50));
	type("\021y\n");
	reads(__LINE__);
	shows(__LINE__);
	with(0, IXON, 0, ECHO);
	TRY("a\023\021b\n");
	SAY(tcflow(slave, TCOOFF));
	SAY(poll(&p, 1, 50));
	SAY(tcflow(slave, TCOON));
	shows(__LINE__);
	tcsetattr(slave, TCSANOW, &usual);
}

/* --- sessions and groups */

static volatile sig_atomic_t came;
static char byte;

static void note(int sig)
{
	came = sig;
}

static void catch(int sig, int flags)
{
	struct sigaction act = { .sa_handler = note, .sa_flags = flags };

	sigaction(sig, &act, NULL);
}

/* A child that leads a session at the terminal. */
static pid_t child(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid();
	close(master);
	SAY(ioctl(slave, TIOCSCTTY, 0));
	dup2(slave, 0);
	return 0;
}

static void done(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	TELL("ended", status);
}

static void sessions(void)
{
	pid_t pid, group;
	int other[2];

	SAY(tcgetpgrp(slave));
	SAY(tcgetsid(slave));
	SAY(tcsetpgrp(slave, getpgrp()));
	pid = child();
	if (pid == 0) {
		TELL("foreground", tcgetpgrp(0) == getpid());
		TELL("session", tcgetsid(0) == getpid());
		TELL("tty", open("/dev/tty", O_RDWR) >= 0);
		SAY(ioctl(0, TIOCSCTTY, 0));
		SAY(tcsetpgrp(0, -5));
		SAY(tcsetpgrp(0, 99999));
		SAY(tcsetpgrp(0, getppid()));
		openpty(&other[0], &other[1], NULL, NULL, NULL);
		SAY(ioctl(other[1], TIOCSCTTY, 0));
		SAY(tcgetpgrp(other[1]));
		group = fork();
		if (group == 0) {
			setpgid(0, 0);
			SAY(ioctl(0, TIOCSCTTY, 0));
			SAY(tcsetpgrp(0, getppid()) < -1);
			_exit(3);
		}
		setpgid(group, group);
		int status;
		waitpid(group, &status, WUNTRACED);
		TELL("stopped by", WIFSTOPPED(status) ? WSTOPSIG(status) : 0);
		kill(group, SIGKILL);
		waitpid(group, &status, 0);
		SAY(ioctl(0, TIOCNOTTY));
		SAY(open("/dev/tty", O_RDWR));
		SAY(tcgetpgrp(0));
		_exit(0);
	}
	done(pid);
}

/* A process in the background, and what becomes of it. */
static void background(const char *what, void (*act)(void))
{
	int status;
	pid_t pid = child(), group;

	if (pid == 0) {
		group = fork();
		if (group == 0) {
			setpgid(0, 0);
			act();
			_exit(7);
		}
		setpgid(group, group);
		waitpid(group, &status, WUNTRACED);
		printf("%s: %s %d\n", what, WIFSTOPPED(status) ? "stopped" : "ended",
		    WIFSTOPPED(status) ? WSTOPSIG(status) : WEXITSTATUS(status));
		fflush(stdout);
		kill(group, SIGKILL);
		waitpid(group, &status, 0);
		_exit(0);
	}
	done(pid);
}

static void act_read(void)
{
	reads(__LINE__);
}

static void act_read_ignoring(void)
{
	signal(SIGTTIN, SIG_IGN);
	SAY(read(slave, &byte, 1));
}

static void act_read_blocking(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTTIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	SAY(read(slave, &byte, 1));
}

static void act_read_catching(void)
{
	catch(SIGTTIN, 0);
	SAY(read(slave, &byte, 1));
	TELL("came", came);
}

static void act_write(void)
{
	SAY(write(slave, "w", 1));
}

static void act_write_ignoring(void)
{
	signal(SIGTTOU, SIG_IGN);
	SAY(write(slave, "w", 1));
}

static void act_set(void)
{
	SAY(tcsetattr(slave, TCSANOW, &usual));
}

static void act_flush(void)
{
	SAY(tcflush(slave, TCIFLUSH));
}

static void act_take(void)
{
	signal(SIGTTOU, SIG_IGN);
	SAY(tcsetpgrp(slave, getpgrp()));
	TELL("foreground", tcgetpgrp(slave) == getpgrp());
}

static void jobs(void)
{
	background("read", act_read);
	background("read, ignoring", act_read_ignoring);
	background("read, blocking", act_read_blocking);
	background("read, catching", act_read_catching);
	background("write", act_write);
	with(0, 0, TOSTOP, 0);
	background("write with TOSTOP", act_write);
	background("write with TOSTOP, ignoring", act_write_ignoring);
	tcsetattr(slave, TCSANOW, &usual);
	background("set", act_set);
	background("flush", act_flush);
	background("take", act_take);
	shows(__LINE__);
}

/* A child at the terminal waits for a signal that something leads to. */
static pid_t child_awaiting(int sig)
{
	sigset_t set, before;
	pid_t pid = child();
	int left = -1;
	char c;

	if (pid) {
		while (read(master, &c, 1) == 1 && c != 'R')
			;
		return pid;
	}
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, &before);
	catch(sig, 0);
	if (write(slave, "R", 1) != 1)
		_exit(1);
	while (!came)
		sigsuspend(&before);
	TELL("came", came);
	SAY(ioctl(0, FIONREAD, &left));
	TELL("left", left);
	return 0;
}

static void key(const char *text, int sig)
{
	pid_t pid = child_awaiting(sig);

	if (pid == 0)
		_exit(0);
	type(text);
	done(pid);
	shows(__LINE__);
}

static void keys(void)
{
	struct termios t = usual;

	key("lost\003", SIGINT);
	key("\034", SIGQUIT);
	key("\032", SIGTSTP);
	t.c_cc[VINTR] = 'i';
	t.c_cc[VQUIT] = _POSIX_VDISABLE;
	tcsetattr(slave, TCSANOW, &t);
	key("\003\034i", SIGINT);
	with(0, 0, 0, ECHO);
	key("\003", SIGINT);
	tcsetattr(slave, TCSANOW, &usual);
}

static void resized(void)
{
	struct winsize w = { .ws_row = 10, .ws_col = 20 };
	pid_t pid = child_awaiting(SIGWINCH);

	if (pid == 0) {
		SAY(ioctl(0, TIOCGWINSZ, &w));
		TELL("columns", w.ws_col);
		_exit(0);
	}
	ioctl(master, TIOCSWINSZ, &w);
	done(pid);
}

/* The side of the screen goes; then that of the program. */
static void hangups(void)
{
	sigset_t set, before;
	int link[2];
	pid_t pid;
	char c;

	if (pipe(link) < 0)
		return;
	pid = child();
	if (pid == 0) {
		sigemptyset(&set);
		sigaddset(&set, SIGHUP);
		sigprocmask(SIG_BLOCK, &set, &before);
		catch(SIGHUP, 0);
		if (write(link[1], "R", 1) != 1)
			_exit(1);
		while (!came)
			sigsuspend(&before);
		TELL("came", came);
		SAY(read(0, &c, 1));
		SAY(write(0, "x", 1));
		_exit(0);
	}
	if (read(link[0], &c, 1) != 1)
		return;
	close(slave);
	close(master);
	done(pid);
	begin();
	SAY(write(slave, "last", 4));
	close(slave);
	SAY(read(master, &c, 1));
	TELL("c", c);
	char rest[10];
	SAY(read(master, rest, sizeof(rest)));
	SAY(read(master, rest, sizeof(rest)));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	TRY("again\n");
	pid = forkpty(&link[0], NULL, NULL, NULL);
	if (pid == 0) {
		printf("in a terminal %d %d\n", isatty(0), tcgetpgrp(0) == getpid());
		exit(5);
	}
	unsigned char text[100];
	ssize_t n, all = 0;
	while ((n = read(link[0], text + all, sizeof(text) - (size_t)all)) > 0)
		all += n;
	print("the child prints", text, all);
	TELL("at the end", errno);
	done(pid);
	close(link[0]);
}

int main(void)
{
	begin();
	settings();
	lines();
	flags();
	output();
	raw();
	flow();
	sessions();
	jobs();
	keys();
	resized();
	hangups();
	end();
	return 0;
}
