// SPDX-License-Identifier: BSD-3-Clause
/*
 * The frame of a fault on 64-bit RISC-V: every user register.
 */
#ifndef ABI_FRAME_H
#define ABI_FRAME_H

#include <abi/fault.h>

#define TWZ_FRAME_ARCH 1u

struct twz_fault_frame {
	TWZ_FAULT_FRAME_HEAD;
	uint64_t pc;
	uint64_t x[31]; /* x1 … x31 */
	uint64_t fcsr;
	uint64_t reserved;
	uint64_t f[32];
};

_Static_assert(offsetof(struct twz_fault_frame, info) == 24, "frame info");
_Static_assert(offsetof(struct twz_fault_frame, sctx) == 32, "frame sctx");
_Static_assert(offsetof(struct twz_fault_frame, pc) == TWZ_FRAME_HEAD_SIZE, "frame pc");
_Static_assert(offsetof(struct twz_fault_frame, x) == 72, "frame x1");
_Static_assert(offsetof(struct twz_fault_frame, fcsr) == 320, "frame fcsr");
_Static_assert(offsetof(struct twz_fault_frame, f) == 336, "frame f0");
_Static_assert(sizeof(struct twz_fault_frame) == 592, "frame");

#endif
