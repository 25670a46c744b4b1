// SPDX-License-Identifier: BSD-3-Clause
/* Keys, key rings, users. */
#include "ktap.h"
#include "testlib.h"

#include <base/printf.h>
#include <base/string.h>
#include <twz/env.h>
#include <twz/obj/keyring.h>
#include <twz/obj/user.h>
#include <twz/sys/key.h>
#include <twz/twztry.h>

/* ---- Keys ---- */

static void from_hex(const char *hex, uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < 2 * n; i++) {
		uint8_t digit = (uint8_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);

		bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | digit);
	}
}

static const struct {
	const char *seed, *pub;
} vectors[] = {
	/* RFC 8032, 7.1, tests 1 and 2 */
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c" },
	{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	  "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8" },
};

static void known_keys(void)
{
	uint8_t seed[32], pub[32], want[32];

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		from_hex(vectors[i].seed, seed, 32);
		from_hex(vectors[i].pub, want, 32);
		twz_key_public(seed, pub);
		CHECK(memcmp(pub, want, 32) == 0);
	}
	/* the last one's fingerprint, computed with Python's hashlib */
	from_hex("b8aa7da349d683805fc26cd84f9cada41a4e9de6356cfe18bf42fb499798d015", want, 32);
	twz_key_fingerprint(pub, seed);
	CHECK(memcmp(seed, want, 32) == 0);
}

static void key_objects(void)
{
	uint8_t in[32], out[32];
	struct key_hdr *h, good;
	twzobj o;

	for (int i = 0; i < 32; i++)
		in[i] = (uint8_t)(i * 7);
	NEED(new_object(&o) == 0);
	CHECK_EQ(ku_get(&o, out), -EINVLOBJ);
	CHECK_EQ(ku_obj_init(&o, in), 0);
	CHECK_EQ(ku_obj_init(&o, in), -EEXIST);
	CHECK_EQ(kr_obj_init(&o, in), -EEXIST);
	CHECK_EQ(ku_get(&o, out), 0);
	CHECK(memcmp(in, out, 32) == 0);
	CHECK_EQ(kr_get(&o, out), -EINVLOBJ);
	h = twz_object_base(&o);
	good = *h;
	h->keydatalen = 33;
	CHECK_EQ(ku_get(&o, out), -EINVLOBJ);
	*h = good;
	h->keydata = 8;
	CHECK_EQ(ku_get(&o, out), -EINVLOBJ);
	h->keydata = OBJ_TOPDATA - 31;
	CHECK_EQ(ku_get(&o, out), -EINVLOBJ);
	h->keydata = 1ull << OBJ_SHIFT | 0x1020;
	CHECK_EQ(ku_get(&o, out), -EINVLOBJ);
	*h = good;
	h->type = 0;
	CHECK_EQ(ku_get(&o, out), -EINVLOBJ);
	drop_object(&o);
}

static void delete_both(twzobj *pri, twzobj *pub)
{
	drop_object(pri);
	drop_object(pub);
}

/* Nobody has a right to a private key by default; a thread without restrictions needs none. */
static bool read_private(twzobj *pri, uint8_t *seed)
{
	volatile bool read = false;

	twztry {
		CHECK_EQ(kr_get(pri, seed), 0);
		read = true;
	} twzcatch(FAULT_SCTX) {
		ktap_note("the private key is not for this thread");
	} twztry_end;
	return read;
}

static void new_keys(void)
{
	uint8_t seed[32], key[32], other[32];
	twzobj pri, pub, pri2, pub2;
	struct kernel_ostat st;

	NEED(twz_key_new(&pri, &pub) == 0);
	CHECK_EQ(ku_get(&pub, key), 0);
	if (read_private(&pri, seed)) {
		twz_key_public(seed, other);
		CHECK(memcmp(key, other, 32) == 0);
		CHECK(twz_object_getext(&pri, KR_METAEXT_TAG) == twz_object_base(&pri));
	}
	CHECK(twz_object_getext(&pub, KU_METAEXT_TAG) == twz_object_base(&pub));
	CHECK_EQ(twz_object_kstat(&pub, &st), 0);
	CHECK(st.flags & OS_FLAGS_HASH);
	CHECK_EQ(st.p_flags, MIP_HASHDATA | MIP_DFL_READ);
	CHECK_EQ(st.sz, 64);
	CHECK_EQ(twz_object_kstat(&pri, &st), 0);
	CHECK_EQ(st.p_flags, 0);
	CHECK(st.kuid == twz_object_guid(&pub));
	NEED(twz_key_new(&pri2, &pub2) == 0);
	CHECK_EQ(ku_get(&pub2, other), 0);
	CHECK(memcmp(key, other, 32) != 0);
	delete_both(&pri, &pub);
	delete_both(&pri2, &pub2);
}

/* ---- Key rings ---- */

static uint8_t *print_of(uint64_t n)
{
	static uint8_t fp[32];
	uint8_t key[32] = { 0 };

	memcpy(key, &n, sizeof(n));
	twz_key_fingerprint(key, fp);
	return fp;
}

