// SPDX-License-Identifier: BSD-3-Clause
/* Transactions on one object: the macros, what they undo, full logs, faults in the body, noise. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/tx.h>
#include <twz/twztry.h>

#define LOG 1024u

struct data {
	uint64_t a, b;
	uint64_t words[32];
	char bytes[64];
	uint64_t guard;
	_Alignas(64) struct twz_tx tx;
	char log[LOG];
	uint64_t behind;
};

static twzobj object;
static struct data *d;

static bool fresh(void)
{
	if (new_object(&object) < 0)
		return false;
	d = twz_object_base(&object);
	d->a = 1;
	d->b = 2;
	d->guard = d->behind = 0x600d;
	tx_init(&d->tx, LOG);
	return true;
}

static void done(void)
{
	CHECK_EQ(d->guard, 0x600d);
	CHECK_EQ(d->behind, 0x600d);
	CHECK_EQ(d->tx.end, 0);
	drop_object(&object);
}

static void commit_and_abort(void)
{
	int aborted = 0, committed = 0;

	NEED(fresh());
	TXSTART(&object, &d->tx) {
		TXRECORD(&d->tx, &d->a);
		CHECK_EQ(d->tx.end, d->tx.tmpend);
		CHECK_EQ(d->tx.end, TX_RECORD_SIZE(8));
		d->a = 10;
		TXCOMMIT;
		d->a = 99;
	} TX_ONABORT {
		aborted++;
	} TX_ONSUCCESS {
		committed++;
	} TXEND;
	CHECK_EQ(d->a, 10);
	CHECK_EQ(committed, 1);
	TXSTART(&object, &d->tx) {
		TXRECORD(&d->tx, &d->a);
		TXRECORD_LEN(&d->tx, &d->b, 8);
		d->a = 11;
		d->b = 12;
		for (int i = 0; i < 10; i++)
			if (i == 5)
				TXABORT(77);
	} TX_ONSUCCESS {
		committed++;
	} TX_ONABORT {
		CHECK_EQ(errno, 77);
		aborted++;
	} TXEND;
	CHECK_EQ(d->a, 10);
	CHECK_EQ(d->b, 2);
	CHECK_EQ(aborted, 1);
	CHECK_EQ(committed, 1);
	done();
}

/* T56 */
static void twice_the_same_bytes(void)
{
	NEED(fresh());
	TXSTART(&object, &d->tx) {
		TXRECORD(&d->tx, &d->a);
		d->a = 10;
		TXRECORD(&d->tx, &d->a);
		d->a = 11;
		TXABORT(1);
	} TXEND;
	CHECK_EQ(errno, 1);
	CHECK_EQ(d->a, 1);
	done();
}

/* T57 */
static void mixed_records(void)
{
	NEED(fresh());
	TXSTART(&object, &d->tx) {
		TXRECORD_TMP(&d->tx, &d->a);
		CHECK_EQ(d->tx.end, 0);
		TXRECORD(&d->tx, &d->b);
		CHECK_EQ(d->tx.end, d->tx.tmpend);
		d->a = d->b = 50;
		TXABORT(1);
	} TXEND;
	CHECK_EQ(d->a, 1);
	CHECK_EQ(d->b, 2);
	TXSTART(&object, &d->tx) {
		TXRECORD(&d->tx, &d->a);
		TXRECORD_TMP(&d->tx, &d->b);
		TXRECORD_LEN_TMP(&d->tx, d->words, 24);
		TX_RECORD_COMMIT(&d->tx);
		CHECK_EQ(d->tx.end, d->tx.tmpend);
		d->a = d->b = d->words[2] = 50;
		TXABORT(1);
	} TXEND;
	CHECK_EQ(d->a, 1);
	CHECK_EQ(d->b, 2);
	CHECK_EQ(d->words[2], 0);
	done();
}

/* T57: to the last byte, then one more. */
static void log_full(void)
{
	volatile unsigned n = 0;

	NEED(fresh());
	memset(d->log, 0x5a, LOG);
	TXSTART(&object, &d->tx) {
		for (; n < LOG / TX_RECORD_SIZE(5) + 1; n++) {
			TXRECORD_LEN(&d->tx, d->bytes + n % 59, 5);
			d->bytes[n % 59] = 7;
		}
		TXCOMMIT;
	} TX_ONABORT {
		CHECK_EQ(errno, -ENOMEM);
	} TX_ONSUCCESS {
		CHECK(false);
	} TXEND;
	CHECK_EQ(n, LOG / TX_RECORD_SIZE(5));
	for (unsigned i = 0; i < 64; i++)
		CHECK_EQ(d->bytes[i], 0);
	TXSTART(&object, &d->tx) {
		CHECK_EQ(tx_record(&d->tx, &d->behind + 1, LOG - 15), -ENOMEM);
		CHECK_EQ(tx_record(&d->tx, d->words, ~0ul), -EINVAL);
		CHECK_EQ(tx_record(&d->tx, d->words, OBJ_MAXSIZE), -EINVAL);
		CHECK_EQ(tx_record(&d->tx, &d->behind + 1, (1u << 29) + 1), -ENOMEM);
		CHECK_EQ(tx_record(&d->tx, d->log + 10, 8), -EINVAL);
		CHECK_EQ(tx_record(&d->tx, &object, sizeof(object)), -EINVAL);
		CHECK_EQ(tx_record(&d->tx, d->words, 256), 0);
		d->words[31] = 9;
		TXCOMMIT;
	} TXEND;
	CHECK_EQ(errno, 0);
	CHECK_EQ(d->words[31], 9);
	CHECK_EQ(tx_record(&d->tx, &d->a, 8), -EINVAL);
	done();
}

