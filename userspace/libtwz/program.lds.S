/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a program is linked: text at object offsets 0x1000… of slot 0, data at 0x1000… of slot 1.
 * Addresses equal object offsets (data: plus 1 GiB). Exactly two segments are loaded.
 *
 * With POSITION_INDEPENDENT the two slots may be any that follow one another: the program relocates
 * its data when it starts (crt0.S). Constants, which may be addresses, stand with the data then, so
 * that libraries need not be built for it; the text is never written.
 */
ENTRY(_start)

PHDRS
{
	text PT_LOAD FLAGS(5);
	data PT_LOAD FLAGS(6);
	tls PT_TLS FLAGS(4);
#ifdef POSITION_INDEPENDENT
	dynamic PT_DYNAMIC FLAGS(6);
#endif
}

SECTIONS
{
	. = 0x1000;
	.program : { KEEP(*(.program)) } :text

	. = 0x1400;
	.gates : { KEEP(*(.gates)) } :text

	. = MAX(., 0x1800);
	.text : { *(.text .text.*) } :text
	. = ALIGN(64);
#ifndef POSITION_INDEPENDENT
	.rodata : { *(.rodata .rodata.* .srodata .srodata.*) } :text
	__rela_start = .;
	__rela_end = .;
#else
	.dynsym : { *(.dynsym) } :text
	.dynstr : { *(.dynstr) } :text
	.hash : { *(.hash) } :text
	.gnu.hash : { *(.gnu.hash) } :text
	.rela.dyn : {
		__rela_start = .;
		*(.rela.dyn .rela.* .rela)
		__rela_end = .;
	} :text
#endif
	__text_end = .;

	. = 0x40001000;
	.tdata : {
		__tls_image = .;
		*(.tdata .tdata.*)
	} :data :tls
	__tls_filesz = SIZEOF(.tdata);
	.tbss : { *(.tbss .tbss.*) } :tls
	/* What the linker itself counts with: the alignment of the TLS segment. */
	__tls_align = MAX(MAX(ALIGNOF(.tdata), ALIGNOF(.tbss)), 1);
	__tls_memsz = ALIGN(__tls_filesz, MAX(ALIGNOF(.tbss), 1)) + SIZEOF(.tbss);

#ifdef POSITION_INDEPENDENT
	.dynamic : ALIGN(8) { *(.dynamic) } :data :dynamic
#endif

	.data : ALIGN(64) {
		__init_array_start = .;
		KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*)))
		KEEP(*(.init_array))
		__init_array_end = .;
		__fini_array_start = .;
		KEEP(*(SORT_BY_INIT_PRIORITY(.fini_array.*)))
		KEEP(*(.fini_array))
		__fini_array_end = .;
		*(.data .data.*)
#ifdef POSITION_INDEPENDENT
		*(.rodata .rodata.* .srodata .srodata.*)
		/* Nobody reads these, but relocations in what is discarded count as some of the text. */
		*(.eh_frame .eh_frame_hdr)
#endif
		*(.got .got.*)
		. = ALIGN(8);
		__global_pointer$ = . + 0x800;
		*(.sdata .sdata.*)
		/* Never empty: a program always has a data object. */
		QUAD(0)
	} :data
	.bss : ALIGN(64) {
		*(.sbss .sbss.* .scommon)
		/* Large tables are aligned to pages, and come first: what is small, and written all the
		 * time, is together then, and a copy of the program writes few pages. */
		*(SORT_BY_ALIGNMENT(.bss.*) .bss COMMON)
	} :data

	/* The first thread's TLS block: gap for the C library, the block, slack for alignment. */
	. = ALIGN(64);
	__tls_main = .;
	. = . + __tls_memsz + 192;
	. = ALIGN(4096);
	__data_end = .;
	__data_end_offset = . - 0x40000000;

	/DISCARD/ : {
		*(.note .note.* .comment .interp .gnu.version*)
#ifndef POSITION_INDEPENDENT
		*(.eh_frame .eh_frame_hdr .dynamic .dynsym .dynstr .hash .gnu.hash .rela.* .rel.*)
#endif
	}
}

ASSERT(SIZEOF(.program) == 128, "the program header has 128 bytes")
ASSERT(__text_end < 0x3e000000, "text too large for an object")
ASSERT(__data_end_offset < 0x3e000000, "data too large for an object")
