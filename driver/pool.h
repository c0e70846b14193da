/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pool: a device's set of DMA-coherent pages, who they belong to in number,
 * and where the next ones come from. It knows no PCI and no character device.
 *
 *	pool.c		the life of the pool; watermarks, counters
 *	page.c		one slot and the buffer in it
 *	arena.c		where each lies in the mmap offset space
 *	stock.c		where free pages lie: a shard for each CPU and a shared list
 *	single.h	one page out of the pool and back, where nothing else is to be done
 *	claim.c		taking pages out, for user space
 *	wait.c		the FIFO of those who want more than there is
 *	atomic.c	taking and giving back from any context, for the kernel itself
 *	scrub.c		putting pages back: zeroing, publishing, trimming
 *	sentinel.c	noticing who writes to a free page
 *	shrink.c	giving pages back when the system is short of memory
 *	refill.c	new pages, from the interrupt handler or a worker
 *	contiguous.c	buffers of several pages, which come from the system each time
 */
#ifndef LABYRINTH_POOL_H
#define LABYRINTH_POOL_H

#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/percpu-refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "account.h"
#include "counters.h"
#include "page.h"
#include "stock.h"

struct labyrinth_pool;
struct labyrinth_stat;

/**
 * struct labyrinth_region - the part of the arena for buffers of one order
 * @first: its first slot
 * @slots: how many it has
 * @pgoff: where it begins, in pages
 * @empty: its slots without a buffer; guarded by the pool's lock
 */
struct labyrinth_region {
	u32 first;
	u32 slots;
	pgoff_t pgoff;
	struct list_head empty;
};

/* The highest order there is, where the pool is large enough: 64 KiB. */
#define LABYRINTH_MAX_ORDER	4

/**
 * struct labyrinth_pool_ops - what the pool asks of the device around it
 * @ring: make the device raise its interrupt; the handler then calls
 *	labyrinth_pool_refill_irq(). Any context, no pool lock held
 * @spare: pages can be had that could not be had before. Any context where the
 *	interrupt handler may run, no pool lock held
 * @watched: does anybody wait for @spare? Any context, the pool's lock held
 */
struct labyrinth_pool_ops {
	void (*ring)(struct labyrinth_pool *pool);
	void (*spare)(struct labyrinth_pool *pool);
	bool (*watched)(struct labyrinth_pool *pool);
};

/**
 * struct labyrinth_limits - the pool's watermarks, in pages
 * @low: fewer free pages than this ask for a refill
 * @high: a refill stops here, and surplus above it is given back
 * @reserve: the last free pages, not for user space
 * @max: never more pages than this
 */
struct labyrinth_limits {
	u32 low;
	u32 high;
	u32 reserve;
	u32 max;
};

/* Who is getting new pages at the moment. At most one kick is outstanding. */
enum labyrinth_refill {
	LABYRINTH_REFILL_IDLE,
	LABYRINTH_REFILL_KICKED,	/* the interrupt handler will run */
	LABYRINTH_REFILL_WORKER,	/* it failed, or did not: the worker has it, no kicks */
};

