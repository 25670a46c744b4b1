// SPDX-License-Identifier: BSD-3-Clause
/*
 * storm [seed=N] [threads=N] [first=N] [ops=N] [lie] [look=ID ...]   check, then the load
 * storm check [look=ID ...]                                            check only
 */
#include "storm.h"

#include <base/string.h>
#include <twz/name.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>
#include <twz/sys/thread.h>

struct directory *directory;
twzobj directory_object;

static bool parse_number(const char *s, uint64_t *n)
{
	*n = 0;
	if (!*s)
		return false;
	for (; *s >= '0' && *s <= '9'; s++)
		*n = *n * 10 + (uint64_t)(*s - '0');
	return !*s;
}

/* The value of "key=value", or NULL. */
static const char *value_of(const char *word, const char *key)
{
	size_t n = strlen(key);

	return strncmp(word, key, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static bool parse_look(struct request *q, const char *text)
{
	return q->look_count < MAX_LOOKS && objid_parse(text, strlen(text), &q->looks[q->look_count++]);
}

static bool parse_word(struct request *q, const char *word)
{
	uint64_t threads;
	const char *v;

	if (strcmp(word, "check") == 0)
		return q->check_only = true;
	if (strcmp(word, "lie") == 0)
		return q->lie = true;
	if ((v = value_of(word, "seed")))
		return parse_number(v, &q->seed);
	if ((v = value_of(word, "first")))
		return parse_number(v, &q->first) && q->first < 1u << 28;
	if ((v = value_of(word, "ops")))
		return parse_number(v, &q->limit);
	if ((v = value_of(word, "look")))
		return parse_look(q, v);
	if (!(v = value_of(word, "threads")) || !parse_number(v, &threads))
		return false;
	q->threads = (unsigned)threads;
	return threads >= 1 && threads <= MAX_THREADS;
}

static int open_directory(void)
{
	objid_t id;
	int r = twz_name_dfl_resolve(STORM_NAME, 0, &id);

	if (r == 0)
		r = twz_object_init_guid(&directory_object, id, ACCESS);
	if (r < 0)
		return r;
	directory = twz_object_base(&directory_object);
	return directory->magic == STORM_MAGIC ? 0 : -EINVLOBJ;
}

/* The directory is whole before the name leads to it. */
static int make_directory(struct worker *w)
{
	int r;

	announce(w, "i");
	r = twz_object_new(&directory_object, NULL, NULL, OBJ_PERSISTENT, OBJECT_FLAGS);
	if (r == 0) {
		directory = twz_object_base(&directory_object);
		directory->magic = STORM_MAGIC;
		persist(&directory->magic, sizeof(directory->magic));
		r = twz_name_dfl_assign(twz_object_guid(&directory_object), STORM_NAME);
	}
	finish(w, r);
	return r;
}

static void prepare(struct worker *w, const struct request *q, unsigned number)
{
	*w = (struct worker){ .request = q, .number = number, .seq = (uint32_t)q->first };
	w->random = (q->seed * MAX_THREADS + number) * 0x9e3779b97f4a7c15ull;
}

static void thread_main(void *arg)
{
	load_run(arg);
}

static int run(const struct request *q, struct worker *workers)
{
	struct thread threads[MAX_THREADS];
	int r = 0;

	load_tidy(&workers[0]);
	kec_printf("storm: runs\n");
	for (unsigned t = 0; t < q->threads; t++)
		workers[t].area = &directory->areas[t];
	for (unsigned t = 1; t < q->threads && r == 0; t++) {
		struct thrd_spawn_args a = {
			.start_func = (uintptr_t)thread_main,
			.arg = (uintptr_t)&workers[t],
		};

		r = twz_thread_spawn(&threads[t], &a);
	}
	if (r < 0) {
		kec_printf("storm: a thread cannot be started (error %d)\n", -r);
		return 1;
	}
	load_run(&workers[0]);
	for (unsigned t = 1; t < q->threads; t++) {
		twz_thread_join(&threads[t], NULL, 0);
		twz_thread_release(&threads[t]);
	}
	kec_printf("storm: has run\n");
	return 0;
}

int main(int argc, char **argv)
{
	struct request q = { .seed = 1, .threads = 1 };
	struct worker workers[MAX_THREADS];
	int r;

	for (int i = 1; i < argc; i++) {
		if (!parse_word(&q, argv[i])) {
			kec_printf("storm: what is `%s'?\n", argv[i]);
			return 2;
		}
	}
	if (!(twz_sysinfo()->features & TWZ_FEATURE_STORE)) {
		kec_printf("storm: there is no store\n");
		return 1;
	}
	for (unsigned t = 0; t < MAX_THREADS; t++)
		prepare(&workers[t], &q, t);
	r = open_directory();
	if (r < 0 && r != -ENOENT) {
		kec_printf("storm: the directory cannot be opened (error %d)\n", -r);
		return 1;
	}
	check_all(&q);
	if (q.check_only)
		return 0;
	if (r < 0)
		r = make_directory(&workers[0]);
	return r < 0 ? 1 : run(&q, workers);
}
