// SPDX-License-Identifier: BSD-3-Clause
/*
 * Which kind of kernel state object an object is. It becomes one with its first use as such, and
 * stays it until the machine is reset: a persistent object that leaves memory and comes back is
 * still the same.
 */
#ifndef KSO_TYPE_H
#define KSO_TYPE_H

#include <stdint.h>

#include <abi/kso.h>

struct object;

/*
 * The object is of this kind, or becomes it now. -EBUSY it is of another; -ENOMEM. Object lock
 * held.
 */
int kso_claim(struct object *object, uint32_t type);

/* A volatile object is about to become persistent. -ENOMEM. Object lock held. */
int kso_keep(const struct object *object);

/* The kind that a persistent object had when it was last in memory, KSO_NONE if none. */
uint32_t kso_recall(objid_t id);

/* A persistent object is gone for good. */
void kso_forget(objid_t id);

#endif
