# SPDX-License-Identifier: BSD-3-Clause
# Matching drivers to the device tree, and external interrupts.
obj-y += driver.o irq.o rtc.o
