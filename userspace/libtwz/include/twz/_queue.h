// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/obj/queue.h was before. */
#include <twz/obj/queue.h>
