// SPDX-License-Identifier: BSD-3-Clause
/*
 * Ties between objects of one area: each object is tied to at most one other, which may be tied
 * itself. One that is deleted stays until its parent goes, with all that is tied to it.
 */
#include "storm.h"

#include <twz/sys/syscall.h>

static struct slot *slot_at(struct worker *w, unsigned i)
{
	return &w->area->slots[i];
}

/* Whether a slot's object is tied, and whether it is deleted already. */
static void look_at(const struct slot *s, bool *tied, bool *deleted)
{
	struct kernel_ostat st;

	*tied = *deleted = false;
	if (slot_is_used(s) && sys_ostat(TWZ_OSTAT_OBJECT, s->id, 0, &st) == 0) {
		*tied = st.ties_in > 0;
		*deleted = st.flags & OS_FLAGS_DELETED;
	}
}

/* Whether the slot is `above`, or tied to it by way of others. */
static bool is_below(struct worker *w, unsigned i, unsigned above)
{
	for (unsigned steps = 0; i != above && steps < SLOTS; steps++) {
		if (!slot_at(w, i)->partner)
			return false;
		i = (unsigned)slot_at(w, i)->partner - 1;
	}
	return true;
}

static void set_partner(struct slot *s, uint64_t partner)
{
	s->partner = partner;
	persist(&s->partner, sizeof(s->partner));
}

void op_tie(struct worker *w, unsigned child, unsigned parent)
{
	struct slot *c = slot_at(w, child), *p = slot_at(w, parent);
	bool tied, deleted;

	look_at(p, &tied, &deleted);
	if (!slot_is_used(p) || deleted || c->partner || is_below(w, parent, child))
		return;
	look_at(c, &tied, &deleted);
	if (tied || deleted)
		return;
	announce(w, "t %u %u", child, parent);
	set_partner(c, parent + 1);
	finish(w, (int)sys_otie(p->id, c->id, 0));
}

void op_untie(struct worker *w, unsigned child)
{
	struct slot *c = slot_at(w, child);
	bool tied, deleted;

	look_at(c, &tied, &deleted);
	if (!tied || deleted || !c->partner)
		return;
	announce(w, "v %u", child);
	finish(w, (int)sys_otie(slot_at(w, (unsigned)c->partner - 1)->id, c->id, OTIE_UNTIE));
	set_partner(c, 0);
}

bool delete_tied(struct worker *w, unsigned i)
{
	struct slot *s = slot_at(w, i);
	bool tied, deleted;

	look_at(s, &tied, &deleted);
	if (!tied)
		return false;
	if (!deleted) {
		announce(w, "m %u", i);
		finish(w, twz_object_delete_guid(s->id, 0));
	}
	return true;
}

/* What goes with a parent, from the lowest up; what would stay is untied from what goes. */
static void release(struct worker *w, unsigned parent, bool top)
{
	bool tied, deleted;

	for (unsigned i = 1; i < SLOTS; i++) {
		struct slot *s = slot_at(w, i);

		if (!slot_is_used(s) || s->partner != parent + 1)
			continue;
		look_at(s, &tied, &deleted);
		if (tied && deleted) {
			release(w, i, false);
			announce(w, "r %u", i);
			slot_clear(s);
			acknowledge(w);
		} else if (tied && !top) {
			op_untie(w, i);
		}
	}
}

void release_children(struct worker *w, unsigned parent)
{
	release(w, parent, true);
}

/* Those that stay when the parent has gone are free to be tied again. */
void forget_parent(struct worker *w, unsigned parent)
{
	for (unsigned i = 1; i < SLOTS; i++)
		if (slot_at(w, i)->partner == parent + 1)
			set_partner(slot_at(w, i), 0);
}
