// SPDX-License-Identifier: GPL-2.0
/*
 * ACQUIRE: claim pages, tell the caller their handles, and only then make the caller
 * their owner. Until that commit the handles are nobody's, so a caller that reads
 * them early from another thread gets ENOENT, and a failed copy leaves nothing behind.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/time_namespace.h>
#include <linux/uaccess.h>

#include "device.h"
#include "ioctl.h"
#include "trace.h"

/* A time of the caller's CLOCK_MONOTONIC, which a time namespace may have shifted. */
static ktime_t deadline_from_user(u64 ns)
{
	struct timespec64 offset = {};
	s64 deadline;

	timens_add_monotonic(&offset);
	deadline = min_t(u64, ns, KTIME_MAX);
	if (check_sub_overflow(deadline, timespec64_to_ns(&offset), &deadline))
		return KTIME_MAX;
	return max_t(s64, deadline, 1);		/* 0 would mean none */
}

/* Field checks; the pool's own bounds included. */
static int check_request(const struct labyrinth_acquire *want, struct labyrinth_pool *pool,
			 bool nowait)
{
	if (!want->count || want->count > LABYRINTH_MAX_BATCH)
		return -EINVAL;
	if (want->order > pool->max_order || want->reserved)
		return -EINVAL;
	if (want->arena_addr && !(want->flags & LABYRINTH_ACQUIRE_POPULATE))
		return -EINVAL;
	if (!want->order && !nowait && !(want->flags & LABYRINTH_ACQUIRE_PARTIAL) &&
	    want->count > labyrinth_pool_max_request(pool))
		return -EINVAL;
	return 0;
}

static int check_arena(struct file *file, u64 address)
{
	struct labyrinth_file *lf = file->private_data;
	bool found;

	if (address && address == READ_ONCE(lf->arena_start))
		return 0;
	if (mmap_read_lock_killable(current->mm))
		return -EINTR;
	found = labyrinth_mapping_find_arena(file, address);
	mmap_read_unlock(current->mm);
	return found ? 0 : -EINVAL;
}

/* What to answer instead of waiting, 0 to wait; and until when. */
static void choose_patience(const struct labyrinth_acquire *want, bool nowait,
			    struct labyrinth_request *request)
{
	if (nowait) {
		request->or_else = -EAGAIN;
	} else if (want->deadline_ns) {
		request->deadline = deadline_from_user(want->deadline_ns);
		if (request->deadline <= ktime_get())
			request->or_else = -ETIMEDOUT;
	}
}

static int get_buffers(struct labyrinth_call *call, struct list_head *pages)
{
	const struct labyrinth_acquire *want = &call->arg.acquire;
	struct labyrinth_pool *pool = &call->lf->ldev->pool;
	bool nowait = (want->flags & LABYRINTH_ACQUIRE_NOWAIT) ||
		      (call->file->f_flags & O_NONBLOCK);
	struct labyrinth_request request = {
		.account = call->lf->account,
		.least = want->flags & LABYRINTH_ACQUIRE_PARTIAL ? 1 : want->count,
		.most = want->count,
	};
	int err;

	err = check_request(want, pool, nowait);
	if (!err && (want->flags & LABYRINTH_ACQUIRE_POPULATE))
		err = check_arena(call->file, want->arena_addr);
	if (err)
		return err;
	/* Contiguous buffers are never waited for. */
	if (want->order)
		return labyrinth_pool_build(pool, request.account, want->order,
					    request.least, request.most, pages);
	choose_patience(want, nowait, &request);
	return labyrinth_pool_take(pool, &request, pages);
}

