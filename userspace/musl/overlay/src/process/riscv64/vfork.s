# SPDX-License-Identifier: BSD-3-Clause
# vfork(): the caller's registers are saved where libtwix says, as if by the caller itself, since the
# child uses the stack below. Where it says nothing, the child gets a copy of the memory.
.global vfork
.type vfork, %function
vfork:
	addi sp, sp, -16
	sd ra, 8(sp)
	call __twix_vfork_begin
	ld ra, 8(sp)
	addi sp, sp, 16
	beqz a0, 1f
	tail __twz_try_save
1:	tail fork
