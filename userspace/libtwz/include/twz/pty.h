// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/obj/pty.h was before. */
#include <twz/obj/pty.h>
