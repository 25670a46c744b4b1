// SPDX-License-Identifier: BSD-3-Clause
/* What the commands of obj share. */
#ifndef OBJ_OBJ_H
#define OBJ_OBJ_H

#include <stdarg.h>
#include <stdbool.h>
#include <twz/obj.h>
#include <twz/obj/hier.h>
#include <twz/sys/syscall.h>

#define ACCESS_READ FE_READ
#define ACCESS_WRITE (FE_READ | FE_WRITE)
#define PATH_MOST 1024

/* Exit statuses. */
#define DONE 0
#define REFUSED 1 /* the work could not be done, or a check found something */
#define USAGE 2   /* the command line is wrong */

struct command {
	const char *name;
	const char *arguments;
	const char *help;
	int least, most; /* how many arguments */
	int (*run)(int argc, char **argv);
};

/* The commands, argv without obj and the command's name: an exit status each. */
int command_ls(int argc, char **argv);
int command_mkdir(int argc, char **argv);
int command_stat(int argc, char **argv);
int command_create(int argc, char **argv);
int command_cp(int argc, char **argv);
int command_rm(int argc, char **argv);
int command_name(int argc, char **argv);
int command_tie(int argc, char **argv);
int command_untie(int argc, char **argv);
int command_hexdump(int argc, char **argv);
int command_fot(int argc, char **argv);
int command_check(int argc, char **argv);
int command_graph(int argc, char **argv);

/* --- say.c: printing */

/* Written when a line ends; say_all() writes what is left. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_with(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
void say_all(void);
/* One line that says why: "obj: WHAT: WHY". Returns REFUSED. */
int refuse(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int refuse_error(const char *what, long error);
/* Print text that may hold any byte: what is no printing ASCII, and ", become \xNN. */
void say_text(const char *text, size_t length);
void say_rights(uint32_t flags);
/* A number, decimal or 0x…; false if text is none. */
bool parse_number(const char *text, uint64_t *value);

/* --- find.c: arguments that name objects */

/* The ID an argument means: 32 digits or a path. 0 or a negative error, nothing printed. */
int find_id(const char *text, objid_t *id);
/* As above, and what the kernel says of it; prints why not and returns false. */
bool find_object(const char *text, objid_t *id, struct kernel_ostat *st);
/* Open it as well. Release o afterwards. */
bool open_object(const char *text, twzobj *o, uint32_t access);
/* Open the namespace that path's last component is in, and find that component. False: printed why. */
bool open_parent(const char *path, twzobj *ns, const char **last);
bool object_exists(objid_t id);
/*
 * Open the object for reading, call fn and release it. False: it cannot be opened, or a fault came
 * in between; nothing is printed. What fn has done until then stays.
 */
bool visit(objid_t id, void (*fn)(twzobj *o, void *arg), void *arg);
/* Whether its base is a namespace's header. */
bool is_namespace(twzobj *o);

/* --- names.c: which names objects have, below the root */

struct name_seen {
	objid_t id;
	char path[120]; /* cut if longer */
};

/* Walk the default namespace, bounded; how many names were seen. */
size_t names_collect(void);
/* A path of the object, or NULL. */
const char *names_of(objid_t id);
/* The next path of the object after position *at, which begins as 0; NULL at the end. */
const char *names_next(objid_t id, size_t *at);

/* --- tags.c: what extensions are called, and how what they mark is checked */

const char *tag_name(uint64_t tag);
/* Judge what an extension marks; the number of findings, each printed with report(). */
int tag_check(twzobj *o, uint64_t tag, void *what);
/* One finding of obj check. Returns 1. */
int report(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- FOT of an open object, safely whatever is in it */

/* One more than the highest index that can be used. */
uint64_t fot_count(twzobj *o);
struct fotentry *fot_entry(twzobj *o, uint64_t index);
/* The string of an entry by name: its length, or -1 if it is not in the data or too long. */
long fot_name(twzobj *o, const struct fotentry *fe, const char **name);
/* How many slots for extensions there are. */
size_t ext_slots(const struct metainfo *mi);

#endif
