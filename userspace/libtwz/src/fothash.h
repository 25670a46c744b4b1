// SPDX-License-Identifier: BSD-3-Clause
/* Finding a foreign entry by what it says. */
#ifndef TWZ_FOTHASH_H
#define TWZ_FOTHASH_H

#include "runtime.h"

struct fothash;

/*
 * The index of an entry for id whose flags are whole, among the first n: -ENOENT there is none that
 * was valid when it was first seen; -ENOMEM: look yourself.
 */
ssize_t __twz_fothash_find(twzobj *o, objid_t id, uint64_t whole, uint32_t n);

/* This program has made entry e valid: it is found from now on. */
void __twz_fothash_added(twzobj *o, uint32_t e);

#endif
