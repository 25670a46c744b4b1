// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts in transactions: at every fence, in every way, in the middle of rolling back as well.
 * What is found afterwards is all of a transaction or nothing of it, and what was committed is there.
 */
#include "unit.h"

#include <abi/errno.h>
#include <string.h>
#include <twz/persist.h>
#include <twz/tx.h>

#include "../../userspace/libtwz/src/tx/txn.h"
#include "libtwz/explore.h"

#define LOG 4096u
#define NODES 4u
#define BIG 300u

struct values {
	uint64_t a, b, head;
	uint64_t nodes[NODES][2]; /* next, value; of those that head leads to */
	uint64_t big[BIG];
};

struct root {
	struct values v;
	_Alignas(64) struct twz_tx tx;
	char log[LOG];
	_Alignas(64) struct twz_tx small;
	char small_log[64];
};

/* What it leads to stands in the world that was cut, so that in others it means nothing. */
__thread struct twz_tx_run *__twz_tx_innermost;

/* Not reached: logs of one object have no parts. */
int __twz_tx_guarded(int (*fn)(void *), void *arg)
{
	return fn(arg);
}

/* What was acknowledged, and what may be there instead. */
static struct values now, next;

static struct root *root(void)
{
	return explore_object(0)->base;
}

static void step(void)
{
	explore_step_begin();
}

static void stepped(void)
{
	now = next;
	explore_step_end();
}

/* --- operations: what they store has to be seen, so they are not inlined where it is not */

#define SEEN static __attribute__((noinline))

/* As it may at any time by itself. */
static void reaches_the_memory(const void *p, size_t len)
{
	_clwb_len(p, len);
	_pfence();
}

SEEN void one_field(uint64_t value)
{
	struct root *r = root();

	TXSTART(explore_object(0), &r->tx) {
		TXRECORD(&r->tx, &r->v.a);
		r->v.a = value;
		TXCOMMIT;
	} TXEND;
}

SEEN void two_fields(uint64_t value, bool commit)
{
	struct root *r = root();

	TXSTART(explore_object(0), &r->tx) {
		TXRECORD(&r->tx, &r->v.b);
		r->v.b = value;
		TXRECORD_TMP(&r->tx, &r->v.a);
		TXRECORD(&r->tx, &r->v.a);
		r->v.a = value + 1;
		reaches_the_memory(&r->v, 16);
		r->v.a = value;
		if (commit)
			TXCOMMIT;
		TXABORT(-EPERM);
	} TXEND;
}

SEEN void several_at_once(uint64_t value)
{
	struct root *r = root();

	TXSTART(explore_object(0), &r->tx) {
		for (unsigned i = 0; i < BIG; i += 50)
			TXRECORD_TMP(&r->tx, &r->v.big[i]);
		TX_RECORD_COMMIT(&r->tx);
		for (unsigned i = 0; i < BIG; i += 50)
			r->v.big[i] = value;
		TXCOMMIT;
	} TXEND;
}

/* A node that nothing leads to yet, then the head. */
SEEN void push(uint64_t n, bool late)
{
	struct root *r = root();

	TXSTART(explore_object(0), &r->tx) {
		r->v.nodes[n][0] = r->v.head;
		if (!late)
			TXRECORD_NEW(&r->tx, r->v.nodes[n], 16);
		r->v.nodes[n][1] = 100 + n;
		TXRECORD(&r->tx, &r->v.head);
		if (late)
			TXRECORD_NEW(&r->tx, r->v.nodes[n], 16);
		r->v.head = n + 1;
		TXCOMMIT;
	} TXEND;
}

SEEN void everything_big(uint64_t value)
{
	struct root *r = root();

	TXSTART(explore_object(0), &r->tx) {
		TXRECORD(&r->tx, &r->v.big);
		for (unsigned i = 0; i < BIG; i++)
			r->v.big[i] = value;
		TXCOMMIT;
	} TXEND;
}

