# SPDX-License-Identifier: BSD-3-Clause
# Kernel state objects.
obj-y += resume_book.o
