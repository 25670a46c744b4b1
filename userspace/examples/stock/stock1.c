// SPDX-License-Identifier: BSD-3-Clause
/* What a shop has on its shelves: a list of items in an object. Step 1 of docs/tutorial.md. */
#include <base/string.h>
#include <twz/alloc.h>
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/persist.h>
#include <twz/sys/kec.h>

#define NAME "stock1"
#define MAGIC 0x314b434f5453ull /* "STOCK1" */
#define ACCESS (FE_READ | FE_WRITE)
#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)

struct item {
	struct item *next; /* p-ptr */
	uint64_t amount;
	char name[48];
};

struct stock {
	uint64_t magic;
	struct item *first; /* p-ptr */
};

/* Everything is durable before the magic number is, and that before the name leads here. */
static int make(twzobj *o)
{
	struct stock *stock;
	int r = twz_object_new(o, NULL, NULL, FLAGS);

	if (r < 0)
		return r;
	r = twz_object_init_alloc(o, sizeof(*stock));
	if (r == 0) {
		stock = twz_object_base(o);
		stock->magic = MAGIC;
		_clwb(&stock->magic);
		_pfence();
		r = twz_name_assign(twz_object_guid(o), NAME);
	}
	if (r < 0)
		twz_object_delete(o, 0);
	return r;
}

static int open(twzobj *o)
{
	const struct stock *stock;
	int r = twz_object_init_name(o, NAME, ACCESS);

	if (r == -ENOENT)
		return make(o);
	stock = r == 0 ? twz_object_base(o) : NULL;
	return stock && stock->magic != MAGIC ? -EINVLOBJ : r;
}

static struct item *find(twzobj *o, const char *name)
{
	struct stock *stock = twz_object_base(o);
	struct item *item = twz_object_lea(o, stock->first);

	while (item && strcmp(item->name, name) != 0)
		item = twz_object_lea(o, item->next);
	return item;
}

/* The new item, written by the allocator's call before anything leads to it. */
static void construct(void *region, void *data)
{
	memcpy(region, data, sizeof(struct item));
}

static int add(twzobj *o, const char *name, uint64_t amount)
{
	struct stock *stock = twz_object_base(o);
	struct item *known = find(o, name);
	struct item fresh = { .next = stock->first, .amount = amount };

	if (known) {
		known->amount += amount;
		_clwb(&known->amount);
		_pfence();
		return 0;
	}
	strlcpy(fresh.name, name, sizeof(fresh.name));
	return twz_alloc(o, sizeof(fresh), (void **)&stock->first, 0, construct, &fresh);
}

static void print(twzobj *o)
{
	struct stock *stock = twz_object_base(o);
	struct item *item = twz_object_lea(o, stock->first);

	for (; item; item = twz_object_lea(o, item->next))
		kec_printf("%6lu %s\n", (unsigned long)item->amount, item->name);
}

static uint64_t number(const char *text)
{
	uint64_t n = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	return n;
}

int main(int argc, char **argv)
{
	twzobj object;
	int r = open(&object);

	for (int i = 1; r == 0 && i + 1 < argc; i += 2)
		r = add(&object, argv[i], number(argv[i + 1]));
	if (r < 0) {
		kec_printf("stock1: error %d\n", -r);
		return 1;
	}
	print(&object);
	return 0;
}
