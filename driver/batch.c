// SPDX-License-Identifier: GPL-2.0
/* Arrays of handles: RELEASE and GIVE begin with one. */
#include <linux/bitops.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "device.h"

/* The slot first, then how often it has been owned. */
static u64 key(u64 handle)
{
	return ror64(handle, LABYRINTH_SLOT_BITS);
}

/*
 * By slot, so that neighbours are revoked in one go and duplicates are neighbours.
 *
 * Shell's sort: for a batch it takes a third of the instructions of sort(), which calls
 * a function for every comparison and one for every swap.
 */
static void sort_handles(u64 *handles, u32 count)
{
	static const u8 gaps[] = { 57, 23, 10, 4, 1 };
	u32 i, j, g;
	u64 handle;

	for (g = 0; g < ARRAY_SIZE(gaps); g++) {
		for (i = gaps[g]; i < count; i++) {
			handle = handles[i];
			for (j = i; j >= gaps[g] && key(handles[j - gaps[g]]) > key(handle);
			     j -= gaps[g])
				handles[j] = handles[j - gaps[g]];
			handles[j] = handle;
		}
	}
}

/* One by one: for a few handles, copy_from_user() costs twice as much. */
static int read_handles(u64 *handles, const u64 __user *user, u32 count)
{
	u32 i;

	might_fault();
	if (!user_read_access_begin(user, count * sizeof(*user)))
		return -EFAULT;
	for (i = 0; i < count; i++)
		unsafe_get_user(handles[i], &user[i], fault);
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
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
	u32 i;

	if (!count || count > LABYRINTH_MAX_BATCH)
		return -EINVAL;
	handles->count = count;
	handles->given = handles->few;
	if (2 * count > ARRAY_SIZE(handles->few))
		handles->given = kvmalloc_array(2 * count, sizeof(u64),
						GFP_KERNEL_ACCOUNT);
	if (!handles->given)
		return -ENOMEM;
	handles->sorted = handles->given + count;
	if (read_handles(handles->given, u64_to_user_ptr(user), count)) {
		labyrinth_handles_put(handles);
		return -EFAULT;
	}
	if (count == 1) {
		handles->sorted = handles->given;
		return 0;
	}
	memcpy(handles->sorted, handles->given, count * sizeof(u64));
	sort_handles(handles->sorted, count);
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
	if (handles->given != handles->few)
		kvfree(handles->given);
}

/**
 * labyrinth_collect() - find the buffers that handles name, all or none
 * @lf: the file, its state mutex held
 * @handles: the handles
 * @is_busy: tells whether a buffer must stay as it is; NULL if none must
 * @pages: an empty list; on success, the buffers are moved here, by slot
 *
 * Context: Process context.
 * Return: 0; -ENODEV, -ENOENT, -EBUSY.
 */
int labyrinth_collect(struct labyrinth_file *lf, const struct labyrinth_handles *handles,
		      bool (*is_busy)(struct labyrinth_page *page),
		      struct list_head *pages)
{
	struct labyrinth_page *page;
	int err = 0;
	u32 i;

	if (labyrinth_pool_dead(&lf->ldev->pool))
		return -ENODEV;
	for (i = 0; i < handles->count; i++) {
		page = labyrinth_file_find(lf, handles->sorted[i]);
		if (!page) {
			err = -ENOENT;
			break;
		}
		if (is_busy && is_busy(page))
			err = -EBUSY;
		list_move_tail(&page->link, pages);
	}
	if (err)
		list_splice_tail_init(pages, &lf->buffers);
	return err;
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
	struct labyrinth_pool *pool = &lf->ldev->pool;
	u32 i;

	for (i = 0; i < handles->count; i++)
		list_move_tail(&labyrinth_page_of_handle(pool, handles->given[i])->link,
			       pages);
}
