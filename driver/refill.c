// SPDX-License-Identifier: GPL-2.0
/*
 * Where new pages come from. When free pages run low, the pool rings: the device
 * raises its interrupt, and the handler allocates with GFP_ATOMIC, a few pages a
 * time. When that fails, a worker that may sleep takes over, and the interrupt path
 * stays silent until the worker is done.
 */
#include "pool.h"
#include "trace.h"

/* Pages tried for in one run of the interrupt handler: about 1,700 instructions each. */
#define REFILL_BUDGET		16

/* The worker's pause after a failure, while somebody waits. */
#define REFILL_DELAY_MIN_MS	10u
#define REFILL_DELAY_MAX_MS	1000u

/* Free pages, set aside for waiters or not, that a refill is to arrive at. */
static u32 refill_target(struct labyrinth_pool *pool)
{
	u32 demand = labyrinth_pool_demand(pool);

	if (!demand)
		return pool->limits.high;
	return max(pool->limits.high, demand + pool->limits.reserve);
}

static u32 refill_level(struct labyrinth_pool *pool)
{
	return pool->available + pool->set_aside;
}

static bool wants_page(struct labyrinth_pool *pool)
{
	return !pool->dead && pool->budget < pool->limits.max &&
	       refill_level(pool) < refill_target(pool);
}

static bool pool_wants_page(struct labyrinth_pool *pool)
{
	unsigned long flags;
	bool wants;

	raw_spin_lock_irqsave(&pool->lock, flags);
	wants = wants_page(pool);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return wants;
}

/* Nothing is left that user space may have. */
static bool is_drained(struct labyrinth_pool *pool)
{
	return refill_level(pool) <= pool->limits.reserve;
}

/* Below the low watermark, or too low to hand out anything, or somebody waits. */
static bool refill_due(struct labyrinth_pool *pool)
{
	return refill_level(pool) < pool->limits.low || is_drained(pool) ||
	       pool->nr_waiters;
}

/**
 * labyrinth_pool_arm_refill() - decide whether to ring for pages
 * @pool: the pool, its lock held
 *
 * Context: Any.
 * Return: whether the caller must call ops->ring() once it has dropped the lock.
 */
bool labyrinth_pool_arm_refill(struct labyrinth_pool *pool)
{
	lockdep_assert_held(&pool->lock);
	if (pool->refill != LABYRINTH_REFILL_IDLE || pool->suspended)
		return false;
	if (!refill_due(pool) || !wants_page(pool))
		return false;
	pool->refill = LABYRINTH_REFILL_KICKED;
	return true;
}

/**
 * labyrinth_pool_check_refill() - ring for pages if they run low
 * @pool: the pool, of a device that is in use
 *
 * Context: Process context.
 */
void labyrinth_pool_check_refill(struct labyrinth_pool *pool)
{
	unsigned long flags;
	bool ring;

	raw_spin_lock_irqsave(&pool->lock, flags);
	ring = labyrinth_pool_arm_refill(pool);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (ring)
		pool->ops->ring(pool);
}

/**
 * labyrinth_pool_suspend() - do not ring until labyrinth_pool_resume()
 * @pool: the pool
 *
 * Context: Process context.
 */
void labyrinth_pool_suspend(struct labyrinth_pool *pool)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	pool->suspended = true;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
}

/**
 * labyrinth_pool_resume() - the device can be rung again
 * @pool: the pool
 *
 * What it was rung for before may have been forgotten meanwhile.
 *
 * Context: Process context.
 */
void labyrinth_pool_resume(struct labyrinth_pool *pool)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	pool->suspended = false;
	if (pool->refill == LABYRINTH_REFILL_KICKED)
		pool->refill = LABYRINTH_REFILL_IDLE;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	labyrinth_pool_check_refill(pool);
}

/**
 * labyrinth_pool_add_page() - allocate a page and make it free
 * @pool: the pool
 * @gfp: how hard to try
 *
 * Context: As @gfp allows.
 * Return: whether it worked.
 */