SEEN void nested(uint64_t value)
{
	struct root *r = root();

	TXSTART(explore_object(0), &r->tx) {
		TXRECORD(&r->tx, &r->v.a);
		r->v.a = value;
		TXSTART(explore_object(0), &r->tx) {
			TXRECORD(&r->tx, &r->v.a);
			TXRECORD(&r->tx, &r->v.b);
			r->v.a = r->v.b = 666;
			reaches_the_memory(&r->v, 16);
			TXABORT(1);
		} TXEND;
		TXSTART(explore_object(0), &r->tx) {
			TXRECORD(&r->tx, &r->v.b);
			r->v.b = value;
			TXCOMMIT;
		} TXEND;
		TXCOMMIT;
	} TXEND;
}

/* Outside of any transaction, as TXCHECK allows, or any fence of the thread. */
SEEN void outside(uint64_t value, bool check)
{
	if (check)
		TXCHECK(explore_object(0), &root()->tx);
	else
		_pfence();
	root()->v.a = value;
	reaches_the_memory(&root()->v.a, 8);
}

/* The thread ends in the body; another one comes by. */
SEEN void interrupted(uint64_t value)
{
	static struct twz_tx_run run;
	struct root *r = root();

	__twz_tx_begin(&run, explore_object(0), &r->tx);
	tx_record(&r->tx, &r->v.a, 8);
	r->v.a = value;
	reaches_the_memory(&r->v.a, 8);
	__twz_tx_innermost = NULL;
	TXCHECK(explore_object(0), &r->tx);
}

SEEN void with_small_log(uint64_t value)
{
	struct root *r = root();

	TXSTART(explore_object(0), &r->small) {
		TXRECORD(&r->small, &r->v.nodes[3][0]);
		r->v.nodes[3][0] = value;
		TXRECORD(&r->small, &r->v.nodes[3][1]);
		r->v.nodes[3][1] = value;
		TXRECORD_LEN(&r->small, r->v.big, 8);
		r->v.big[0] = 666;
		TXCOMMIT;
	} TXEND;
}

SEEN void init(void)
{
	tx_init(&root()->tx, LOG);
}

EXPLORE_SEEN_ONLY_LIBTWZ

static void setup(void)
{
	tx_init(&root()->tx, LOG);
	tx_init(&root()->small, 64);
	memset(&now, 0, sizeof(now));
	next = now;
}

static void recover(void)
{
	TXCHECK(explore_object(0), &root()->tx);
	TXCHECK(explore_object(0), &root()->small);
}

static bool is(const struct values *v, const struct values *want)
{
	if (v->a != want->a || v->b != want->b || v->head != want->head ||
	    memcmp(v->big, want->big, sizeof(v->big)) != 0)
		return false;
	for (uint64_t n = v->head; n; n = v->nodes[n - 1][0])
		if (v->nodes[n - 1][1] != want->nodes[n - 1][1])
			return false;
	return true;
}

static const char *judge(void)
{
	const struct root *r = root();

	if (r->tx.end || r->small.end)
		return "a log is open";
	return is(&r->v, &now) || is(&r->v, &next) ? NULL : "half of a transaction";
}

/* As judge; and life goes on. */
static const char *judge_and_go_on(void)
{
	const char *what = judge();

	if (what)
		return what;
	one_field(77);
	return root()->v.a == 77 && root()->tx.end == 0 ? NULL : "the log does not go on";
}

static void fields(void)
{
	step();
	next.a = 5;
	one_field(5);
	stepped();
	step();
	next.a = next.b = 6;
	two_fields(6, true);
	stepped();
	step();
	two_fields(7, false);
	stepped();
	step();
	next.a = 8;
	one_field(8);
	stepped();
	step();
	next.a = 9;
	outside(9, true);
	stepped();
	step();
	interrupted(10);
	stepped();
	step();
	next.a = 11;
	outside(11, true);
	stepped();
	step();
	next.a = 12;
	one_field(12);
	stepped();
	step();
	next.a = 13;
	outside(13, false);
	stepped();
	step();
	two_fields(14, false);
	stepped();
	step();
	next.a = 15;
	outside(15, false);
	stepped();
}

/* What stood there before is overwritten piece by piece: long logs after short ones and back. */
static void long_and_short(void)
{
	step();
	for (unsigned i = 0; i < BIG; i += 50)
		next.big[i] = 3;
	several_at_once(3);
	stepped();
	step();
	next.a = 5;
	one_field(5);
	stepped();
	step();
	next.a = next.b = 6;
	two_fields(6, true);
	stepped();
	step();
	for (unsigned i = 0; i < BIG; i++)
		next.big[i] = 4;
	everything_big(4);
	stepped();
	step();
	next.a = 9;
	one_field(9);
	stepped();
}

