// SPDX-License-Identifier: GPL-2.0
/*
 * RELEASE, and what happens to a file's pages when it is closed: mappings go first,
 * then DMA is called off, then the pages are scrubbed and published as free.
 */
#include <linux/mmu_notifier.h>

#include "device.h"
#include "ioctl.h"
#include "trace.h"

static bool is_mapped(struct labyrinth_page *page)
{
	return page->touched;
}

/*
 * Ends the ownership of @pages, and leaves on the list those that can be scrubbed at
 * once. State mutex held.
 */
static void disown(struct labyrinth_file *lf, struct list_head *pages, u32 count)
{
	struct labyrinth_page *page, *next;

	labyrinth_mapping_revoke(lf, pages);
	WRITE_ONCE(lf->owned, lf->owned - count);
	if (trace_labyrinth_release_enabled())
		list_for_each_entry(page, pages, link)
			trace_labyrinth_release(&lf->ldev->pool, page);
	list_for_each_entry_safe(page, next, pages, link) {
		/* Only this file submits copies of its pages, under the state mutex. */
		if (!data_race(page->dma_users))
			continue;
		list_del_init(&page->link);
		if (!labyrinth_engine_let_go(&lf->ldev->engine, &lf->queue, page))
			list_add_tail(&page->link, &next->link);
	}
}

/* Makes them free, but for those that KVM holds on to: labyrinth_page_is_referenced(). */
static void return_pages(struct labyrinth_file *lf, struct list_head *pages)
{
	struct labyrinth_pool *pool = &lf->ldev->pool;

	if (mm_has_notifiers(lf->mm))
		labyrinth_pool_dissolve_referenced(pool, pages);
	labyrinth_pool_return(pool, pages);
}

/**
 * labyrinth_do_release() - LABYRINTH_RELEASE
 * @file: the open file
 * @user: where the caller's struct is
 * @arg: that struct
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
long labyrinth_do_release(struct file *file, void __user *user, union labyrinth_arg *arg)
{
	struct labyrinth_release *release = &arg->release;
	bool only_unmapped = release->flags & LABYRINTH_RELEASE_IF_UNMAPPED;
	struct labyrinth_file *lf = file->private_data;
	LIST_HEAD(pages);
	struct labyrinth_handles handles;
	int err;

	if (release->reserved)
		return -EINVAL;
	err = labyrinth_handles_get(&handles, release->handles, release->count);
	if (err)
		return err;

	mutex_lock(&lf->state);
	err = labyrinth_collect(lf, &handles, only_unmapped ? is_mapped : NULL, &pages);
	if (!err)
		disown(lf, &pages, handles.count);
	mutex_unlock(&lf->state);
	labyrinth_handles_put(&handles);

	if (!err)
		return_pages(lf, &pages);
	return err;
}

/**
 * labyrinth_release_all() - give back everything a file owns
 * @lf: a file that has been closed, its queue too
 *
 * Context: Process context.
 */
void labyrinth_release_all(struct labyrinth_file *lf)
{
	struct labyrinth_page *page;
	LIST_HEAD(pages);

	mutex_lock(&lf->state);
	list_splice_init(&lf->buffers, &pages);
	list_for_each_entry(page, &pages, link)
		labyrinth_file_let_go(lf, page);
	disown(lf, &pages, lf->owned);
	mutex_unlock(&lf->state);
	return_pages(lf, &pages);
}
