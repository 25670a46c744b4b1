# SPDX-License-Identifier: BSD-3-Clause
# How to compile what lib/fdt/recipe fetches. To use it: #include <libfdt.h>

third-party += libfdt
libfdt-recipe := lib/fdt/recipe
libfdt-dir := $(third-party-dir)/libfdt
libfdt-headers := -isystem $(libfdt-dir)
libfdt-flags := -I$(libfdt-dir)
libfdt-sources := $(addprefix $(libfdt-dir)/,fdt.c fdt_addresses.c fdt_empty_tree.c fdt_ro.c \
	fdt_rw.c fdt_strerror.c fdt_sw.c fdt_wip.c)
