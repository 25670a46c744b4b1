// SPDX-License-Identifier: BSD-3-Clause
/* Adding a foreign entry, step by step: claim, fill in, publish, store a pointer. */
#ifndef TWZ_FOT_H
#define TWZ_FOT_H

#include "runtime.h"

#define FOT_PERMS (FE_READ | FE_WRITE | FE_EXEC | FE_USE | FE_DERIVE)

struct fotentry *__twz_fot_entry(twzobj *o, uint64_t index);

/* An index whose entry is the caller's to fill in, durably; -ENOSPC, -EINVAL. */
ssize_t __twz_fot_claim(twzobj *o);

/* Give a claimed entry back, as far as nobody has claimed a later one. */
void __twz_fot_unclaim(twzobj *o, uint64_t index);

/* The entry counts from now on. What it says is durable already. */
void __twz_fot_publish(twzobj *o, uint64_t index);

/* Whether a p-ptr may be stored at loc: an aligned word in o. */
bool __twz_fot_can_store(twzobj *o, const void *loc);

/* Store a p-ptr through an entry that is durable (0: local), durably. */
void __twz_fot_store(twzobj *o, void *loc, uint64_t index, const void *p);

#endif