bool labyrinth_pool_add_page(struct labyrinth_pool *pool, gfp_t gfp)
{
	struct labyrinth_page *page = labyrinth_pool_take_slot(pool, 0);
	unsigned long flags;
	bool more;

	if (!page)
		return false;
	if (!labyrinth_page_alloc(pool, page, gfp)) {
		labyrinth_pool_put_slot(pool, page);
		return false;
	}

	raw_spin_lock_irqsave(&pool->lock, flags);
	page->state = LABYRINTH_FREE;
	pool->nr[LABYRINTH_FREE]++;
	pool->total++;
	labyrinth_stock_put(&pool->stock, page);
	pool->available++;
	more = labyrinth_pool_serve_oldest(pool);
	raw_spin_unlock_irqrestore(&pool->lock, flags);

	if (more)
		labyrinth_pool_serve(pool);
	return true;
}

/**
 * labyrinth_pool_refill_irq() - the device has rung: allocate, within a budget
 * @pool: the pool
 *
 * Rings again when the budget did not reach the target, and leaves the rest to the
 * worker when an allocation failed.
 *
 * Context: The interrupt handler: hard interrupt, or its thread on PREEMPT_RT and
 * with threadirqs, where the page allocator may be called just as well. Never sleeps.
 */
void labyrinth_pool_refill_irq(struct labyrinth_pool *pool)
{
	bool failed = false, ring = false, worker;
	unsigned long flags;
	u32 pages = 0;

	while (pages < REFILL_BUDGET && pool_wants_page(pool)) {
		if (!labyrinth_pool_add_page(pool, GFP_ATOMIC)) {
			failed = true;
			break;
		}
		pages++;
	}

	raw_spin_lock_irqsave(&pool->lock, flags);
	pool->counters[LABYRINTH_IRQ_REFILLS] += !!pages;
	pool->counters[LABYRINTH_IRQ_REFILL_PAGES] += pages;
	pool->counters[LABYRINTH_REFILL_FAILURES] += failed;
	worker = failed && !pool->dead && pool->refill != LABYRINTH_REFILL_WORKER;
	if (worker) {
		pool->refill = LABYRINTH_REFILL_WORKER;
	} else if (pool->refill == LABYRINTH_REFILL_KICKED) {
		ring = wants_page(pool) && !pool->suspended;
		if (!ring)
			pool->refill = LABYRINTH_REFILL_IDLE;
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);

	trace_labyrinth_refill(pool, true, pages, failed);
	if (worker)
		schedule_delayed_work(&pool->refill_work, 0);
	if (ring)
		pool->ops->ring(pool);
	labyrinth_pool_serve(pool);
}

/**
 * labyrinth_pool_refill_worker() - allocate what the interrupt handler could not
 * @work: the pool's refill_work
 *
 * After a failure it tries again for as long as somebody waits, ever more slowly.
 *
 * Context: Process context.
 */
void labyrinth_pool_refill_worker(struct work_struct *work)
{
	struct labyrinth_pool *pool = container_of(to_delayed_work(work),
						   struct labyrinth_pool, refill_work);
	bool failed = false, ring = false, again;
	unsigned long flags;
	u32 pages = 0;

	while (!failed && pool_wants_page(pool)) {
		if (labyrinth_pool_add_page(pool, LABYRINTH_GFP_PATIENT))
			pages++;
		else
			failed = true;
		cond_resched();
	}

	raw_spin_lock_irqsave(&pool->lock, flags);
	pool->counters[LABYRINTH_WORKER_REFILLS] += !!pages;
	pool->counters[LABYRINTH_WORKER_REFILL_PAGES] += pages;
	pool->counters[LABYRINTH_REFILL_FAILURES] += failed;
	/* Whoever begins to poll looks at the pool afterwards, under this lock. */
	again = failed && !pool->dead &&
		(pool->nr_waiters || (is_drained(pool) && pool->ops->watched(pool)));
	if (!again) {
		pool->refill = LABYRINTH_REFILL_IDLE;
		/* For those who came while no kick was allowed. */
		ring = !failed && labyrinth_pool_arm_refill(pool);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);

	trace_labyrinth_refill(pool, false, pages, failed);
	if (pages || !again)
		pool->refill_delay = 0;
	if (again) {
		pool->refill_delay = clamp(2 * pool->refill_delay, REFILL_DELAY_MIN_MS,
					   REFILL_DELAY_MAX_MS);
		schedule_delayed_work(&pool->refill_work,
				      msecs_to_jiffies(pool->refill_delay));
	}
	if (ring)
		pool->ops->ring(pool);
	labyrinth_pool_serve(pool);
}
