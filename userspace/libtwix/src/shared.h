// SPDX-License-Identifier: BSD-3-Clause
/* The object that programs that come from one another share (shared.c): how it is laid out. */
#ifndef TWIX_SHARED_H
#define TWIX_SHARED_H

#include "twix.h"

#include <twz/obj/event.h>

#define TWIX_FILES 65536u
#define TWIX_PROCESSES 2048u
#define TWIX_PID_MAX 32767
#define TWIX_PIDS 8192u /* a process is found by the remainder of its number */
#define TWIX_OPEN_HASHES 1024u
#define TWIX_NAME_LOCKS 256u

/* The open files of all objects with one hash. */
struct twix_open_list {
	struct mutex lock; /* guards all below, and next_open and orphan of the files */
	uint32_t first;    /* its number */
	uint32_t unused[3];
};

/* A pipe with a name that somebody has open. */
#define TWIX_FIFOS 256u
struct twix_fifo {
	objid_t id;
	uint32_t readers, writers; /* neither: a free place; atomic */
	uint64_t reader_opens, writer_opens; /* atomic: how often */
	uint64_t changes; /* atomic: who waits for the other side sleeps on it */
};
struct twix_fifos {
	struct mutex lock; /* guards all */
	struct twix_fifo all[TWIX_FIFOS];
};

struct twix_machine_name {
	char text[65]; /* "": nobody has set it */
};

/* At the base of the object. What nobody uses takes no memory: it is zeroes until it is written. */
struct twix_shared {
	struct mutex lock; /* between those who look for a free process */
	int32_t last_pid;  /* guarded by lock */
	uint32_t process_end;  /* atomic: from here on no place was ever used */
	uint32_t process_free; /* atomic: no place below is free */
	uint32_t fresh_file; /* atomic: files from this number on never were */
	uint64_t free_files; /* atomic: the number of the first free one, and above it a count of changes */
	objid_t memory; /* the directory of shared memory; 0: there is none yet; guarded by lock */
	struct evhdr activity;      /* bit number % 64 is set by the next activity, and cleared in time before */
	uint64_t activities;        /* atomic */
	uint32_t crowds, unused2;   /* atomic: somebody waits for activity of any file */
	struct twix_machine_name names_of_machine[2]; /* its host name, and the domain's */
	struct twix_terminals terminals;
	struct twix_locks locks;
	struct twix_fifos fifos;
	struct mutex names[TWIX_NAME_LOCKS]; /* of directories: one for all of a hash */
	struct mutex sizes[TWIX_NAME_LOCKS]; /* of files, the same */
	struct twix_open_list open[TWIX_OPEN_HASHES];
	uint16_t by_pid[TWIX_PIDS]; /* the process's place, plus 1; guarded by lock */
	struct twix_process processes[TWIX_PROCESSES];
	struct twix_about about[TWIX_PROCESSES];
	struct twix_queue queues[TWIX_PROCESSES];
	struct twix_file files[TWIX_FILES]; /* the first is never used */
	twix_descriptor descriptors[TWIX_PROCESSES][TWIX_DESCRIPTORS];
};

extern struct twix_shared *twix_shared;

#endif
