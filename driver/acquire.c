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

/* Descriptions of buffers copied out in one go, from the stack. */
#define BUFFERS_AT_ONCE		4

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
	bool found;

	if (mmap_read_lock_killable(current->mm))
		return -EINTR;
	found = labyrinth_mapping_find_arena(file, address);
	mmap_read_unlock(current->mm);
	return found ? 0 : -EINVAL;
}

/* What to answer instead of waiting, 0 to wait; and until when. */
static int waiting_rule(struct labyrinth_acquire *want, bool nowait, ktime_t *deadline)
{
	*deadline = 0;
	if (nowait)
		return -EAGAIN;
	if (!want->deadline_ns)
		return 0;
	*deadline = deadline_from_user(want->deadline_ns);
	return *deadline <= ktime_get() ? -ETIMEDOUT : 0;
}

/* A claim is made again if pages turn out poisoned, and the others are too few. */
static int get_pages(struct labyrinth_call *call, int least, int or_else,
		     ktime_t deadline, struct list_head *pages)
{
	struct labyrinth_account *account = call->lf->account;
	struct labyrinth_pool *pool = &call->lf->ldev->pool;
	int claimed, got;

	for (;;) {
		claimed = labyrinth_pool_claim(pool, account, least,
					       call->arg.acquire.count, or_else, deadline);
		if (claimed < 0)
			return claimed;
		got = labyrinth_pool_collect(pool, account, claimed, pages);
		if (got >= least)
			return got;
		labyrinth_pool_uncollect(pool, account, pages);
	}
}

static int claim_pages(struct labyrinth_call *call, struct list_head *pages)
{
	struct labyrinth_acquire *want = &call->arg.acquire;
	struct labyrinth_pool *pool = &call->lf->ldev->pool;
	bool nowait = (want->flags & LABYRINTH_ACQUIRE_NOWAIT) ||
		      (call->file->f_flags & O_NONBLOCK);
	u32 least = want->flags & LABYRINTH_ACQUIRE_PARTIAL ? 1 : want->count;
	int err, or_else;
	ktime_t deadline;

	err = check_request(want, pool, nowait);
	if (!err && (want->flags & LABYRINTH_ACQUIRE_POPULATE))
		err = check_arena(call->file, want->arena_addr);
	if (err)
		return err;
	/* Contiguous buffers are never waited for. */
	if (want->order)
		return labyrinth_pool_build(pool, call->lf->account, want->order, least,
					    want->count, pages);
	or_else = waiting_rule(want, nowait, &deadline);
	return get_pages(call, least, or_else, deadline, pages);
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
	struct labyrinth_buffer some[BUFFERS_AT_ONCE];
	struct labyrinth_page *page;
	u32 n = 0;

	list_for_each_entry(page, pages, link) {
		some[n++] = (struct labyrinth_buffer){
			.handle = page->handle,
			.offset = (u64)labyrinth_page_pgoff(pool, page) << PAGE_SHIFT,
			.length = PAGE_SIZE << page->order,
			.order = page->order,
		};
		if (n < ARRAY_SIZE(some) && !list_is_last(&page->link, pages))
			continue;
		if (copy_to_user(to, some, n * sizeof(*some)))
			return -EFAULT;
		to += n;
		n = 0;
	}
	return 0;
}

/**
 * labyrinth_adopt() - make a file the owner of buffers
 * @lf: the file
 * @pages: buffers in the caller's hands alone, paid for by the file's account; emptied
 * @count: how many
 * @from: their state
 * @counter: what happened to them
 * @arena: mapping to fill with them, mmap_lock held, or NULL
 *
 * Context: Process context.
 * Return: 0; -ENODEV, and nothing has changed.
 */
int labyrinth_adopt(struct labyrinth_file *lf, struct list_head *pages, u32 count,
		    enum labyrinth_state from, enum labyrinth_counter counter,
		    struct vm_area_struct *arena)
{
	struct labyrinth_pool *pool = &lf->ldev->pool;
	struct labyrinth_page *page;
	int err;

	mutex_lock(&lf->state);
	err = labyrinth_pool_move(pool, pages, from, LABYRINTH_OWNED, counter);
	if (!err) {
		list_for_each_entry(page, pages, link) {
			/* Seen by whoever looks at the page: not before its fields. */
			smp_store_release(&page->account, lf->account);
			WRITE_ONCE(page->owner, lf);
			if (from == LABYRINTH_TICKETED)
				trace_labyrinth_take(pool, page, page->handle);
			else
				trace_labyrinth_acquire(pool, page, page->handle);
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
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *arena;
	int err;

	if (!(call->arg.flags & LABYRINTH_ACQUIRE_POPULATE) || mmap_read_lock_killable(mm))
		return labyrinth_adopt(call->lf, pages, count, LABYRINTH_FREE,
				       LABYRINTH_ACQUIRED, NULL);
	/* Looked for again: the caller may have unmapped it while it waited. */
	arena = labyrinth_mapping_find_arena(call->file, call->arg.acquire.arena_addr);
	err = labyrinth_adopt(call->lf, pages, count, LABYRINTH_FREE,
			      LABYRINTH_ACQUIRED, arena);
	mmap_read_unlock(mm);
	return err;
}

static void undo(struct labyrinth_call *call, struct list_head *pages)
{
	struct labyrinth_pool *pool = &call->lf->ldev->pool;

	if (call->arg.acquire.order)
		labyrinth_pool_unbuild(pool, call->lf->account, pages);
	else
		labyrinth_pool_uncollect(pool, call->lf->account, pages);
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

	count = claim_pages(call, &pages);
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
