// SPDX-License-Identifier: GPL-2.0
/*
 * Accounts. Three bounds apply: the quota of the file, which is a convenience; the
 * quota of the user on this device, which holds however many files a user opens; and
 * RLIMIT_MEMLOCK, which the user shares with everything else that pins memory.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "account.h"

/**
 * labyrinth_users_init() - set up an empty list of users
 * @users: the list
 * @quota: pages one user may pay for at most; 0 means no limit
 *
 * Context: Any.
 */
void labyrinth_users_init(struct labyrinth_users *users, u32 quota)
{
	spin_lock_init(&users->lock);
	INIT_LIST_HEAD(&users->list);
	users->quota = quota;
}

static struct labyrinth_user *lookup_user(struct labyrinth_users *users, kuid_t uid)
{
	struct labyrinth_user *user;

	list_for_each_entry(user, &users->list, link)
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

static struct labyrinth_user *get_user_of(struct labyrinth_users *users, kuid_t uid)
{
	struct labyrinth_user *user, *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);

	if (!new)
		return NULL;
	spin_lock(&users->lock);
	user = lookup_user(users, uid);
	if (user) {
		refcount_inc(&user->accounts);
	} else {
		user = new;
		new = NULL;
		user->uid = uid;
		refcount_set(&user->accounts, 1);
		list_add(&user->link, &users->list);
	}
	spin_unlock(&users->lock);
	kfree(new);
	return user;
}

static void put_user_of(struct labyrinth_users *users, struct labyrinth_user *user)
{
	if (!refcount_dec_and_lock(&user->accounts, &users->lock))
		return;
	list_del(&user->link);
	spin_unlock(&users->lock);
	kfree(user);
}

/**
 * labyrinth_account_create() - open an account for the current user
 * @users: the device's users, which outlive the account
 * @quota: pages it may pay for at most
 *
 * Context: Process context.
 * Return: the account, to be given up with labyrinth_account_put(), or NULL.
 */
struct labyrinth_account *labyrinth_account_create(struct labyrinth_users *users,
						   u32 quota)
{
	struct labyrinth_account *account;

	account = kzalloc(sizeof(*account), GFP_KERNEL_ACCOUNT);
	if (!account)
		return NULL;
	account->user = get_user_of(users, current_uid());
	if (!account->user) {
		kfree(account);
		return NULL;
	}
	refcount_set(&account->holders, 1);
	account->users = users;
	account->quota = quota;
	account->pid = task_tgid_nr(current);
	get_task_comm(account->comm, current->group_leader);
	/* To have neither is nothing that an audit should know of. */
	account->unlimited = ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE);
	if (!ns_capable_noaudit(&init_user_ns, CAP_IPC_LOCK))
		account->memlock = get_uid(current_user());
	return account;
}

/**
 * labyrinth_account_get() - hold an account for one more ticket or buffer
 * @account: the account
 *
 * Context: Any.
 */
void labyrinth_account_get(struct labyrinth_account *account)
{
	refcount_inc(&account->holders);
}

/**
 * labyrinth_account_put() - give up a hold; the last one closes the account
 * @account: the account
 *
 * Context: Process context, no lock held: it may free.
 */
void labyrinth_account_put(struct labyrinth_account *account)
{
	if (!refcount_dec_and_test(&account->holders))
		return;
	put_user_of(account->users, account->user);
	if (account->memlock)
		free_uid(account->memlock);
	kfree_rcu(account, rcu);
}

static u32 room_below(unsigned long limit, unsigned long charged)
{
	return min_t(unsigned long, limit - min(charged, limit), U32_MAX);
}

static unsigned long memlock_limit(void)
{
	return rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
}

/* What both would be bound by alike does not change when one pays for the other. */
static bool share_user(const struct labyrinth_account *account,
		       const struct labyrinth_account *other)
{
	return other && other->user == account->user;
}

static bool share_memlock(const struct labyrinth_account *account,
			  const struct labyrinth_account *other)
{
	return other && other->memlock == account->memlock;
}

/**
 * labyrinth_account_room() - how much more could be charged?
 * @account: the account; the pool's lock is held
 * @payer: who pays for pages that the account would take over, or NULL
 * @credit: for how many; they count for nothing where both share a bound
 * @least: pages without which the answer is an error
 * @room: set to the pages there is room for
 *
 * Context: The task that is to pay, for its RLIMIT_MEMLOCK.
 * Return: 0; -EDQUOT (a quota), -ENOBUFS (RLIMIT_MEMLOCK).
 */
int labyrinth_account_room(const struct labyrinth_account *account,
			   const struct labyrinth_account *payer, u32 credit,
			   u32 least, u32 *room)
{
	u32 user_quota = READ_ONCE(account->users->quota);
	unsigned long limit;

	*room = room_below((unsigned long)account->quota + (payer == account ? credit : 0),
			   account->charged);
	if (user_quota && !account->unlimited) {
		limit = (unsigned long)user_quota + (share_user(account, payer) ? credit : 0);
		*room = min(*room, room_below(limit, account->user->charged));
	}
	if (*room < least)
		return -EDQUOT;
	if (account->memlock) {
		limit = memlock_limit();
		if (share_memlock(account, payer))
			limit += credit;
		*room = min(*room, room_below(limit,
					      atomic_long_read(&account->memlock->locked_vm)));
	}
	return *room < least ? -ENOBUFS : 0;
}

/**
 * labyrinth_account_charge() - let an account pay for pages
 * @account: the account; the pool's lock is held
 * @payer: who pays for them so far, or NULL; what both share is not charged twice
 * @pages: no more than there was room for in this lock section
 *
 * RLIMIT_MEMLOCK is shared with all that pins memory, outside the pool's lock, so the
 * room may have gone meanwhile.
 *
 * Context: The task that is to pay.
 * Return: 0 or -ENOBUFS.
 */
int labyrinth_account_charge(struct labyrinth_account *account,
			     const struct labyrinth_account *payer, u32 pages)
{
	struct user_struct *memlock = account->memlock;

	if (memlock && !share_memlock(account, payer) &&
	    atomic_long_add_return(pages, &memlock->locked_vm) > memlock_limit()) {
		atomic_long_sub(pages, &memlock->locked_vm);
		return -ENOBUFS;
	}
	if (payer != account)
		account->charged += pages;
	if (!share_user(account, payer))
		account->user->charged += pages;
	return 0;
}

/**
 * labyrinth_account_uncharge() - an account need not pay for pages any more
 * @account: the account; the pool's lock is held
 * @payer: who goes on paying, or NULL; what both share stays charged
 * @pages: how many
 *
 * Context: Any.
 */
void labyrinth_account_uncharge(struct labyrinth_account *account,
				const struct labyrinth_account *payer, u32 pages)
{
	if (payer != account)
		account->charged -= pages;
	if (!share_user(account, payer))
		account->user->charged -= pages;
	if (account->memlock && !share_memlock(account, payer))
		atomic_long_sub(pages, &account->memlock->locked_vm);
}
