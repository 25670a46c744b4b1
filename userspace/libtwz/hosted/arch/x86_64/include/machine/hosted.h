// SPDX-License-Identifier: BSD-3-Clause
/*
 * Numbers of the hosted machine on 64-bit x86. The slots in use are those of the upper half: 16 to 32
 * TiB, above the shadow of AddressSanitizer, below all that Linux places by itself.
 */
#ifndef MACHINE_HOSTED_H
#define MACHINE_HOSTED_H

#define HOSTED_MACHINE 62u
#define HOSTED_NSLOTS 32768ul

/* sysinfo.flush_mode, beyond those of the ABI. */
#define HOSTED_FLUSH_CLWB 16u
#define HOSTED_FLUSH_CLFLUSHOPT 17u
#define HOSTED_FLUSH_CLFLUSH 18u

#endif
