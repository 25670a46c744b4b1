// SPDX-License-Identifier: BSD-3-Clause
/* Commands from the kernel's console. */
#include "init.h"

#include <base/string.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>

#define CTRL_C 3
#define CTRL_U 21
#define BACKSPACE 8
#define DELETE 127

struct command {
	const char *name;
	const char *help;
	void (*run)(void);
};

static void help(void);

static void shut_down(void)
{
	power_off(0);
}

static const struct command commands[] = {
	{ "help", "this list", help },
	{ "ls", "programs and names", names_list },
	{ "sysinfo", "the machine", print_machine },
	{ "env", "the variables that programs get", environment_list },
	{ "poweroff", "end", shut_down },
	{ "reboot", "begin anew", reboot },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static void help(void)
{
	for (size_t i = 0; i < COMMANDS; i++)
		kec_printf("  %-20s %s\n", commands[i].name, commands[i].help);
	kec_printf("  %-20s %s\n", "[run] NAME ARGS", "run a program and wait for it");
	kec_printf("  %-20s %s\n", "VARIABLE=value ...", "set variables; before NAME, only for that program");
}

static void erase(size_t n)
{
	while (n--)
		kec_write("\b \b", 3);
}

/* The line as it is typed. What does not fit is dropped, and with it the line. */
struct input {
	char text[LINE_MAX_LENGTH + 1];
	size_t len;
	bool too_long;
};

static void clear(struct input *in)
{
	in->len = 0;
	in->too_long = false;
}

static void add(struct input *in, char key)
{
	if (in->len == LINE_MAX_LENGTH) {
		in->too_long = true;
		return;
	}
	in->text[in->len++] = key;
	kec_write(&key, 1);
}

/* One key. Returns true when the line is complete. */
static bool take_key(int c, struct input *in)
{
	if (c == '\r' || c == '\n') {
		kec_write("\n", 1);
		return true;
	}
	if (c == BACKSPACE || c == DELETE) {
		if (in->len) {
			in->len--;
			erase(1);
		}
	} else if (c == CTRL_U) {
		erase(in->len);
		clear(in);
	} else if (c == CTRL_C) {
		kec_write("^C\n", 3);
		clear(in);
		return true;
	} else if (c >= ' ') {
		add(in, (char)c);
	}
	return false;
}

/* Read a line; false if the console cannot be read. */
static bool read_line(struct input *in)
{
	int c;

	clear(in);
	do {
		c = kec_getchar();
		if (c < 0) {
			kec_printf("\ninit: the console cannot be read (error %d)\n", -c);
			return false;
		}
	} while (!take_key(c, in));
	if (in->too_long) {
		kec_printf("init: a line has at most %d characters: dropped\n", LINE_MAX_LENGTH);
		clear(in);
	}
	in->text[in->len] = 0;
	return true;
}

static void execute(char *line)
{
	while (*line == ' ')
		line++;
	for (size_t i = 0; i < COMMANDS; i++) {
		size_t n = strlen(commands[i].name);

		if (strncmp(line, commands[i].name, n) == 0 && (!line[n] || line[n] == ' ')) {
			commands[i].run();
			return;
		}
	}
	if (strcmp(line, "run") == 0)
		kec_printf("init: run what? `ls' shows the programs\n");
	else if (strncmp(line, "export ", 7) == 0)
		run_line(line + 7);
	else
		run_line(strncmp(line, "run ", 4) == 0 ? line + 4 : line);
}

_Noreturn void prompt(void)
{
	static struct input in;

	kec_printf("Type `help' for the commands.\n");
	for (;;) {
		kec_write("twz> ", 5);
		if (!read_line(&in))
			break;
		execute(in.text);
	}
	for (;;)
		twz_sleep_ns(1000000000ull);
}
