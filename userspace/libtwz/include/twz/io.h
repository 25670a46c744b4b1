// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/obj/io.h was before. */
#include <twz/obj/io.h>
