# SPDX-License-Identifier: BSD-3-Clause
# __clone(func, stack, flags, arg, ptid, tls, ctid): libtwix makes threads.
.global __clone
.type __clone, %function
__clone:
	tail __twix_clone
