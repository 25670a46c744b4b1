// SPDX-License-Identifier: BSD-3-Clause
/*
 * Directories of kernel state objects, and the root of all.
 */
#include <base/string.h>
#include <kso/directory.h>
#include <obj/object.h>
#include <panic.h>

struct directory kso_root, kso_threads, kso_devices, kso_data;

#define AT(member) (OBJ_NULLPAGE_SIZE + offsetof(struct kso_hdr, member))

void directory_open(struct directory *directory, struct object *object, uint32_t base_offset)
{
	object_ref(object);
	directory->object = object;
	directory->at = OBJ_NULLPAGE_SIZE + base_offset;
	(void)object_write(object, AT(dir_offset), &base_offset, sizeof(base_offset));
}

static uint64_t entry_offset(const struct directory *directory, uint64_t index)
{
	return directory->at + offsetof(struct kso_dir_attachments, children) +
	       index * sizeof(struct kso_attachment);
}

/* The rest of the entry before its ID, the ID before the count. Lock held. */
static int write_entry(struct directory *directory, uint64_t index, struct kso_attachment entry)
{
	uint64_t at = entry_offset(directory, index);
	objid_t id = entry.id;

	entry.id = 0;
	int error = object_write(directory->object, at, &entry, sizeof(entry));
	if (!error && id) {
		atomic_thread_fence(memory_order_release);
		error = object_write(directory->object, at, &id, sizeof(id));
	}
	return error;
}

static int write_count(struct directory *directory)
{
	uint64_t at = directory->at + offsetof(struct kso_dir_attachments, count);

	atomic_thread_fence(memory_order_release);
	return object_write(directory->object, at, &directory->count, sizeof(directory->count));
}

/* The index that the next entry gets. Lock held. */
static uint64_t next_index(struct directory *directory, directory_place *free_after)
{
	struct kso_attachment hole = { 0 };

	*free_after = 0;
	if (!directory->free)
		return directory->count;
	(void)object_read(directory->object, entry_offset(directory, directory->free - 1), &hole, sizeof(hole));
	*free_after = hole.info;
	return directory->free - 1;
}

directory_place directory_enter(struct directory *directory, objid_t id, uint32_t type, uint64_t info)
{
	const struct kso_attachment entry = { .id = id, .info = info, .type = type };
	directory_place free_after;

	spin_lock(&directory->lock);
	uint64_t index = next_index(directory, &free_after);
	int error = write_entry(directory, index, entry);
	if (!error) {
		directory->free = free_after;
		if (index == directory->count) {
			directory->count++;
			error = write_count(directory);
		}
	}
	spin_unlock(&directory->lock);
	return error ? 0 : index + 1;
}

void directory_leave(struct directory *directory, directory_place place)
{
	if (place == 0)
		return;
	spin_lock(&directory->lock);
	/* The page is there: it cannot fail. */
	(void)write_entry(directory, place - 1, (struct kso_attachment){ .info = directory->free });
	directory->free = place;
	spin_unlock(&directory->lock);
}

/* ---- The root ---- */

static struct object *make(objid_t id, uint32_t type, const char *name)
{
	struct object *object = object_create_kernel(id);

	if (!object || object_write(object, AT(name), name, strlen(name) + 1) != 0)
		panic("no memory for the %s directory", name);
	object->kso_type = type;
	return object;
}

static void make_directory(struct directory *directory, objid_t id, const char *name)
{
	struct object *object = make(id, KSO_DIRECTORY, name);

	directory_open(directory, object, KSO_DIRECTORY_DIR_OFFSET);
	if (!directory_enter(&kso_root, id, KSO_DIRECTORY, 0))
		panic("no memory for the root directory");
	object_put(object);
}

void kso_init(void)
{
	struct object *object = make(KSO_ROOT_ID, KSO_ROOT, "root");

	directory_open(&kso_root, object, KSO_ROOT_DIR_OFFSET);
	object_put(object);
	make_directory(&kso_threads, KSO_THREADS_ID, "threads");
	make_directory(&kso_devices, KSO_DEVICES_ID, "devices");
	make_directory(&kso_data, KSO_DATA_ID, "data");
	/* A thread object is usually writable by whoever knows its ID. */
	kso_threads.object->p_flags = 0;
}
