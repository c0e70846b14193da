// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `labyrinth top` shows: the figures of every pool, how fast they change, and who
 * has pages. Devices are opened for a moment only, so that they can be unloaded and
 * unplugged meanwhile.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "top.h"

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void read_figures(struct pool *pool)
{
	struct labyrinth_device *dev = labyrinth_device_open_number(pool->number);

	if (!dev || labyrinth_device_stat(dev, &pool->stat, sizeof(pool->stat)) < 0)
		snprintf(pool->reason, sizeof(pool->reason), "%s", labyrinth_strerror());
	labyrinth_device_close(dev);
}

/* A counter that goes back is of a device that was plugged in anew. */
static double rate(uint64_t after, uint64_t before, double seconds)
{
	return after > before ? (after - before) / seconds : 0;
}

static void set_rates(struct pool *pool, const struct pool *before, double seconds)
{
	const struct labyrinth_stat *new = &pool->stat, *old = &before->stat;

	pool->seconds = seconds;
	pool->acquired = rate(new->acquired, old->acquired, seconds);
	pool->irq_refilled = rate(new->irq_refill_pages, old->irq_refill_pages, seconds);
	pool->worker_refilled = rate(new->worker_refill_pages, old->worker_refill_pages, seconds);
	pool->refilled = pool->irq_refilled + pool->worker_refilled;
	pool->copies = rate(new->copies, old->copies, seconds);
	pool->bytes = rate(new->copied_bytes, old->copied_bytes, seconds);
}

static const struct pool *find_pool(const struct sample *sample, unsigned int number)
{
	size_t i;

	for (i = 0; sample && i < sample->pool_count; i++)
		if (sample->pools[i].number == number && !*sample->pools[i].reason)
			return &sample->pools[i];
	return NULL;
}

static void read_pools(struct sample *sample, const unsigned int *numbers,
		       const struct sample *before)
{
	const struct pool *old;
	struct pool *pool;
	size_t i;

	for (i = 0; i < sample->pool_count; i++) {
		pool = &sample->pools[i];
		pool->number = numbers[i];
		read_figures(pool);
		old = find_pool(before, pool->number);
		if (old && !*pool->reason && sample->when > before->when)
			set_rates(pool, old, sample->when - before->when);
	}
}

static bool add_holders(struct sample *sample, unsigned int device, const struct legend *legend)
{
	struct holder *holders, *holder;
	const struct owner *owner;

	holders = reallocarray(sample->holders, sample->holder_count + legend->count + 1,
			       sizeof(*holders));
	if (!holders)
		return false;
	sample->holders = holders;
	for (owner = legend->owners; owner < legend->owners + legend->count; owner++) {
		if (owner->first->state == STATE_FREE)
			continue;
		holder = &holders[sample->holder_count++];
		*holder = (struct holder){
			.device = device,
			.pages = owner->pages,
			.state = owner->first->state,
			.pid = owner->first->pid,
		};
		memcpy(holder->comm, owner->first->comm, sizeof(holder->comm));
	}
	return true;
}

/* What cannot be read leaves its reason in the sample. */
static bool read_holders(struct sample *sample, unsigned int device)
{
	struct legend legend;
	struct pages pages;
	bool done = true;

	report_into(sample->reason, sizeof(sample->reason));
	if (!pages_read(device, &pages)) {
		done = legend_make(&legend, &pages);
		if (done)
			done = add_holders(sample, device, &legend);
		legend_free(&legend);
	}
	report_into(NULL, 0);
	pages_free(&pages);
	return done;
}

/* Rates are those since @before, if there is one. False: out of memory. */
bool sample_take(struct sample *sample, const unsigned int *numbers, size_t count,
		 const struct sample *before)
{
	bool done = true;
	size_t i;

	*sample = (struct sample){ .when = now(), .pool_count = count };
	sample->pools = calloc(count + 1, sizeof(*sample->pools));
	if (!sample->pools)
		return false;
	read_pools(sample, numbers, before);
	for (i = 0; i < count && done; i++)
		done = read_holders(sample, numbers[i]);
	return done;
}

void sample_free(struct sample *sample)
{
	free(sample->pools);
	free(sample->holders);
	*sample = (struct sample){ .when = 0 };
}
