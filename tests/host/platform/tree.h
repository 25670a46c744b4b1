// SPDX-License-Identifier: BSD-3-Clause
/* Device trees for tests: a small language over libfdt's writer, and discovery from the start. */
#ifndef TESTS_HOST_PLATFORM_TREE_H
#define TESTS_HOST_PLATFORM_TREE_H

#include <stddef.h>
#include <stdint.h>

#define TREE_IMAGE 0x80200000ull
#define TREE_IMAGE_SIZE 0x100000ull
#define TREE_PHYS 0x88000000ull

/*
 * Build a tree, for tree_discover(). Calls come in the order of the tree; tree_begin() opens the
 * root, with two-cell addresses and sizes and a model; tree_end() closes what is open and returns
 * the tree.
 */
void tree_begin(void);
void tree_node(const char *name);
void tree_close(void);
void tree_text(const char *property, const char *text);
void tree_cell(const char *property, uint32_t value);
void tree_flag(const char *property);
/* `count` 64-bit numbers, each as two cells. */
void tree_wide(const char *property, unsigned int count, const uint64_t *values);
const void *tree_end(void);

/* Nodes that most tests want: a CPU (inside /cpus), memory, a range of some compatible. */
void tree_cpu(uint32_t number, const char *status);
void tree_memory(uint64_t base, uint64_t size);
void tree_range(const char *name, const char *compatible, uint64_t base, uint64_t size);

/*
 * Forget the last machine; machine_open() and machine_discover() at TREE_PHYS with boot CPU `hwid`.
 */
void tree_discover(const void *tree, uint64_t hwid);

#endif
