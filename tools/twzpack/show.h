// SPDX-License-Identifier: BSD-3-Clause
/* What twzpack tells about an existing pack. */
#ifndef TWZPACK_SHOW_H
#define TWZPACK_SHOW_H

#include <boot/pack.h>
#include <stdbool.h>

/* Print a line for each object. */
void show_pack(const struct pack *p);

/* Check every object and every name; each fault is one line on standard error. False = faults. */
bool check_pack(const struct pack *p, const char *path);

#endif
