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
	{ "poweroff", "end", shut_down },
	{ "reboot", "begin anew", reboot },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static void help(void)
{
	for (size_t i = 0; i < COMMANDS; i++)
		kec_printf("  %-20s %s\n", commands[i].name, commands[i].help);
	kec_printf("  %-20s %s\n", "[run] NAME ARGS", "run a program and wait for it");
}

static void erase(size_t n)
{
	while (n--)
		kec_write("\b \b", 3);
}

/* One key. Returns true when the line is complete. */
static bool take_key(int c, char *line, size_t *len)
{
	char key = (char)c;

	if (c == '\r' || c == '\n') {
		kec_write("\n", 1);
		return true;
	}
	if (c == BACKSPACE || c == DELETE) {
		if (*len) {
			(*len)--;
			erase(1);
		}
	} else if (c == CTRL_U) {
		erase(*len);
		*len = 0;
	} else if (c == CTRL_C) {
		kec_write("^C\n", 3);
		*len = 0;
		return true;
	} else if (c >= ' ' && c < 256) {
		line[(*len)++] = key;
		kec_write(&key, 1);
	}
	return false;
}

/* Read a line; false if the console cannot be read. A line too long is dropped with a message. */
static bool read_line(char *line)
{
	size_t len = 0;

	for (;;) {
		int c = kec_getchar();

		if (c < 0) {
			kec_printf("\ninit: the console cannot be read (error %d)\n", -c);
			return false;
		}
		if (take_key(c, line, &len))
			break;
		if (len == LINE_MAX_LENGTH) {
			kec_printf("\ninit: a line has at most %d characters: dropped\n",
			    LINE_MAX_LENGTH - 1);
			len = 0;
			break;
		}
	}
	line[len] = 0;
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
	if (strncmp(line, "run ", 4) == 0)
		line += 4;
	else if (strcmp(line, "run") == 0)
		kec_printf("init: run what? `ls' shows the programs\n");
	if (strcmp(line, "run") != 0)
		run_line(line);
}

_Noreturn void prompt(void)
{
	char line[LINE_MAX_LENGTH + 1];

	kec_printf("Type `help' for the commands.\n");
	for (;;) {
		kec_write("twz> ", 5);
		if (!read_line(line))
			break;
		execute(line);
	}
	for (;;)
		twz_sleep_ns(1000000000ull);
}
