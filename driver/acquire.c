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

static int get_buffers(struct file *file, const struct labyrinth_acquire *want,
		       struct list_head *pages)
{
	struct labyrinth_file *lf = file->private_data;
	struct labyrinth_pool *pool = &lf->ldev->pool;
	bool nowait = (want->flags & LABYRINTH_ACQUIRE_NOWAIT) ||
		      (file->f_flags & O_NONBLOCK);
	struct labyrinth_request request = {
		.account = lf->account,
		.least = want->flags & LABYRINTH_ACQUIRE_PARTIAL ? 1 : want->count,
		.most = want->count,
	};
	int err;

	err = check_request(want, pool, nowait);
	if (!err && (want->flags & LABYRINTH_ACQUIRE_POPULATE))
		err = check_arena(file, want->arena_addr);
	if (err)
		return err;
	/* Contiguous buffers are never waited for. */
	if (want->order)
		return labyrinth_pool_build(pool, request.account, want->order,
					    request.least, request.most, pages);
	choose_patience(want, nowait, &request);
	return labyrinth_pool_take(pool, &request, pages);
}

/**
 * labyrinth_tell_buffers() - describe buffers to user space
 * @pool: the pool
 * @user: user pointer to an array with an entry for each
 * @pages: the buffers
 * @count: how many
 *
 * Context: Process context.
 * Return: 0 or -EFAULT.
 */
int labyrinth_tell_buffers(struct labyrinth_pool *pool, u64 user, struct list_head *pages,
			   u32 count)
{
	struct labyrinth_buffer __user *to = u64_to_user_ptr(user);
	struct labyrinth_page *page;

	might_fault();
	if (!user_write_access_begin(to, count * sizeof(*to)))
		return -EFAULT;
	list_for_each_entry(page, pages, link) {
		unsafe_tell_buffer(pool, page, to, fault);
		to++;
	}
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

static void trace_pages(struct labyrinth_pool *pool, struct list_head *pages, bool taken)
{
	struct labyrinth_page *page;

	if (taken && trace_labyrinth_take_enabled())
		list_for_each_entry(page, pages, link)
			trace_labyrinth_take(pool, page);
	if (!taken && trace_labyrinth_acquire_enabled())
		list_for_each_entry(page, pages, link)
			trace_labyrinth_acquire(pool, page);
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
		list_for_each_entry(page, pages, link)
			labyrinth_file_hold(lf, page);
		trace_pages(pool, pages, taken);
		if (arena)
			labyrinth_mapping_populate(lf, arena, pages);
		list_splice_tail_init(pages, &lf->buffers);
		WRITE_ONCE(lf->owned, lf->owned + count);
	}
	mutex_unlock(&lf->state);
	return err;
}

/* The commit. A caller that is being killed gets its arena filled by nobody. */
static int commit(struct file *file, const struct labyrinth_acquire *want,
		  struct list_head *pages, u32 count)
{
	struct labyrinth_file *lf = file->private_data;
	u32 total = count << want->order;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *arena;
	int err;

	if (!(want->flags & LABYRINTH_ACQUIRE_POPULATE) || mmap_read_lock_killable(mm))
		return labyrinth_adopt(lf, pages, count, total, LABYRINTH_FREE, NULL);
	/* Looked for again: the caller may have unmapped it while it waited. */
	arena = labyrinth_mapping_find_arena(file, want->arena_addr);
	err = labyrinth_adopt(lf, pages, count, total, LABYRINTH_FREE, arena);
	mmap_read_unlock(mm);
	return err;
}

static void undo(struct labyrinth_file *lf, u32 order, struct list_head *pages)
{
	struct labyrinth_pool *pool = &lf->ldev->pool;

	if (order)
		labyrinth_pool_unbuild(pool, lf->account, pages);
	else
		labyrinth_pool_untake(pool, lf->account, pages);
}

/**
 * labyrinth_do_acquire() - LABYRINTH_ACQUIRE
 * @file: the open file
 * @user: where the caller's struct is
 * @arg: that struct
 *
 * Context: Process context, may wait for pages.
 * Return: 0 or a negative errno.
 */
long labyrinth_do_acquire(struct file *file, void __user *user, union labyrinth_arg *arg)
{
	struct labyrinth_acquire __user *to = user;
	const struct labyrinth_acquire *want = &arg->acquire;
	struct labyrinth_file *lf = file->private_data;
	LIST_HEAD(pages);
	int count, err;

	count = get_buffers(file, want, &pages);
	if (count < 0)
		return count;
	err = labyrinth_tell_buffers(&lf->ldev->pool, want->buffers, &pages,
				     count);
	if (!err)
		err = put_user(count, &to->acquired);
	if (!err)
		err = commit(file, want, &pages, count);
	if (err)
		undo(lf, want->order, &pages);
	return err;
}
