# SPDX-License-Identifier: BSD-3-Clause
# __unmapself(base, size): the thread ends, and its stack goes.
.global __unmapself
.type __unmapself, %function
__unmapself:
	tail __twix_unmapself
