// SPDX-License-Identifier: BSD-3-Clause
/*
 * A persistent key-value store with a command line.
 *
 *	kv STORE COMMAND ARGUMENTS...    one command
 *	kv STORE                         commands from the console
 *
 * A store is an object: an ordered map (twz/ds/map.h) and the allocator its records come from. Each
 * put and del is durable when it has returned, and all there or not at all after a power cut.
 */
#include "kv.h"

#include <base/string.h>
#include <twz/twztry.h>

static int usage(void)
{
	say("usage: kv STORE [COMMAND]   (STORE: a path, or an ID of 32 digits)\n"
	    "  put KEY VALUE     bind the key; makes the store if it is not there\n"
	    "  get KEY           print the value\n"
	    "  del KEY           forget the key\n"
	    "  list [FROM [TO]]  keys and values in order, both ends included\n"
	    "  count             how many keys there are\n"
	    "  stat              what the store takes\n"
	    "  check             look for damage\n"
	    "  load              read lines of KEY VALUE from the console, to its end\n"
	    "  dump              print the lines that load reads\n"
	    "Without a command they are read from the console, one a line; quit ends.\n"
	    "In keys and values \\xNN, \\n, \\t and \\\\ stand for bytes.\n");
	return USAGE;
}

static int run(int argc, char **argv)
{
	bool makes = argc < 3 || command_makes(argv[2]);

	if (!store_open(argv[1], makes))
		return REFUSED;
	return argc < 3 ? run_console() : run_words(argc - 2, argv + 2);
}

int main(int argc, char **argv)
{
	volatile int status = REFUSED;

	if (argc < 2 || strcmp(argv[1], "--help") == 0)
		return usage();
	twztry {
		status = run(argc, argv);
	} twzcatch_all {
		say_all();
		status = refuse(argv[1], "the object cannot be used (fault %d)", twzcatch_fnum());
	} twztry_end;
	say_all();
	return status;
}
