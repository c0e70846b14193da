// SPDX-License-Identifier: GPL-2.0
/*
 * Where new pages come from. When free pages run low, the pool rings: the device
 * raises its interrupt, and the handler allocates with GFP_ATOMIC, a few pages a
 * time. When that fails, a worker that may sleep takes over, and the interrupt path
 * stays silent until the worker is done.
 */
#include "fault.h"
#include "pool.h"
#include "trace.h"

/* Pages tried for in one run of the interrupt handler: about 1,700 instructions each. */
#define REFILL_BUDGET		16

/* The worker's pause after a failure, while somebody waits. */
#define REFILL_DELAY_MIN_MS	10u
#define REFILL_DELAY_MAX_MS	1000u

/* An interrupt that has not come by then has got lost; its line may be dead. */
#define KICK_PATIENCE		HZ

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

/* Nothing is left that user space may have. */
static bool is_drained(struct labyrinth_pool *pool)
{
	return refill_level(pool) <= pool->limits.reserve;
}

/**
 * labyrinth_pool_refill_due() - does the pool run low?
 * @pool: the pool, its lock held
 *
 * Context: Any.
 * Return: whether it is below the low watermark, or too low to hand out anything, or
 * somebody waits.
 */
bool labyrinth_pool_refill_due(struct labyrinth_pool *pool)
{
	return refill_level(pool) < pool->limits.low || is_drained(pool) ||
	       pool->nr_waiters;
}

/**
 * labyrinth_pool_arm_refill() - decide whether to ring for pages
 * @pool: the pool, its lock held
 *
 * Context: Any.
 * Return: whether the caller must call labyrinth_pool_ring() once it has dropped the lock.
 */
bool labyrinth_pool_arm_refill(struct labyrinth_pool *pool)
{
	lockdep_assert_held(&pool->lock);
	if (pool->refill != LABYRINTH_REFILL_IDLE || pool->suspended)
		return false;
	if (!labyrinth_pool_refill_due(pool) || !wants_page(pool))
		return false;
	pool->refill = LABYRINTH_REFILL_KICKED;
	pool->kicked = jiffies;
	return true;
}

/**
 * labyrinth_pool_ring() - make the device raise its interrupt
 * @pool: the pool; labyrinth_pool_arm_refill() has just said so
 *
 * The worker has a look later, in case the interrupt gets lost. It is left alone if it is
 * on its way: then it looks after the latest kick.
 *
 * Context: Any but NMI, no pool lock held.
 */
void labyrinth_pool_ring(struct labyrinth_pool *pool)
{
	pool->ops->ring(pool);
	if (delayed_work_pending(&pool->refill_work) || !labyrinth_pool_enter(pool))
		return;
	schedule_delayed_work(&pool->refill_work, KICK_PATIENCE);
	labyrinth_pool_leave(pool);
}

/**
 * labyrinth_pool_check_refill() - ring for pages if they run low
 * @pool: the pool, of a device that is in use
 *
 * Context: Any but NMI.
 */
