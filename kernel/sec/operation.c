// SPDX-License-Identifier: BSD-3-Clause
/*
 * The table of operations, as data.
 */
#include <sec/operation.h>

const struct sec_need sec_needs[SEC_OPERATION_COUNT] = {
#define X(name_, row, all_, any_) [SEC_OP_##name_] = { all_, any_, #name_ " (P" #row ")" },
	SEC_OPERATIONS(X)
#undef X
};
