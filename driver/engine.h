/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The DMA engine's scheduler: jobs of many files, one chunk of one of them in the
 * device at a time.
 */
#ifndef LABYRINTH_ENGINE_H
#define LABYRINTH_ENGINE_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "edu.h"
#include "pool.h"

/* Jobs and unread events one file may have outstanding. */
#define LABYRINTH_COPY_DEPTH	64

/* A page's dma_users counts each job twice at most, and what is held of a dead one. */
static_assert(2 * LABYRINTH_COPY_DEPTH + 2 <= U16_MAX);

/**
 * struct labyrinth_job - one COPY, from submission until its event has been read
 * @link: on its queue's @jobs, then on its @done; unused once orphaned in the device
 * @src: page to read, NULL once the job no longer needs it
 * @dst: page to write, likewise
 * @src_offset: first byte in @src
 * @dst_offset: first byte in @dst
 * @length: bytes to move
 * @moved: bytes moved so far
 * @fence: the CPU is kept off both ranges until the end
 * @result: 0 or a negative errno
 * @number: of its submission to its queue
 * @user_data: for the event
 * @ended_ns: CLOCK_MONOTONIC of the end
 *
 * A job that was cancelled before its turn has no pages and a @result, but stays in
 * its place in @jobs, so that events come in the order of submission.
 */
struct labyrinth_job {
	struct list_head link;
	struct labyrinth_page *src;
	struct labyrinth_page *dst;
	u32 src_offset;
	u32 dst_offset;
	u32 length;
	u32 moved;
	bool fence;
	int result;
	u64 number;
	u64 user_data;
	u64 ended_ns;
};

/**
 * struct labyrinth_queue - one file's jobs
 * @turn: on the engine's @turns while it has jobs and none of them is in the device
 * @jobs: not ended yet, in order of submission; the first may be in the device
 * @done: ended, each an event waiting to be read
 * @submitted: jobs ever
 * @used: jobs on both lists, and those a reader has in hand
 * @wait: woken when an event comes, and when the device goes
 *
 * Guarded by the engine's lock.
 */
struct labyrinth_queue {
	struct list_head turn;
	struct list_head jobs;
	struct list_head done;
	u64 submitted;
	u32 used;
	wait_queue_head_t wait;
};

struct labyrinth_engine;

/**
 * struct labyrinth_engine_ops - what the engine asks of the device around it
 * @broken: the device will never finish what it is doing. Process context, no engine
 *	lock held
 */
struct labyrinth_engine_ops {
	void (*broken)(struct labyrinth_engine *engine);
};

/**
 * struct labyrinth_engine - what the device is doing, and what comes next
 * @edu: the device
 * @ops: see there
 * @pool: whose pages are copied
 * @lock: guards all below, every queue, and @dma_users of every page. Taken under a
 *	file's state mutex, and in the interrupt handler; the pool's lock and the
 *	queues' @wait locks nest inside. Not raw: where the handler is a thread, this
 *	may sleep
 * @turns: queues with a job ready, in the order they will be served
 * @active: the job whose chunk is in the device, or NULL
 * @queue: the queue of @active; NULL if its file has been closed
 * @chunk: bytes of that chunk
 * @direction: which half of the chunk is under way: in, then out
 * @deadline: in jiffies, for the transfer under way
 * @overdue: it has passed, and the transfer gets a little longer
 * @held: pages that a transfer may still reach although its job has timed out; while
 *	there are any, nothing is started
 * @held_since: in jiffies
 * @paused: nothing is started until the device has been resumed
 * @dead: nothing is started or submitted any more
 * @drained: and every job has ended, so no event will come
 * @watchdog: looks after @deadline and @held
 */
struct labyrinth_engine {
	struct edu *edu;
	const struct labyrinth_engine_ops *ops;
	struct labyrinth_pool *pool;
	spinlock_t lock;	/* guards everything below, and the queues */
	struct list_head turns;
	struct labyrinth_job *active;
	struct labyrinth_queue *queue;
	u32 chunk;
	enum edu_direction direction;
	unsigned long deadline;
	bool overdue;
	struct labyrinth_page *held[2];
	unsigned long held_since;
	bool paused;
	bool dead;
	bool drained;

	struct delayed_work watchdog;
};

void labyrinth_engine_init(struct labyrinth_engine *engine, struct edu *edu,
			   const struct labyrinth_engine_ops *ops,
			   struct labyrinth_pool *pool);
int labyrinth_engine_submit(struct labyrinth_engine *engine,
			    struct labyrinth_queue *queue, struct labyrinth_job *job);
void labyrinth_engine_irq(struct labyrinth_engine *engine);
bool labyrinth_engine_let_go(struct labyrinth_engine *engine,
			     struct labyrinth_queue *queue,
			     struct labyrinth_page *page);
bool labyrinth_engine_is_fenced(struct labyrinth_engine *engine,
				struct labyrinth_queue *queue,
				struct labyrinth_page *page, u32 index);
void labyrinth_engine_drop_page(struct labyrinth_engine *engine,
				struct labyrinth_page *page);
void labyrinth_job_drop_pages(struct labyrinth_engine *engine,
			      struct labyrinth_job *job);
void labyrinth_engine_pause(struct labyrinth_engine *engine);
void labyrinth_engine_resume(struct labyrinth_engine *engine);
void labyrinth_engine_kill(struct labyrinth_engine *engine);
void labyrinth_engine_stop(struct labyrinth_engine *engine);
void labyrinth_engine_drain(struct labyrinth_engine *engine);
bool labyrinth_engine_drained(struct labyrinth_engine *engine);

/* For timeout.c; the engine's lock is held. */
void labyrinth_engine_start_next(struct labyrinth_engine *engine, bool outside);
void labyrinth_engine_end_active(struct labyrinth_engine *engine);

/* timeout.c */
void labyrinth_engine_expect_end(struct labyrinth_engine *engine);
void labyrinth_engine_watch(struct work_struct *work);
void labyrinth_engine_let_held_go(struct labyrinth_engine *engine);

void labyrinth_queue_init(struct labyrinth_queue *queue);
void labyrinth_queue_close(struct labyrinth_engine *engine,
			   struct labyrinth_queue *queue);
struct labyrinth_job *labyrinth_queue_take(struct labyrinth_engine *engine,
					   struct labyrinth_queue *queue);
void labyrinth_queue_put_back(struct labyrinth_engine *engine,
			      struct labyrinth_queue *queue,
			      struct labyrinth_job *job);
void labyrinth_queue_consume(struct labyrinth_engine *engine,
			     struct labyrinth_queue *queue,
			     struct labyrinth_job *job);
bool labyrinth_queue_has_event(struct labyrinth_engine *engine,
			       struct labyrinth_queue *queue);

#endif /* LABYRINTH_ENGINE_H */
