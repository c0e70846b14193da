// SPDX-License-Identifier: GPL-2.0
/*
 * Tickets: descriptors that own buffers on the way from one opener to another. The
 * giver provably keeps nothing: its mappings are gone before GIVE returns, its handles
 * are stale. The content stays. A ticket that nobody takes from releases its buffers
 * when it is closed, wherever it was last held. Until then the giver pays.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "device.h"
#include "ioctl.h"
#include "trace.h"

/**
 * struct labyrinth_ticket - an owner in transit
 * @ldev: whose buffers it holds; holds a reference
 * @account: the giver's, which pays; holds a reference
 * @pages: the buffers
 * @count: how many
 * @total: pages in them
 * @taking: bit 0 is set while a TAKE is at it; who has set it may change the rest
 */
struct labyrinth_ticket {
	struct labyrinth_device *ldev;
	struct labyrinth_account *account;
	struct list_head pages;
	u32 count;
	u32 total;
	unsigned long taking;
};

static void free_ticket(struct labyrinth_ticket *ticket)
{
	labyrinth_account_put(ticket->account);
	put_device(&ticket->ldev->dev);
	kfree(ticket);
}

/* The last reference is gone, so no TAKE is under way. */
static int close_ticket(struct inode *inode, struct file *file)
{
	struct labyrinth_ticket *ticket = file->private_data;

	labyrinth_pool_return(&ticket->ldev->pool, &ticket->pages);
	free_ticket(ticket);
	return 0;
}

static const struct file_operations ticket_fops = {
	.owner = THIS_MODULE,
	.release = close_ticket,
};

static struct labyrinth_ticket *create_ticket(struct labyrinth_file *giver)
{
	struct labyrinth_ticket *ticket = kzalloc(sizeof(*ticket), GFP_KERNEL_ACCOUNT);

	if (!ticket)
		return NULL;
	INIT_LIST_HEAD(&ticket->pages);
	get_device(&giver->ldev->dev);
	ticket->ldev = giver->ldev;
	labyrinth_account_get(giver->account);
	ticket->account = giver->account;
	return ticket;
}

static bool is_in_use(struct labyrinth_page *page)
{
	/* Only its owner submits copies, under the state mutex, which is held. */
	return data_race(page->dma_users);
}

static bool any_is_referenced(struct labyrinth_file *lf, const struct list_head *pages)
{
	const struct labyrinth_page *page;

	if (!mm_has_notifiers(lf->mm))
		return false;
	list_for_each_entry(page, pages, link)
		if (labyrinth_page_is_referenced(page))
			return true;
	return false;
}

/*
 * The giver cannot reach them any more, or -EBUSY. Asked first, so that nothing has happened
 * to buffers that somebody holds on to; and again when nobody can begin to any more.
 */
static int cut_off(struct labyrinth_file *lf, struct list_head *pages)
{
	if (any_is_referenced(lf, pages))
		return -EBUSY;
	labyrinth_mapping_revoke(lf, pages);
	return any_is_referenced(lf, pages) ? -EBUSY : 0;
}

/* Moves the buffers into a ticket that nobody knows yet, or none of them. */
static int fill_ticket(struct labyrinth_file *lf, const struct labyrinth_handles *handles,
		       struct labyrinth_ticket *ticket)
{
	struct labyrinth_pool *pool = &lf->ldev->pool;
	struct labyrinth_page *page;
	LIST_HEAD(pages);
	u32 total = 0;
	int err;

	mutex_lock(&lf->state);
	err = labyrinth_collect(lf, handles, is_in_use, &pages);
	if (err)
		goto out;
	list_for_each_entry(page, &pages, link)
		total += labyrinth_page_count(page);
	err = cut_off(lf, &pages);
	if (!err)
		err = labyrinth_pool_move(pool, total, LABYRINTH_OWNED, LABYRINTH_TICKETED,
					  LABYRINTH_GIVEN);
	if (err) {
		labyrinth_uncollect(lf, &pages);
		goto out;
	}
	labyrinth_collect_as_given(lf, handles, &pages);
	list_for_each_entry(page, &pages, link) {
		trace_labyrinth_give(pool, page);
		WRITE_ONCE(page->state, LABYRINTH_TICKETED);
	}
	list_splice(&pages, &ticket->pages);
	ticket->count = handles->count;
	ticket->total = total;
	WRITE_ONCE(lf->owned, lf->owned - handles->count);
out:
	mutex_unlock(&lf->state);
	return err;
}

