// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/sys/syscall.h was before. */
#include <twz/sys/syscall.h>
