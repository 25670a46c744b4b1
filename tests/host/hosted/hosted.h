// SPDX-License-Identifier: BSD-3-Clause
/* What the tests of the hosted machine share: this program again, as another process. */
#ifndef TESTS_HOSTED_H
#define TESTS_HOSTED_H

#include "ktap.h"
#include "testlib.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_VARIABLES 1024

extern char **environ;

/* Start this program with argv[1] = role, argv[2] = arg, TWZ_STORE = store (NULL: the same). */
static inline pid_t start_role(const char *role, const char *arg, const char *store)
{
	char *argv[] = { "role", (char *)role, (char *)arg, NULL };
	char *env[MAX_VARIABLES], variable[512];
	size_t n = 0;
	pid_t pid;

	for (char **e = environ; *e && n < MAX_VARIABLES - 2; e++)
		if (!store || strncmp(*e, "TWZ_STORE=", 10) != 0)
			env[n++] = *e;
	if (store) {
		snprintf(variable, sizeof(variable), "TWZ_STORE=%s", store);
		env[n++] = variable;
	}
	env[n] = NULL;
	fflush(NULL);
	pid = vfork();
	if (pid != 0)
		return pid;
	execve("/proc/self/exe", argv, env);
	_exit(126);
}

/* Exit status of a role; 256 + the signal that ended it. */
static inline int finish_role(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline int run_role(const char *role, const char *arg, const char *store)
{
	return finish_role(start_role(role, arg, store));
}

#endif
