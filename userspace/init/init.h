// SPDX-License-Identifier: BSD-3-Clause
/* The parts of init, the first program. */
#ifndef INIT_H
#define INIT_H

#include <stddef.h>
#include <stdint.h>
#include <twz/obj.h>

#define LINE_MAX_LENGTH 1024
#define MAX_ARGS 32

/* names.c: the namespaces. After names_setup, programs() is the pack's namespace or NULL. */
void names_setup(void);
twzobj *programs(void);
objid_t names_root_id(void);
void names_list(void);

/* run.c: whether the pack has a program of that name. */
bool is_program(const char *name);

/* Run one command line and wait. The program's exit status, or a negative error with a
 * message printed. A line of assignments only sets variables. The line is cut up in place. */
int64_t run_line(char *line);

/* Cut a line into words at spaces, in place; argv gets at most MAX_ARGS and a NULL.
 * Returns the number of words, or -E2BIG. */
int split_words(char *line, char **argv);

/* environment.c: whether a word is NAME=value; set variables from such words, which are cut up (0, or
 * a negative error with a message printed); print them all. */
bool is_assignment(const char *word);
int environment_set(char *const *words, int count);
void environment_list(void);

/* autorun.c: the value of the last boot option of that name, copied without quotes; false if there is
 * none. */
bool find_option(const char *cmdline, const char *name, char *value, size_t size);

/* The programs of an autorun option; -1 if there is none, else the number failed. */
int autorun(const char *cmdline);

/* shell.c: if the pack has a session of shells, run it until it ends; not with the option init=twz. */
void shell_session(const char *cmdline);

/* prompt.c: read commands from the console, for ever. */
_Noreturn void prompt(void);

/* power.c: end the machine's run; does not return. */
_Noreturn void power_off(unsigned status);
_Noreturn void reboot(void);

/* main.c: the machine in one line. */
void print_machine(void);

#endif
