// SPDX-License-Identifier: BSD-3-Clause
/*
 * Pins. Nothing here moves a page but copying on write and moving between memory and store, and
 * both look at the pins; what was shared before the first pin is copied by it.
 */
#include <abi/errno.h>
#include <mm/phys.h>
#include <obj/object.h>

static int make_own(void *arg, uint64_t pgnr, void *page)
{
	return object_page_shared(arg, pgnr, page) ? object_page_write(arg, pgnr, &page) : 0;
}

int object_pin(struct object *object)
{
	int error = 0;

	spin_lock(&object->lock);
	if (object->pins == UINT32_MAX)
		error = -EOVERFLOW;
	else if (object->pins == 0)
		error = object_pages_walk(object, 1, OBJ_MAXPAGES, make_own, object);
	object->pins += error == 0;
	spin_unlock(&object->lock);
	if (!error)
		object_ref(object);
	return error;
}

int object_unpin(struct object *object)
{
	spin_lock(&object->lock);
	bool pinned = object->pins != 0;
	object->pins -= pinned;
	spin_unlock(&object->lock);
	if (pinned)
		object_put(object);
	return pinned ? 0 : -EINVAL;
}
