// SPDX-License-Identifier: GPL-2.0
/*
 * The life of the pool and the numbers it is judged by. A page's way through it:
 *
 *	empty -- refill.c --> free -- claim.c --> owned -- scrub.c --> free
 *	                       |                    |                   ^
 *	                       | trimmed            +--> quarantined ---+
 *	                       v                            (DMA in flight)
 *	                     empty
 *
 * From free it may also become an in-kernel client's (atomic.c), and from owned a
 * ticket's. Buffers of several pages (contiguous.c) begin and end as empty slots.
 */
#include <linux/vmalloc.h>

#include <linux/labyrinth.h>

#include "pool.h"

static void all_left(struct percpu_ref *entered)
{
	complete(&container_of(entered, struct labyrinth_pool, entered)->left);
}

/**
 * labyrinth_pool_init() - set up a pool and fill it to its high watermark
 * @pool: zeroed memory, which must outlive every user of the pool
 * @dev: the device that will do DMA, its mask set
 * @ops: how to reach that device
 * @limits: low <= high <= max, reserve < high, max <= LABYRINTH_MAX_PAGES
 * @user_quota: pages one user may pay for at most; 0 means no limit
 *
 * A pool that could only be filled in part is a smaller pool; one without any page
 * is an error.
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM; labyrinth_pool_release() is due either way.
 */
int labyrinth_pool_init(struct labyrinth_pool *pool, struct device *dev,
			const struct labyrinth_pool_ops *ops,
			const struct labyrinth_limits *limits, u32 user_quota)
{
	u32 pages;
	int err;

	pool->dev = get_device(dev);	/* traced by name, also after its removal */
	pool->ops = ops;
	pool->limits = *limits;
	pool->capacity = limits->max;
	labyrinth_users_init(&pool->users, user_quota);
	raw_spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->returned);
	INIT_LIST_HEAD(&pool->waiters);
	init_completion(&pool->left);
	INIT_DELAYED_WORK(&pool->refill_work, labyrinth_pool_refill_worker);
	INIT_WORK(&pool->tidy_work, labyrinth_pool_tidy);

	err = percpu_ref_init(&pool->entered, all_left, 0, GFP_KERNEL);
	if (!err)
		err = labyrinth_stock_init(&pool->stock);
	if (!err)
		err = labyrinth_arena_init(pool);
	if (err)
		return err;
	pool->busy = alloc_percpu(struct labyrinth_busy_counters);
	if (!pool->busy)
		return -ENOMEM;
	pages = labyrinth_pool_fill(pool);
	if (!pages)
		return -ENOMEM;
	if (pages < limits->high)
		dev_warn(dev, "only %u of %u pages could be preallocated\n", pages,
			 limits->high);
	err = labyrinth_pool_start_shrinker(pool);
	if (err)
		labyrinth_pool_free_pages(pool);
	return err;
}

/**
 * labyrinth_limits_are_valid() - are watermarks in order?
 * @limits: the watermarks
 *
 * Context: Any.
 * Return: true if a pool can work with them.
 */
bool labyrinth_limits_are_valid(const struct labyrinth_limits *limits)
{
	return limits->low <= limits->high && limits->high <= limits->max &&
	       limits->reserve < limits->high;
}

/**
 * labyrinth_pool_limits() - read the watermarks
 * @pool: the pool
 *
 * Context: Any.
 * Return: all four, as they were at one moment.
 */
struct labyrinth_limits labyrinth_pool_limits(struct labyrinth_pool *pool)
{
	struct labyrinth_limits limits;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	limits = pool->limits;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return limits;
}

/**
 * labyrinth_pool_set_limits() - change the watermarks
 * @pool: the pool
 * @limits: the new ones
 *
 * What is above a lower maximum and not free is not taken from anybody: it goes as it
 * is released.
 *
 * Context: Process context.
 * Return: 0; -EINVAL if they are out of order or beyond the pool's capacity, and
 * nothing has changed.
 */
int labyrinth_pool_set_limits(struct labyrinth_pool *pool,
			      const struct labyrinth_limits *limits)
{
	unsigned long flags;

	if (!labyrinth_limits_are_valid(limits) || limits->max > pool->capacity)
		return -EINVAL;
	raw_spin_lock_irqsave(&pool->lock, flags);
	pool->limits = *limits;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	labyrinth_pool_settle(pool);
	return 0;
}

/**
 * labyrinth_pool_kill() - hand out nothing any more
 * @pool: the pool
 *
 * Every waiter, and every claim or commit from now on, gets -ENODEV, but for a commit that
 * has seen the pool alive under a file's state mutex: removal takes that mutex later.
 *
 * Context: Process context.
 */
void labyrinth_pool_kill(struct labyrinth_pool *pool)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	WRITE_ONCE(pool->dead, true);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	labyrinth_pool_dismiss_waiters(pool);
}

/**
 * labyrinth_pool_stop() - wait until nothing touches the pages from the kernel
 * @pool: a dead pool, whose interrupt handler has been freed; once
 *
 * What it waits for is memory being zeroed, allocated or freed by each task that is in
 * the middle of it, never a task that copies to or from user space.
 *
 * Context: Process context, sleeps.
 */
void labyrinth_pool_stop(struct labyrinth_pool *pool)
{
	percpu_ref_kill(&pool->entered);
	wait_for_completion(&pool->left);
	cancel_delayed_work_sync(&pool->refill_work);
	cancel_work_sync(&pool->tidy_work);
	labyrinth_pool_stop_shrinker(pool);
}

/**
 * labyrinth_pool_end_charges() - nobody pays for any page any more
 * @pool: a stopped pool
 *
 * Context: Process context.
 */