/**
 * struct labyrinth_pool - a device's pages
 * @dev: the device the pages are coherent with
 * @ops: see there
 * @slots: all slots, region after region
 * @nr_slots: how many
 * @arena_pages: length of the arena
 * @max_order: the highest order with a slot
 * @regions: by order
 * @users: who pays
 * @capacity: pages that @limits.max can be raised to: what the arena was laid out for
 * @stock: free pages; @available of them are unclaimed
 * @sentinel: pages that become free are filled with a pattern, those handed out checked
 * @shrinker: gives pages back under memory pressure
 * @entered: who may touch the contents of pages, or allocate or free them, at the moment
 * @left: all have left, and nobody can enter any more
 * @busy: what changes with each page, for each CPU; some of it without the lock
 * @limits: the watermarks
 * @lock: guards @stock, @busy, @limits and everything below it. Sections are short:
 *	LABYRINTH_AT_ONCE pages at most, and a look at what each CPU has; they never
 *	allocate, so it may be taken in hard interrupt context on PREEMPT_RT
 * @returned: pages to be scrubbed: out of quarantine, or freed by a client
 * @waiters: claims that could not be met yet, oldest first
 * @nr: pages in each state but the empty one. LABYRINTH_FREE and LABYRINTH_OWNED mean
 *	something only together with what @busy says has become owned, and may wrap
 * @total: pages there are
 * @budget: those, and what is being allocated; never more than @limits.max
 * @available: pages in @stock that nobody has a claim to
 * @set_aside: pages in @stock claimed for waiters that do not have enough yet
 * @nr_waiters: length of @waiters
 * @had_spare: what ops->spare() has told of is still true
 * @suspended: the device is not to be rung
 * @dead: no page is handed out, published or allocated any more; set once
 * @refill: see enum labyrinth_refill
 * @kicked: when it became LABYRINTH_REFILL_KICKED, in jiffies
 * @counters: see enum labyrinth_counter; the busy ones are in @busy
 * @refill_work: allocates with GFP_KERNEL after the handler failed to, or was not run
 * @refill_delay: its last pause after a failure, in ms; the worker's own
 * @tidy_work: scrubs @returned and frees surplus
 */
struct labyrinth_pool {
	struct device *dev;
	const struct labyrinth_pool_ops *ops;
	struct labyrinth_page *slots;
	u32 nr_slots;
	pgoff_t arena_pages;
	u32 max_order;
	struct labyrinth_region regions[LABYRINTH_MAX_ORDER + 1];
	struct labyrinth_users users;
	u32 capacity;
	struct labyrinth_stock stock;
	bool sentinel;
	struct shrinker *shrinker;
	struct percpu_ref entered;
	struct completion left;
	struct labyrinth_busy_counters __percpu *busy;
	struct labyrinth_limits limits;

	/* What every CPU writes for every page, in one line: it goes to and fro. */
	raw_spinlock_t lock ____cacheline_aligned_in_smp;
	u32 nr[LABYRINTH_STATES];
	u32 total;
	u32 available;
	u32 nr_waiters;
	bool had_spare;
	bool dead;

	u64 counters[LABYRINTH_COUNTERS];
	bool suspended;
	enum labyrinth_refill refill;
	u32 budget;
	u32 set_aside;
	unsigned long kicked;
	struct list_head returned;
	struct list_head waiters;

	struct delayed_work refill_work;
	unsigned int refill_delay;
	struct work_struct tidy_work;
};

/* With the regions of all orders, and the guards, this makes the arena 168 MiB. */
#define LABYRINTH_MAX_PAGES	16384u

/* pool.c */
int labyrinth_pool_init(struct labyrinth_pool *pool, struct device *dev,
			const struct labyrinth_pool_ops *ops,
			const struct labyrinth_limits *limits, u32 user_quota);
bool labyrinth_limits_are_valid(const struct labyrinth_limits *limits);
struct labyrinth_limits labyrinth_pool_limits(struct labyrinth_pool *pool);
int labyrinth_pool_set_limits(struct labyrinth_pool *pool,
			      const struct labyrinth_limits *limits);
void labyrinth_pool_kill(struct labyrinth_pool *pool);
void labyrinth_pool_stop(struct labyrinth_pool *pool);
void labyrinth_pool_end_charges(struct labyrinth_pool *pool);
void labyrinth_pool_free_pages(struct labyrinth_pool *pool);
void labyrinth_pool_release(struct labyrinth_pool *pool);
void labyrinth_pool_count(struct labyrinth_pool *pool,
			  enum labyrinth_counter counter, u64 amount);
void labyrinth_pool_stat(struct labyrinth_pool *pool,
			 struct labyrinth_account *account,
			 struct labyrinth_stat *stat);

/**
 * labyrinth_pool_dead() - has the device gone?
 * @pool: the pool
 *
 * Context: Any. Stable only under a lock that removal takes after killing the pool,
 * such as a file's state mutex; elsewhere it is a hint.
 * Return: true once it has; it does not come back.
 */
