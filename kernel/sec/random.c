// SPDX-License-Identifier: BSD-3-Clause
/*
 * The random generator. State: a 64-byte key and a small reservoir of output made with it. Each
 * filling of the reservoir derives its blocks and the next key from the key with personalised
 * BLAKE2b; bytes are wiped as they are handed out. So old output cannot be recomputed from a stolen
 * state.
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
#define RESERVOIR_BLOCKS 8u
#define RESERVOIR_SIZE (RESERVOIR_BLOCKS * KEY_SIZE)

static struct {
	struct spinlock lock;
	/* Guarded by lock. */
	uint8_t key[KEY_SIZE];
	uint8_t reservoir[RESERVOIR_SIZE];
	size_t left; /* unused bytes, at the end of the reservoir */

	bool seeded; /* set at boot */
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

/* Lock held. */
static void refill(void)
{
	uint8_t key[KEY_SIZE];

	for (unsigned int i = 0; i < RESERVOIR_BLOCKS; i++)
		derive(pool.reservoir + i * KEY_SIZE, 1, i, NULL, 0);
	derive(key, 2, 0, NULL, 0);
	memcpy(pool.key, key, KEY_SIZE);
	pool.left = RESERVOIR_SIZE;
}

void random_bytes(void *to, size_t length)
{
	while (length) {
		spin_lock(&pool.lock);
		if (pool.left == 0)
			refill();
		size_t part = MIN(length, pool.left);
		uint8_t *from = pool.reservoir + RESERVOIR_SIZE - pool.left;
		memcpy(to, from, part);
		memset(from, 0, part);
		pool.left -= part;
		spin_unlock(&pool.lock);
		to = (char *)to + part;
		length -= part;
	}
}

bool random_seeded(void)
{
	return pool.seeded;
}
