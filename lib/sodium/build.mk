# SPDX-License-Identifier: BSD-3-Clause
# How to compile what lib/sodium/recipe fetches: the portable code only, with none of
# the choices its configure script makes. To use it: #include <sodium/...h>

third-party += sodium
sodium-recipe := lib/sodium/recipe
sodium-dir := $(third-party-dir)/sodium
sodium-headers := -isystem $(sodium-dir)/include -DSODIUM_STATIC
sodium-flags := -I$(sodium-dir)/include/sodium -DCONFIGURED=1 -DSODIUM_STATIC -DNATIVE_LITTLE_ENDIAN \
	-DHAVE_TI_MODE=1
sodium-sources := $(addprefix $(sodium-dir)/crypto_generichash/blake2b/ref/,blake2b-compress-ref.c \
	blake2b-ref.c generichash_blake2b.c) \
	$(addprefix $(sodium-dir)/,crypto_core/ed25519/ref10/ed25519_ref10.c \
	crypto_hash/sha512/cp/hash_sha512_cp.c crypto_hash/sha512/hash_sha512.c \
	crypto_sign/ed25519/ref10/keypair.c crypto_verify/sodium/verify.c) lib/sodium/glue.c
