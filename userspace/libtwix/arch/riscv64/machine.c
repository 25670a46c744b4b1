// SPDX-License-Identifier: BSD-3-Clause
/* What Linux and ELF files call this machine. */
#include "../../src/twix.h"

#include <elf.h>
#include <twz/sys/fault.h>

const char twix_machine_name[] = "riscv64";
const uint16_t twix_elf_machine = EM_RISCV;

const bool twix_linux_restorer = false;

extern char __global_pointer[] __asm__("__global_pointer$");

void twix_frame_own(struct twz_fault_frame *f)
{
	twz_frame_set_tp(f, (uintptr_t)__builtin_thread_pointer());
	f->x[2] = (uintptr_t)__global_pointer;
}

/* What makes a call has 4 bytes, and the frame's pc is past it. */
void twix_frame_repeat(struct twz_fault_frame *f, long argument)
{
	twz_frame_set_pc(f, twz_frame_pc(f) - 4);
	twz_frame_set_arg(f, 0, (uint64_t)argument);
}
