/* SPDX-License-Identifier: BSD-3-Clause */
/* Where blocks that catch faults go back to, 64-bit x86. */
	.text

	/* int __twz_try_save(void *regs): 0, and again what __twz_try_load() says */
	.globl __twz_try_save
	.type __twz_try_save, @function
__twz_try_save:
	mov (%rsp), %rax
	mov %rax, 0(%rdi)
	lea 8(%rsp), %rax
	mov %rax, 8(%rdi)
	mov %rbx, 16(%rdi)
	mov %rbp, 24(%rdi)
	mov %r12, 32(%rdi)
	mov %r13, 40(%rdi)
	mov %r14, 48(%rdi)
	mov %r15, 56(%rdi)
	stmxcsr 64(%rdi)
	fnstcw 72(%rdi)
	xor %eax, %eax
	ret
	.size __twz_try_save, . - __twz_try_save

	/* _Noreturn void __twz_try_load(void *regs, int value) */
	.globl __twz_try_load
	.type __twz_try_load, @function
__twz_try_load:
	mov %esi, %eax
	mov 16(%rdi), %rbx
	mov 24(%rdi), %rbp
	mov 32(%rdi), %r12
	mov 40(%rdi), %r13
	mov 48(%rdi), %r14
	mov 56(%rdi), %r15
	ldmxcsr 64(%rdi)
	fldcw 72(%rdi)
	cld
	mov 8(%rdi), %rsp
	jmp *0(%rdi)
	.size __twz_try_load, . - __twz_try_load

	.section .note.GNU-stack, "", @progbits
