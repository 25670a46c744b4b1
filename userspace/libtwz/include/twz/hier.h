// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/obj/hier.h was before. */
#include <twz/obj/hier.h>
