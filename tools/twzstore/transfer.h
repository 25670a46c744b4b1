// SPDX-License-Identifier: BSD-3-Clause
/* Carrying out what was planned: into a store, all or nothing, and out of it. */
#ifndef TWZSTORE_TRANSFER_H
#define TWZSTORE_TRANSFER_H

#include "plan.h"
#include "region.h"

/* What objects may do by default: read, written, deleted. */
#define IMPORT_PERMISSIONS (MIP_DFL_READ | MIP_DFL_WRITE | MIP_DFL_DEL)

/*
 * Decide where in the store everything goes, and whether there is room. The items' names, so far
 * paths, become the last components of them. The store may be mounted read-only. False: reported.
 */
bool import_place(struct store *st, struct plan *p);

/* Carry out a plan that was placed. On failure, reported, everything is taken back. */
bool import_run(struct store *st, struct plan *p);

/* Write an object's data to a file, which appears, or is replaced, as a whole. False: reported. */
bool export_object(const struct object *o, const char *path);

/*
 * Make a folder of a namespace and all below it, which appears as a whole. `keep_going`: what
 * cannot be read is reported and left out, and the result is false nevertheless.
 */
bool export_tree(const struct object *ns, const char *path, bool keep_going);

/* Signals that end the program set a flag from now on; true once one has come. */
void catch_signals(void);
bool stopped(void);

#endif
