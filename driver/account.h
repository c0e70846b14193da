/* SPDX-License-Identifier: GPL-2.0 */
/* Accounts: who pays for pages, and for how many at most. */
#ifndef LABYRINTH_ACCOUNT_H
#define LABYRINTH_ACCOUNT_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

/**
 * struct labyrinth_user - what one user pays for on one device, with all files
 * @link: on the list of users
 * @accounts: open accounts of this user
 * @uid: who it is
 * @charged: pages paid for now; guarded by the pool's lock
 */
struct labyrinth_user {
	struct list_head link;
	refcount_t accounts;
	kuid_t uid;
	u32 charged;
};

/**
 * struct labyrinth_users - the users of one device
 * @lock: guards @list
 * @list: those with an open account
 * @quota: pages one user may pay for at most; 0 means no limit
 */
struct labyrinth_users {
	spinlock_t lock;		/* guards the list */
	struct list_head list;
	u32 quota;
};

/**
 * struct labyrinth_account - who pays for pages
 * @holders: the file, and each ticket and quarantined buffer that it pays for
 * @users: the device's users
 * @user: the one that this is an account of
 * @memlock: who is bound by RLIMIT_MEMLOCK, or NULL (CAP_IPC_LOCK)
 * @unlimited: not bound by the quota for users (CAP_SYS_RESOURCE)
 * @charged: pages paid for now; guarded by the pool's lock
 * @waiting: those of them that it waits for; guarded likewise
 * @quota: pages it may pay for at most
 * @pid: the process that opened it, in the first namespace
 * @comm: its name then
 * @rcu: frees it, so that a page's account may be looked at without a lock
 *
 * Pages stay charged until they are free again or another owner has taken them, so an
 * account outlives its file while a ticket or quarantined buffer is left of it.
 */
struct labyrinth_account {
	refcount_t holders;
	struct labyrinth_users *users;
	struct labyrinth_user *user;
	struct user_struct *memlock;
	bool unlimited;
	u32 charged;
	u32 waiting;
	u32 quota;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	struct rcu_head rcu;
};

void labyrinth_users_init(struct labyrinth_users *users, u32 quota);
struct labyrinth_account *labyrinth_account_create(struct labyrinth_users *users,
						   u32 quota);
void labyrinth_account_get(struct labyrinth_account *account);
void labyrinth_account_put(struct labyrinth_account *account);
int labyrinth_account_room(const struct labyrinth_account *account,
			   const struct labyrinth_account *payer, u32 credit,
			   u32 least, u32 *room);
int labyrinth_account_charge(struct labyrinth_account *account,
			     const struct labyrinth_account *payer, u32 pages);
void labyrinth_account_uncharge(struct labyrinth_account *account,
				const struct labyrinth_account *payer, u32 pages);

/* Looks before it adds: others of this user may be bound less tightly. */
static inline bool labyrinth_memlock_charge_one(struct user_struct *memlock)
{
	const long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (atomic_long_read(&memlock->locked_vm) >= limit)
		return false;
	if (atomic_long_inc_return(&memlock->locked_vm) <= limit)
		return true;
	atomic_long_dec(&memlock->locked_vm);
	return false;
}

/**
 * labyrinth_account_charge_one() - let an account pay for a page, if there is room
 * @account: the account; the pool's lock is held
 *
 * As labyrinth_account_room() and labyrinth_account_charge().
 *
 * Context: The task that is to pay.
 * Return: false if a quota or RLIMIT_MEMLOCK is used up: nothing has been charged.
 */
static inline bool labyrinth_account_charge_one(struct labyrinth_account *account)
{
	u32 user_quota = READ_ONCE(account->users->quota);

	if (account->charged >= account->quota)
		return false;
	if (user_quota && !account->unlimited && account->user->charged >= user_quota)
		return false;
	if (account->memlock && !labyrinth_memlock_charge_one(account->memlock))
		return false;
	account->charged++;
	account->user->charged++;
	return true;
}

/**
 * labyrinth_account_uncharge_one() - as labyrinth_account_uncharge(), for a page
 * @account: the account; the pool's lock is held
 *
 * Context: Any.
 */
static inline void labyrinth_account_uncharge_one(struct labyrinth_account *account)
{
	account->charged--;
	account->user->charged--;
	if (account->memlock)
		atomic_long_dec(&account->memlock->locked_vm);
}

#endif /* LABYRINTH_ACCOUNT_H */
