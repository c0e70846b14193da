// SPDX-License-Identifier: GPL-2.0
/*
 * A device is unplugged and plugged in again while processes do what they like with it.
 * They notice, check that what they had is gone, and go on with the new one. Every other one
 * has too few pages for all.
 * LABYRINTH_SEED repeats their choices, LABYRINTH_CYCLES makes it longer.
 */
#include "labyrinth_pool.h"
#include "storm_limits.h"
#include "storm_run.h"

#define CYCLES		4
#define PROCESSES	4
#define UNBIND_EVERY	4	/* cycles; sysfs takes another way to the driver */
#define MAX		48	/* pages, for all processes; a few operations take them */
#define LEAST_USE	100	/* operations before a device goes; enough for MAX pages */
#define MOST_USE	500

/* What the machine's host can take away, and where it usually is. */
#define HOST_DEVICE	"edu1"
#define HOST_ADDRESS	"0000:00:11.0"
#define HOST_NODE	"/dev/labyrinth1"
#define HOST_NUMBER	1

FIXTURE(hotplug)
{
	const char *host;
	const char *address;
	struct storm_run run;
	__u64 random;
};

FIXTURE_SETUP(hotplug)
{
	self->host = getenv("LABYRINTH_HOST");
	if (!self->host)
		SKIP(return, "no host to unplug devices: LABYRINTH_HOST is not set");
	self->address = getenv("LABYRINTH_HOST_DEVICE");
	if (!self->address)
		self->address = HOST_ADDRESS;
	ASSERT_EQ(0, access(HOST_NODE, F_OK));
	ASSERT_TRUE(device_is_there(self->address));
	storm_prepare(_metadata, &self->run, PROCESSES);
	self->run.storm->may_go = true;
	self->random = self->run.storm->seed;
}

FIXTURE_TEARDOWN(hotplug)
{
	if (!self->address)
		return;
	if (!device_is_there(self->address) && device_bind(self->address))
		host_command(self->host, "device_add " HOST_DEVICE "\n");
	else if (!device_unbind(self->address))	/* with limits as they were */
		device_bind(self->address);
}

/* Looks after the storm until the node is there, or is not. */
#define wait_for_node(run, wanted)					\
({									\
	__u64 _give_up = now_ns() + 60 * NSEC_PER_SEC;			\
									\
	while ((access(HOST_NODE, F_OK) == 0) != (wanted)) {			\
		ASSERT_GT(_give_up, now_ns());				\
		storm_look_after(run);					\
		sleep_ms(2);						\
	}								\
})

/*
 * A new device has neither the limits nor the mode of the old one. Without them, ACQUIRE and
 * RELEASE go the short way.
 */
#define expect_device(run, hard)						\
({									\
	wait_for_node(run, true);					\
	if (hard) {							\
		ASSERT_EQ(0, storm_make_scarce(HOST_NUMBER, MAX));	\
		ASSERT_EQ(0, storm_watch_free_pages(HOST_NUMBER, true));	\
	}								\
})

/* What was the model's of the old device is not the new one's. */
#define new_epoch(run)							\
({									\
	wait_for_node(run, false);					\
	(run)->storm->poisoned[HOST_NUMBER] = 0;			\
	atomic_fetch_add(&(run)->storm->epochs[HOST_NUMBER], 1);	\
})

TEST_F_TIMEOUT(hotplug, a_device_that_comes_and_goes_takes_everything_with_it, 14400)
{
	__u64 cycles = number_from_environment("LABYRINTH_CYCLES", CYCLES), cycle;
	struct storm_run *run = &self->run;
	struct hoard hoard;
	int fd;

	expect_device(run, true);
	storm_start(_metadata, run);
	for (cycle = 0; cycle < cycles; cycle++) {
		storm_wait_for(run, random_between(&self->random, LEAST_USE, MOST_USE));
		ASSERT_EQ(0, host_command(self->host, "device_del " HOST_DEVICE "\n"));
		new_epoch(run);
		ASSERT_EQ(0, host_command(self->host, "device_add " HOST_DEVICE "\n"));
		expect_device(run, cycle % 2);
		if (cycle % 50 == 49)
			fprintf(stderr, "# %llu unplugs so far\n",
				(unsigned long long)cycle + 1);
		if (cycle % UNBIND_EVERY)
			continue;
		storm_wait_for(run, random_between(&self->random, LEAST_USE, MOST_USE));
		ASSERT_EQ(0, device_unbind(self->address));
		new_epoch(run);
		ASSERT_EQ(0, device_bind(self->address));
		expect_device(run, true);
	}
	storm_finish(_metadata, run);
	EXPECT_LT(0, atomic_load(&run->storm->deaths));
	EXPECT_LT(0, atomic_load(&run->storm->refused));
	fd = device_open_at(self->address);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(wait_until(device_is_quiet(fd)));
	hoard_fill(_metadata, &hoard, HOST_NUMBER, fd);
	EXPECT_EQ(0, stat_value(fd, poisoned));
	hoard_close(&hoard);
	fprintf(stderr, "# did %llu unplugs\n", (unsigned long long)cycles);
}

TEST_HARNESS_MAIN
