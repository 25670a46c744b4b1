// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/obj.h was before. */
#include <twz/obj.h>
