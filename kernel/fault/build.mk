# SPDX-License-Identifier: BSD-3-Clause
# Faults of user mode: delivered to handlers, or reported.
obj-y += become.o deliver.o frame.o report.o
