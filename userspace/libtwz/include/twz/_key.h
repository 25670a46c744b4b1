// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/sys/key.h was before. */
#include <twz/sys/key.h>