static int leaves_by_return(void)
{
	TXSTART(&object, &d->tx) {
		TXRECORD(&d->tx, &d->a);
		d->a = 33;
		return 5;
	} TXEND;
	return 0;
}

static void ways_out(void)
{
	int r = 0;

	NEED(fresh());
	CHECK_EQ(leaves_by_return(), 5);
	CHECK_EQ(d->a, 1);
	TXSTART(&object, &d->tx) {
		TXRECORD(&d->tx, &d->a);
		d->a = 34;
	} TX_ONABORT {
		r = errno;
	} TXEND;
	CHECK_EQ(r, -ECANCELED);
	CHECK_EQ(d->a, 1);
	done();
}

static void nested(void)
{
	NEED(fresh());
	TXSTART(&object, &d->tx) {
		TXRECORD(&d->tx, &d->a);
		d->a = 10;
		TXSTART(&object, &d->tx) {
			TXRECORD(&d->tx, &d->a);
			TXRECORD(&d->tx, &d->b);
			d->a = 20;
			d->b = 20;
			TXABORT(3);
		} TXEND;
		CHECK_EQ(errno, 3);
		CHECK_EQ(d->a, 10);
		CHECK_EQ(d->b, 2);
		TXSTART(&object, &d->tx) {
			TXRECORD(&d->tx, &d->b);
			d->b = 21;
			TXCOMMIT;
		} TXEND;
		CHECK_EQ(TXCHECK(&object, &d->tx), 0);
		CHECK_EQ(d->b, 21);
		CHECK(d->tx.end != 0);
		TXRECORD(&d->tx, &d->words[0]);
		d->words[0] = 4;
		if (d->b == 21)
			TXABORT(4);
		TXCOMMIT;
	} TXEND;
	CHECK_EQ(d->a, 1);
	CHECK_EQ(d->b, 2);
	CHECK_EQ(d->words[0], 0);
	done();
}

static void opt_form(void)
{
	int rcode = 0;

	NEED(fresh());
	TXOPT_START(&object, &d->tx, rcode) {
		TXOPT_RECORD(&d->tx, &d->a);
		TXOPT_RECORD_TMP(&d->tx, &d->b);
		TX_RECORD_COMMIT(&d->tx);
		d->a = d->b = 6;
		if (d->a == 6)
			TXOPT_COMMIT;
		else
			TXOPT_ABORT(1);
	} TXOPT_END;
	CHECK_EQ(rcode, TX_RCODE_SUCCESS);
	TXOPT_START(&object, &d->tx, rcode) {
		TXOPT_RECORD_LEN(&d->tx, &d->a, 16);
		d->a = d->b = 7;
		TXOPT_ABORT(123);
	} TXOPT_END;
	CHECK_EQ(rcode, 123 << 8 | TX_RCODE_ABORT);
	TXOPT_START(&object, &d->tx, rcode) {
		TXOPT_RECORD_LEN(&d->tx, &d->behind + 1, LOG);
	} TXOPT_END;
	CHECK_EQ(rcode, -ENOMEM * 256 | TX_RCODE_ABORT);
	TXOPT_START(&object, &d->tx, rcode) {
		TXOPT_RECORD(&d->tx, &d->a);
		d->a = 8;
	} TXOPT_END;
	CHECK_EQ(rcode >> 8, -ECANCELED);
	CHECK_EQ(d->a, 6);
	CHECK_EQ(d->b, 6);
	done();
}

static void fault(void)
{
	volatile uint64_t *volatile nowhere = (uint64_t *)8;

	*nowhere = 1;
}

/* A fault leaves the transaction to whoever comes next, though this thread goes on. */
static void caught_fault(void)
{
	NEED(fresh());
	twztry {
		TXSTART(&object, &d->tx) {
			TXRECORD(&d->tx, &d->a);
			d->a = 70;
			fault();
			TXCOMMIT;
		} TXEND;
	} twzcatch(FAULT_NULL) {
		CHECK_EQ(d->a, 70);
	} twztry_end;
	CHECK(d->tx.end != 0);
	CHECK_EQ(tx_record(&d->tx, &d->b, 8), -EINVAL);
	CHECK_EQ(TXCHECK(&object, &d->tx), 1);
	CHECK_EQ(TXCHECK(&object, &d->tx), 0);
	CHECK_EQ(d->a, 1);
	TXSTART(&object, &d->tx) {
		TXRECORD(&d->tx, &d->b);
		twztry {
			fault();
		} twzcatch_all {
		} twztry_end;
		d->b = 8;
		TXCOMMIT;
	} TXEND;
	CHECK_EQ(d->b, 8);
	done();
}

