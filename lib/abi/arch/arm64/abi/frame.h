// SPDX-License-Identifier: BSD-3-Clause
/*
 * The frame of a fault on 64-bit ARM: every user register.
 */
#ifndef ABI_FRAME_H
#define ABI_FRAME_H

#include <abi/fault.h>

#define TWZ_FRAME_ARCH 2u

struct twz_fault_frame {
	TWZ_FAULT_FRAME_HEAD;
	uint64_t x[31];
	uint64_t sp;
	uint64_t pc;
	uint64_t nzcv; /* bits 31 … 28 */
	uint32_t fpsr;
	uint32_t fpcr;
	uint64_t tpidr_el0;
	unsigned __int128 v[32];
};

_Static_assert(offsetof(struct twz_fault_frame, info) == 24, "frame info");
_Static_assert(offsetof(struct twz_fault_frame, sctx) == 32, "frame sctx");
_Static_assert(offsetof(struct twz_fault_frame, x) == TWZ_FRAME_HEAD_SIZE, "frame x0");
_Static_assert(offsetof(struct twz_fault_frame, sp) == 312, "frame sp");
_Static_assert(offsetof(struct twz_fault_frame, pc) == 320, "frame pc");
_Static_assert(offsetof(struct twz_fault_frame, nzcv) == 328, "frame nzcv");
_Static_assert(offsetof(struct twz_fault_frame, fpsr) == 336, "frame fpsr");
_Static_assert(offsetof(struct twz_fault_frame, fpcr) == 340, "frame fpcr");
_Static_assert(offsetof(struct twz_fault_frame, tpidr_el0) == 344, "frame tpidr_el0");
_Static_assert(offsetof(struct twz_fault_frame, v) == 352, "frame v0");
_Static_assert(sizeof(struct twz_fault_frame) == 864, "frame");

#endif
