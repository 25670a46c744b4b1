// SPDX-License-Identifier: BSD-3-Clause
/* The machine's console as a terminal: what is typed comes line by line, and is echoed. */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <twz/sys/kec.h>
#include <twz/sys/syscall.h>

#define PIECE 2048ul /* of one system call */

static ssize_t console_write(struct twix_file *f, const void *buf, size_t n)
{
	size_t done = 0;

	(void)f;
	while (done < n) {
		size_t len = n - done < PIECE ? n - done : PIECE;
		long r = sys_kec_write((const char *)buf + done, len, 0);

		if (r < 0)
			return done ? (ssize_t)done : r;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

/* A line being typed, of which readers take their parts. */
static struct mutex lock;
static char line[1024]; /* guarded by lock, as those below */
static size_t line_len, line_taken;

static void echo(const char *s)
{
	sys_kec_write(s, strlen(s), 0);
}

/* Take one character typed; whether the line is complete. */
static bool typed(char c)
{
	char text[2] = { c, 0 };

	if (c == '\r')
		text[0] = c = '\n';
	if (c == 0x7f || c == '\b') {
		if (line_len) {
			line_len--;
			echo("\b \b");
		}
		return false;
	}
	if (c == 4) /* end of file */
		return true;
	if (line_len < sizeof(line)) {
		line[line_len++] = c;
		echo(c == '\n' ? "\r\n" : text);
	}
	return c == '\n';
}

/* Lock held. */
static long type_line(void)
{
	char c;
	long r;

	line_len = line_taken = 0;
	do {
		r = sys_kec_read(&c, 1, 0);
	} while (r >= 0 && (r == 0 || !typed(c)));
	return r < 0 ? r : 0;
}

static ssize_t console_read(struct twix_file *f, void *buf, size_t n)
{
	long r = 0;

	(void)f;
	mutex_acquire(&lock);
	if (line_taken == line_len)
		r = type_line();
	if (n > line_len - line_taken)
		n = line_len - line_taken;
	if (r == 0)
		memcpy(buf, line + line_taken, n);
	line_taken += r == 0 ? n : 0;
	mutex_release(&lock);
	return r < 0 ? r : (ssize_t)n;
}

static long console_ioctl(struct twix_file *f, unsigned long request, void *arg)
{
	(void)f;
	switch (request) {
	case TIOCGWINSZ:
		*(struct winsize *)arg = (struct winsize){ .ws_row = 24, .ws_col = 80 };
		return 0;
	case TCGETS:
		memset(arg, 0, 36); /* the part that Linux has */
		((struct termios *)arg)->c_iflag = ICRNL;
		((struct termios *)arg)->c_oflag = OPOST | ONLCR;
		((struct termios *)arg)->c_cflag = CS8 | CREAD;
		((struct termios *)arg)->c_lflag = ICANON | ECHO | ECHOE;
		return 0;
	default:
		return -ENOTTY;
	}
}

const struct twix_ops twix_console_ops = {
	.read = console_read,
	.write = console_write,
	.ioctl = console_ioctl,
	.mode = S_IFCHR | 0620,
};
