// SPDX-License-Identifier: BSD-3-Clause
/* As bank.c, each account in an object of its own, and several programs may run at once. */
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/sys/kec.h>
#include <twz/txn.h>

#define ACCESS (FE_READ | FE_WRITE)
#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define LOG 1024

struct account {
	_Alignas(64) struct twz_txlocks locks;
	struct twz_txlock lock[1];
	int64_t balance;
};

struct log {
	_Alignas(64) struct twz_lane lane;
	char log[LOG]; /* of lane: right behind it */
};

static int init_account(twzobj *o)
{
	struct account *a = twz_object_base(o);

	a->balance = 100;
	return twz_txlocks_init(o, &a->locks, 1);
}

static int init_log(twzobj *o)
{
	twz_lane_init(twz_object_base(o), LOG);
	return 0;
}

/* Open the object of that name; make it if there is none. */
static int open_or_make(twzobj *o, const char *name, int (*init)(twzobj *))
{
	int r = twz_object_init_name(o, name, ACCESS);

	if (r != -ENOENT)
		return r;
	r = twz_object_new(o, NULL, NULL, FLAGS);
	if (r == 0)
		r = init(o);
	return r < 0 ? r : twz_name_assign(twz_object_guid(o), name);
}

/* Both are locked and recorded before either changes. */
static int prepare(struct twz_txn *t, twzobj *from, twzobj *to)
{
	struct account *a = twz_object_base(from), *b = twz_object_base(to);
	int r = twz_txn_lock(t, from, a->lock);

	if (r == 0)
		r = twz_txn_lock(t, to, b->lock);
	if (r == 0)
		r = twz_txn_record_tmp(t, &a->balance, sizeof(a->balance));
	if (r == 0)
		r = twz_txn_record(t, &b->balance, sizeof(b->balance));
	return r;
}

static int transfer(twzobj *log, twzobj *from, twzobj *to, int64_t sum)
{
	struct account *a = twz_object_base(from), *b = twz_object_base(to);
	struct twz_txn t;
	int r;

	do {
		r = twz_txn_begin(&t, log, &((struct log *)twz_object_base(log))->lane);
		if (r < 0)
			return r;
		r = prepare(&t, from, to);
		if (r < 0)
			twz_txn_abort(&t);
	} while (r == -EDEADLK);
	if (r < 0)
		return r;
	a->balance -= sum;
	b->balance += sum;
	if (a->balance >= 0)
		return twz_txn_commit(&t);
	twz_txn_abort(&t);
	return -EPERM;
}

int main(void)
{
	twzobj log, a, b;
	int r = open_or_make(&log, "banks.log", init_log);

	if (r == 0)
		r = open_or_make(&a, "banks.a", init_account);
	if (r == 0)
		r = open_or_make(&b, "banks.b", init_account);
	if (r == 0)
		r = transfer(&log, &a, &b, 30);
	if (r < 0) {
		kec_printf("banks: error %d\n", -r);
		return 1;
	}
	kec_printf("a has %ld, b has %ld\n", (long)((struct account *)twz_object_base(&a))->balance,
	    (long)((struct account *)twz_object_base(&b))->balance);
	return 0;
}
