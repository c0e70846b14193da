// SPDX-License-Identifier: GPL-2.0
/* Arrays of handles: RELEASE and GIVE begin with one. */
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>

#include "device.h"

/* By slot, so that neighbours are revoked in one go and duplicates are neighbours. */
static int compare_handles(const void *a, const void *b)
{
	u64 left = *(const u64 *)a, right = *(const u64 *)b;
	u32 left_slot = left & LABYRINTH_SLOT_MASK;
	u32 right_slot = right & LABYRINTH_SLOT_MASK;

	if (left_slot != right_slot)
		return left_slot < right_slot ? -1 : 1;
	if (left != right)
		return left < right ? -1 : 1;
	return 0;
}

/**
 * labyrinth_handles_get() - copy an array of handles in
 * @handles: filled in, to be given up with labyrinth_handles_put() if it returns 0
 * @user: user pointer to it
 * @count: entries
 *
 * Context: Process context.
 * Return: 0; -EINVAL (too few, too many, or one twice), -EFAULT, -ENOMEM.
 */
int labyrinth_handles_get(struct labyrinth_handles *handles, u64 user, u32 count)
{
	size_t size = count * sizeof(u64);
	u32 i;

	if (!count || count > LABYRINTH_MAX_BATCH)
		return -EINVAL;
	handles->count = count;
	handles->given = kvmalloc_array(2 * count, sizeof(u64), GFP_KERNEL_ACCOUNT);
	if (!handles->given)
		return -ENOMEM;
	handles->sorted = handles->given + count;
	if (copy_from_user(handles->given, u64_to_user_ptr(user), size)) {
		labyrinth_handles_put(handles);
		return -EFAULT;
	}
	memcpy(handles->sorted, handles->given, size);
	sort(handles->sorted, count, sizeof(u64), compare_handles, NULL);
	for (i = 1; i < count; i++) {
		if (handles->sorted[i] == handles->sorted[i - 1]) {
			labyrinth_handles_put(handles);
			return -EINVAL;
		}
	}
	return 0;
}

/**
 * labyrinth_handles_put() - free an array of handles
 * @handles: what labyrinth_handles_get() filled in
 *
 * Context: Process context.
 */
void labyrinth_handles_put(struct labyrinth_handles *handles)
{
	kvfree(handles->given);
}

/**
 * labyrinth_collect() - find the buffers that handles name, all or none
 * @lf: the file, its state mutex held
 * @handles: the handles
 * @is_busy: tells whether a buffer must stay as it is; NULL if none must
 * @pages: on success, the buffers are moved here, by slot
 *
 * Context: Process context.
 * Return: 0; -ENODEV, -ENOENT, -EBUSY.
 */
int labyrinth_collect(struct labyrinth_file *lf, const struct labyrinth_handles *handles,
		      bool (*is_busy)(struct labyrinth_page *page),
		      struct list_head *pages)
{
	struct labyrinth_page *page;
	bool busy = false;
	u32 i;

	if (labyrinth_pool_dead(&lf->ldev->pool))
		return -ENODEV;
	for (i = 0; i < handles->count; i++) {
		page = labyrinth_file_find(lf, handles->sorted[i]);
		if (!page)
			return -ENOENT;
		busy |= is_busy && is_busy(page);
	}
	if (busy)
		return -EBUSY;
	for (i = 0; i < handles->count; i++)
		list_move_tail(&labyrinth_file_find(lf, handles->sorted[i])->link, pages);
	return 0;
}

/**
 * labyrinth_collect_as_given() - put collected buffers in the order of the array
 * @lf: the file, its state mutex held
 * @handles: the handles
 * @pages: what labyrinth_collect() gave
 *
 * Context: Process context.
 */
void labyrinth_collect_as_given(struct labyrinth_file *lf,
				const struct labyrinth_handles *handles,
				struct list_head *pages)
{
	u32 i;

	for (i = 0; i < handles->count; i++)
		list_move_tail(&labyrinth_file_find(lf, handles->given[i])->link, pages);
}
