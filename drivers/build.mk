# SPDX-License-Identifier: BSD-3-Clause
# The drivers that the kernel itself needs, by kind.
subdir-y += irqchip console rtc
