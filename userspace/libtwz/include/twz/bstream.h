// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/obj/bstream.h was before. */
#include <twz/obj/bstream.h>
