// SPDX-License-Identifier: BSD-3-Clause
/*
 * What a store must hold after the operations that were acknowledged, and the comparison of a
 * recovered store with that.
 */
#ifndef TESTS_STORE_MODEL_H
#define TESTS_STORE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "../../../kernel/store/layout.h"

#define MODEL_OBJECTS 12u
#define MODEL_PLACES 14u
#define MODEL_SIDE 11u     /* places from here on are side pages */
#define MODEL_META 10u     /* the place of the metadata page */
#define MODEL_IN_RUN 6u    /* a place in the range of MODEL_RUN */
#define MODEL_RUN 3072u    /* where a run goes */
#define MODEL_BULK 2000u
#define MODEL_SEEDS 4096u
#define MODEL_MARK 5u      /* the word of a page that programs write */

enum life { NONE, LIVE, DELETED, HIDDEN };

struct model_page {
	bool present;
	uint32_t seed;  /* model_content(seed) */
	uint64_t mark;  /* word MODEL_MARK, if not 0: stored by the object's user */
};

struct model {
	uint64_t boots;
	objid_t root;
	uint64_t clock;
	struct model_object {
		objid_t id;
		enum life life;
		struct store_handle h;
		struct model_page page[MODEL_PLACES];
		unsigned bulk; /* zero pages from MODEL_BULK on */
		bool run;      /* zero pages from MODEL_RUN on, but for MODEL_IN_RUN */
		bool no_run;   /* there is a leaf where it would go */
	} object[MODEL_OBJECTS];
	uint8_t ties[MODEL_OBJECTS][MODEL_OBJECTS]; /* parent, child: count */
};

/* Page numbers of the places; side pages count from SIDE_FIRST. */
extern const uint64_t model_places[MODEL_PLACES];

/* What a page of that seed holds; seed 0 is all zero. */
const uint64_t *model_content(uint32_t seed);

/* A page or side page by its place. */
int model_get(struct store *st, const struct store_handle *h, unsigned place, void **page);

/* How many objects have a tie to this one as its parents. */
unsigned model_parents(const struct model *m, unsigned child);

/* What a mount does: whatever has no reason to live is gone. */
void model_remount(struct model *m);

/* Remove an object and its ties. */
void model_forget(struct model *m, unsigned object);

/*
 * NULL, or how the mounted store differs from the model after a mount. Only what a read-only mount
 * promises if it is one.
 */
const char *model_compare(struct store *st, const struct model *m);

/*
 * The same for the list of all objects, and of the pages of each. The store is mounted for writing.
 */
const char *model_walk(struct store *st, const struct model *m);

#endif
