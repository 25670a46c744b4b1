// SPDX-License-Identifier: BSD-3-Clause
/*
 * The random generator. State: a 64-byte key. Each request derives output blocks and the next key
 * from it with personalised BLAKE2b, so that old output cannot be recomputed from a stolen key.
 */
#define LOG_PREFIX "random"

#include <arch/time.h>
#include <base/bits.h>
#include <base/string.h>
#include <boot/machine.h>
#include <log.h>
#include <sec/random.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <spinlock.h>

#define KEY_SIZE 64u

static struct {
	struct spinlock lock;
	uint8_t key[KEY_SIZE]; /* guarded by lock */
	bool seeded;           /* set at boot */
} pool;

/* out = BLAKE2b(key, domain, number, counter). Different domains never give the same block. */
static void derive(uint8_t out[KEY_SIZE], uint64_t domain, uint64_t number, const void *extra,
		   size_t extra_length)
{
	static const unsigned char salt[16];
	static const unsigned char personal[17] = "twz-random-gen-1";
	uint64_t block[3] = { domain, number, arch_counter() };
	crypto_generichash_blake2b_state state;

	crypto_generichash_blake2b_init_salt_personal(&state, NULL, 0, KEY_SIZE, salt, personal);
	crypto_generichash_blake2b_update(&state, pool.key, KEY_SIZE);
	crypto_generichash_blake2b_update(&state, (const unsigned char *)block, sizeof(block));
	if (extra_length)
		crypto_generichash_blake2b_update(&state, extra, extra_length);
	crypto_generichash_blake2b_final(&state, out, KEY_SIZE);
}

void random_init(void)
{
	uint8_t key[KEY_SIZE];

	spin_lock(&pool.lock);
	derive(key, 0, machine.fdt_phys, machine.rng_seed, machine.rng_seed_length);
	memcpy(pool.key, key, KEY_SIZE);
	pool.seeded = machine.rng_seed_length >= 32;
	spin_unlock(&pool.lock);
	memset(machine.rng_seed, 0, sizeof(machine.rng_seed));
	if (!pool.seeded)
		log_warn("the machine gave no rng-seed: random numbers are guessable");
}

void random_bytes(void *to, size_t length)
{
	uint8_t block[KEY_SIZE];

	spin_lock(&pool.lock);
	for (uint64_t number = 0; length; number++) {
		size_t part = MIN(length, sizeof(block));
		derive(block, 1, number, NULL, 0);
		memcpy(to, block, part);
		to = (char *)to + part;
		length -= part;
	}
	derive(block, 2, 0, NULL, 0);
	memcpy(pool.key, block, KEY_SIZE);
	spin_unlock(&pool.lock);
	memset(block, 0, sizeof(block));
}

bool random_seeded(void)
{
	return pool.seeded;
}
