// SPDX-License-Identifier: BSD-3-Clause
/*
 * storm: a mixed load on the store that tells the console what it is about to do and what is
 * done, so that a power cut at any instant can be judged from outside. docs/powercut.md has the
 * lines it prints.
 *
 * On the media: an object named "storm" (struct directory), one area a thread; the objects that
 * its slots name. Slot 0 of each area is the thread's log, the others hold pages of patterns.
 */
#ifndef STORM_H
#define STORM_H

#include <stdbool.h>
#include <twz/obj.h>

#define STORM_NAME "storm"
#define STORM_MAGIC 0x314d524f54535754ull /* "TWSTORM1" */
#define MAX_THREADS 8u
#define SLOTS 8u
#define LOG_SLOT 0u
#define NAMES 4u
#define LOG_RECORDS 1024u
#define PLACES 21u /* pages that an object may have */
#define MAX_LOOKS 16u
#define WORDS_PER_PAGE (TWZ_PAGE_SIZE / sizeof(uint64_t))
#define OBJECT_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define ACCESS (FE_READ | FE_WRITE)

/*
 * A slot counts when used is 1; it is set after id is durable. partner: 1 + the slot whose object
 * this one may be tied to; set before the tie is made.
 */
struct slot {
	objid_t id;
	uint64_t used;
	uint64_t partner;
	uint64_t reserved[4];
};

struct area {
	uint64_t counter;
	uint64_t reserved0[7];
	struct slot slots[SLOTS];
	uint8_t reserved1[TWZ_PAGE_SIZE - 64 - SLOTS * sizeof(struct slot)];
};

struct directory {
	uint64_t magic;
	uint64_t reserved0[7];
	_Atomic uint64_t shared; /* a counter that all threads add to */
	uint64_t reserved1[7];
	uint8_t reserved2[TWZ_PAGE_SIZE - 128];
	struct area areas[MAX_THREADS];
};

struct record {
	uint64_t number; /* 1, 2, … */
	uint64_t words[6];
	uint64_t sum;
};

/* A ring: record number n stands at (n - 1) % LOG_RECORDS. count is raised last. */
struct log {
	uint64_t count;
	uint64_t reserved[7];
	struct record records[LOG_RECORDS];
};

_Static_assert(sizeof(struct area) == TWZ_PAGE_SIZE, "area");
_Static_assert(sizeof(struct slot) == 64 && sizeof(struct record) == 64, "lines");

/* What the command line asked for. */
struct request {
	uint64_t seed;
	uint64_t first;    /* number of the first operation */
	uint64_t limit;    /* operations a thread makes; 0 = no end */
	unsigned threads;
	bool check_only;
	bool lie; /* acknowledge before doing */
	unsigned look_count;
	objid_t looks[MAX_LOOKS]; /* objects to look for beside those of the slots */
};

/* One thread of the load. */
struct worker {
	const struct request *request;
	struct area *area;
	unsigned number;
	uint32_t seq;
	uint64_t random;
	bool acknowledged; /* the operation under way */
	char said[256];    /* lines that have not left yet */
	size_t said_length;
};

/* main.c */
extern struct directory *directory;
extern twzobj directory_object;

/* patterns.c: what the pages and records hold. */
extern const uint32_t places[PLACES]; /* page numbers */
uint64_t pattern_word(uint32_t pattern, unsigned place, unsigned index);
void record_fill(struct record *r, unsigned thread, uint64_t number);

/* check.c: print what is there; changes nothing. */
void check_all(const struct request *q);

/* load.c: end what a cut left half done; then the load itself. */
void load_tidy(struct worker *w);
void load_run(struct worker *w);

/* announce.c: the lines. `announce` begins an operation, one of the others ends it; what ends it
 * is printed with the next announcement or by flush_said. */
void announce(struct worker *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void acknowledge(struct worker *w);
void acknowledge_id(struct worker *w, objid_t id);
void acknowledge_value(struct worker *w, uint64_t value);
void refuse(struct worker *w, int error);
void finish(struct worker *w, int error); /* acknowledge, or refuse if negative */
void flush_said(struct worker *w);

/* ties.c: the operations on ties. `delete_tied` marks the object of a slot if it is
 * tied to another (else false); `release_children` empties the slots of those that will go with
 * the object of a slot; `forget_parent` comes after its deletion. */
void op_tie(struct worker *w, unsigned child, unsigned parent);
void op_untie(struct worker *w, unsigned child);
bool delete_tied(struct worker *w, unsigned i);
void release_children(struct worker *w, unsigned parent);
void forget_parent(struct worker *w, unsigned parent);

/* slots.c: durable changes of the directory. */
void persist(const void *p, size_t length);
bool slot_is_used(const struct slot *s);
void slot_enter(struct slot *s, objid_t id);
void slot_clear(struct slot *s);
bool id_in_slots(objid_t id);

#endif
