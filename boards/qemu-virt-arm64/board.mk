# SPDX-License-Identifier: BSD-3-Clause
# What make says about this board.
board-about := QEMU virt machine, 64-bit ARM