void labyrinth_pool_check_refill(struct labyrinth_pool *pool)
{
	unsigned long flags;
	bool ring;

	raw_spin_lock_irqsave(&pool->lock, flags);
	ring = labyrinth_pool_arm_refill(pool);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (ring)
		labyrinth_pool_ring(pool);
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

/* The pool's lock is held. */
static struct labyrinth_page *next_slot(struct labyrinth_pool *pool)
{
	return wants_page(pool) ? labyrinth_pool_take_slot_locked(pool, 0) : NULL;
}

static struct labyrinth_page *first_slot(struct labyrinth_pool *pool)
{
	struct labyrinth_page *page;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	page = next_slot(pool);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return page;
}

/* Makes a new page free, and in the same lock section takes a slot for @more of them. */
static struct labyrinth_page *publish_page(struct labyrinth_pool *pool,
					   struct labyrinth_page *page, bool more)
{
	unsigned long flags;
	LIST_HEAD(one);
	bool serve;

	list_add(&page->link, &one);
	raw_spin_lock_irqsave(&pool->lock, flags);
	page->state = LABYRINTH_FREE;
	pool->nr[LABYRINTH_FREE]++;
	pool->total++;
	labyrinth_stock_put(&pool->stock, &one, 1);
	pool->available++;
	/* Pollers are told of the first one: the next may take long. */
	serve = pool->nr_waiters ? labyrinth_pool_serve_oldest(pool) : !pool->had_spare;
	page = more ? next_slot(pool) : NULL;
	raw_spin_unlock_irqrestore(&pool->lock, flags);

	if (serve)
		labyrinth_pool_serve(pool);
	return page;
}

/* Allocates up to @most pages, fewer if the target has been reached or an attempt fails. */
static u32 allocate_pages(struct labyrinth_pool *pool, gfp_t gfp, u32 most, bool *failed)
{
	enum labyrinth_fault fault = gfpflags_allow_blocking(gfp) ?
		LABYRINTH_FAULT_REFILL_WORKER : LABYRINTH_FAULT_REFILL_IRQ;
	struct labyrinth_page *page = first_slot(pool);
	u32 pages = 0;

	*failed = false;
	while (page) {
		if (labyrinth_fault_due(fault) || !labyrinth_page_alloc(pool, page, gfp)) {
			labyrinth_pool_put_slot(pool, page);
			*failed = true;
			break;
		}
		pages++;
		page = publish_page(pool, page, pages < most);
		if (gfpflags_allow_blocking(gfp))
			cond_resched();
	}
	return pages;
}

/**
 * labyrinth_pool_fill() - allocate pages up to the high watermark
 * @pool: the pool, of which nobody knows yet
 *
 * Context: Process context.
 * Return: how many there are now.
 */
u32 labyrinth_pool_fill(struct labyrinth_pool *pool)
{
	bool failed;

	return allocate_pages(pool, LABYRINTH_GFP_PATIENT, U32_MAX, &failed);
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
	bool failed, ring = false, worker;
	unsigned long flags;
	u32 pages;

	pages = allocate_pages(pool, GFP_ATOMIC, REFILL_BUDGET, &failed);

	raw_spin_lock_irqsave(&pool->lock, flags);
	labyrinth_pool_add(pool, LABYRINTH_IRQ_REFILLS, !!pages);
	labyrinth_pool_add(pool, LABYRINTH_IRQ_REFILL_PAGES, pages);
	labyrinth_pool_add(pool, LABYRINTH_REFILL_FAILURES, failed);
	worker = failed && !pool->dead && pool->refill != LABYRINTH_REFILL_WORKER;
	if (worker) {
		pool->refill = LABYRINTH_REFILL_WORKER;
	} else if (pool->refill == LABYRINTH_REFILL_KICKED) {
		ring = wants_page(pool) && !pool->suspended;
		if (ring)
			pool->kicked = jiffies;
		else
			pool->refill = LABYRINTH_REFILL_IDLE;
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);

	trace_labyrinth_refill(pool, true, pages, failed);
	if (worker)
		mod_delayed_work(system_wq, &pool->refill_work, 0);
	if (ring)
		labyrinth_pool_ring(pool);
	labyrinth_pool_serve(pool);
}

/* Whether the interrupt handler has failed, or has not been run at all. */
static bool is_workers_turn(struct labyrinth_pool *pool)
{
	unsigned long flags, due, again = 0;
	bool turn;

	raw_spin_lock_irqsave(&pool->lock, flags);
	if (pool->refill == LABYRINTH_REFILL_KICKED && !pool->suspended && !pool->dead) {
		due = pool->kicked + KICK_PATIENCE;
		if (time_before(jiffies, due))
			again = due - jiffies;
		else
			pool->refill = LABYRINTH_REFILL_WORKER;
	}
	turn = pool->refill == LABYRINTH_REFILL_WORKER;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (again)
		schedule_delayed_work(&pool->refill_work, again);
	return turn;
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
	bool failed, ring = false, again;
	unsigned long flags;
	u32 pages;

	if (!is_workers_turn(pool))
		return;
	pages = allocate_pages(pool, LABYRINTH_GFP_PATIENT, U32_MAX, &failed);

	raw_spin_lock_irqsave(&pool->lock, flags);
	labyrinth_pool_add(pool, LABYRINTH_WORKER_REFILLS, !!pages);
	labyrinth_pool_add(pool, LABYRINTH_WORKER_REFILL_PAGES, pages);
	labyrinth_pool_add(pool, LABYRINTH_REFILL_FAILURES, failed);
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
		labyrinth_pool_ring(pool);
	labyrinth_pool_serve(pool);
}
