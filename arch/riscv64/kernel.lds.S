/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Layout of the kernel image; the symbols are those of sections.h. Loaded at any multiple of 2 MiB.
 */
#include <machine/layout.h>

OUTPUT_ARCH(riscv)
ENTRY(_start)

SECTIONS
{
	. = LAYOUT_KERNEL_BASE;
	__kernel_start = .;
	__text_start = .;
	.text : {
		KEEP(*(.text.start))
		*(.text .text.*)
	}

	. = ALIGN(4096);
	__text_end = .;
	__rodata_start = .;
	.rodata : {
		*(.rodata .rodata.* .srodata .srodata.*)
		. = ALIGN(8);
		__drivers_start = .;
		KEEP(*(.drivers))
		__drivers_end = .;
	}

	. = ALIGN(4096);
	__rodata_end = .;
	__data_start = .;
	.data : {
		*(.data .data.* .sdata .sdata.*)
		/* The file ends where .bss begins. */
		. = ALIGN(4096);
	}

	__bss_start = .;
	.bss (NOLOAD) : {
		*(.bss.page)
		*(.bss .bss.* .sbss .sbss.* COMMON)
		. = ALIGN(4096);
	}
	__bss_end = .;
	__kernel_end = .;

	/DISCARD/ : {
		*(.eh_frame .eh_frame_hdr .note .note.* .interp .dynamic .hash .gnu.hash)
	}
}

ASSERT(__kernel_end - __kernel_start < (EARLY_TREE_INDEX << 21), "the image does not fit its GiB")
