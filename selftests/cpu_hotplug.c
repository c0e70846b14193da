// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU goes offline, with free pages in its shard and perhaps the device's interrupt on
 * it, and comes back. LABYRINTH_SEED repeats the choices, LABYRINTH_CYCLES makes it longer.
 */
#define _GNU_SOURCE
#include <sched.h>

#include "labyrinth_limits.h"
#include "labyrinth_pool.h"
#include "storm_run.h"

#define CYCLES		4
#define PROCESSES	4
#define MOST_USE	300	/* operations without the CPU, and with it again */
#define SHARD		8	/* pages; fewer than a shard holds */
#define CPU		1
#define ONLINE		"/sys/devices/system/cpu/cpu1/online"

static void set_online(struct __test_metadata *_metadata, bool online)
{
	ASSERT_EQ(0, set_number(ONLINE, online));
}

static int run_on(unsigned int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

FIXTURE(cpu)
{
	int fd;
	struct labyrinth_stat before;
};

FIXTURE_SETUP(cpu)
{
	if (access(ONLINE, W_OK))
		SKIP(return, "there is no second CPU that can be taken offline");
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	test_stat(self->fd, &self->before);
}

FIXTURE_TEARDOWN(cpu)
{
	set_number(ONLINE, 1);
	restore_watermarks(&self->before);
	close(self->fd);
}

TEST_F_TIMEOUT(cpu, free_pages_of_an_offline_cpu_can_be_had, 90)
{
	struct labyrinth_buffer buffers[SHARD];
	struct labyrinth_stat before;
	struct hoard hoard;

	/* Down to the last page: those could be the ones that are kept. */
	ASSERT_EQ(0, set_number(LIMITS "reserve", 0));
	ASSERT_EQ(0, run_on(CPU));
	test_acquire(self->fd, SHARD, buffers);
	test_release(self->fd, SHARD, buffers);
	ASSERT_EQ(0, run_on(0));
	test_stat(self->fd, &before);
	set_online(_metadata, false);
	EXPECT_NE(NULL, hoard_until(_metadata, &hoard, 0, self->fd, buffers, SHARD));
	EXPECT_LT(before.steals, stat_value(self->fd, steals));
	set_online(_metadata, true);
	hoard_close(&hoard);
	EXPECT_TRUE(wait_until(device_is_quiet(self->fd)));
}

TEST_F_TIMEOUT(cpu, storm_goes_on_while_a_cpu_comes_and_goes, 14400)
{
	__u64 cycles = number_from_environment("LABYRINTH_CYCLES", CYCLES), cycle, random;
	struct storm_run run;

	close(self->fd);
	storm_prepare(_metadata, &run, PROCESSES);
	random = run.storm->seed;
	storm_start(_metadata, &run);
	for (cycle = 0; cycle < cycles; cycle++) {
		set_online(_metadata, false);
		storm_wait_for(&run, random_between(&random, 0, MOST_USE));
		set_online(_metadata, true);
		storm_wait_for(&run, random_between(&random, 1, MOST_USE));
	}
	storm_finish(_metadata, &run);
	self->fd = raw_open(0, O_RDWR);
	EXPECT_TRUE(wait_until(device_is_quiet(self->fd)));
	fprintf(stderr, "# did %llu offlines\n", (unsigned long long)cycles);
}

TEST_HARNESS_MAIN
