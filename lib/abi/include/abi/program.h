// SPDX-License-Identifier: BSD-3-Clause
/*
 * Programs as objects. A program is two objects: the text object (code and read-only data,
 * default permissions READ|EXEC) with this header at its base, and the data template
 * (initial .data; READ), of which every run gets a private copy.
 *
 * The text object is mapped read-execute in slot 0, the copy of the data template read-write in
 * slot 1. Links are static: text addresses are object offsets in slot 0, data addresses are
 * object offsets in slot 1 plus 1 GiB. .bss is simply unwritten pages of the data object.
 * The header ends below object offset 0x1400, where gates begin.
 */
#ifndef ABI_PROGRAM_H
#define ABI_PROGRAM_H

#include <abi/types.h>

#define PROGRAM_MAGIC 0x4752505a5754ull /* "TWZPRG" */
#define PROGRAM_VERSION 1u

/* twz_program.flags */
#define PROGRAM_MADE 1u /* made to be run once, of a file: it goes with the views that it is tied to */
#define PROGRAM_PROCESS 2u /* it knows that it is a process of libtwix, and tells its end */

#define PROGRAM_TEXT_SLOT 0
#define PROGRAM_DATA_SLOT 1

/* Values of twz_program.machine; equal to the frame and sysinfo architecture numbers. */
#define ABI_MACHINE_RISCV64 1u
#define ABI_MACHINE_ARM64 2u

struct twz_program {
	uint64_t magic;
	uint32_t version;
	uint32_t machine;
	uint64_t entry;      /* virtual address of the first instruction, in slot 0 */
	uint64_t tls_image;  /* virtual address of the initial TLS bytes, in slot 0 or 1; 0 = no TLS */
	objid_t data;        /* the data template; 0 = the program has no writable data */
	uint64_t tls_filesz; /* bytes of the TLS image, and of the whole TLS block */
	uint64_t tls_memsz;
	uint64_t tls_align;  /* power of two ≤ 4096 */
	uint64_t text_end;   /* end of the used parts, object offsets */
	uint64_t data_end;
	uint64_t data_image; /* object offset, a multiple of 4096, where this object has the initial data, too, so */
	uint64_t data_filesz; /* that a copy of its bytes is a program; those are for 0x1000 … of the data; 0: it has not */
	uint64_t flags; /* PROGRAM_* */
	uint64_t reserved[2];
};

_Static_assert(sizeof(struct twz_program) == 128, "program header");
_Static_assert(offsetof(struct twz_program, data) == 32, "program header data");
_Static_assert(offsetof(struct twz_program, data_image) == 88, "program header data image");

#endif