/* The file is made first and known last: in between, nothing can be taken from it. */
static int give(struct labyrinth_file *lf, struct labyrinth_give __user *user,
		const struct labyrinth_handles *handles)
{
	struct labyrinth_ticket *ticket;
	struct file *file;
	int fd, err;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	ticket = create_ticket(lf);
	if (!ticket) {
		put_unused_fd(fd);
		return -ENOMEM;
	}
	file = anon_inode_getfile("[labyrinth-ticket]", &ticket_fops, ticket, O_RDONLY);
	if (IS_ERR(file)) {
		free_ticket(ticket);
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	err = put_user(fd, &user->ticket_fd);
	if (!err)
		err = fill_ticket(lf, handles, ticket);
	if (err) {
		fput(file);
		put_unused_fd(fd);
		return err;
	}
	fd_install(fd, file);
	return 0;
}

/**
 * labyrinth_do_give() - LABYRINTH_GIVE
 * @file: the open file
 * @user: where the caller's struct is
 * @arg: that struct
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
long labyrinth_do_give(struct file *file, void __user *user, union labyrinth_arg *arg)
{
	struct labyrinth_handles handles;
	int err;

	err = labyrinth_handles_get(&handles, arg->give.handles, arg->give.count);
	if (err)
		return err;
	err = give(file->private_data, user, &handles);
	labyrinth_handles_put(&handles);
	return err;
}

/* Lets the taker pay, besides the giver until end_charge(). */
static int charge_taker(struct labyrinth_ticket *ticket, struct labyrinth_account *taker)
{
	struct labyrinth_pool *pool = &ticket->ldev->pool;
	struct labyrinth_account *giver = ticket->account;
	unsigned long flags;
	int err = -ENODEV;
	u32 room;

	raw_spin_lock_irqsave(&pool->lock, flags);
	if (!pool->dead)
		err = labyrinth_account_room(taker, giver, ticket->total,
					     ticket->total, &room);
	if (!err)
		err = labyrinth_account_charge(taker, giver, ticket->total);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return err;
}

/* Of the two that pay since charge_taker(), only @payer goes on. */
static void end_charge(struct labyrinth_ticket *ticket, struct labyrinth_account *account,
		       const struct labyrinth_account *payer)
{
	struct labyrinth_pool *pool = &ticket->ldev->pool;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	labyrinth_account_uncharge(account, payer, ticket->total);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
}

/* The buffers get their new handles while the ticket, which needs none, owns them. */
static int tell_taker(struct labyrinth_take __user *user, u64 buffers,
		      struct labyrinth_ticket *ticket)
{
	struct labyrinth_pool *pool = &ticket->ldev->pool;
	struct labyrinth_page *page;
	int err;

	list_for_each_entry(page, &ticket->pages, link)
		labyrinth_page_draw_handle(page);
	err = labyrinth_tell_buffers(pool, buffers, &ticket->pages, ticket->count);
	return err ? err : put_user(ticket->count, &user->count);
}

static int take(struct labyrinth_file *lf, struct labyrinth_take __user *user,
		const struct labyrinth_take *wanted, struct labyrinth_ticket *ticket)
{
	struct labyrinth_account *giver = ticket->account;
	struct labyrinth_account *taker = lf->account;
	int err;

	if (!ticket->count)
		return -ENOENT;
	if (wanted->count < ticket->count)
		return put_user(ticket->count, &user->count) ? -EFAULT : -ENOSPC;
	err = charge_taker(ticket, taker);
	if (err)
		return err;
	err = tell_taker(user, wanted->buffers, ticket);
	if (!err)
		err = labyrinth_adopt(lf, &ticket->pages, ticket->count, ticket->total,
				      LABYRINTH_TICKETED, NULL);
	if (err) {
		end_charge(ticket, taker, giver);
		return err;
	}
	end_charge(ticket, giver, taker);
	ticket->count = 0;
	ticket->total = 0;
	return 0;
}

/**
 * labyrinth_do_take() - LABYRINTH_TAKE
 * @file: the open file
 * @user: where the caller's struct is
 * @arg: that struct
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
long labyrinth_do_take(struct file *file, void __user *user, union labyrinth_arg *arg)
{
	struct labyrinth_file *lf = file->private_data;
	struct labyrinth_ticket *ticket;
	struct file *given;
	long err;

	if (arg->take.count > LABYRINTH_MAX_BATCH)
		return -EINVAL;
	given = fget(arg->take.ticket_fd);
	if (!given)
		return -EINVAL;
	ticket = given->private_data;
	if (given->f_op != &ticket_fops) {
		err = -EINVAL;
	} else if (ticket->ldev != lf->ldev) {
		err = -EXDEV;
	} else if (test_and_set_bit_lock(0, &ticket->taking)) {
		err = -EBUSY;
	} else {
		err = take(lf, user, &arg->take, ticket);
		clear_bit_unlock(0, &ticket->taking);
	}
	fput(given);
	return err;
}
