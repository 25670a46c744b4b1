# SPDX-License-Identifier: BSD-3-Clause
# What make says about this board, and what its image is.
board-about := QEMU virt machine, 64-bit ARM
board-image := Image
