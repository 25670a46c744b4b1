// SPDX-License-Identifier: BSD-3-Clause
/*
 * Where the parts of the kernel image begin and end. Every architecture's linker script defines
 * these symbols, each on a page boundary save those of .drivers, in this order:
 *
 *   __kernel_start = __text_start  text, boot code included      R-X
 *   __text_end = __rodata_start    constants, .drivers, symbols  R--
 *   __rodata_end = __data_start    data                          RW-
 *   __bss_start … __bss_end        zeroed by the boot code; holds the boot stack and early tables
 *   __kernel_end = __bss_end
 *
 * __kernel_start stands at KERNEL_BASE + (load address modulo 2 MiB is 0), the first byte of the
 * Image.
 */
#ifndef SECTIONS_H
#define SECTIONS_H

extern const char __kernel_start[], __kernel_end[];
extern const char __text_start[], __text_end[];
extern const char __rodata_start[], __rodata_end[];
extern char __data_start[];
extern char __bss_start[], __bss_end[];

/*
 * The driver table, in rodata, 8-aligned, KEEP(*(.drivers)): __drivers_start, __drivers_end, in
 * dev/driver.h.
 */

#endif
