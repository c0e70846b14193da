// SPDX-License-Identifier: GPL-2.0
/*
 * The module is unloaded and loaded again whenever no file is open, while processes open
 * the devices, use them and close them all the time. LABYRINTH_SEED repeats their choices,
 * LABYRINTH_CYCLES makes it longer.
 */
#include "labyrinth_module.h"
#include "labyrinth_pool.h"
#include "storm_run.h"

#define CYCLES		4
#define PROCESSES	2
#define USE		20	/* operations before it goes */
#define DRIVER_MODULE	"labyrinth"
#define SENTINEL	"sentinel=1"		/* notices who writes to a free page */
#define PATIENCE_NS	(20 * NSEC_PER_MSEC)	/* for a moment without open files */
#define GIVE_UP_NS	(60 * NSEC_PER_SEC)

/* With what this machine needs, if that is not what is usual, and with "more". */
static int load(const char *more)
{
	const char *usual = getenv("LABYRINTH_PARAMETERS");
	char parameters[256];

	snprintf(parameters, sizeof(parameters), "%s %s", usual ? usual : "", more);
	return module_load(DRIVER_MODULE, parameters);
}

FIXTURE(reload)
{
	struct storm_run run;
};

FIXTURE_SETUP(reload)
{
	int fd = module_open(DRIVER_MODULE);

	/* Once unloaded, it would not come back. */
	if (fd < 0)
		SKIP(return, "the module is not installed where it can be loaded from");
	close(fd);
	storm_prepare(_metadata, &self->run, PROCESSES);
	self->run.storm->may_go = true;
	self->run.storm->light = true;
	if (module_unload(DRIVER_MODULE)) {
		if (errno == EPERM)
			SKIP(return, "no right to unload modules");
		ASSERT_EQ(0, errno);
	}
	ASSERT_EQ(0, load(SENTINEL));
}

FIXTURE_TEARDOWN(reload)
{
	module_unload(DRIVER_MODULE);
	if (access("/sys/module/" DRIVER_MODULE, F_OK))
		load("");
}

/* Nobody may have a file open at that moment. */
static void unload(struct __test_metadata *_metadata, struct storm_run *run)
{
	__u64 begin = now_ns();

	while (module_unload(DRIVER_MODULE)) {
		ASSERT_EQ(EAGAIN, errno);
		ASSERT_GT(GIVE_UP_NS, now_ns() - begin);
		/* There may be none for long, unless we see to it. */
		atomic_store(&run->storm->rest, now_ns() - begin > PATIENCE_NS);
		storm_look_after(run);
		sleep_ms(1);
	}
	atomic_store(&run->storm->rest, false);
}

TEST_F_TIMEOUT(reload, a_module_that_comes_and_goes_leaves_nothing_behind, 14400)
{
	__u64 cycles = number_from_environment("LABYRINTH_CYCLES", CYCLES), cycle;
	struct storm_run *run = &self->run;
	struct hoard hoard;
	unsigned int i;
	int fd;

	storm_start(_metadata, run);
	for (cycle = 0; cycle < cycles; cycle++) {
		storm_wait_for(run, USE);
		unload(_metadata, run);
		ASSERT_NE(0, access("/dev/labyrinth0", F_OK));
		for (i = 0; i < STORM_DEVICES; i++) {
			run->storm->poisoned[i] = 0;
			atomic_fetch_add(&run->storm->epochs[i], 1);
		}
		/* Without it, ACQUIRE and RELEASE go the short way. */
		ASSERT_EQ(0, load(cycle % 2 ? SENTINEL : ""));
		ASSERT_EQ(0, access("/dev/labyrinth1", F_OK));
		if (cycle % 50 == 49)
			fprintf(stderr, "# %llu reloads so far\n",
				(unsigned long long)cycle + 1);
	}
	storm_finish(_metadata, run);
	for (i = 0; i < STORM_DEVICES; i++) {
		fd = raw_open(i, O_RDWR);
		ASSERT_LE(0, fd);
		EXPECT_TRUE(wait_until(device_is_quiet(fd)));
		hoard_fill(_metadata, &hoard, i, fd);
		EXPECT_EQ(0, stat_value(fd, poisoned));
		hoard_close(&hoard);
		close(fd);
	}
	fprintf(stderr, "# did %llu reloads\n", (unsigned long long)cycles);
}

TEST_HARNESS_MAIN
