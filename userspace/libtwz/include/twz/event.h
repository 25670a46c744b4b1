// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/obj/event.h was before. */
#include <twz/obj/event.h>
