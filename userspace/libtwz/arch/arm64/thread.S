/* SPDX-License-Identifier: BSD-3-Clause */
/* The system-call instruction, thread entry and thread register, arm64. */
	.text

	/* long __twz_syscall6(x0, x1, x2, x3, x4, x5, number) */
	.globl __twz_syscall6
	.type __twz_syscall6, %function
__twz_syscall6:
	mov x8, x6
	svc #0
	ret
	.size __twz_syscall6, . - __twz_syscall6

	/* Where a thread begins: x0 = start record. */
	.globl __twz_thread_entry
	.type __twz_thread_entry, %function
__twz_thread_entry:
	mov x29, #0
	mov x30, #0
	bl __twz_thread_begin
	udf #0
	.size __twz_thread_entry, . - __twz_thread_entry

	/* void __twz_set_thread_pointer(void *tp) */
	.globl __twz_set_thread_pointer
	.type __twz_set_thread_pointer, %function
__twz_set_thread_pointer:
	msr tpidr_el0, x0
	ret
	.size __twz_set_thread_pointer, . - __twz_set_thread_pointer

	/* uint64_t twz_cpu_counter(void): the barrier keeps the read where the program has it */
	.globl twz_cpu_counter
	.type twz_cpu_counter, %function
twz_cpu_counter:
	isb
	mrs x0, cntvct_el0
	ret
	.size twz_cpu_counter, . - twz_cpu_counter

	.section .note.GNU-stack, "", %progbits
