// SPDX-License-Identifier: BSD-3-Clause
/* Printing what a mounted store holds. Damage is passed over. */
#ifndef TWZSTORE_SHOW_H
#define TWZSTORE_SHOW_H

#include "hier.h"
#include "report.h"

/* The store as a whole: size, room, counts, root of names. */
void show_info(struct store *st, FILE *out);

/* One line an object: ID, size, pages, permissions, marks, names. FAILED if damage hid some. */
enum status show_list(struct store *st, FILE *out);

/* One line a name, with its object, in order of names. FAILED if some names lead nowhere. */
enum status show_names(struct store *st, FILE *out);

/* Permissions of an object as "rwxud". */
void print_permissions(FILE *out, unsigned int p_flags);

#endif
