// SPDX-License-Identifier: BSD-3-Clause
/*
 * Catching faults where they matter, in C:
 *
 *	twztry {
 *		value = *pointer;
 *	} twzcatch(FAULT_OBJECT) {
 *		...
 *	} twzcatch_all {
 *		debug_printf("fault %d\n", twzcatch_fnum());
 *	} twztry_end;
 *
 * Blocks nest, also through functions. A fault that no twzcatch names goes to the next outer block;
 * if there is none, it is printed and ends the thread. Functions set with twz_fault_set() come
 * first. Variables that are changed inside the block and used after a fault must be volatile.
 * Leaving a block by return, goto or break is an error in the program.
 */
#ifndef TWZ_TWZTRY_H
#define TWZ_TWZTRY_H

#include <twz/_types.h>
#include <twz/sys/fault.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TWZCATCH_DATA_MAX 256

/* The fault that was caught last in this thread, and a copy of its information (at most
 * TWZCATCH_DATA_MAX bytes), valid until the next catch in this thread. */
int twzcatch_fnum(void);
void *twzcatch_data(void);

/* Whether this thread is in a block, which a fault now would go to. */
bool twz_try_is_active(void);

/* From inside a twzcatch: hand fault f with its information on to the next outer block. */
_Noreturn void twzcatch_propagate(int f, void *data);

struct twz_tx_run;

/* The transaction that this thread is in (twz/tx.h); a fault that is caught outside of it leaves it. */
extern __thread struct twz_tx_run *__twz_tx_innermost;

/* A block that is being executed. Private. */
struct __twz_try {
	struct __twz_try *outer;
	struct twz_tx_run *tx;
	struct twz_fault_frame *frame; /* of the handler that the block stands in */
	int fault;                     /* -1: none so far */
	bool caught;
	uint64_t regs[26]; /* what functions preserve, on every machine */
};

void *__twz_try_begin(struct __twz_try *t); /* returns t->regs */
void __twz_try_end(struct __twz_try *t);
bool __twz_try_catch(struct __twz_try *t, int fault); /* -1: any */
int __twz_try_save(void *regs) __attribute__((returns_twice));
_Noreturn void __twz_try_load(void *regs, int value);

#define twztry                                                             \
	do {                                                               \
		struct __twz_try __twz_this_try;                           \
		if (!__twz_try_save(__twz_try_begin(&__twz_this_try)))
#define twzcatch(F) else if (__twz_try_catch(&__twz_this_try, (F)))
#define twzcatch_all else if (__twz_try_catch(&__twz_this_try, -1))
#define twztry_end                                                         \
		__twz_try_end(&__twz_this_try);                            \
	} while (0)

#ifdef __cplusplus
}
#endif

#endif