static inline bool labyrinth_pool_dead(struct labyrinth_pool *pool)
{
	return READ_ONCE(pool->dead);
}

/**
 * labyrinth_pool_enter() - begin to touch page contents, or to allocate or free them
 * @pool: the pool
 *
 * Removal waits until all have left, so it never frees a page under a memset(), and no
 * work is queued once it has been cancelled.
 *
 * Context: Any but NMI. Until leaving, nothing may wait for user space.
 * Return: false if the pool is dead: then stay out.
 */
static inline bool labyrinth_pool_enter(struct labyrinth_pool *pool)
{
	return !labyrinth_pool_dead(pool) && percpu_ref_tryget_live(&pool->entered);
}

/**
 * labyrinth_pool_leave() - the end of what labyrinth_pool_enter() began
 * @pool: the pool
 *
 * Context: Any but NMI.
 */
static inline void labyrinth_pool_leave(struct labyrinth_pool *pool)
{
	percpu_ref_put(&pool->entered);
}

/**
 * labyrinth_pool_add() - add to one of the counters of STAT
 * @pool: the pool, its lock held
 * @counter: which
 * @amount: how much
 *
 * Context: Any.
 */
static inline void labyrinth_pool_add(struct labyrinth_pool *pool,
				      enum labyrinth_counter counter, u64 amount)
{
	lockdep_assert_held(&pool->lock);
	if (counter < LABYRINTH_BUSY_COUNTERS)
		raw_cpu_add(pool->busy->value[counter], amount);
	else
		pool->counters[counter] += amount;
}

/* page.c */
bool labyrinth_page_alloc(struct labyrinth_pool *pool, struct labyrinth_page *page,
			  gfp_t gfp);
void labyrinth_page_free(struct labyrinth_pool *pool, struct labyrinth_page *page);
void labyrinth_page_end_charge(struct labyrinth_pool *pool, struct labyrinth_page *page);
struct labyrinth_page *labyrinth_pool_take_slot(struct labyrinth_pool *pool, u32 order);
struct labyrinth_page *labyrinth_pool_take_slot_locked(struct labyrinth_pool *pool,
						       u32 order);
void labyrinth_pool_put_slot(struct labyrinth_pool *pool, struct labyrinth_page *page);
void labyrinth_pool_uncharge(struct labyrinth_pool *pool,
			     struct labyrinth_account *account, u32 pages);
int labyrinth_pool_move(struct labyrinth_pool *pool, u32 pages,
			enum labyrinth_state from, enum labyrinth_state to,
			enum labyrinth_counter counter);

static __always_inline u32 labyrinth_page_slot(const struct labyrinth_page *page)
{
	/* Whoever has the page in hand may be drawing a handle: these bits stay. */
	return data_race(page->handle) & LABYRINTH_SLOT_MASK;
}

/* The slot that a handle of this pool names, whoever has it now. */
static inline struct labyrinth_page *
labyrinth_page_of_handle(const struct labyrinth_pool *pool, u64 handle)
{
	return &pool->slots[handle & LABYRINTH_SLOT_MASK];
}

/* Free pages that stay though others could use them: some for user space, and @low. */
static inline u32 labyrinth_limits_keep(const struct labyrinth_limits *limits)
{
	return max(limits->low, limits->reserve + 1);
}

/* A waiting request for a larger share of the pool could starve everyone else. */
static inline u32 labyrinth_pool_max_request(const struct labyrinth_pool *pool)
{
	return max(READ_ONCE(pool->limits.max) / 4, 1u);
}

/* arena.c */
int labyrinth_arena_init(struct labyrinth_pool *pool);

/* From one slot of an order to the next: a buffer, and its guard. */
static __always_inline pgoff_t labyrinth_arena_stride(u32 order)
{
	return (1u << order) + 1;
}

