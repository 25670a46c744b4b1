// SPDX-License-Identifier: BSD-3-Clause
// A cancellation point: __syscall_cp_asm(cancel, n, a, ..., f). What it calls is not
// between the two labels: a cancellation that comes there ends the call with EINTR.
.global __cp_begin
.hidden __cp_begin
.global __cp_end
.hidden __cp_end
.global __cp_cancel
.hidden __cp_cancel
.hidden __cancel
.global __syscall_cp_asm
.hidden __syscall_cp_asm
.type __syscall_cp_asm,%function
__syscall_cp_asm:
__cp_begin:
	ldr w0, [x0]
	cbnz w0, __cp_cancel
	mov x0, x1
	mov x1, x2
	mov x2, x3
	mov x3, x4
	mov x4, x5
	mov x5, x6
	mov x6, x7
__cp_end:
	b __twix_syscall
__cp_cancel:
	b __cancel
