/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the kernel sends faults, and where blocks that catch them go back to, arm64. */
	.text

	/* x0 = fault, x1 = information, x2 = frame = sp. */
	.globl __twz_fault_entry
	.type __twz_fault_entry, %function
__twz_fault_entry:
	mov x29, #0
	bl __twz_fault_begin
	udf #0
	.size __twz_fault_entry, . - __twz_fault_entry

	/* int __twz_try_save(void *regs): 0, and again what __twz_try_load() says */
	.globl __twz_try_save
	.type __twz_try_save, %function
__twz_try_save:
	stp x19, x20, [x0]
	stp x21, x22, [x0, #16]
	stp x23, x24, [x0, #32]
	stp x25, x26, [x0, #48]
	stp x27, x28, [x0, #64]
	stp x29, x30, [x0, #80]
	mov x1, sp
	str x1, [x0, #96]
	stp d8, d9, [x0, #104]
	stp d10, d11, [x0, #120]
	stp d12, d13, [x0, #136]
	stp d14, d15, [x0, #152]
	mov w0, #0
	ret
	.size __twz_try_save, . - __twz_try_save

	/* _Noreturn void __twz_try_load(void *regs, int value) */
	.globl __twz_try_load
	.type __twz_try_load, %function
__twz_try_load:
	ldp x19, x20, [x0]
	ldp x21, x22, [x0, #16]
	ldp x23, x24, [x0, #32]
	ldp x25, x26, [x0, #48]
	ldp x27, x28, [x0, #64]
	ldp x29, x30, [x0, #80]
	ldr x2, [x0, #96]
	mov sp, x2
	ldp d8, d9, [x0, #104]
	ldp d10, d11, [x0, #120]
	ldp d12, d13, [x0, #136]
	ldp d14, d15, [x0, #152]
	mov w0, w1
	ret
	.size __twz_try_load, . - __twz_try_load

	.section .note.GNU-stack, "", %progbits
