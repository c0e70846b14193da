// SPDX-License-Identifier: GPL-2.0
/*
 * The DMA engine's scheduler. A job is moved in chunks, each in two transfers: from
 * the source page into the on-board memory, and out of it into the destination page.
 * Nothing may come between the two, or one opener's bytes would end up with another;
 * between chunks, files take turns. The interrupt at the end of a transfer programs
 * the next, so that the device never waits for a task to be scheduled.
 */
#include <linux/ktime.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "engine.h"
#include "trace.h"

static struct labyrinth_job *first_job(struct labyrinth_queue *queue)
{
	return list_first_entry_or_null(&queue->jobs, struct labyrinth_job, link);
}

/**
 * labyrinth_engine_drop_page() - a job, or a transfer that timed out, is done with a page
 * @engine: the engine, its lock held
 * @page: the page
 *
 * Context: Any where the interrupt handler may run.
 */
void labyrinth_engine_drop_page(struct labyrinth_engine *engine,
				struct labyrinth_page *page)
{
	if (!--page->dma_users)
		labyrinth_pool_unquarantine(engine->pool, page);
}

/**
 * labyrinth_job_drop_pages() - the device will not touch a job's pages any more
 * @engine: the engine, its lock held
 * @job: the job; nothing happens if it has no pages
 *
 * Context: Any where the interrupt handler may run.
 */
void labyrinth_job_drop_pages(struct labyrinth_engine *engine,
			      struct labyrinth_job *job)
{
	if (!job->src)
		return;
	job->fence = false;
	labyrinth_engine_drop_page(engine, job->src);
	labyrinth_engine_drop_page(engine, job->dst);
	job->src = NULL;
	job->dst = NULL;
}

/* Turns the first job of a queue into an event. */
static void end_job(struct labyrinth_engine *engine, struct labyrinth_queue *queue,
		    struct labyrinth_job *job)
{
	labyrinth_job_drop_pages(engine, job);
	job->ended_ns = ktime_get_ns();
	trace_labyrinth_copy(engine->pool, job);
	list_move_tail(&job->link, &queue->done);
	if (job->result) {
		labyrinth_pool_count(engine->pool, LABYRINTH_COPIES_FAILED, 1);
	} else {
		labyrinth_pool_count(engine->pool, LABYRINTH_COPIES, 1);
		labyrinth_pool_count(engine->pool, LABYRINTH_COPIED_BYTES, job->length);
	}
	wake_up_interruptible_poll(&queue->wait, EPOLLIN | EPOLLRDNORM);
}

/* Ends cancelled jobs that have come to the front, then queues for a turn. */
static void settle_queue(struct labyrinth_engine *engine, struct labyrinth_queue *queue)
{
	struct labyrinth_job *job;

	while ((job = first_job(queue)) && job != engine->active && job->result)
		end_job(engine, queue, job);
	if (!job)
		list_del_init(&queue->turn);
	else if (job != engine->active && list_empty(&queue->turn))
		list_add_tail(&queue->turn, &engine->turns);
}

static void start_transfer(struct labyrinth_engine *engine, enum edu_direction direction)
{
	struct labyrinth_job *job = engine->active;
	struct labyrinth_page *page = job->src;
	u32 offset = job->src_offset;

	if (direction == EDU_FROM_DEVICE) {
		page = job->dst;
		offset = job->dst_offset;
	}
	engine->direction = direction;
	edu_start_dma(engine->edu, direction, page->dma + offset + job->moved,
		      engine->chunk);
	labyrinth_engine_expect_end(engine);
}

static void start_chunk(struct labyrinth_engine *engine, bool outside)
{
	labyrinth_pool_count(engine->pool, LABYRINTH_CHUNKS, 1);
	if (outside)
		labyrinth_pool_count(engine->pool, LABYRINTH_CHUNKS_OUTSIDE, 1);
	start_transfer(engine, EDU_TO_DEVICE);
}

/**
 * labyrinth_engine_start_next() - begin a chunk of the job whose turn it is
 * @engine: the engine, its lock held, nothing in the device
 * @outside: this is not the interrupt handler, so the device has been idle
 *
 * Context: Any where the interrupt handler may run.
 */
void labyrinth_engine_start_next(struct labyrinth_engine *engine, bool outside)
{
	struct labyrinth_queue *queue;
	struct labyrinth_job *job;

	queue = list_first_entry_or_null(&engine->turns, struct labyrinth_queue, turn);
	if (!queue || engine->dead || engine->paused || engine->held[0])
		return;
	list_del_init(&queue->turn);
	job = first_job(queue);
	engine->queue = queue;
	engine->active = job;
	engine->chunk = min(job->length - job->moved, EDU_MAX_TRANSFER);
	start_chunk(engine, outside);
}

