# SPDX-License-Identifier: BSD-3-Clause
# Kernel state objects.
obj-y += directory.o device.o type.o resume.o resume_book.o
