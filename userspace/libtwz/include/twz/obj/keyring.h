// SPDX-License-Identifier: BSD-3-Clause
/* Key rings: from the fingerprint of a public key to its objects. docs/keyring.md. */
#ifndef TWZ_OBJ_KEYRING_H
#define TWZ_OBJ_KEYRING_H

#include <abi/key.h>
#include <twz/obj.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Make an empty object a key ring, from its base to its end, durably. -EEXIST it is one. */
int twz_keyring_init(twzobj *o);

/*
 * Find a key by the first fplen bytes of its fingerprint, 4 … 32; pub and pri may be NULL. Takes no
 * lock. -ENOENT; -EINVAL fplen, or two keys begin like that; -EINVLOBJ o is no key ring.
 */
int twz_keyring_lookup(twzobj *o, const unsigned char *fp, size_t fplen, objid_t *pub, objid_t *pri);

/*
 * Add a key by its whole fingerprint, fplen 32; pri may be 0. There durably, or not at all. Sleeps
 * while others add. -EEXIST the fingerprint is there, -EINVAL fplen or pub 0, -ENOSPC, -EINVLOBJ.
 */
int twz_keyring_insert(twzobj *o, const unsigned char *fp, size_t fplen, objid_t pub, objid_t pri);

/* The number of keys, and the key at a place below it. -ENOENT, -EINVLOBJ. */
ssize_t twz_keyring_count(twzobj *o);
int twz_keyring_get(twzobj *o, size_t place, struct keyring_ent *ent);

/* Say which ku and kr are meant when none is named; NULL: none. As twz_ptr_store_guid. */
int twz_keyring_set_default(twzobj *o, twzobj *pub, twzobj *pri);

#ifdef __cplusplus
}
#endif

#endif
