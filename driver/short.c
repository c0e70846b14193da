// SPDX-License-Identifier: GPL-2.0
/*
 * The short way of ACQUIRE and RELEASE: one page, of a pool that has plenty, for an opener
 * that is far from its bounds. Nearly every call is of that kind, and straight on it takes a
 * quarter fewer instructions than the long way, which has to reckon with everything. What is
 * out of the ordinary is seen before anything has happened, and is left to the long way.
 *
 * Both do the same; acquire.c and release.c say why.
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/uaccess.h>

#include "device.h"
#include "ioctl.h"
#include "single.h"
#include "trace.h"

/* One page, and if it is to be populated, in the arena that was mapped last. */
static bool wants_single(const struct labyrinth_file *lf, const struct labyrinth_acquire *want)
{
	unsigned long arena = 0;

	if (want->flags & LABYRINTH_ACQUIRE_POPULATE) {
		arena = READ_ONCE(lf->arena_start);
		if (!arena)
			return false;
	}
	return want->count == 1 && !want->order && !want->reserved &&
	       want->arena_addr == arena;
}

static int tell(struct labyrinth_pool *pool, const struct labyrinth_page *page, u64 buffers,
		struct labyrinth_acquire __user *user)
{
	struct labyrinth_buffer __user *to = u64_to_user_ptr(buffers);

	might_fault();
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_tell_buffer(pool, page, to, fault);
	user_write_access_end();
	return put_user(1, &user->acquired);

fault:
	user_write_access_end();
	return -EFAULT;
}

static __always_inline int adopt(struct labyrinth_file *lf, struct labyrinth_page *page,
				 struct vm_area_struct *arena)
{
	struct labyrinth_pool *pool = &lf->ldev->pool;
	bool dead;

	mutex_lock(&lf->state);
	/* Removal takes this mutex once it has killed the pool: it sees the page, or we this. */
	dead = labyrinth_pool_dead(pool);
	if (!dead) {
		labyrinth_pool_own_single(pool);
		labyrinth_file_hold(lf, page);
		trace_labyrinth_acquire(pool, page);
		if (arena)
			labyrinth_mapping_populate_one(lf, arena, page);
		list_add_tail(&page->link, &lf->buffers);
		WRITE_ONCE(lf->owned, lf->owned + 1);
	}
	mutex_unlock(&lf->state);
	return dead ? -ENODEV : 0;
}

static int commit(struct file *file, u64 arena_addr, struct labyrinth_page *page)
{
	struct labyrinth_file *lf = file->private_data;
	struct mm_struct *mm = current->mm;
	int err;

	if (!arena_addr || mmap_read_lock_killable(mm))
		return adopt(lf, page, NULL);
	err = adopt(lf, page, labyrinth_mapping_find_arena(file, arena_addr));
	mmap_read_unlock(mm);
	return err;
}

static void undo(struct labyrinth_file *lf, struct labyrinth_page *page)
{
	LIST_HEAD(pages);

	list_add(&page->link, &pages);
	labyrinth_pool_untake(&lf->ldev->pool, lf->account, &pages);
}

/**
 * labyrinth_acquire_short() - LABYRINTH_ACQUIRE, the short way if it will do
 * @file: the open file
 * @user: where the caller's struct is
 * @arg: that struct
 *
 * Context: Process context, may wait for pages.
 * Return: 0 or a negative errno.
 */
long labyrinth_acquire_short(struct file *file, void __user *user, union labyrinth_arg *arg)
{
	const struct labyrinth_acquire *want = &arg->acquire;
	struct labyrinth_file *lf = file->private_data;
	struct labyrinth_pool *pool = &lf->ldev->pool;
	struct labyrinth_page *page;
	int err;

	if (!wants_single(lf, want))
		return labyrinth_do_acquire(file, user, arg);
	page = labyrinth_pool_take_single(pool, lf->account);
	if (!page)
		return labyrinth_do_acquire(file, user, arg);
	err = tell(pool, page, want->buffers, user);
	if (!err)
		err = commit(file, want->arena_addr, page);
	if (err)
		undo(lf, page);
	return err;
}

/* Ends the ownership of a page that no copy names, else does nothing. */
static struct labyrinth_page *disown(struct labyrinth_file *lf, u64 handle, bool *revoked)
{
	struct labyrinth_pool *pool = &lf->ldev->pool;
	struct labyrinth_page *page;

	mutex_lock(&lf->state);
	page = labyrinth_file_find(lf, handle);
	/* Only this file submits copies of its pages, under the state mutex. */
	if (!page || page->order || data_race(page->dma_users) || labyrinth_pool_dead(pool)) {
		mutex_unlock(&lf->state);
		return NULL;
	}
	labyrinth_file_let_go(lf, page);
	*revoked = page->touched;
	if (page->touched)
		labyrinth_mapping_revoke_one(lf, page);
	WRITE_ONCE(lf->owned, lf->owned - 1);
	trace_labyrinth_release(pool, page);
	list_del_init(&page->link);
	mutex_unlock(&lf->state);
	return page;
}

/**
 * labyrinth_release_short() - LABYRINTH_RELEASE, the short way if it will do
 * @file: the open file
 * @user: where the caller's struct is
 * @arg: that struct
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
long labyrinth_release_short(struct file *file, void __user *user, union labyrinth_arg *arg)
{
	const struct labyrinth_release *release = &arg->release;
	const u64 __user *handles = u64_to_user_ptr(release->handles);
	struct labyrinth_file *lf = file->private_data;
	struct labyrinth_pool *pool = &lf->ldev->pool;
	struct labyrinth_page *page;
	bool revoked;
	u64 handle;

	if (release->count != 1 || release->flags || release->reserved)
		return labyrinth_do_release(file, user, arg);
	if (get_user(handle, handles))
		return -EFAULT;
	page = disown(lf, handle, &revoked);
	if (!page)
		return labyrinth_do_release(file, user, arg);
	if (!labyrinth_pool_enter(pool)) {
		/* Removal frees it. */
		labyrinth_page_end_charge(pool, page);
		labyrinth_pool_count(pool, LABYRINTH_REVOKED, revoked);
		return 0;
	}
	if (unlikely(mm_has_notifiers(lf->mm)) && labyrinth_page_is_referenced(page)) {
		labyrinth_pool_count(pool, LABYRINTH_REVOKED, revoked);
		labyrinth_pool_scrub_and_dissolve(pool, page);
	} else {
		labyrinth_page_fill(pool, page);
		labyrinth_pool_publish_single(pool, page, revoked);
	}
	labyrinth_pool_leave(pool);
	return 0;
}
