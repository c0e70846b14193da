// SPDX-License-Identifier: GPL-2.0
/*
 * Many processes do what they like with two devices, one of them short of pages, and
 * check every page they own for what it must contain. LABYRINTH_SEED repeats their choices,
 * LABYRINTH_OPERATIONS (in all) and LABYRINTH_PROCESSES make it longer and wilder.
 */
#include "storm_limits.h"
#include "storm_run.h"

#define OPERATIONS	6000
#define PROCESSES	6
#define MAX		160	/* pages, where they are scarce */

FIXTURE(storm)
{
	int fds[STORM_DEVICES];
	struct labyrinth_stat before;
	struct storm_run run;
};

FIXTURE_SETUP(storm)
{
	unsigned int processes, i;

	for (i = 0; i < STORM_DEVICES; i++)
		self->fds[i] = open_quiet(_metadata, i, O_RDWR);
	test_stat(self->fds[0], &self->before);
	processes = number_from_environment("LABYRINTH_PROCESSES", PROCESSES);
	storm_prepare(_metadata, &self->run, processes);
	self->run.storm->operations =
		(number_from_environment("LABYRINTH_OPERATIONS", OPERATIONS) + processes - 1) /
		processes;
	/* One is short of pages, and the other notices who writes to a free one. */
	ASSERT_EQ(0, storm_make_scarce(0, MAX));
	ASSERT_EQ(0, storm_watch_free_pages(1, true));
}

FIXTURE_TEARDOWN(storm)
{
	storm_watch_free_pages(1, false);
	restore_watermarks(&self->before);
}

/* Its length is up to the environment; storm_moves() finds out if it hangs. */
TEST_F_TIMEOUT(storm, every_page_has_one_owner_and_its_owners_content, 7200)
{
	struct labyrinth_stat stat;
	unsigned int i;

	storm_start(_metadata, &self->run);
	while (self->run.alive) {
		storm_look_after(&self->run);
		for (i = 0; i < STORM_DEVICES; i++) {
			test_stat(self->fds[i], &stat);
			ASSERT_EQ(stat.total, stat_sum(&stat));
		}
		sleep_ms(20);
	}
	storm_finish(_metadata, &self->run);
	EXPECT_LT(0, atomic_load(&self->run.storm->refused));
	for (i = 0; i < STORM_DEVICES; i++)
		EXPECT_TRUE(wait_until(device_is_quiet(self->fds[i])));
	for (i = 0; i < STORM_DEVICES; i++)
		EXPECT_EQ(self->run.storm->poisoned[i], stat_value(self->fds[i], poisoned));
}

TEST_HARNESS_MAIN
