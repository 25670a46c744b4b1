// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/obj/user.h was before. */
#include <twz/obj/user.h>
