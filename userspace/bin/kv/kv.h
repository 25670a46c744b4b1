// SPDX-License-Identifier: BSD-3-Clause
/* The parts of kv. */
#ifndef KV_KV_H
#define KV_KV_H

#include <stdbool.h>
#include <twz/ds/map.h>
#include <twz/obj.h>

#define KV_MAGIC 0x3145524f5453564bull /* "KVSTORE1" */
#define KEY_MOST TWZ_DS_KEY_MAX
#define VALUE_MOST (1u << 20)

/* Exit statuses. */
#define DONE 0
#define REFUSED 1 /* not there, or it could not be done */
#define USAGE 2   /* the command is wrong */

/* What stands at the base of a store; the allocator has the rest of the object. */
struct kv_store {
	uint64_t magic; /* KV_MAGIC */
	uint64_t reserved[7];
	struct twz_map map; /* keys and values are bytes */
};

#define KV_HEAP_OFFSET 4096

_Static_assert(offsetof(struct kv_store, map) == 64, "the map of a store");

struct bytes {
	const char *text;
	size_t length;
};

/* --- store.c */

/* Open the store of that name or ID; make it if there is none and make is set. Prints why not. */
bool store_open(const char *name, bool make);
/* 0 or a negative error each. */
int store_put(struct bytes key, struct bytes value);
int store_delete(struct bytes key);
/* The value, or the error in *error; it stays as it is until the next change. */
const char *store_get(struct bytes key, size_t *length, int *error);
/* Call fn for each key from `from` on to `to` (each may be empty: all), in order. */
int store_walk(struct bytes from, struct bytes to, void (*fn)(struct bytes key, struct bytes value));
int store_stat(void);
int store_check(void);

/* --- text.c: lines, and keys and values as text: a byte that is not printing, a backslash, and a
 * blank in a key, is written \xNN; \n, \t and \\ are read, too. */

void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "kv: WHAT: WHY", and REFUSED. */
int refuse(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int refuse_error(const char *what, int error);
/* Write what was said and not yet printed. */
void say_all(void);
void say_bytes(struct bytes b, bool key);
/* Undo the escapes in place; the length, or -1 if one is wrong. */
long unescape(char *text, size_t length);
/* A line of the console without its end, terminated; NULL at the end of the input. What is too
 * long is dropped: *length is then -1. echo: typed by a person, and shown as it is typed. */
char *read_line(bool echo, long *length);

/* --- commands.c */

/* Run one command, words split already: the command, and what follows it. */
int run_words(int argc, char **argv);
/* Read commands until `quit` or the end of the input. */
int run_console(void);
/* Whether the store is to be made if it is not there. */
bool command_makes(const char *name);

#endif
