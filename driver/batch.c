// SPDX-License-Identifier: GPL-2.0
/* Arrays of handles: RELEASE and GIVE begin with one. */
#include <linux/bitops.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "device.h"

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
 * Return: 0; -EINVAL (too few or too many), -EFAULT, -ENOMEM.
 */
int labyrinth_handles_get(struct labyrinth_handles *handles, u64 user, u32 count)
{
	if (!count || count > LABYRINTH_MAX_BATCH)
		return -EINVAL;
	handles->count = count;
	handles->given = handles->few;
	if (count > ARRAY_SIZE(handles->few))
		handles->given = kvmalloc_array(count, sizeof(u64), GFP_KERNEL_ACCOUNT);
	if (!handles->given)
		return -ENOMEM;
	if (read_handles(handles->given, u64_to_user_ptr(user), count)) {
		labyrinth_handles_put(handles);
		return -EFAULT;
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

/* Asked on the way to an error only. */
static bool has_one_twice(const struct labyrinth_handles *handles)
{
	u32 i, j;

	for (i = 1; i < handles->count; i++)
		for (j = 0; j < i; j++)
			if (handles->given[i] == handles->given[j])
				return true;
	return false;
}

/*
 * By slot: neighbours are revoked in one go, and lie side by side in the stock afterwards,
 * so that they come out together the next time. A sort takes thrice the instructions.
 */
static void move_by_slot(struct labyrinth_file *lf, u32 lowest, u32 highest,
			 struct list_head *pages)
{
	struct labyrinth_page *slots = lf->ldev->pool.slots;
	unsigned long bits;
	u32 i;

	for (i = lowest / BITS_PER_LONG; i <= highest / BITS_PER_LONG; i++) {
		for (bits = lf->named[i]; bits; bits &= bits - 1)
			list_move_tail(&slots[i * BITS_PER_LONG + __ffs(bits)].link, pages);
		lf->named[i] = 0;
	}
}

/* Leaves the buffers of the first @count handles as they were before. */
static void unname(struct labyrinth_file *lf, const u64 *handles, u32 count)
{
	struct labyrinth_page *page;

	while (count--) {
		page = labyrinth_page_of_handle(&lf->ldev->pool, handles[count]);
		__clear_bit(labyrinth_page_slot(page), lf->named);
		labyrinth_file_hold(lf, page);
	}
}

/**
 * labyrinth_collect() - find the buffers that handles name, and let go of them, all or none
 * @lf: the file, its state mutex held
 * @handles: the handles
 * @is_busy: tells whether a buffer must stay as it is; NULL if none must
 * @pages: an empty list; on success, the buffers are moved here, by slot
 *
 * Context: Process context.
 * Return: 0; -ENODEV, -EINVAL (one twice), -ENOENT, -EBUSY.
 */
int labyrinth_collect(struct labyrinth_file *lf, const struct labyrinth_handles *handles,
		      bool (*is_busy)(struct labyrinth_page *page),
		      struct list_head *pages)
{
	u32 i, slot, lowest = U32_MAX, highest = 0;
	const u64 *given = handles->given;
	struct labyrinth_page *page;
	int err = 0;

	if (labyrinth_pool_dead(&lf->ldev->pool))
		return -ENODEV;
	for (i = 0; i < handles->count; i++) {
		page = labyrinth_file_find(lf, given[i]);
		/* What has been let go of is not found again. */
		if (!page) {
			err = has_one_twice(handles) ? -EINVAL : -ENOENT;
			break;
		}
		if (is_busy && is_busy(page))
			err = -EBUSY;
		labyrinth_file_let_go(lf, page);
		slot = given[i] & LABYRINTH_SLOT_MASK;
		__set_bit(slot, lf->named);
		lowest = min(lowest, slot);
		highest = max(highest, slot);
	}
	if (err)
		unname(lf, given, i);
	else
		move_by_slot(lf, lowest, highest, pages);
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

/**
 * labyrinth_uncollect() - undo labyrinth_collect()
 * @lf: the file, its state mutex held all the time
 * @pages: the buffers; emptied
 *
 * Context: Process context.
 */
void labyrinth_uncollect(struct labyrinth_file *lf, struct list_head *pages)
{
	struct labyrinth_page *page;

	list_for_each_entry(page, pages, link)
		labyrinth_file_hold(lf, page);
	list_splice_tail_init(pages, &lf->buffers);
}
