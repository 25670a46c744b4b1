// SPDX-License-Identifier: BSD-3-Clause
/* Kernel-owned data objects. See obj/data.h. */
#include <abi/kso.h>
#include <base/string.h>
#include <kso/directory.h>
#include <obj/data.h>
#include <obj/object.h>

void *data_object_page(struct object *object, uint64_t pgnr)
{
	void *page;

	spin_lock(&object->lock);
	int error = object_page(object, pgnr, true, &page);
	spin_unlock(&object->lock);
	return error ? NULL : page;
}

struct object *data_object_create(objid_t id, const char *name)
{
	struct object *object = object_create_kernel(id);
	struct kso_hdr *header = object ? data_object_page(object, 1) : NULL;

	if (header) {
		object->kso_type = KSO_DATA;
		strlcpy(header->name, name, sizeof(header->name));
		(void)directory_enter(&kso_data, id, KSO_DATA, 0);
		return object;
	}
	if (object)
		object_delete(object, true);
	object_put(object);
	return NULL;
}
