// SPDX-License-Identifier: GPL-2.0
/*
 * Memory runs short again and again while processes do what they like with two devices:
 * pages go back to the system and come again, and each still has one owner and its owner's
 * content. LABYRINTH_SEED repeats the choices, LABYRINTH_CYCLES makes it longer.
 */
#include "labyrinth_pool.h"
#include "labyrinth_pressure.h"
#include "storm_run.h"

#define CYCLES		2
#define PROCESSES	4
#define MOST_USE	400	/* operations between two shortages, and in one */

FIXTURE(storm)
{
	int fds[STORM_DEVICES];
	struct labyrinth_stat before;
	struct storm_run run;
	__u64 random;
};

FIXTURE_SETUP(storm)
{
	unsigned int i;

	if (access(DROP_CACHES, W_OK) || access(LIMITS "low", W_OK))
		SKIP(_exit(KSFT_SKIP), "no right to set limits and to drop caches");
	for (i = 0; i < STORM_DEVICES; i++)
		self->fds[i] = open_quiet(_metadata, i, O_RDWR);
	test_stat(self->fds[0], &self->before);
	ASSERT_LT(self->before.low, self->before.high);
	storm_prepare(_metadata, &self->run, PROCESSES);
	self->random = self->run.storm->seed;
}

FIXTURE_TEARDOWN(storm)
{
	restore_watermarks(&self->before);
}

/* Has the first pool get more than it has to keep, whatever the last shortage left it. */
#define wait_for_surplus(self)						\
({									\
	ASSERT_EQ(0, set_number(LIMITS "low", (self)->before.high));		\
	EXPECT_TRUE(wait_until(stat_value((self)->fds[0], free) >	\
			       (self)->before.low));			\
	ASSERT_EQ(0, set_number(LIMITS "low", (self)->before.low));		\
})

/* No page is lost, whatever is on its way back to the system. */
#define expect_all_counted(self)						\
({									\
	struct labyrinth_stat _stat;					\
	unsigned int _i;						\
									\
	for (_i = 0; _i < STORM_DEVICES; _i++) {			\
		test_stat((self)->fds[_i], &_stat);			\
		ASSERT_EQ(_stat.total, stat_sum(&_stat));		\
	}								\
})

/* By a process that takes all there is, until the storm has had some of it. */
static void run_short(struct __test_metadata *_metadata, struct storm_run *run, __u64 use)
{
	struct peer peer;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid)
		press(_metadata, &peer);
	test_peer_receive(&peer);
	storm_wait_for(run, use);
	test_peer_join(&peer);
}

TEST_F_TIMEOUT(storm, every_page_has_one_owner_while_memory_runs_short, 14400)
{
	__u64 cycles = number_from_environment("LABYRINTH_CYCLES", CYCLES), cycle, use;
	struct storm_run *run = &self->run;
	struct labyrinth_stat after;
	unsigned int i;

	storm_start(_metadata, run);
	for (cycle = 0; cycle < cycles; cycle++) {
		wait_for_surplus(self);
		storm_wait_for(run, random_between(&self->random, 0, MOST_USE));
		use = random_between(&self->random, 0, MOST_USE);
		if (cycle % 2)
			run_short(_metadata, run, use);
		else
			drop_caches(_metadata);
		expect_all_counted(self);
	}
	storm_finish(_metadata, run);
	test_stat(self->fds[0], &after);
	EXPECT_LE(self->before.shrunk + cycles, after.shrunk);
	for (i = 0; i < STORM_DEVICES; i++) {
		EXPECT_TRUE(wait_until(device_is_quiet(self->fds[i])));
		EXPECT_EQ(run->storm->poisoned[i], stat_value(self->fds[i], poisoned));
	}
	fprintf(stderr, "# did %llu shortages\n", (unsigned long long)cycles);
}

TEST_HARNESS_MAIN