/* Where a slot lies: its first page, in pages from the start of the arena. */
static __always_inline pgoff_t labyrinth_page_pgoff(const struct labyrinth_pool *pool,
						    const struct labyrinth_page *page)
{
	const struct labyrinth_region *region;
	u32 slot = labyrinth_page_slot(page);

	if (likely(!page->order))
		return slot * labyrinth_arena_stride(0);
	/* No index: where user access is open, UBSAN must not look at one. */
	region = pool->regions + page->order;
	return region->pgoff + (slot - region->first) * labyrinth_arena_stride(page->order);
}

struct labyrinth_page *labyrinth_arena_find_larger(const struct labyrinth_pool *pool,
						   pgoff_t pgoff);

/**
 * labyrinth_arena_find() - find the slot at a place
 * @pool: the pool
 * @pgoff: in pages from the start of the arena; anything is allowed
 *
 * Context: Any.
 * Return: the slot, or NULL for a guard or outside the arena.
 */
static inline struct labyrinth_page *labyrinth_arena_find(const struct labyrinth_pool *pool,
							  pgoff_t pgoff)
{
	const pgoff_t stride = labyrinth_arena_stride(0);

	if (likely(pgoff < pool->regions[0].slots * stride))
		return pgoff % stride ? NULL : &pool->slots[pgoff / stride];
	return labyrinth_arena_find_larger(pool, pgoff);
}

/* wait.c */

/**
 * struct labyrinth_waiter - a claim that could not be met at once
 * @link: on the pool's list of waiters
 * @task: who waits, on its own stack
 * @account: who has been charged
 * @wanted: pages it needs to go on
 * @got: pages set aside for it, always fewer than @wanted while it is on the list
 * @done: off the list, @result is valid
 * @result: 0, -ENODEV, or -ENOMEM if it cannot be served any more
 *
 * From @got on guarded by the pool's lock. A waiter leaves only after it has taken that
 * lock, so whoever wakes it holds the lock over the wake-up.
 */
struct labyrinth_waiter {
	struct list_head link;
	struct task_struct *task;
	struct labyrinth_account *account;
	u32 wanted;
	u32 got;
	bool done;
	int result;
};

int labyrinth_pool_join_queue(struct labyrinth_pool *pool, struct labyrinth_waiter *waiter);
int labyrinth_pool_wait(struct labyrinth_pool *pool, struct labyrinth_waiter *waiter,
			ktime_t deadline);
bool labyrinth_pool_poll(struct labyrinth_pool *pool);
bool labyrinth_pool_spare_appeared(struct labyrinth_pool *pool);
u32 labyrinth_pool_demand(struct labyrinth_pool *pool);
bool labyrinth_pool_serve_oldest(struct labyrinth_pool *pool);
void labyrinth_pool_serve(struct labyrinth_pool *pool);
bool labyrinth_pool_is_unsettled(struct labyrinth_pool *pool);
void labyrinth_pool_settle(struct labyrinth_pool *pool);
void labyrinth_pool_dismiss_waiters(struct labyrinth_pool *pool);

/* Pages that user space may have, beyond the reserve. */
static inline u32 labyrinth_pool_spare(struct labyrinth_pool *pool)
{
	if (pool->available <= pool->limits.reserve)
		return 0;
	return pool->available - pool->limits.reserve;
}

/* claim.c */

/**
 * struct labyrinth_request - single pages that somebody wants
 * @account: who pays
 * @least: pages without which the request fails, at least 1
 * @most: pages it may take if they are there and the quota allows
 * @or_else: errno to answer instead of waiting, or 0 to wait
 * @deadline: CLOCK_MONOTONIC time to give up at, 0 for none
 */
struct labyrinth_request {
	struct labyrinth_account *account;
	u32 least;
	u32 most;
	int or_else;
	ktime_t deadline;
};

int labyrinth_pool_take(struct labyrinth_pool *pool, const struct labyrinth_request *want,
			struct list_head *pages);
void labyrinth_pool_untake(struct labyrinth_pool *pool, struct labyrinth_account *account,
			   struct list_head *pages);
int labyrinth_pool_admit(struct labyrinth_pool *pool, struct labyrinth_account *account,
			 u32 least, u32 *room);
