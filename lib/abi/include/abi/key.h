// SPDX-License-Identifier: BSD-3-Clause
/*
 * Keys as objects: a ku holds a public key, a kr the private one; both begin, at the base, with a
 * struct key_hdr. A ku that objects are to belong to is a hash-data object, so that its ID fixes
 * its bytes. Key rings: which ku and kr go with the fingerprint of a public key.
 */
#ifndef ABI_KEY_H
#define ABI_KEY_H

#include <abi/mutex.h>
#include <abi/types.h>

#define SCENC_ED25519 1u

#define TWZ_KEY_PRI 1u /* private */

#define TWZ_KEY_SIZE 32u /* public key, or RFC 8032 seed */
#define TWZ_KEY_PRINT_SIZE 32u
/* Fingerprint: BLAKE2b (outlen 32, no key, salt 0, this personal) over the public key. */
#define TWZ_KEY_PRINT_PERSONAL "twz-key-print-v1"

struct key_hdr {
	uint64_t keydata;    /* local p-ptr */
	uint64_t keydatalen; /* TWZ_KEY_SIZE */
	uint32_t type;       /* SCENC_ED25519 */
	uint32_t flags;      /* TWZ_KEY_PRI */
};

#define KEYRING_MAX_KEYS 65536u

struct keyring_hdr {
	uint64_t dfl_pubkey; /* p-ptr to the key_hdr of a ku; 0 = none */
	uint64_t dfl_prikey; /* p-ptr to that of a kr; 0 = none */
	uint64_t count;      /* atomic; entries below it do not change any more */
	uint64_t ents;       /* local p-ptr to struct keyring_ent[] */
	struct mutex mutex;  /* of who adds */
};

struct keyring_ent {
	uint8_t fingerprint[TWZ_KEY_PRINT_SIZE];
	objid_t pub;
	objid_t pri;
};

struct user_hdr {
	objid_t dfl_secctx; /* the context its programs run in; 0 = none */
	uint64_t kr;        /* p-ptr to a struct keyring_hdr; 0 = none */
	uint64_t name;      /* local p-ptr to a NUL-terminated string */
	uint64_t flags;     /* 0 */
	uint64_t reserved;  /* 0 */
};

_Static_assert(offsetof(struct key_hdr, keydatalen) == 8, "key keydatalen");
_Static_assert(offsetof(struct key_hdr, type) == 16, "key type");
_Static_assert(offsetof(struct key_hdr, flags) == 20, "key flags");
_Static_assert(sizeof(struct key_hdr) == 24, "key");
_Static_assert(offsetof(struct keyring_hdr, dfl_prikey) == 8, "keyring dfl_prikey");
_Static_assert(offsetof(struct keyring_hdr, count) == 16, "keyring count");
_Static_assert(offsetof(struct keyring_hdr, ents) == 24, "keyring ents");
_Static_assert(offsetof(struct keyring_hdr, mutex) == 32, "keyring mutex");
_Static_assert(sizeof(struct keyring_hdr) == 48, "keyring");
_Static_assert(offsetof(struct keyring_ent, pub) == 32, "keyring entry pub");
_Static_assert(offsetof(struct keyring_ent, pri) == 48, "keyring entry pri");
_Static_assert(sizeof(struct keyring_ent) == 64, "keyring entry");
_Static_assert(offsetof(struct user_hdr, kr) == 16, "user kr");
_Static_assert(offsetof(struct user_hdr, name) == 24, "user name");
_Static_assert(offsetof(struct user_hdr, flags) == 32, "user flags");
_Static_assert(sizeof(struct user_hdr) == 48, "user");

#endif
