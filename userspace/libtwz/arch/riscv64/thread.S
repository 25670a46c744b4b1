/* SPDX-License-Identifier: BSD-3-Clause */
/* The system-call instruction, thread entry and thread register, riscv64. */
	.text

	/* long __twz_syscall6(a0, a1, a2, a3, a4, a5, number) */
	.globl __twz_syscall6
	.type __twz_syscall6, @function
__twz_syscall6:
	mv a7, a6
	ecall
	ret
	.size __twz_syscall6, . - __twz_syscall6

	/* Where a thread begins: a0 = start record. gp is not set by the kernel. */
	.globl __twz_thread_entry
	.type __twz_thread_entry, @function
__twz_thread_entry:
	.option push
	.option norelax
	la gp, __global_pointer$
	.option pop
	li fp, 0
	call __twz_thread_begin
	unimp
	.size __twz_thread_entry, . - __twz_thread_entry

	/* void __twz_set_thread_pointer(void *tp) */
	.globl __twz_set_thread_pointer
	.type __twz_set_thread_pointer, @function
__twz_set_thread_pointer:
	mv tp, a0
	ret
	.size __twz_set_thread_pointer, . - __twz_set_thread_pointer

	/* uint64_t twz_cpu_counter(void) */
	.globl twz_cpu_counter
	.type twz_cpu_counter, @function
twz_cpu_counter:
	rdtime a0
	ret
	.size twz_cpu_counter, . - twz_cpu_counter

	.section .note.GNU-stack, "", @progbits
