/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The struct twz_program (abi/program.h) of the program that is being linked, for crt0.S, which
 * defines PROGRAM_MACHINE. The pack tool fills in the ID of the data template, and what is 0.
 */
	.section .program, "a"
	.balign 16
	.globl __twz_program
__twz_program:
	.quad 0x4752505a5754       /* magic */
	.long 1                    /* version */
	.long PROGRAM_MACHINE      /* machine */
#ifndef POSITION_INDEPENDENT
	.quad _start               /* entry */
	.quad __tls_image          /* tls_image */
	.quad 0, 0                 /* data */
	.quad __tls_filesz         /* tls_filesz */
	.quad __tls_memsz          /* tls_memsz */
	.quad __tls_align          /* tls_align */
	.quad __text_end           /* text_end */
	.quad __data_end_offset    /* data_end */
#else /* addresses would have to be relocated */
	.quad 0, 0, 0, 0, 0, 0, 0, 0, 0
#endif
	.quad 0, 0                 /* data_image, data_filesz */
#ifndef POSITION_INDEPENDENT
	.weak __twz_program_flags  /* of what is linked into it; else 0 */
	.quad __twz_program_flags  /* flags */
#else
	.quad 0
#endif
	.quad 0, 0                 /* reserved */

	.section .note.GNU-stack, "", %progbits
