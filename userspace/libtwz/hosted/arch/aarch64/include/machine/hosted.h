// SPDX-License-Identifier: BSD-3-Clause
/*
 * Numbers of the hosted machine on 64-bit ARM, with addresses of 48 bits. The slots in use are those
 * of the upper half: 64 to 128 TiB, above the shadow of AddressSanitizer, below all that Linux places
 * by itself.
 */
#ifndef MACHINE_HOSTED_H
#define MACHINE_HOSTED_H

#include <abi/program.h>

#define HOSTED_MACHINE ABI_MACHINE_ARM64
#define HOSTED_NSLOTS 131072ul

#endif
