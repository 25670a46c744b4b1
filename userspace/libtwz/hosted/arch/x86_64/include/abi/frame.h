// SPDX-License-Identifier: BSD-3-Clause
/*
 * The frame of a fault on 64-bit x86, where libtwz runs hosted: the general registers.
 */
#ifndef ABI_FRAME_H
#define ABI_FRAME_H

#include <abi/fault.h>

#define TWZ_FRAME_ARCH 62u

struct twz_fault_frame {
	TWZ_FAULT_FRAME_HEAD;
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags;
};

_Static_assert(offsetof(struct twz_fault_frame, rax) == TWZ_FRAME_HEAD_SIZE, "frame rax");
_Static_assert(sizeof(struct twz_fault_frame) == 208, "frame");

#endif
