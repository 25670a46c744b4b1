// SPDX-License-Identifier: BSD-3-Clause
/*
 * Looks at objects and names, makes and removes them.
 *
 *	obj COMMAND ARGUMENTS...
 *
 * One file for each group of commands. Whatever is in an object may be noise: everything that is
 * read from one is checked before it is used, and a fault ends in one line.
 */
#include "obj.h"

#include <base/string.h>
#include <twz/twztry.h>

static const struct command commands[] = {
	{ "ls", "[DIR]", "what a namespace names", 0, 1, command_ls },
	{ "mkdir", "PATH", "a namespace of that name", 1, 1, command_mkdir },
	{ "stat", "OBJ...", "what the kernel and the metadata page say", 1, 64, command_stat },
	{ "create", "[OPTION...] [PATH]", "a new object, or one of that name", 0, 8, command_create },
	{ "cp", "OBJ PATH", "a copy, by that name", 2, 2, command_cp },
	{ "rm", "OBJ...", "delete objects, and the names they are given by", 1, 64, command_rm },
	{ "name", "show|assign|remove|rename|link|of ...", "look names up and change them", 2, 3,
	    command_name },
	{ "tie", "PARENT CHILD", "the child lives at least as long as the parent", 2, 2, command_tie },
	{ "untie", "PARENT CHILD", "take one tie back", 2, 2, command_untie },
	{ "hexdump", "OBJ [FROM [BYTES]]", "bytes, by object offset", 1, 3, command_hexdump },
	{ "fot", "OBJ", "the foreign object table", 1, 1, command_fot },
	{ "check", "OBJ...", "judge an object by all it says of itself", 1, 64, command_check },
	{ "graph", "[OBJ] [--svg] [--depth N]", "what leads where, as DOT or as a picture", 0, 4,
	    command_graph },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static int help(void)
{
	say("usage: obj COMMAND ARGUMENTS   (OBJ: a path, or an ID of 32 digits)\n");
	for (size_t i = 0; i < COMMANDS; i++)
		say("  obj %s %s\n        %s\n", commands[i].name, commands[i].arguments,
		    commands[i].help);
	return USAGE;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int explain_fault(const struct command *c)
{
	const struct fault_sctx_info *sctx = twzcatch_data();
	const struct fault_object_info *object = twzcatch_data();
	const struct fault_page_info *page = twzcatch_data();

	if (twzcatch_fnum() == FAULT_SCTX)
		return refuse(c->name, "no permission on object " IDFMT, IDPR(sctx->target));
	if (twzcatch_fnum() == FAULT_OBJECT)
		return refuse(c->name, "object " IDFMT " cannot be used", IDPR(object->objid));
	if (twzcatch_fnum() == FAULT_PAGE)
		return refuse(c->name, "object " IDFMT " page %lx cannot be had", IDPR(page->objid),
		    (unsigned long)page->pgnr);
	return refuse(c->name, "ended by fault %d", twzcatch_fnum());
}

static int run(const struct command *c, int argc, char **argv)
{
	volatile int status = REFUSED;

	twztry {
		status = c->run(argc, argv);
	} twzcatch_all {
		say_all();
		status = explain_fault(c);
	} twztry_end;
	return status;
}

int main(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)
		return argc < 2 ? help() : (help(), DONE);
	c = find_command(argv[1]);
	if (!c) {
		refuse(argv[1], "no such command; `obj help' lists them");
		return USAGE;
	}
	if (argc - 2 < c->least || argc - 2 > c->most) {
		say("usage: obj %s %s\n", c->name, c->arguments);
		return USAGE;
	}
	return run(c, argc - 2, argv + 2);
}
