// SPDX-License-Identifier: BSD-3-Clause
/* Running a program of the boot pack by a command line. */
#include "init.h"

#include <base/string.h>
#include <twz/obj/hier.h>
#include <twz/sys/kec.h>
#include <twz/sys/program.h>

int split_words(char *line, char **argv)
{
	int n = 0;

	for (;;) {
		while (*line == ' ' || *line == '\t')
			*line++ = 0;
		if (!*line)
			break;
		if (n == MAX_ARGS)
			return -E2BIG;
		argv[n++] = line;
		while (*line && *line != ' ' && *line != '\t')
			line++;
	}
	argv[n] = NULL;
	return n;
}

bool is_program(const char *name)
{
	struct twz_name_ent ent;

	return programs() && twz_hier_resolve_name(programs(), name, 0, &ent) == 0 &&
	       ent.type != NAME_ENT_NAMESPACE;
}

static int find_program(const char *name, objid_t *id)
{
	struct twz_name_ent ent;
	int r = programs() ? twz_hier_resolve_name(programs(), name, 0, &ent) : -ENOENT;

	if (r == 0 && ent.type == NAME_ENT_NAMESPACE)
		r = -ENOENT;
	if (r == -ENOENT || r == -ENOTDIR)
		kec_printf("init: %s: no such program\n", name);
	else if (r < 0)
		kec_printf("init: %s: cannot be looked up (error %d)\n", name, -r);
	else
		*id = ent.id;
	return r;
}

/* env: "NAME=value" … NULL, for this program only. */
static int64_t start_and_wait(objid_t id, int argc, char **argv, char *const *env)
{
	struct twz_program_opts opts = {
		.nameroot = names_root_id(),
		.env = (const char *const *)env,
	};
	struct thread t;
	uint64_t status;
	int r = twz_program_spawn(id, argc, argv, &opts, &t);

	if (r == 0)
		r = twz_program_wait(&t, &status);
	if (r < 0) {
		kec_printf("init: %s: cannot be run (error %d)\n", argv[0], -r);
		return r;
	}
	if (status >= THRD_EXIT_FAULT(0))
		kec_printf("init: %s: ended by fault %lu\n", argv[0],
		    (unsigned long)(status - THRD_EXIT_FAULT(0)));
	else if (status)
		kec_printf("init: %s: exit status %lu\n", argv[0], (unsigned long)status);
	return (int64_t)(status & INT64_MAX);
}

int64_t run_line(char *line)
{
	char *words[MAX_ARGS + 1], *env[MAX_ARGS + 1] = { NULL };
	int argc = split_words(line, words), vars = 0;
	objid_t id;
	int r;

	if (argc < 0) {
		kec_printf("init: more than %d words\n", MAX_ARGS);
		return argc;
	}
	for (; vars < argc && is_assignment(words[vars]); vars++)
		env[vars] = words[vars];
	if (vars == argc)
		return environment_set(words, vars);
	r = find_program(words[vars], &id);
	return r < 0 ? r : start_and_wait(id, argc - vars, words + vars, env);
}
