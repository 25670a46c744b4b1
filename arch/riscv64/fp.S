/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Floating-point registers to and from a struct arch_fp. The only code of the kernel that is
 * allowed such instructions; FS must not be Off.
 */
	.text

	/* void fp_save(struct arch_fp *fp) */
	.globl	fp_save
fp_save:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, \
			21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	fsd	f\n, (\n * 8)(a0)
	.endr
	frcsr	t0
	sd	t0, (32 * 8)(a0)
	ret

	/* void fp_load(const struct arch_fp *fp) */
	.globl	fp_load
fp_load:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, \
			21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	fld	f\n, (\n * 8)(a0)
	.endr
	ld	t0, (32 * 8)(a0)
	fscsr	t0
	ret

	/* void fp_zero(void) */
	.globl	fp_zero
fp_zero:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, \
			21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	fmv.d.x	f\n, zero
	.endr
	fscsr	zero
	ret

	/* void fp_save_kept(struct arch_fp_kept *kept): what functions preserve, f8, f9, f18 … f27 */
	.globl	fp_save_kept
fp_save_kept:
	fsd	f8, 0(a0)
	fsd	f9, 8(a0)
	.irp	n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	fsd	f\n, (\n * 8 - 128)(a0)
	.endr
	frcsr	t0
	sd	t0, 96(a0)
	ret

	/* void fp_load_kept(const struct arch_fp_kept *kept): the others become 0 */
	.globl	fp_load_kept
fp_load_kept:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
	fmv.d.x	f\n, zero
	.endr
	fld	f8, 0(a0)
	fld	f9, 8(a0)
	.irp	n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	fld	f\n, (\n * 8 - 128)(a0)
	.endr
	ld	t0, 96(a0)
	fscsr	t0
	ret

	.section .note.GNU-stack, "", %progbits