/* Field by field: for a few bytes, copy_to_user() costs twice as much. */
static int tell_buffer(struct labyrinth_pool *pool, struct labyrinth_buffer __user *to,
		       const struct labyrinth_page *page)
{
	u64 offset = (u64)labyrinth_page_pgoff(pool, page) << PAGE_SHIFT;
	u64 length = PAGE_SIZE << page->order;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(page->handle, &to->handle, fault);
	unsafe_put_user(offset, &to->offset, fault);
	unsafe_put_user(length, &to->length, fault);
	unsafe_put_user(page->order, &to->order, fault);
	unsafe_put_user(0, &to->flags, fault);
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

/**
 * labyrinth_tell_buffers() - describe buffers to user space
 * @pool: the pool
 * @user: user pointer to an array with an entry for each
 * @pages: the buffers
 *
 * Context: Process context.
 * Return: 0 or -EFAULT.
 */
int labyrinth_tell_buffers(struct labyrinth_pool *pool, u64 user, struct list_head *pages)
{
	struct labyrinth_buffer __user *to = u64_to_user_ptr(user);
	struct labyrinth_page *page;

	might_fault();
	list_for_each_entry(page, pages, link)
		if (tell_buffer(pool, to++, page))
			return -EFAULT;
	return 0;
}

/**
 * labyrinth_adopt() - make a file the owner of buffers
 * @lf: the file
 * @pages: buffers in the caller's hands alone, paid for by the file's account; emptied
 * @count: how many
 * @total: pages in them
 * @from: their state
 * @arena: mapping to fill with them, mmap_lock held, or NULL
 *
 * Context: Process context.
 * Return: 0; -ENODEV, and nothing has changed.
 */
int labyrinth_adopt(struct labyrinth_file *lf, struct list_head *pages, u32 count,
		    u32 total, enum labyrinth_state from, struct vm_area_struct *arena)
{
	struct labyrinth_pool *pool = &lf->ldev->pool;
	bool taken = from == LABYRINTH_TICKETED;
	struct labyrinth_page *page;
	int err;

	mutex_lock(&lf->state);
	err = labyrinth_pool_move(pool, total, from, LABYRINTH_OWNED,
				  taken ? LABYRINTH_TAKEN : LABYRINTH_ACQUIRED);
	if (!err) {
		list_for_each_entry(page, pages, link) {
			labyrinth_file_hold(lf, page);
			if (taken)
				trace_labyrinth_take(pool, page);
			else
				trace_labyrinth_acquire(pool, page);
		}
		if (arena)
			labyrinth_mapping_populate(lf, arena, pages);
		list_splice_tail_init(pages, &lf->buffers);
		WRITE_ONCE(lf->owned, lf->owned + count);
	}
	mutex_unlock(&lf->state);
	return err;
}

/* The commit. A caller that is being killed gets its arena filled by nobody. */
static int commit(struct labyrinth_call *call, struct list_head *pages, u32 count)
{
	u32 total = count << call->arg.acquire.order;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *arena;
	int err;

	if (!(call->arg.acquire.flags & LABYRINTH_ACQUIRE_POPULATE) || mmap_read_lock_killable(mm))
		return labyrinth_adopt(call->lf, pages, count, total, LABYRINTH_FREE, NULL);
	/* Looked for again: the caller may have unmapped it while it waited. */
	arena = labyrinth_mapping_find_arena(call->file, call->arg.acquire.arena_addr);
	err = labyrinth_adopt(call->lf, pages, count, total, LABYRINTH_FREE, arena);
	mmap_read_unlock(mm);
	return err;
}

static void undo(struct labyrinth_call *call, struct list_head *pages)
{
	struct labyrinth_pool *pool = &call->lf->ldev->pool;

	if (call->arg.acquire.order)
		labyrinth_pool_unbuild(pool, call->lf->account, pages);
	else
		labyrinth_pool_untake(pool, call->lf->account, pages);
}

/**
 * labyrinth_do_acquire() - LABYRINTH_ACQUIRE
 * @call: the call
 *
 * Context: Process context, may wait for pages.
 * Return: 0 or a negative errno.
 */
long labyrinth_do_acquire(struct labyrinth_call *call)
{
	struct labyrinth_acquire __user *user = call->user;
	struct labyrinth_file *lf = call->lf;
	LIST_HEAD(pages);
	int count, err;

	count = get_buffers(call, &pages);
	if (count < 0)
		return count;
	err = labyrinth_tell_buffers(&lf->ldev->pool, call->arg.acquire.buffers, &pages);
	if (!err)
		err = put_user(count, &user->acquired);
	if (!err)
		err = commit(call, &pages, count);
	if (err)
		undo(call, &pages);
	return err;
}
