// SPDX-License-Identifier: BSD-3-Clause
/* Keys: made from random seeds, kept in objects (abi/key.h). */
#include "runtime.h"

#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/crypto_sign_ed25519.h>
#include <sodium/utils.h>
#include <twz/sys/key.h>

#define KEYDATA_OFFSET 32ul /* of the key, from the base */

_Static_assert(crypto_sign_ed25519_SEEDBYTES == TWZ_KEY_SIZE, "seed");
_Static_assert(crypto_sign_ed25519_PUBLICKEYBYTES == TWZ_KEY_SIZE, "public key");

void twz_key_public(const uint8_t seed[TWZ_KEY_SIZE], uint8_t pub[TWZ_KEY_SIZE])
{
	uint8_t both[crypto_sign_ed25519_SECRETKEYBYTES];

	crypto_sign_ed25519_seed_keypair(pub, both, seed);
	sodium_memzero(both, sizeof(both));
}

void twz_key_fingerprint(const uint8_t pub[TWZ_KEY_SIZE], uint8_t print[TWZ_KEY_PRINT_SIZE])
{
	static const uint8_t salt[crypto_generichash_blake2b_SALTBYTES];

	crypto_generichash_blake2b_salt_personal(print, TWZ_KEY_PRINT_SIZE, pub, TWZ_KEY_SIZE, NULL, 0,
	    salt, (const uint8_t *)TWZ_KEY_PRINT_PERSONAL);
}

/* --- key objects */

static int init(twzobj *o, const uint8_t *key, uint32_t flags, uint64_t tag)
{
	struct key_hdr *h = twz_object_base(o);
	char *keydata = (char *)h + KEYDATA_OFFSET;

	if (!h)
		return -EINVAL;
	if (twz_object_getext(o, KU_METAEXT_TAG) || twz_object_getext(o, KR_METAEXT_TAG))
		return -EEXIST;
	*h = (struct key_hdr){
		.keydata = OBJ_NULLPAGE_SIZE + KEYDATA_OFFSET,
		.keydatalen = TWZ_KEY_SIZE,
		.type = SCENC_ED25519,
		.flags = flags,
	};
	memcpy(keydata, key, TWZ_KEY_SIZE);
	__twz_obj_flush(o, h, KEYDATA_OFFSET + TWZ_KEY_SIZE);
	__twz_obj_fence(o);
	twz_object_setsz(o, TWZ_OSSM_ABSOLUTE, KEYDATA_OFFSET + TWZ_KEY_SIZE);
	return twz_object_addext(o, tag, h);
}

int ku_obj_init(twzobj *o, const uint8_t pub[TWZ_KEY_SIZE])
{
	return init(o, pub, 0, KU_METAEXT_TAG);
}

int kr_obj_init(twzobj *o, const uint8_t seed[TWZ_KEY_SIZE])
{
	return init(o, seed, TWZ_KEY_PRI, KR_METAEXT_TAG);
}

/* The header is looked at once, so that nobody can change it behind the check. */
static int get(twzobj *o, uint8_t *key, uint32_t flags)
{
	struct key_hdr h, *there = twz_object_base(o);

	if (!there)
		return -EINVAL;
	h = *(volatile struct key_hdr *)there;
	if (h.keydatalen != TWZ_KEY_SIZE || h.type != SCENC_ED25519 || h.flags != flags ||
	    h.keydata < OBJ_NULLPAGE_SIZE || h.keydata > OBJ_TOPDATA - TWZ_KEY_SIZE)
		return -EINVLOBJ;
	memcpy(key, (char *)there - OBJ_NULLPAGE_SIZE + h.keydata, TWZ_KEY_SIZE);
	return 0;
}

int ku_get(twzobj *o, uint8_t pub[TWZ_KEY_SIZE])
{
	return get(o, pub, 0);
}

int kr_get(twzobj *o, uint8_t seed[TWZ_KEY_SIZE])
{
	return get(o, seed, TWZ_KEY_PRI);
}

/* --- new keys */

/* A volatile object that holds a key, to be copied and then to be wiped. */
static int make_template(twzobj *o, const uint8_t *key, bool private)
{
	int r = twz_object_new(o, NULL, NULL, OBJ_VOLATILE, TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE);

	if (r == 0)
		r = private ? kr_obj_init(o, key) : ku_obj_init(o, key);
	return r;
}

static void wipe_template(twzobj *o)
{
	if (!o->base)
		return;
	sodium_memzero(twz_object_base(o), KEYDATA_OFFSET + TWZ_KEY_SIZE);
	twz_object_delete(o, TWZ_OD_IMMEDIATE);
	twz_object_release(o);
}

/*
 * Whoever may write a key object could change the key: it is made by copying, whole and with its
 * final rights, and this thread need not have any on it.
 */
static int make_object(twzobj *o, const uint8_t *key, twzobj *ku, uint64_t flags)
{
	twzobj template = { 0 };
	int r = make_template(&template, key, ku != NULL);

	if (r == 0)
		r = twz_object_new(o, &template, ku, flags | TWZ_OC_TIED_NONE);
	wipe_template(&template);
	return r;
}

static int make_pair(twzobj *pri, twzobj *pub, const uint8_t *seed)
{
	uint8_t key[TWZ_KEY_SIZE];
	int r;

	twz_key_public(seed, key);
	r = make_object(pub, key, NULL, TWZ_OC_HASHDATA | TWZ_OC_DFL_READ);
	if (r < 0)
		return r;
	r = make_object(pri, seed, pub, 0);
	if (r < 0) {
		twz_object_delete(pub, TWZ_OD_IMMEDIATE);
		twz_object_release(pub);
	}
	return r;
}

int twz_key_new(twzobj *pri, twzobj *pub)
{
	uint8_t seed[TWZ_KEY_SIZE];
	int r;

	memset(pri, 0, sizeof(*pri));
	memset(pub, 0, sizeof(*pub));
	r = (int)sys_random(seed, sizeof(seed), 0);
	if (r >= 0)
		r = make_pair(pri, pub, seed);
	sodium_memzero(seed, sizeof(seed));
	return r;
}