u32 labyrinth_pool_reachable(struct labyrinth_pool *pool);
struct labyrinth_page *labyrinth_pool_pop(struct labyrinth_pool *pool);

/* sentinel.c */
void labyrinth_page_fill_pattern(struct labyrinth_page *page);
bool labyrinth_page_check(struct labyrinth_pool *pool, struct labyrinth_page *page);

static inline bool labyrinth_page_needs_check(const struct labyrinth_pool *pool,
					      const struct labyrinth_page *page)
{
	return page->fill || READ_ONCE(pool->sentinel);
}

/**
 * labyrinth_page_fill() - overwrite all of a page that is going to be free
 * @pool: the pool
 * @page: a single page in the caller's hands alone
 *
 * Context: Process context; the pool is entered, or the page is safe from removal.
 */
static inline void labyrinth_page_fill(const struct labyrinth_pool *pool,
				       struct labyrinth_page *page)
{
	if (READ_ONCE(pool->sentinel)) {
		labyrinth_page_fill_pattern(page);
	} else {
		page->fill = 0;
		clear_page(page->cpu);
	}
}

/* scrub.c */
void labyrinth_pool_scrub_and_dissolve(struct labyrinth_pool *pool, struct labyrinth_page *page);
void labyrinth_pool_dissolve_referenced(struct labyrinth_pool *pool, struct list_head *pages);
void labyrinth_pool_return(struct labyrinth_pool *pool, struct list_head *pages);
void labyrinth_pool_tidy_later(struct labyrinth_pool *pool);
bool labyrinth_pool_has_surplus(struct labyrinth_pool *pool);
u32 labyrinth_pool_surplus(struct labyrinth_pool *pool, u32 above);
struct labyrinth_page *labyrinth_pool_next_surplus(struct labyrinth_pool *pool,
						   u32 above,
						   enum labyrinth_counter counter);
void labyrinth_pool_quarantine(struct labyrinth_pool *pool,
			       struct labyrinth_page *page);
void labyrinth_pool_unquarantine(struct labyrinth_pool *pool,
				 struct labyrinth_page *page);
void labyrinth_pool_tidy(struct work_struct *work);

/* shrink.c */
int labyrinth_pool_start_shrinker(struct labyrinth_pool *pool);
void labyrinth_pool_stop_shrinker(struct labyrinth_pool *pool);

/* contiguous.c */
int labyrinth_pool_build(struct labyrinth_pool *pool, struct labyrinth_account *account,
			 u32 order, u32 least, u32 most, struct list_head *pages);
void labyrinth_pool_unbuild(struct labyrinth_pool *pool,
			    struct labyrinth_account *account, struct list_head *pages);
void labyrinth_pool_dissolve(struct labyrinth_pool *pool, struct labyrinth_page *page,
			     enum labyrinth_state from);

/* atomic.c */
struct labyrinth_page *labyrinth_pool_take_free(struct labyrinth_pool *pool);
struct labyrinth_page *labyrinth_pool_take_new(struct labyrinth_pool *pool);
void labyrinth_pool_return_later(struct labyrinth_pool *pool,
				 struct labyrinth_page *page);

/* refill.c */

/* Where sleeping is allowed: pages are worth reclaim, but not the OOM killer. */
#define LABYRINTH_GFP_PATIENT	(GFP_KERNEL | __GFP_RETRY_MAYFAIL)

u32 labyrinth_pool_fill(struct labyrinth_pool *pool);
bool labyrinth_pool_refill_due(struct labyrinth_pool *pool);
void labyrinth_pool_check_refill(struct labyrinth_pool *pool);
void labyrinth_pool_ring(struct labyrinth_pool *pool);
bool labyrinth_pool_arm_refill(struct labyrinth_pool *pool);
void labyrinth_pool_suspend(struct labyrinth_pool *pool);
void labyrinth_pool_resume(struct labyrinth_pool *pool);
void labyrinth_pool_refill_irq(struct labyrinth_pool *pool);
void labyrinth_pool_refill_worker(struct work_struct *work);

#endif /* LABYRINTH_POOL_H */
