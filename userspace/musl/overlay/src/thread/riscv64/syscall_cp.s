# SPDX-License-Identifier: BSD-3-Clause
# A cancellation point: __syscall_cp_asm(cancel, n, a, ..., f). What it calls is not
# between the two labels: a cancellation that comes there ends the call with EINTR.
.global __cp_begin
.hidden __cp_begin
.global __cp_end
.hidden __cp_end
.global __cp_cancel
.hidden __cp_cancel
.hidden __cancel
.global __syscall_cp_asm
.hidden __syscall_cp_asm
.type __syscall_cp_asm, %function
__syscall_cp_asm:
__cp_begin:
	lw t0, 0(a0)
	bnez t0, __cp_cancel
	mv a0, a1
	mv a1, a2
	mv a2, a3
	mv a3, a4
	mv a4, a5
	mv a5, a6
	mv a6, a7
__cp_end:
	tail __twix_syscall
__cp_cancel:
	tail __cancel
