/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the kernel sends faults, and where blocks that catch them go back to, riscv64. */
	.text

	/* a0 = fault, a1 = information, a2 = frame = sp. gp may be anything. */
	.globl __twz_fault_entry
	.type __twz_fault_entry, @function
__twz_fault_entry:
	.option push
	.option norelax
	la gp, __global_pointer$
	.option pop
	li fp, 0
	call __twz_fault_begin
	unimp
	.size __twz_fault_entry, . - __twz_fault_entry

	/* int __twz_try_save(void *regs): 0, and again what __twz_try_load() says */
	.globl __twz_try_save
	.type __twz_try_save, @function
__twz_try_save:
	sd ra, 0(a0)
	sd sp, 8(a0)
	sd s0, 16(a0)
	sd s1, 24(a0)
	fsd fs0, 32(a0)
	fsd fs1, 40(a0)
	.irp n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	sd s\n, (48 + (\n - 2) * 16)(a0)
	fsd fs\n, (56 + (\n - 2) * 16)(a0)
	.endr
	li a0, 0
	ret
	.size __twz_try_save, . - __twz_try_save

	/* _Noreturn void __twz_try_load(void *regs, int value) */
	.globl __twz_try_load
	.type __twz_try_load, @function
__twz_try_load:
	ld ra, 0(a0)
	ld sp, 8(a0)
	ld s0, 16(a0)
	ld s1, 24(a0)
	fld fs0, 32(a0)
	fld fs1, 40(a0)
	.irp n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	ld s\n, (48 + (\n - 2) * 16)(a0)
	fld fs\n, (56 + (\n - 2) * 16)(a0)
	.endr
	mv a0, a1
	ret
	.size __twz_try_load, . - __twz_try_load

	.section .note.GNU-stack, "", @progbits