/**
 * labyrinth_engine_end_active() - the active job leaves the device
 * @engine: the engine, its lock held
 *
 * It gets its next turn, or becomes an event if all is moved or it has failed.
 *
 * Context: Any where the interrupt handler may run.
 */
void labyrinth_engine_end_active(struct labyrinth_engine *engine)
{
	struct labyrinth_queue *queue = engine->queue;
	struct labyrinth_job *job = engine->active;

	engine->active = NULL;
	engine->queue = NULL;
	if (!queue) {	/* its file has been closed meanwhile */
		labyrinth_job_drop_pages(engine, job);
		kfree(job);
		return;
	}
	if (job->result || job->moved == job->length)
		end_job(engine, queue, job);
	settle_queue(engine, queue);
}

/**
 * labyrinth_engine_init() - set up a scheduler without jobs
 * @engine: zeroed
 * @edu: the device, idle
 * @ops: see there
 * @pool: whose pages will be copied
 *
 * Context: Any.
 */
void labyrinth_engine_init(struct labyrinth_engine *engine, struct edu *edu,
			   const struct labyrinth_engine_ops *ops,
			   struct labyrinth_pool *pool)
{
	engine->edu = edu;
	engine->ops = ops;
	engine->pool = pool;
	spin_lock_init(&engine->lock);
	INIT_LIST_HEAD(&engine->turns);
	INIT_DELAYED_WORK(&engine->watchdog, labyrinth_engine_watch);
}

/**
 * labyrinth_engine_submit() - queue a job
 * @engine: the engine
 * @queue: its file's queue
 * @job: filled in; the engine's from here on if it returns 0
 *
 * Context: Process context, the state mutex of the pages' owner held, so that the
 * pages are still its own when they are marked as in use.
 * Return: 0; -ENODEV; -EAGAIN if the queue is full.
 */
int labyrinth_engine_submit(struct labyrinth_engine *engine,
			    struct labyrinth_queue *queue, struct labyrinth_job *job)
{
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&engine->lock, flags);
	if (engine->dead) {
		err = -ENODEV;
	} else if (queue->used == LABYRINTH_COPY_DEPTH) {
		err = -EAGAIN;
	} else {
		queue->used++;
		job->number = queue->submitted++;
		job->src->dma_users++;
		job->dst->dma_users++;
		list_add_tail(&job->link, &queue->jobs);
		settle_queue(engine, queue);
		if (!engine->active)
			labyrinth_engine_start_next(engine, true);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return err;
}

/* The transfer under way has ended. */
static void advance(struct labyrinth_engine *engine)
{
	if (engine->direction == EDU_FROM_DEVICE) {
		engine->active->moved += engine->chunk;
		labyrinth_engine_end_active(engine);
		labyrinth_engine_start_next(engine, false);
	} else if (!engine->paused) {
		start_transfer(engine, EDU_FROM_DEVICE);
	}
}

/**
 * labyrinth_engine_irq() - a transfer has ended: program the next
 * @engine: the engine
 *
 * Context: The interrupt handler.
 */
void labyrinth_engine_irq(struct labyrinth_engine *engine)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	/* Removal takes over what is in the device; a late status bit means nothing. */
	if (engine->active && !engine->dead && !edu_dma_running(engine->edu))
		advance(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * labyrinth_engine_pause() - start nothing until labyrinth_engine_resume()
 * @engine: the engine; what is in the device goes on
 *
 * Context: Process context.
 */
void labyrinth_engine_pause(struct labyrinth_engine *engine)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	engine->paused = true;
	spin_unlock_irqrestore(&engine->lock, flags);
}

static void take_up(struct labyrinth_engine *engine)
{
	if (engine->active && engine->queue && !engine->active->result) {
		start_chunk(engine, true);
		return;
	}
	if (engine->active)	/* nobody wants it any more */
		labyrinth_engine_end_active(engine);
	labyrinth_engine_start_next(engine, true);
}

/**
 * labyrinth_engine_resume() - go on with the jobs
 * @engine: a paused engine
 *
 * The interrupt at the end of the last transfer may have been lost, and so may what
 * was in the on-board memory: a chunk that did not come out again is begun once more.
 * If a transfer is still under way, it goes on: there has been no suspend.
 *
 * Context: Process context.
 */
