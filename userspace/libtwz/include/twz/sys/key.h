// SPDX-License-Identifier: BSD-3-Clause
/* Keys: ku (public) and kr (private) objects, Ed25519. docs/keys.md. */
#ifndef TWZ_SYS_KEY_H
#define TWZ_SYS_KEY_H

#include <abi/key.h>
#include <twz/obj.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A new key as two new objects, open for reading: *pub, which everybody may read and nobody change
 * (hash-data), and *pri, which belongs to it and gives nobody anything by default: until
 * capabilities can be made, only threads without a security context since boot can use it.
 * Persistent where there is a store; they live until they are deleted. The errors of creation;
 * then neither exists. A cut of power may leave the first without the second.
 */
int twz_key_new(twzobj *pri, twzobj *pub);

/*
 * Make an object that is open for writing, and empty, a ku or a kr, durably: the header at its base,
 * the key behind it, the extension. To make a ku that objects can belong to, copy it with
 * TWZ_OC_HASHDATA. -EEXIST it is one.
 */
int ku_obj_init(twzobj *o, const uint8_t pub[TWZ_KEY_SIZE]);
int kr_obj_init(twzobj *o, const uint8_t seed[TWZ_KEY_SIZE]);

/* The key in a ku, in a kr. -EINVLOBJ it holds no such key. */
int ku_get(twzobj *o, uint8_t pub[TWZ_KEY_SIZE]);
int kr_get(twzobj *o, uint8_t seed[TWZ_KEY_SIZE]);

/* The public key of a private one. */
void twz_key_public(const uint8_t seed[TWZ_KEY_SIZE], uint8_t pub[TWZ_KEY_SIZE]);

/* The fingerprint of a public key. */
void twz_key_fingerprint(const uint8_t pub[TWZ_KEY_SIZE], uint8_t print[TWZ_KEY_PRINT_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