static void rings(void)
{
	objid_t pub = 0, pri = 0;
	struct keyring_ent e;
	uint8_t twin[32];
	twzobj o;

	NEED(new_object(&o) == 0);
	CHECK_EQ(twz_keyring_lookup(&o, print_of(0), 32, &pub, &pri), -EINVLOBJ);
	CHECK_EQ(twz_keyring_insert(&o, print_of(0), 32, 1, 2), -EINVLOBJ);
	CHECK_EQ(twz_keyring_init(&o), 0);
	CHECK_EQ(twz_keyring_init(&o), -EEXIST);
	CHECK_EQ(twz_keyring_lookup(&o, print_of(0), 32, &pub, &pri), -ENOENT);
	for (uint64_t n = 0; n < 50; n++)
		CHECK_EQ(twz_keyring_insert(&o, print_of(n), 32, MKID(1, n), MKID(2, n)), 0);
	for (uint64_t n = 0; n < 50; n++) {
		CHECK_EQ(twz_keyring_lookup(&o, print_of(n), n % 2 ? 32 : 4, &pub, &pri), 0);
		CHECK(pub == MKID(1, n) && pri == MKID(2, n));
		CHECK_EQ(twz_keyring_insert(&o, print_of(n), 32, 1, 2), -EEXIST);
	}
	CHECK_EQ(twz_keyring_count(&o), 50);
	CHECK_EQ(twz_keyring_get(&o, 49, &e), 0);
	CHECK(e.pub == MKID(1, 49));
	CHECK_EQ(twz_keyring_get(&o, 50, &e), -ENOENT);
	CHECK_EQ(twz_keyring_lookup(&o, print_of(1), 3, &pub, &pri), -EINVAL);
	CHECK_EQ(twz_keyring_lookup(&o, print_of(1), 33, &pub, &pri), -EINVAL);
	CHECK_EQ(twz_keyring_insert(&o, print_of(99), 31, 1, 2), -EINVAL);
	CHECK_EQ(twz_keyring_insert(&o, print_of(99), 32, 0, 2), -EINVAL);
	/* one that begins as another does */
	memcpy(twin, print_of(7), 32);
	twin[9] ^= 1;
	CHECK_EQ(twz_keyring_insert(&o, twin, 32, 77, 0), 0);
	CHECK_EQ(twz_keyring_lookup(&o, twin, 9, &pub, NULL), -EINVAL);
	CHECK_EQ(twz_keyring_lookup(&o, twin, 10, &pub, NULL), 0);
	CHECK(pub == 77);
	CHECK_EQ(twz_keyring_lookup(&o, print_of(7), 10, NULL, &pri), 0);
	CHECK(pri == MKID(2, 7));
	drop_object(&o);
}

static void hostile_rings(void)
{
	struct keyring_hdr *h;
	twzobj o;

	NEED(new_object(&o) == 0);
	CHECK_EQ(twz_keyring_init(&o), 0);
	h = twz_object_base(&o);
	h->count = KEYRING_MAX_KEYS + 1;
	CHECK_EQ(twz_keyring_lookup(&o, print_of(0), 4, NULL, NULL), -EINVLOBJ);
	h->count = ~0ull;
	CHECK_EQ(twz_keyring_insert(&o, print_of(0), 32, 1, 1), -EINVLOBJ);
	h->count = KEYRING_MAX_KEYS;
	CHECK_EQ(twz_keyring_insert(&o, print_of(0), 32, 1, 1), -ENOSPC);
	CHECK_EQ(twz_keyring_lookup(&o, print_of(0), 4, NULL, NULL), -ENOENT);
	h->count = 0;
	h->ents = OBJ_TOPDATA - 64;
	CHECK_EQ(twz_keyring_insert(&o, print_of(0), 32, 1, 1), -EINVLOBJ);
	h->ents = 1ull << OBJ_SHIFT | 0x1040;
	CHECK_EQ(twz_keyring_lookup(&o, print_of(0), 4, NULL, NULL), -EINVLOBJ);
	h->ents = 0x1041;
	CHECK_EQ(twz_keyring_count(&o), -EINVLOBJ);
	drop_object(&o);
}

#define ADDERS 3
#define EACH 60

static twzobj shared;
static atomic_ulong bad;

static void add_some(void *arg)
{
	uint64_t me = (uintptr_t)arg;
	uint8_t key[32] = { 0 }, fp[32];

	for (uint64_t n = 0; n < EACH; n++) {
		uint64_t number = me << 32 | n;
		objid_t id = 0;

		memcpy(key, &number, sizeof(number));
		twz_key_fingerprint(key, fp);
		if (twz_keyring_insert(&shared, fp, 32, MKID(me + 1, n), 0) != 0 ||
		    twz_keyring_lookup(&shared, fp, 32, &id, NULL) != 0 || id != MKID(me + 1, n))
			bad++;
	}
}

