// SPDX-License-Identifier: BSD-3-Clause
/* Accounts in one object; a transfer between two happens whole or not at all, whatever happens. */
#include <base/string.h>
#include <twz/mutex.h>
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/sys/kec.h>
#include <twz/tx.h>

#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define ACCOUNTS 4
#define LOG 512

struct bank {
	struct mutex lock; /* of all below: a log serves one thread at a time */
	int64_t account[ACCOUNTS];
	_Alignas(64) struct twz_tx tx;
	char log[LOG]; /* of tx: right behind it */
};

static int make(twzobj *o, const char *name)
{
	struct bank *bank;
	int r = twz_object_new(o, NULL, NULL, FLAGS);

	if (r < 0)
		return r;
	bank = twz_object_base(o);
	tx_init(&bank->tx, LOG);
	TXSTART(o, &bank->tx) {
		TXRECORD(&bank->tx, &bank->account);
		for (int i = 0; i < ACCOUNTS; i++)
			bank->account[i] = 100;
		TXCOMMIT;
	} TXEND;
	return twz_name_assign(twz_object_guid(o), name);
}

/* The caller holds the lock. */
static int transfer(twzobj *o, unsigned from, unsigned to, int64_t sum)
{
	struct bank *bank = twz_object_base(o);
	int r = 0;

	TXSTART(o, &bank->tx) {
		TXRECORD_TMP(&bank->tx, &bank->account[from]);
		TXRECORD_TMP(&bank->tx, &bank->account[to]);
		TX_RECORD_COMMIT(&bank->tx);
		bank->account[from] -= sum;
		bank->account[to] += sum;
		if (bank->account[from] < 0)
			TXABORT(-EPERM);
		TXCOMMIT;
	} TX_ONABORT {
		r = errno;
	} TXEND;
	return r;
}

static void print(twzobj *o)
{
	struct bank *bank = twz_object_base(o);

	for (int i = 0; i < ACCOUNTS; i++)
		kec_printf("account %d: %ld\n", i, (long)bank->account[i]);
}

int main(void)
{
	struct bank *bank;
	twzobj object;
	int r = twz_object_init_name(&object, "bank", FE_READ | FE_WRITE);

	if (r == -ENOENT)
		r = make(&object, "bank");
	if (r < 0) {
		kec_printf("bank: no object (error %d)\n", -r);
		return 1;
	}
	bank = twz_object_base(&object);
	mutex_acquire(&bank->lock);
	r = transfer(&object, 0, 1, 30);
	if (r < 0)
		kec_printf("refused (error %d)\n", -r);
	print(&object);
	mutex_release(&bank->lock);
	return 0;
}
