/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Floating-point and SIMD registers to and from a struct arch_fp (x0), and to their initial state.
 * CPACR_EL1.FPEN is open when these are called.
 */
#include <machine/layout.h>

	.arch_extension fp
	.arch_extension simd

	.text
	.global fp_save, fp_load, fp_clear, fp_save_kept, fp_load_kept

.macro all_pairs instruction
	\instruction	q0, q1, [x0]
	\instruction	q2, q3, [x0, #32]
	\instruction	q4, q5, [x0, #64]
	\instruction	q6, q7, [x0, #96]
	\instruction	q8, q9, [x0, #128]
	\instruction	q10, q11, [x0, #160]
	\instruction	q12, q13, [x0, #192]
	\instruction	q14, q15, [x0, #224]
	\instruction	q16, q17, [x0, #256]
	\instruction	q18, q19, [x0, #288]
	\instruction	q20, q21, [x0, #320]
	\instruction	q22, q23, [x0, #352]
	\instruction	q24, q25, [x0, #384]
	\instruction	q26, q27, [x0, #416]
	\instruction	q28, q29, [x0, #448]
	\instruction	q30, q31, [x0, #480]
.endm

fp_save:
	all_pairs stp
	mrs	x1, fpsr
	mrs	x2, fpcr
	add	x0, x0, #FP_CONTROL
	stp	x1, x2, [x0]
	ret

fp_load:
	all_pairs ldp
	add	x0, x0, #FP_CONTROL
	ldp	x1, x2, [x0]
	msr	fpsr, x1
	msr	fpcr, x2
	ret

fp_clear:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movi	v\n\().2d, #0
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\n\().2d, #0
	.endr
	msr	fpsr, xzr
	msr	fpcr, xzr
	ret

fp_save_kept:
	stp	d8, d9, [x0]
	stp	d10, d11, [x0, #16]
	stp	d12, d13, [x0, #32]
	stp	d14, d15, [x0, #48]
	mrs	x1, fpsr
	mrs	x2, fpcr
	stp	x1, x2, [x0, #64]
	ret

fp_load_kept:
	ldp	d8, d9, [x0]
	ldp	d10, d11, [x0, #16]
	ldp	d12, d13, [x0, #32]
	ldp	d14, d15, [x0, #48]
	ldp	x1, x2, [x0, #64]
	msr	fpsr, x1
	msr	fpcr, x2
	ret
