// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the compilers call when code built with -fsanitize=undefined does something undefined.
 * Each finding is a panic that names the place. The data passed begins with the source location;
 * what follows differs and is not printed: the location and the backtrace say enough.
 */
#include <stddef.h>
#include <stdint.h>

#include <panic.h>

struct location {
	const char *file;
	uint32_t line;
	uint32_t column;
};

static _Noreturn void report(const struct location *at, const char *what)
{
	panic("UBSAN: %s:%u:%u: %s", at->file != NULL ? at->file : "?", at->line, at->column, what);
}

/*
 * Handlers with one, two and three arguments; the _abort forms are called by -fno-sanitize-recover.
 */
#define HANDLER_1(name, what)                                                      \
	void __ubsan_handle_##name(void *data);                                    \
	void __ubsan_handle_##name##_abort(void *data);                            \
	void __ubsan_handle_##name(void *data) { report(data, what); }             \
	void __ubsan_handle_##name##_abort(void *data) { report(data, what); }

#define HANDLER_2(name, what)                                                      \
	void __ubsan_handle_##name(void *data, void *a);                           \
	void __ubsan_handle_##name##_abort(void *data, void *a);                   \
	void __ubsan_handle_##name(void *data, void *a) { (void)a; report(data, what); } \
	void __ubsan_handle_##name##_abort(void *data, void *a) { (void)a; report(data, what); }

#define HANDLER_3(name, what)                                                      \
	void __ubsan_handle_##name(void *data, void *a, void *b);                  \
	void __ubsan_handle_##name##_abort(void *data, void *a, void *b);          \
	void __ubsan_handle_##name(void *data, void *a, void *b)                   \
	{                                                                          \
		(void)a, (void)b;                                                  \
		report(data, what);                                                \
	}                                                                          \
	void __ubsan_handle_##name##_abort(void *data, void *a, void *b)           \
	{                                                                          \
		(void)a, (void)b;                                                  \
		report(data, what);                                                \
	}

HANDLER_3(add_overflow, "signed addition overflows")
HANDLER_3(sub_overflow, "signed subtraction overflows")
HANDLER_3(mul_overflow, "signed multiplication overflows")
HANDLER_2(negate_overflow, "negation overflows")
HANDLER_3(divrem_overflow, "division by zero or overflow")
HANDLER_3(shift_out_of_bounds, "shift by too much, or of a negative value")
HANDLER_2(out_of_bounds, "array index out of bounds")
HANDLER_3(pointer_overflow, "pointer arithmetic overflows")
HANDLER_2(load_invalid_value, "value invalid for its type")
HANDLER_2(vla_bound_not_positive, "array size not positive")
HANDLER_2(float_cast_overflow, "float out of range of the integer")
HANDLER_3(implicit_conversion, "implicit conversion changes the value")
HANDLER_2(function_type_mismatch, "call through a pointer of the wrong type")
HANDLER_1(nonnull_arg, "NULL passed where it may not be")
HANDLER_1(invalid_builtin, "zero passed to a bit-counting builtin")
HANDLER_1(builtin_unreachable, "reached what cannot be reached")
HANDLER_1(missing_return, "function ends without returning a value")

/* Null, misaligned or too small: the data tells the alignment wanted. */
struct type_mismatch {
	struct location at;
	const void *type;
	unsigned char log_alignment;
	unsigned char kind;
};

static _Noreturn void report_mismatch(const struct type_mismatch *data, uintptr_t pointer)
{
	uintptr_t mask = (1ul << (data->log_alignment & 63)) - 1;

	if (pointer == 0)
		report(&data->at, "access through a null pointer");
	if ((pointer & mask) != 0)
		report(&data->at, "misaligned access");
	report(&data->at, "access to an object that is too small for the type");
}

void __ubsan_handle_type_mismatch_v1(void *data, void *pointer);
void __ubsan_handle_type_mismatch_v1_abort(void *data, void *pointer);

void __ubsan_handle_type_mismatch_v1(void *data, void *pointer)
{
	report_mismatch(data, (uintptr_t)pointer);
}

void __ubsan_handle_type_mismatch_v1_abort(void *data, void *pointer)
{
	report_mismatch(data, (uintptr_t)pointer);
}

/* Here the location is the second argument, not in the data. */
void __ubsan_handle_nonnull_return_v1(void *data, void *at);
void __ubsan_handle_nonnull_return_v1_abort(void *data, void *at);

void __ubsan_handle_nonnull_return_v1(void *data, void *at)
{
	(void)data;
	report(at, "NULL returned where it may not be");
}

void __ubsan_handle_nonnull_return_v1_abort(void *data, void *at)
{
	(void)data;
	report(at, "NULL returned where it may not be");
}

void __ubsan_handle_alignment_assumption(void *data, void *pointer, void *alignment, void *offset);
void __ubsan_handle_alignment_assumption_abort(void *data, void *pointer, void *alignment,
					       void *offset);

void __ubsan_handle_alignment_assumption(void *data, void *pointer, void *alignment, void *offset)
{
	(void)pointer, (void)alignment, (void)offset;
	report(data, "pointer is not aligned as assumed");
}

void __ubsan_handle_alignment_assumption_abort(void *data, void *pointer, void *alignment,
					       void *offset)
{
	(void)pointer, (void)alignment, (void)offset;
	report(data, "pointer is not aligned as assumed");
}