void labyrinth_engine_resume(struct labyrinth_engine *engine)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	engine->paused = false;
	if (engine->active && edu_dma_running(engine->edu))
		labyrinth_engine_expect_end(engine);
	else if (!engine->dead)
		take_up(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * labyrinth_engine_let_go() - cancel what uses a page that is being given up
 * @engine: the engine
 * @queue: the queue of the page's owner
 * @page: an owned page, on no list
 *
 * Jobs that wait for their turn lose their pages at once; the one in the device
 * ends with its chunk, and until then the page is in quarantine.
 *
 * Context: Process context, the owner's state mutex held.
 * Return: whether the page is in quarantine now and no longer the caller's.
 */
bool labyrinth_engine_let_go(struct labyrinth_engine *engine,
			     struct labyrinth_queue *queue,
			     struct labyrinth_page *page)
{
	struct labyrinth_job *job;
	unsigned long flags;
	bool quarantined;

	spin_lock_irqsave(&engine->lock, flags);
	list_for_each_entry(job, &queue->jobs, link) {
		if (job->src != page && job->dst != page)
			continue;
		job->result = -ECANCELED;
		if (job != engine->active)
			labyrinth_job_drop_pages(engine, job);
	}
	quarantined = page->dma_users;
	if (quarantined)
		labyrinth_pool_quarantine(engine->pool, page);
	settle_queue(engine, queue);
	spin_unlock_irqrestore(&engine->lock, flags);
	wake_up_all(&queue->wait);	/* who waits for a fence on the page */
	return quarantined;
}

static bool reaches(u32 offset, u32 length, u32 index)
{
	return index >= offset / PAGE_SIZE && index <= (offset + length - 1) / PAGE_SIZE;
}

/**
 * labyrinth_engine_is_fenced() - is a fenced copy queued or under way on a page?
 * @engine: the engine
 * @queue: the queue of the buffer's owner
 * @page: the buffer
 * @index: which page of it
 *
 * Context: Process context.
 * Return: true if such a copy has not ended yet.
 */
bool labyrinth_engine_is_fenced(struct labyrinth_engine *engine,
				struct labyrinth_queue *queue,
				struct labyrinth_page *page, u32 index)
{
	struct labyrinth_job *job;
	unsigned long flags;
	bool fenced = false;

	spin_lock_irqsave(&engine->lock, flags);
	list_for_each_entry(job, &queue->jobs, link) {
		if (!job->fence)
			continue;
		fenced |= job->src == page && reaches(job->src_offset, job->length, index);
		fenced |= job->dst == page && reaches(job->dst_offset, job->length, index);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return fenced;
}

/**
 * labyrinth_engine_kill() - start nothing any more
 * @engine: the engine
 *
 * Context: Process context.
 */
void labyrinth_engine_kill(struct labyrinth_engine *engine)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	engine->dead = true;
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * labyrinth_engine_stop() - wait until no work of the engine is left
 * @engine: a dead engine
 *
 * Context: Process context.
 */
void labyrinth_engine_stop(struct labyrinth_engine *engine)
{
	cancel_delayed_work_sync(&engine->watchdog);
}

static void fail_jobs(struct labyrinth_engine *engine, struct labyrinth_queue *queue)
{
	struct labyrinth_job *job;

	while ((job = first_job(queue))) {
		if (!job->result)
			job->result = -ENODEV;
		end_job(engine, queue, job);
	}
	list_del_init(&queue->turn);
}

/**
 * labyrinth_engine_drain() - end every job with -ENODEV
 * @engine: a dead engine, whose device can reach no memory any more
 *
 * Context: Process context. One lock section per queue.
 */
void labyrinth_engine_drain(struct labyrinth_engine *engine)
{
	struct labyrinth_queue *queue;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	labyrinth_engine_let_held_go(engine);
	queue = engine->queue;
	if (queue) {
		fail_jobs(engine, queue);
	} else if (engine->active) {
		labyrinth_job_drop_pages(engine, engine->active);
		kfree(engine->active);
	}
	engine->active = NULL;
	engine->queue = NULL;
	spin_unlock_irqrestore(&engine->lock, flags);

	do {
		spin_lock_irqsave(&engine->lock, flags);
		queue = list_first_entry_or_null(&engine->turns,
						 struct labyrinth_queue, turn);
		if (queue)
			fail_jobs(engine, queue);
		else
			engine->drained = true;
		spin_unlock_irqrestore(&engine->lock, flags);
	} while (queue);
}

/**
 * labyrinth_engine_drained() - have all events come that will ever come?
 * @engine: the engine
 *
 * Context: Process context.
 * Return: true once the last event there will be is in its queue.
 */
bool labyrinth_engine_drained(struct labyrinth_engine *engine)
{
	unsigned long flags;
	bool drained;

	spin_lock_irqsave(&engine->lock, flags);
	drained = engine->drained;
	spin_unlock_irqrestore(&engine->lock, flags);
	return drained;
}
