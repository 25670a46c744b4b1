// SPDX-License-Identifier: BSD-3-Clause
/* What kv can do, and the console that asks for it. */
#include "kv.h"

#include <base/string.h>

struct command {
	const char *name;
	int least, most; /* arguments */
	bool makes;      /* the store, if it is not there */
	int (*run)(int argc, char **argv);
};

static struct bytes bytes_of(char *text)
{
	long n = unescape(text, strlen(text));

	return (struct bytes){ n < 0 ? NULL : text, n < 0 ? 0 : (size_t)n };
}

static int bad_escape(const char *text)
{
	refuse(text, "a backslash is followed by xNN, n, t or another");
	return USAGE;
}

static int put(int argc, char **argv)
{
	struct bytes key = bytes_of(argv[0]), value = bytes_of(argv[1]);
	int r;

	(void)argc;
	if (!key.text || !value.text)
		return bad_escape(key.text ? argv[1] : argv[0]);
	r = store_put(key, value);
	return r < 0 ? refuse_error(argv[0], r) : DONE;
}

static int get(int argc, char **argv)
{
	struct bytes key = bytes_of(argv[0]), value;
	int error;

	(void)argc;
	if (!key.text)
		return bad_escape(argv[0]);
	value.text = store_get(key, &value.length, &error);
	if (!value.text)
		return refuse_error(argv[0], error);
	say_bytes(value, false);
	say("\n");
	return DONE;
}

static int del(int argc, char **argv)
{
	struct bytes key = bytes_of(argv[0]);
	int r;

	(void)argc;
	if (!key.text)
		return bad_escape(argv[0]);
	r = key.length ? store_delete(key) : -EINVAL;
	return r < 0 ? refuse_error(argv[0], r) : DONE;
}

static void print_pair(struct bytes key, struct bytes value)
{
	say_bytes(key, true);
	say(" ");
	say_bytes(value, false);
	say("\n");
}

static int list(int argc, char **argv)
{
	struct bytes from = { "", 0 }, to = { "", 0 };
	int r;

	if (argc > 0)
		from = bytes_of(argv[0]);
	if (argc > 1)
		to = bytes_of(argv[1]);
	if (!from.text || !to.text)
		return bad_escape(from.text ? argv[1] : argv[0]);
	r = store_walk(from, to, print_pair);
	return r < 0 ? refuse_error("list", r) : DONE;
}

static int dump(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return list(0, NULL);
}

static size_t counted;

static void count_pair(struct bytes key, struct bytes value)
{
	(void)key;
	(void)value;
	counted++;
}

static int count(int argc, char **argv)
{
	int r;

	(void)argc;
	(void)argv;
	counted = 0;
	r = store_walk((struct bytes){ "", 0 }, (struct bytes){ "", 0 }, count_pair);
	if (r < 0)
		return refuse_error("count", r);
	say("%lu\n", (unsigned long)counted);
	return DONE;
}

static int stat(int argc, char **argv)
{
	int r = store_stat();

	(void)argc;
	(void)argv;
	return r < 0 ? refuse_error("stat", r) : DONE;
}

static int check(int argc, char **argv)
{
	int r = store_check();

	(void)argc;
	(void)argv;
	return r < 0 ? refuse_error("check", r) : DONE;
}

/* Cut the first word off; returns what follows it and the blank behind it. */
static char *split(char *line)
{
	while (*line && *line != ' ' && *line != '\t')
		line++;
	if (*line)
		*line++ = 0;
	return line;
}

/* A line of load: 0, or a negative error. Every line that was taken is durable. */
static int load_line(char *line)
{
	char *rest = split(line);
	struct bytes key = bytes_of(line), value = bytes_of(rest);

	return key.text && value.text ? store_put(key, value) : -EILSEQ;
}

static int load(int argc, char **argv)
{
	unsigned long lines = 0, taken = 0;
	long length;
	char *line;
	int status = DONE;

	(void)argc;
	(void)argv;
	while ((line = read_line(false, &length))) {
		int r = length < 0 ? -E2BIG : length ? load_line(line) : 1;

		lines++;
		taken += r == 0;
		if (r >= 0)
			continue;
		say("line %lu: ", lines);
		status = r == -EILSEQ ? refuse("load", "a wrong escape") : refuse_error("load", r);
		if (r == -ENOMEM || r == -EINVLOBJ)
			break;
	}
	say("%lu taken\n", taken);
	return status;
}

static const struct command commands[] = {
	{ "put", 2, 2, true, put },
	{ "get", 1, 1, false, get },
	{ "del", 1, 1, false, del },
	{ "list", 0, 2, false, list },
	{ "count", 0, 0, false, count },
	{ "stat", 0, 0, false, stat },
	{ "check", 0, 0, false, check },
	{ "load", 0, 0, true, load },
	{ "dump", 0, 0, false, dump },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

bool command_makes(const char *name)
{
	const struct command *c = find_command(name);

	return c && c->makes;
}

int run_words(int argc, char **argv)
{
	const struct command *c = find_command(argv[0]);

	if (!c) {
		refuse(argv[0], "no such command: put get del list count stat check load dump");
		return USAGE;
	}
	if (argc - 1 < c->least || argc - 1 > c->most) {
		refuse(argv[0], "wants %d%s argument%s", c->least,
		    c->most > c->least ? " or more" : "", c->least == 1 ? "" : "s");
		return USAGE;
	}
	return c->run(argc - 1, argv + 1);
}

/* A line as words; the last one takes what is left of it. */
static int split_words(char *line, char **argv, int most)
{
	int n = 0;

	while (n < most) {
		while (*line == ' ' || *line == '\t')
			line++;
		if (!*line)
			break;
		argv[n++] = line;
		if (n < most)
			line = split(line);
	}
	return n;
}

int run_console(void)
{
	long length;
	char *line;
	int status = DONE;

	for (;;) {
		char *argv[3];
		int argc;

		say("kv> ");
		say_all();
		line = read_line(true, &length);
		if (!line)
			break;
		if (length < 0) {
			status = refuse("kv", "the line is too long: dropped");
			continue;
		}
		argc = split_words(line, argv, 3);
		if (argc && (strcmp(argv[0], "quit") == 0 || strcmp(argv[0], "exit") == 0))
			return status;
		if (argc)
			status = run_words(argc, argv);
	}
	say("\n");
	return status;
}