static void fresh_memory(void)
{
	for (uint64_t n = 0; n < NODES; n++) {
		step();
		next.nodes[n][1] = 100 + n;
		next.head = n + 1;
		push(n, n % 2);
		stepped();
	}
}

static void in_one_another(void)
{
	step();
	next.a = next.b = 11;
	nested(11);
	stepped();
	step();
	with_small_log(12);
	stepped();
	step();
	next.a = next.b = 13;
	nested(13);
	stepped();
}

/* --- a log where something else stood, and one that another boot has written to */

static bool initialised;

static void setup_noise(void)
{
	setup();
	memset(&root()->tx, 0xa5, sizeof(root()->tx));
	initialised = false;
}

static void init_over_noise(void)
{
	step();
	init();
	initialised = true;
	stepped();
	step();
	next.a = 5;
	one_field(5);
	stepped();
}

static const char *judge_initialised(void)
{
	return initialised ? judge() : NULL;
}

/*
 * A record of the transaction's number to be stands in the log; the word that counted it was lost
 * with the power, and afterwards `a` was changed.
 */
static void setup_other_boot(void)
{
	static struct twz_tx_run run;
	uint64_t boot = __twz_rt.sysinfo.boot_code;

	setup();
	explore_set_boot(boot + 1000000);
	one_field(1);
	__twz_tx_begin(&run, explore_object(0), &root()->tx);
	tx_record(&root()->tx, &root()->v.a, 8);
	__twz_tx_innermost = NULL;
	root()->tx.end = 0;
	root()->tx.gen--;
	explore_set_boot(boot);
	root()->v.a = now.a = next.a = 55;
}

static void one_more(void)
{
	step();
	next.a = 5;
	one_field(5);
	stepped();
}

static void everything(void)
{
	fields();
	long_and_short();
	fresh_memory();
	in_one_another();
}

static void cut_everything(void **state)
{
	/* Those of tests below, our own, and one that counts where the log's last user was another
	 * thread, which has fenced nothing. */
	static const char *const elsewhere[] = { "tx_init", "renew", "reaches_the_memory",
		"flush __twz_txlog_settle", NULL };
	static const struct explore_test t = { .objects = 1, .data_pages = 4, .setup = setup, .operation = everything,
		.recover = recover, .judge = judge, .unneeded = elsewhere };

	(void)state;
	explore_check(&t);
}

static void goes_on_after_each(void **state)
{
	static const struct explore_test t = { .objects = 1, .data_pages = 4, .setup = setup, .operation = fields,
		.recover = recover, .judge = judge_and_go_on };
	struct explore_result r;

	(void)state;
	r = explore_run(&t);
	assert_true(r.states > 100);
	assert_int_equal(r.bad, 0);
}

#define SEEN_ABOVE "count_records", "__twz_txlog_publish", "__twz_txlog_commit", "commit_small", "drop", "flush_drop", \
	"undo_span", "__twz_txlog_recover", "__twz_tx_check", "__twz_txlog_settle", "reaches_the_memory"

static const char *const all_but_init[] = { SEEN_ABOVE, "renew", NULL };
static const char *const all_but_renew[] = { SEEN_ABOVE, "tx_init", NULL };

static void cut_init(void **state)
{
	static const struct explore_test t = { .objects = 1, .data_pages = 4, .setup = setup_noise,
		.operation = init_over_noise, .recover = recover, .judge = judge_initialised,
		.unneeded = all_but_init };

	(void)state;
	explore_check(&t);
}

static void cut_other_boot(void **state)
{
	static const struct explore_test t = { .objects = 1, .data_pages = 4, .setup = setup_other_boot,
		.operation = one_more, .recover = recover, .judge = judge, .unneeded = all_but_renew };

	(void)state;
	explore_check(&t);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_everything),
		cmocka_unit_test(goes_on_after_each),
		cmocka_unit_test(cut_init),
		cmocka_unit_test(cut_other_boot),
	};

	(void)argc, (void)argv;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