static void dies_in_body(void *arg)
{
	(void)arg;
	TXSTART(&object, &d->tx) {
		TXRECORD(&d->tx, &d->a);
		TXRECORD(&d->tx, &d->b);
		d->a = 70;
		d->b = 71;
		twz_thread_exit(3);
		TXCOMMIT;
	} TXEND;
}

static void holder_ends(void)
{
	NEED(fresh());
	CHECK_EQ(exit_code_of(dies_in_body, NULL), 3);
	CHECK_EQ(d->a, 70);
	TXSTART(&object, &d->tx) {
		CHECK_EQ(d->a, 1);
		CHECK_EQ(d->b, 2);
		TXRECORD(&d->tx, &d->a);
		d->a = 5;
		TXCOMMIT;
	} TXEND;
	CHECK_EQ(d->a, 5);
	done();
}

/* Through another mapping of the same object. */
static void other_mapping(void)
{
	struct data *same;
	twzobj o;

	NEED(fresh());
	NEED(twz_object_init_guid(&o, twz_object_guid(&object), FE_READ) == 0);
	same = twz_object_base(&o);
	CHECK(same != d);
	TXSTART(&object, &d->tx) {
		TXRECORD(&d->tx, &same->a);
		d->a = 5;
		TXABORT(1);
	} TXEND;
	CHECK_EQ(same->a, 1);
	twz_object_release(&o);
	done();
}

static void bad_logs(void)
{
	NEED(fresh());
	d->tx.logsz = OBJ_TOPDATA;
	CHECK_EQ(TXCHECK(&object, &d->tx), -EINVLOBJ);
	TXSTART(&object, &d->tx) {
		CHECK(false);
	} TX_ONABORT {
		CHECK_EQ(errno, -EINVLOBJ);
	} TXEND;
	d->tx.logsz = LOG;
	d->tx.end = LOG + 1;
	CHECK_EQ(TXCHECK(&object, &d->tx), -EINVLOBJ);
	d->tx.end = 0;
	CHECK_EQ(TXCHECK(&object, (struct twz_tx *)((char *)&d->tx + 4)), -EINVAL);
	CHECK_EQ(TXCHECK(&object, (struct twz_tx *)&object), -EINVAL);
	d->tx.logsz = 0;
	TXSTART(&object, &d->tx) {
		TXRECORD(&d->tx, &d->a);
		CHECK(false);
	} TXEND;
	CHECK_EQ(errno, -ENOMEM);
	done();
}

static uint64_t noise_state = 88172645463325252ull;

static uint64_t noise(void)
{
	noise_state ^= noise_state << 13;
	noise_state ^= noise_state >> 7;
	return noise_state ^= noise_state << 17;
}

/* Whatever stands in the log and its head: nothing but recorded data changes, and it ends. */
static void noise_in_the_log(void)
{
	uint64_t *log = (uint64_t *)(void *)d->log;

	NEED(fresh());
	log = (uint64_t *)(void *)d->log;
	for (unsigned round = 0; round < 300; round++) {
		for (unsigned i = 0; i < LOG / 8; i++)
			log[i] = noise() >> (noise() % 64);
		d->tx.tmpend = (uint32_t)noise();
		d->tx.end = (uint32_t)noise() % (LOG + 9);
		d->tx.gen = (uint32_t)noise();
		d->tx.commit = round % 2 ? d->tx.gen : noise();
		int r = TXCHECK(&object, &d->tx);
		CHECK(r == 0 || r == 1 || r == -EINVLOBJ);
		CHECK(d->a == 1 && d->b == 2 && d->guard == 0x600d && d->behind == 0x600d);
	}
	d->tx.end = 0;
	done();
}

static const struct ktap_case cases[] = {
	{ "commit and abort", commit_and_abort },
	{ "the same bytes recorded twice", twice_the_same_bytes },
	{ "TXRECORD_TMP and TXRECORD mixed", mixed_records },
	{ "a log that is full", log_full },
	{ "ways out of the body", ways_out },
	{ "nested transactions on one log", nested },
	{ "the form without TXSTART", opt_form },
	{ "a fault in the body, caught outside", caught_fault },
	{ "a thread that ends in the body", holder_ends },
	{ "data through another mapping", other_mapping },
	{ "heads that make no sense", bad_logs },
	{ "noise in the log", noise_in_the_log },
};

int main(void)
{
	return KTAP_RUN(cases);
}
