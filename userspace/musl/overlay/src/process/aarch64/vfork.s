// SPDX-License-Identifier: BSD-3-Clause
// vfork(): the caller's registers are saved where libtwix says, as if by the caller itself, since the
// child uses the stack below. Where it says nothing, the child gets a copy of the memory.
.global vfork
.type vfork, %function
vfork:
	stp x29, x30, [sp, #-16]!
	bl __twix_vfork_begin
	ldp x29, x30, [sp], #16
	cbz x0, 1f
	b __twz_try_save
1:	b fork
