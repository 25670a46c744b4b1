// SPDX-License-Identifier: BSD-3-Clause
/*
 * The environment: strings NAME=value that a program gets from whoever starts it, and passes on to
 * the programs it starts. What libtwz itself looks at:
 *   TWZUSER     ID of the user object (twz/obj/user.h)
 *   TWZUSERKU   ID of the user's default public key: what TWZ_KU_USER means
 *   TWZNAME     ID of the default namespace
 */
#ifndef TWZ_ENV_H
#define TWZ_ENV_H

#include <twz/_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The value of a variable, or NULL if it is not set. It stays until the next change of the
 * environment; threads that read while others change use twz_getenv_copy.
 */
const char *twz_getenv(const char *name);

/* Copy a value with its NUL. Its length; -ENOENT not set, -ERANGE it does not fit. */
ssize_t twz_getenv_copy(const char *name, char *buffer, size_t size);

/* The ID that a variable holds. -ENOENT not set, -EINVAL no ID. */
int twz_getenv_id(const char *name, objid_t *id);

/*
 * Set a variable, in this program and in those it starts from now on; value NULL removes it.
 * -EINVAL name empty or with '='; -ENOMEM the environment would not fit (twz/sys/program.h).
 */
int twz_setenv(const char *name, const char *value);

/* The entry after `entry`, as NAME=value; NULL begins, and ends. Stays as twz_getenv's. */
const char *twz_env_next(const char *entry);

#ifdef __cplusplus
}
#endif

#endif
