/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel image. The symbols are those of sections.h; __bss_start … __boot_end is what the boot
 * code writes before translation is on: the early tables and the boot stack.
 */
#include <machine/layout.h>

OUTPUT_ARCH(aarch64)
ENTRY(_start)

PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
}

SECTIONS
{
	. = 0xffffffff80000000; /* KERNEL_BASE */

	__kernel_start = .;
	__text_start = .;
	.text : {
		KEEP(*(.head.text))
		*(.text .text.*)
		. = ALIGN(4096);
	} :text
	__text_end = .;

	__rodata_start = .;
	.rodata : {
		*(.rodata .rodata.*)
		. = ALIGN(8);
		__drivers_start = .;
		KEEP(*(.drivers))
		__drivers_end = .;
		*(.got .got.plt)
		. = ALIGN(4096);
	} :rodata
	__rodata_end = .;

	__data_start = .;
	.data : {
		*(.data .data.*)
		. = ALIGN(4096);
	} :data

	__bss_start = .;
	.bss (NOLOAD) : {
		*(.bss.boot)
		. = ALIGN(4096);
		__boot_end = .;
		*(.bss .bss.* COMMON)
		. = ALIGN(4096);
	} :data
	__bss_end = .;
	__kernel_end = .;
	__image_size = ABSOLUTE(__kernel_end - __kernel_start);

	/DISCARD/ : {
		*(.comment .note .note.* .eh_frame .eh_frame_hdr)
		*(.interp .dynamic .dynsym .dynstr .hash .gnu.hash)
	}

	ASSERT(__image_size <= IMAGE_MAX_TABLES * 0x200000,
	       "the image is larger than the early tables map")
	ASSERT(__idmap_end - __kernel_start <= 0x200000,
	       "the identity map does not cover the boot code")
}
