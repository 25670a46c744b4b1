// SPDX-License-Identifier: BSD-3-Clause
// What the libsodium subset asks of the rest of libsodium, with no library beneath it.

#include <stddef.h>

#include "core.h"
#include "randombytes.h"
#include "utils.h"

// Called on arguments that break libsodium's contract: a fault of the caller's code,
// never of data. Traps, so that a kernel panics and a program faults.
void sodium_misuse(void)
{
	__builtin_trap();
}

// The empty assembly reads the memory as far as the compiler knows: it keeps the wipe of
// memory that is not read again.
void sodium_memzero(void *const memory, const size_t n)
{
	__builtin_memset(memory, 0, n);
	__asm__ volatile("" : : "r"(memory) : "memory");
}

// Keys are made of seeds that we draw ourselves, so that nothing here asks for more.
void randombytes_buf(void *const buffer, const size_t size)
{
	(void)buffer;
	(void)size;
	__builtin_trap();
}

// In a time that does not depend on the bytes.
int sodium_is_zero(const unsigned char *bytes, const size_t n)
{
	volatile unsigned char any = 0;

	for (size_t i = 0; i < n; i++)
		any |= bytes[i];
	return any == 0;
}
