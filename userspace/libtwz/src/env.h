// SPDX-License-Identifier: BSD-3-Clause
/*
 * An environment as one program hands it to another: strings NAME=value, each with its NUL, ended
 * by an empty one or by the end of its TWZ_ENV_MAX bytes. Whoever wrote it may be hostile: a string
 * that does not end within them, or has no name, ends the list before it.
 */
#ifndef TWZ_SRC_ENV_H
#define TWZ_SRC_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <twz/sys/program.h>

/* The entry after `entry` (NULL: the first), or NULL. */
char *__twz_env_list_next(char *list, const char *entry);

/* The entry of that name, or NULL. */
char *__twz_env_list_find(char *list, const char *name, size_t len);

/* Set (value NULL: remove) a variable. -EINVAL the name, -ENOMEM no room for it beside the old
 * value; then nothing changed. */
int __twz_env_list_set(char *list, const char *name, size_t len, const char *value);

/* Set what "NAME=value" says. -EINVAL there is no '='. */
int __twz_env_list_put(char *list, const char *entry);

/* Strings one behind the other, as they are, into a zeroed list; one without a name is left out.
 * -ENOMEM they do not fit. */
int __twz_env_list_fill(char *list, const char *const *env);

/* Copy what is in order of `from` to a zeroed list. */
void __twz_env_list_copy(char *to, char *from);

/* The same from this program's environment (env.c). */
void __twz_env_inherit(char *list);

#endif
