// SPDX-License-Identifier: GPL-2.0
/* Where free pages lie is nobody's concern: each CPU has some at hand, all can be had. */
#include <sched.h>

#include "labyrinth_limits.h"
#include "labyrinth_pool.h"

/* No more than the driver keeps in the shard of one CPU. */
#define PAGES	8

static bool run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

FIXTURE(shards)
{
	int fd;
	cpu_set_t cpus;
	struct labyrinth_stat before;
	struct hoard hoard;
};

FIXTURE_SETUP(shards)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(self->cpus), &self->cpus));
	if (!CPU_ISSET(0, &self->cpus) || !CPU_ISSET(1, &self->cpus))
		SKIP(_exit(KSFT_SKIP), "there are no two CPUs");
	ASSERT_TRUE(run_on(0));
	test_stat(self->fd, &self->before);
	/* Where it lies would decide what has to be stolen. */
	if (set_number(LIMITS "reserve", 0))
		SKIP(_exit(KSFT_SKIP), "no right to change the reserve");
	hoard_fill(_metadata, &self->hoard, 0, self->fd);
}

FIXTURE_TEARDOWN(shards)
{
	hoard_close(&self->hoard);
	restore_watermarks(&self->before);
	sched_setaffinity(0, sizeof(self->cpus), &self->cpus);
	close(self->fd);
}

/* Fresh in its cache: the last page in is the first out, even among many. */
TEST_F(shards, a_cpu_gets_the_page_it_has_just_released)
{
	struct labyrinth_buffer buffer, again;
	int i;

	test_hoard_release(&self->hoard, 2 * PAGES);
	test_acquire(self->fd, 1, &buffer);
	for (i = 0; i < 10; i++) {
		test_release(self->fd, 1, &buffer);
		test_acquire(self->fd, 1, &again);
		EXPECT_EQ(buffer.offset, again.offset);
		EXPECT_NE(buffer.handle, again.handle);
		buffer = again;
	}
}

TEST_F(shards, a_cpu_leaves_the_pages_of_another_as_long_as_it_has_its_own)
{
	struct labyrinth_buffer theirs[PAGES], own[PAGES];
	__u64 steals;

	test_hoard_release(&self->hoard, 2 * PAGES);
	test_acquire(self->fd, PAGES, theirs);
	test_acquire(self->fd, PAGES, own);
	test_release(self->fd, PAGES, own);
	ASSERT_TRUE(run_on(1));
	test_release(self->fd, PAGES, theirs);
	ASSERT_TRUE(run_on(0));
	steals = stat_value(self->fd, steals);
	test_acquire(self->fd, PAGES, own);
	EXPECT_EQ(steals, stat_value(self->fd, steals));
}

TEST_F(shards, nobody_waits_while_another_cpu_has_pages)
{
	struct labyrinth_buffer buffers[PAGES];
	struct labyrinth_stat before, after;

	ASSERT_TRUE(run_on(1));
	test_hoard_release(&self->hoard, PAGES);
	ASSERT_TRUE(run_on(0));
	test_stat(self->fd, &before);
	EXPECT_EQ(PAGES, before.free);
	ASSERT_EQ(PAGES, raw_acquire(self->fd, LABYRINTH_ACQUIRE_NOWAIT, PAGES, buffers));
	test_stat(self->fd, &after);
	EXPECT_EQ(before.steals + PAGES, after.steals);
	EXPECT_EQ(before.exhaustion_waits, after.exhaustion_waits);
	EXPECT_EQ(after.total, stat_sum(&after));
}

TEST_F(shards, the_reserve_is_kept_over_all_cpus)
{
	struct labyrinth_buffer buffers[PAGES];

	ASSERT_TRUE(run_on(1));
	test_hoard_release(&self->hoard, 2 * PAGES - 1);
	ASSERT_EQ(0, set_number(LIMITS "reserve", 8));
	test_err_acquire(EAGAIN, self->fd, LABYRINTH_ACQUIRE_NOWAIT, PAGES, buffers);
	ASSERT_TRUE(run_on(0));
	test_err_acquire(EAGAIN, self->fd, LABYRINTH_ACQUIRE_NOWAIT, PAGES, buffers);
	EXPECT_EQ(PAGES - 1, raw_acquire(self->fd, LABYRINTH_ACQUIRE_NOWAIT |
					 LABYRINTH_ACQUIRE_PARTIAL, PAGES, buffers));
}

#define CROSSINGS	2000

/* Another CPU's release meets our acquire in every way, and no page is missed. */
struct mover {
	int fd;
	int cpu;
	atomic_int failures;
};

static void *move_pages(void *argument)
{
	struct mover *mover = argument;
	struct labyrinth_buffer buffer;
	int i;

	run_on(mover->cpu);
	for (i = 0; i < CROSSINGS; i++) {
		if (raw_acquire(mover->fd, LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer) != 1 ||
		    raw_release(mover->fd, 0, 1, &buffer))
			atomic_fetch_add(&mover->failures, 1);
		if (i % 3 == 0)
			run_on(mover->cpu ^= 1);
	}
	return NULL;
}

TEST_F_TIMEOUT(shards, as_many_pages_as_users_are_enough_for_all, 60)
{
	struct mover movers[4] = {};
	pthread_t threads[4];
	unsigned int i;

	test_hoard_release(&self->hoard, ARRAY_COUNT(movers));
	for (i = 0; i < ARRAY_COUNT(movers); i++) {
		movers[i].fd = self->fd;
		movers[i].cpu = i & 1;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, move_pages, &movers[i]));
	}
	for (i = 0; i < ARRAY_COUNT(movers); i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_EQ(0, atomic_load(&movers[i].failures));
	}
	EXPECT_EQ(ARRAY_COUNT(movers), stat_value(self->fd, free));
}

TEST_HARNESS_MAIN