void labyrinth_pool_end_charges(struct labyrinth_pool *pool)
{
	u32 i;

	for (i = 0; i < pool->nr_slots; i++)
		labyrinth_page_end_charge(pool, &pool->slots[i]);
}

/**
 * labyrinth_pool_free_pages() - give all coherent memory back to the system
 * @pool: a stopped pool, no page of which is mapped or reachable by DMA
 *
 * Goes by the slots, so it does not matter on which list a page is or who thinks to
 * own it: they find the pool dead before they would touch it.
 *
 * Context: Process context, interrupts on (dma_free_coherent() insists).
 */
void labyrinth_pool_free_pages(struct labyrinth_pool *pool)
{
	u32 i;

	labyrinth_pool_end_charges(pool);
	for (i = 0; i < pool->nr_slots; i++)
		labyrinth_page_free(pool, &pool->slots[i]);
}

/**
 * labyrinth_pool_release() - free the pool's own memory
 * @pool: a pool without pages and without users
 *
 * Context: Process context.
 */
void labyrinth_pool_release(struct labyrinth_pool *pool)
{
	vfree(pool->slots);
	free_percpu(pool->busy);
	labyrinth_stock_free(&pool->stock);
	percpu_ref_exit(&pool->entered);
	put_device(pool->dev);
}

/**
 * labyrinth_pool_count() - add to one of the counters of STAT
 * @pool: the pool
 * @counter: which
 * @amount: how much
 *
 * Context: Any, the pool's lock not held.
 */
void labyrinth_pool_count(struct labyrinth_pool *pool,
			  enum labyrinth_counter counter, u64 amount)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	labyrinth_pool_add(pool, counter, amount);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
}

/* Fills @count, of all counters; returns how often a free page has become owned unlocked. */
static u32 add_up(const struct labyrinth_pool *pool, u64 *count)
{
	const struct labyrinth_busy_counters *busy;
	unsigned long owned = 0;
	int cpu, i;

	memcpy(count, pool->counters, sizeof(pool->counters));
	for_each_possible_cpu(cpu) {
		busy = per_cpu_ptr(pool->busy, cpu);
		for (i = 0; i < LABYRINTH_BUSY_COUNTERS; i++)
			count[i] += busy->value[i];
		owned += READ_ONCE(busy->owned);
	}
	count[LABYRINTH_ACQUIRED] += owned;
	return owned;
}

/**
 * labyrinth_pool_stat() - take a snapshot
 * @pool: the pool
 * @account: whose charge to report, or NULL
 * @stat: zeroed; every term and counter that this pool knows is set
 *
 * One lock section, and one number for what free pages become owned without the lock, so
 * that the terms always add up to the total.
 *
 * Context: Any.
 */
void labyrinth_pool_stat(struct labyrinth_pool *pool,
			 struct labyrinth_account *account,
			 struct labyrinth_stat *stat)
{
	u64 count[LABYRINTH_COUNTERS];
	unsigned long flags;
	u32 owned;

	raw_spin_lock_irqsave(&pool->lock, flags);
	owned = add_up(pool, count);
	stat->total = pool->total;
	stat->free = pool->nr[LABYRINTH_FREE] - owned;
	stat->owned = pool->nr[LABYRINTH_OWNED] + owned;
	stat->ticketed = pool->nr[LABYRINTH_TICKETED];
	stat->kernel = pool->nr[LABYRINTH_KERNEL];
	stat->quarantined = pool->nr[LABYRINTH_QUARANTINED];
	stat->poisoned = pool->nr[LABYRINTH_POISONED];
	stat->charged = account ? account->charged : 0;
	stat->waiters = pool->nr_waiters;
	stat->low = pool->limits.low;
	stat->high = pool->limits.high;
	stat->reserve = pool->limits.reserve;
	stat->max = pool->limits.max;
	stat->acquired = count[LABYRINTH_ACQUIRED];
	stat->released = count[LABYRINTH_RELEASED];
	stat->revoked = count[LABYRINTH_REVOKED];
	stat->scrubbed = count[LABYRINTH_SCRUBBED];
	stat->irq_refills = count[LABYRINTH_IRQ_REFILLS];
	stat->irq_refill_pages = count[LABYRINTH_IRQ_REFILL_PAGES];
	stat->irq_hard = count[LABYRINTH_IRQ_HARD];
	stat->irq_threaded = count[LABYRINTH_IRQ_THREADED];
	stat->worker_refills = count[LABYRINTH_WORKER_REFILLS];
	stat->worker_refill_pages = count[LABYRINTH_WORKER_REFILL_PAGES];
	stat->refill_failures = count[LABYRINTH_REFILL_FAILURES];
	stat->trimmed = count[LABYRINTH_TRIMMED];
	stat->shrunk = count[LABYRINTH_SHRUNK];
	stat->exhaustion_waits = count[LABYRINTH_EXHAUSTION_WAITS];
	stat->exhaustion_fails = count[LABYRINTH_EXHAUSTION_FAILS];
	stat->fragmentation_fails = count[LABYRINTH_FRAGMENTATION_FAILS];
	stat->given = count[LABYRINTH_GIVEN];
	stat->taken = count[LABYRINTH_TAKEN];
	stat->copies = count[LABYRINTH_COPIES];
	stat->copies_failed = count[LABYRINTH_COPIES_FAILED];
	stat->copied_bytes = count[LABYRINTH_COPIED_BYTES];
	stat->chunks = count[LABYRINTH_CHUNKS];
	stat->dma_timeouts = count[LABYRINTH_DMA_TIMEOUTS];
	stat->chunks_outside = count[LABYRINTH_CHUNKS_OUTSIDE];
	stat->steals = pool->stock.steals;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
}