static void many_adders(void)
{
	struct thread t[ADDERS];

	bad = 0;
	NEED(new_object(&shared) == 0);
	CHECK_EQ(twz_keyring_init(&shared), 0);
	for (uintptr_t i = 0; i < ADDERS; i++)
		NEED(run_thread(&t[i], add_some, (void *)i) == 0);
	for (int i = 0; i < ADDERS; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
	CHECK_EQ(bad, 0);
	CHECK_EQ(twz_keyring_count(&shared), ADDERS * EACH);
	drop_object(&shared);
}

/* ---- Users ---- */

static void users(void)
{
	uint8_t key[32], fp[32];
	char name[USER_NAME_MAXLEN + 1], text[64];
	twzobj user, ring, pri, pub, found;
	struct keyring_hdr *h;
	objid_t id;

	NEED(twz_key_new(&pri, &pub) == 0);
	CHECK_EQ(ku_get(&pub, key), 0);
	twz_key_fingerprint(key, fp);
	NEED(new_object(&ring) == 0);
	CHECK_EQ(twz_keyring_init(&ring), 0);
	CHECK_EQ(twz_keyring_insert(&ring, fp, 32, twz_object_guid(&pub), twz_object_guid(&pri)), 0);
	CHECK_EQ(twz_keyring_set_default(&ring, &pub, &pri), 0);
	h = twz_object_base(&ring);
	CHECK(memcmp((char *)twz_object_lea(&ring, (struct key_hdr *)h->dfl_pubkey) + 32, key, 32) == 0);
	NEED(new_object(&user) == 0);
	CHECK_EQ(twz_user_name(&user, name, sizeof(name)), -EINVLOBJ);
	CHECK_EQ(twz_user_init(&user, "", &ring, 0), -EINVAL);
	CHECK_EQ(twz_user_init(&user, "ada", &ring, MKID(3, 4)), 0);
	CHECK_EQ(twz_user_init(&user, "ada", &ring, 0), -EEXIST);
	CHECK_EQ(twz_user_name(&user, name, sizeof(name)), 3);
	CHECK(strcmp(name, "ada") == 0);
	CHECK_EQ(twz_user_name(&user, name, 3), -ERANGE);
	CHECK(twz_user_secctx(&user) == MKID(3, 4));
	CHECK_EQ(twz_user_keyring(&user, &found, FE_READ), 0);
	CHECK_EQ(twz_keyring_lookup(&found, fp, 8, &id, NULL), 0);
	CHECK(id == twz_object_guid(&pub));
	twz_object_release(&found);
	/* by the environment */
	CHECK_EQ(twz_setenv("TWZUSER", NULL), 0);
	CHECK_EQ(twz_user_open(&found), -ENOENT);
	CHECK_EQ(twz_setenv("TWZUSER", "ada"), 0);
	CHECK_EQ(twz_user_open(&found), -EINVAL);
	snprintf(text, sizeof(text), IDFMT, IDPR(twz_object_guid(&user)));
	CHECK_EQ(twz_setenv("TWZUSER", text), 0);
	CHECK_EQ(twz_user_open(&found), 0);
	CHECK_EQ(twz_user_name(&found, name, sizeof(name)), 3);
	twz_object_release(&found);
	CHECK_EQ(twz_setenv("TWZUSER", NULL), 0);
	drop_object(&user);
	drop_object(&ring);
	delete_both(&pri, &pub);
}

static void hostile_users(void)
{
	char name[USER_NAME_MAXLEN + 1];
	struct user_hdr *h;
	twzobj o, ring;

	NEED(new_object(&o) == 0);
	CHECK_EQ(twz_user_init(&o, "x", NULL, 0), 0);
	CHECK_EQ(twz_user_keyring(&o, &ring, FE_READ), -ENOENT);
	h = twz_object_base(&o);
	h->kr = 77ull << OBJ_SHIFT | OBJ_NULLPAGE_SIZE;
	CHECK_EQ(twz_user_keyring(&o, &ring, FE_READ), -EINVLOBJ);
	h->kr = ~0ull;
	CHECK_EQ(twz_user_keyring(&o, &ring, FE_READ), -EINVLOBJ);
	h->kr = OBJ_NULLPAGE_SIZE + 8;
	CHECK_EQ(twz_user_keyring(&o, &ring, FE_READ), -EINVLOBJ);
	memset((char *)h + 64, 'x', 4096);
	CHECK_EQ(twz_user_name(&o, name, sizeof(name)), -EINVLOBJ);
	h->name = OBJ_MAXSIZE - 8;
	CHECK_EQ(twz_user_name(&o, name, sizeof(name)), -EINVLOBJ);
	h->name = 16;
	CHECK_EQ(twz_user_name(&o, name, sizeof(name)), -EINVLOBJ);
	drop_object(&o);
}

static const struct ktap_case cases[] = {
	{ "known seeds have the known keys", known_keys },
	{ "keys in objects", key_objects },
	{ "new keys", new_keys },
	{ "key rings", rings },
	{ "key rings that are none", hostile_rings },
	{ "many add at once", many_adders },
	{ "users", users },
	{ "users that are none", hostile_users },
};

int main(void)
{
	return KTAP_RUN(cases);
}
