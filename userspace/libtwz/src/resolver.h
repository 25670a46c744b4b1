// SPDX-License-Identifier: BSD-3-Clause
/* Entries that are bound late: by a name, when they are first followed. */
#ifndef TWZ_RESOLVER_H
#define TWZ_RESOLVER_H

#include "runtime.h"

/*
 * Ask the resolver of an entry with FE_NAME, as p in o needs it. *name becomes the string, where it
 * stands in o, as soon as it could be read. Gives the object that the name stands for in *id, or,
 * if the resolver knows more, where p leads in *d (else untouched). A negative error has *info
 * say what it is (FAULT_PPTR_*).
 */
int __twz_resolve(twzobj *o, const struct fotentry *fe, const void *p, const char **name,
    objid_t *id, void **d, uint64_t *info);

#endif
