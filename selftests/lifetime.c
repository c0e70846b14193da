// SPDX-License-Identifier: GPL-2.0
/* A device may go at any time; what used it is told, and nothing is left behind. */
#include <pthread.h>

#include "labyrinth_device.h"
#include "labyrinth_peer.h"
#include "labyrinth_pool.h"
#include "labyrinth_stall.h"

/* sysfs unbind, on the second device, so that the first one is never missed. */
FIXTURE(unbind)
{
	int fd;
	char address[ADDRESS_SIZE];
	struct labyrinth_buffer buffers[2];
	__u64 started;
};

FIXTURE_SETUP(unbind)
{
	self->fd = open_quiet(_metadata, 1, O_RDWR);
	ASSERT_EQ(0, device_address(self->fd, self->address));
	if (access(DRIVER "unbind", W_OK))
		SKIP(return, "no right to unbind devices");
	test_acquire(self->fd, 2, self->buffers);
	fault_catch();
	self->started = now_ns();
}

FIXTURE_TEARDOWN(unbind)
{
	close(self->fd);
	if (!device_is_there(self->address))
		device_bind(self->address);
}

/* remove() waits for nobody for long. */
#define test_unbind()							\
({									\
	__u64 _start = now_ns();					\
									\
	ASSERT_EQ(0, device_unbind(self->address));			\
	EXPECT_GT(2 * SOON_NS, now_ns() - _start);			\
})

TEST_F(unbind, open_file_gets_enodev)
{
	struct labyrinth_event event;

	test_unbind();
	expect_dead(_metadata, self->fd, &self->buffers[0]);
	EXPECT_ERRNO(ENODEV, read(self->fd, &event, sizeof(event)));
	EXPECT_FALSE(device_is_there(self->address));
	EXPECT_EQ(0, close(self->fd));
}

TEST_F(unbind, mapped_pages_are_sigbus)
{
	struct labyrinth_info info;
	char *arena, *alone;
	int pipefd[2];

	test_info(self->fd, &info);
	arena = test_map_arena(self->fd, &info);
	alone = test_map_buffer(self->fd, &self->buffers[1]);
	test_touch(arena + self->buffers[0].offset);
	test_touch(alone);
	ASSERT_EQ(0, pipe(pipefd));
	test_unbind();
	test_sigbus(arena + self->buffers[0].offset);
	test_sigbus(arena + self->buffers[1].offset);
	test_sigbus(alone);
	EXPECT_ERRNO(EFAULT, write(pipefd[1], alone, 1));
	/* The mapping outlives the file, and still leads nowhere. */
	ASSERT_EQ(0, close(self->fd));
	test_sigbus(alone);
}

TEST_F(unbind, waiter_gets_enodev)
{
	struct waiter waiter = { .count = 1 };
	struct hoard hoard;

	waiter.fd = raw_open(1, O_RDWR);
	hoard_fill(_metadata, &hoard, 1, self->fd);
	waiter_start(_metadata, &waiter);
	test_unbind();
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(-1, waiter.result);
	EXPECT_EQ(ENODEV, waiter.error);
	hoard_close(&hoard);
}

struct stalled {
	int fd;
	unsigned int count;
	struct labyrinth_buffer *buffers;
	int result;
	int error;
};

static void *stalled_acquire(void *argument)
{
	struct stalled *stalled = argument;

	stalled->result = raw_acquire(stalled->fd, 0, stalled->count, stalled->buffers);
	stalled->error = errno;
	return NULL;
}

/* It has its page, and is about to say so, when the page goes. */
static void be_overtaken(struct __test_metadata *_metadata, int fd, const char *address,
			 unsigned int count)
{
	struct stalled stalled = { .fd = fd, .count = count };
	struct pollfd faults = { .events = POLLIN };
	pthread_t thread;

	stalled.buffers = stall_memory(&faults.fd);
	if (!stalled.buffers)
		SKIP(return, "no userfaultfd in this kernel");
	ASSERT_EQ(0, pthread_create(&thread, NULL, stalled_acquire, &stalled));
	ASSERT_EQ(1, poll(&faults, 1, 5000));
	ASSERT_EQ(0, device_unbind(address));
	ASSERT_EQ(0, stall_end(faults.fd, stalled.buffers));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-1, stalled.result);
	EXPECT_EQ(ENODEV, stalled.error);
	close(faults.fd);
}

TEST_F(unbind, acquire_that_removal_overtakes_is_enodev)
{
	be_overtaken(_metadata, self->fd, self->address, 2);
}

/* Which goes another way in the driver. */
TEST_F(unbind, acquire_of_a_page_at_hand_that_removal_overtakes_is_enodev)
{
	cpu_set_t cpus;

	have_some_at_hand(_metadata, self->fd, &cpus);
	be_overtaken(_metadata, self->fd, self->address, 1);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpus), &cpus));
}

struct reader {
	int fd;
	int error;
	atomic_bool reading;
};

static void *reader_run(void *argument)
{
	struct reader *reader = argument;
	struct labyrinth_event event;

	atomic_store(&reader->reading, true);
	if (read(reader->fd, &event, sizeof(event)) < 0)
		reader->error = errno;
	return NULL;
}

TEST_F(unbind, reader_and_poller_wake_up)
{
	struct reader reader = { .fd = self->fd };
	pthread_t thread;
	struct peer peer;

	/* poll() and read() are free for other processes, so let one sleep in it. */
	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		EXPECT_EQ(POLLERR | POLLHUP, poll_woken(self->fd, POLLIN, 20000));
		test_child_exit();
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, reader_run, &reader));
	ASSERT_TRUE(wait_until(atomic_load(&reader.reading)));
	sleep_ms(200);
	test_unbind();
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(ENODEV, reader.error);
	test_peer_join(&peer);
}

/* The file there that looks at the device's pages. */
static bool debugfs_pages(int fd, char *path, size_t size)
{
	char link[64], target[256] = "";
	struct stat stat;

	if (fstat(fd, &stat))
		return false;
	snprintf(link, sizeof(link), "/sys/dev/char/%u:%u", major(stat.st_rdev),
		 minor(stat.st_rdev));
	if (readlink(link, target, sizeof(target) - 1) < 0)
		return false;
	snprintf(path, size, "/sys/kernel/debug/labyrinth%s/pages", strrchr(target, '/'));
	return !access(path, R_OK);
}

TEST_F(unbind, debugfs_shows_it_no_longer)
{
	char path[320], text[256];
	int pages;

	if (!debugfs_pages(self->fd, path, sizeof(path)))
		SKIP(return, "debugfs is not mounted");
	pages = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, pages);
	test_unbind();
	EXPECT_ERRNO(ENOENT, access(path, F_OK));
	EXPECT_ERRNO(EIO, read(pages, text, sizeof(text)));
	close(pages);
}

struct page_reader {
	int fd;
	void *to;
};

static void *page_reader_run(void *argument)
{
	struct page_reader *reader = argument;

	return (void *)read(reader->fd, reader->to, page_size());
}

static void *unbind_run(void *address)
{
	return device_unbind(address) ? address : NULL;
}

/* Removal goes as far as it can, and only then waits for who reads in debugfs. */
TEST_F(unbind, reader_in_debugfs_who_is_stuck_keeps_nobody_else_waiting)
{
	pthread_t thread, unbinder;
	struct page_reader reader;
	char path[320];
	void *failed;
	int faults;

	if (!debugfs_pages(self->fd, path, sizeof(path)))
		SKIP(return, "debugfs is not mounted");
	reader.to = stall_memory(&faults);
	if (!reader.to)
		SKIP(return, "no userfaultfd in this kernel");
	reader.fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, reader.fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, page_reader_run, &reader));
	ASSERT_TRUE(wait_until(poll_now(faults) & POLLIN));
	ASSERT_EQ(0, pthread_create(&unbinder, NULL, unbind_run, self->address));
	EXPECT_TRUE(wait_until(poll_now(self->fd) & POLLERR));
	expect_dead(_metadata, self->fd, &self->buffers[0]);
	EXPECT_EQ(0, stall_end(faults, reader.to));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, pthread_join(unbinder, &failed));
	EXPECT_EQ(NULL, failed);
	close(reader.fd);
	close(faults);
}

TEST_F(unbind, copies_in_flight_end_with_enodev_events)
{
	struct labyrinth_event event;
	int i;

	for (i = 0; i < 3; i++)
		test_copy(self->fd, self->buffers[0].handle, 0,
			  self->buffers[1].handle, 0, 4096, i);
	test_unbind();
	EXPECT_EQ(POLLIN, poll_now(self->fd) & POLLIN);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, raw_event(self->fd, &event));
		EXPECT_EQ(i, event.user_data);
		/* The first may just have ended; the last cannot have begun. */
		if (i)
			EXPECT_EQ(-ENODEV, event.result);
	}
	EXPECT_ERRNO(ENODEV, read(self->fd, &event, sizeof(event)));
}

TEST_F(unbind, event_of_an_ended_copy_is_delivered_afterwards)
{
	struct labyrinth_event event;

	test_copy(self->fd, self->buffers[0].handle, 0, self->buffers[1].handle, 0,
		  1, 11);
	ASSERT_TRUE(wait_until(poll_now(self->fd) & POLLIN));
	test_unbind();
	test_event(self->fd, 11, 0);
	EXPECT_ERRNO(ENODEV, read(self->fd, &event, sizeof(event)));
}

TEST_F(unbind, bind_gives_a_new_device_and_the_old_file_stays_dead)
{
	struct labyrinth_stat stat;
	struct labyrinth_buffer fresh;
	int fd;

	test_unbind();
	ASSERT_EQ(0, device_bind(self->address));
	ASSERT_TRUE(wait_until(device_is_there(self->address)));
	fd = device_open_at(self->address);
	test_stat(fd, &stat);
	EXPECT_EQ(0, stat.owned);
	EXPECT_EQ(0, stat.quarantined);
	EXPECT_EQ(0, stat.acquired);
	EXPECT_LE(stat.low, stat.free);
	EXPECT_EQ(stat.total, stat_sum(&stat));
	expect_dead(_metadata, self->fd, &self->buffers[0]);
	test_acquire(fd, 1, &fresh);
	EXPECT_TRUE(all_bytes_are(test_map_buffer(fd, &fresh), page_size(), 0));
	/* The old file's end must not touch what is the new device's. */
	ASSERT_EQ(0, close(self->fd));
	EXPECT_EQ(1, stat_value(fd, owned));
	test_release(fd, 1, &fresh);
}

TEST_F_TIMEOUT(unbind, device_goes_and_comes_back_under_load, 90)
{
	struct load load;
	int cycle, fd;

	ASSERT_EQ(0, close(self->fd));
	for (cycle = 0; cycle < 3; cycle++) {
		fd = device_open_at(self->address);
		ASSERT_LE(0, fd);
		load_start(_metadata, &load, fd);
		test_unbind();
		load_expect_dead(_metadata, &load);
		ASSERT_EQ(0, device_bind(self->address));
		ASSERT_TRUE(wait_until(device_is_there(self->address)));
	}
	self->fd = device_open_at(self->address);
	EXPECT_TRUE(wait_until(device_is_quiet(self->fd)));
}

/* A process that opens, acquires and leaves for as long as it is let. */
static void come_and_go(const char *address)
{
	struct labyrinth_buffer buffers[8];
	int fd;

	for (;;) {
		fd = device_open_at(address);
		if (fd < 0)
			continue;
		raw_acquire(fd, LABYRINTH_ACQUIRE_NOWAIT, 8, buffers);
		raw_release(fd, 0, 4, buffers);
		close(fd);
	}
}

TEST_F_TIMEOUT(unbind, open_and_close_may_race_with_removal, 90)
{
	struct peer peer;
	int cycle;

	ASSERT_EQ(0, close(self->fd));
	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid)
		come_and_go(self->address);
	for (cycle = 0; cycle < 6; cycle++) {
		sleep_ms(30);
		test_unbind();
		ASSERT_EQ(0, device_bind(self->address));
		ASSERT_TRUE(wait_until(device_is_there(self->address)));
	}
	test_peer_kill(&peer);
	self->fd = device_open_at(self->address);
	ASSERT_LE(0, self->fd);
	EXPECT_TRUE(wait_until(device_is_quiet(self->fd)));
}

/* Real hot-unplug: the machine's host takes edu1 away and gives it back. */
#define CYCLES		25
#define WARM_UP		5

FIXTURE(unplug)
{
	const char *host;
	const char *address;	/* of edu1, which depends on the machine */
};

FIXTURE_SETUP(unplug)
{
	self->host = getenv("LABYRINTH_HOST");
	self->address = getenv("LABYRINTH_HOST_DEVICE");
	if (!self->host || !self->address)
		SKIP(return, "no host to unplug devices: LABYRINTH_HOST, _HOST_DEVICE not set");
	ASSERT_TRUE(device_is_there(self->address));
}

FIXTURE_TEARDOWN(unplug)
{
	if (self->address && !device_is_there(self->address))
		host_command(self->host, "device_add edu1\n");
}

/* A slot may take seconds, whatever the driver does: one on PCIe waits for five. */
static bool wait_for_slot(const char *address, bool there)
{
	int tries;

	for (tries = 0; tries < 6; tries++)
		if (wait_until(device_is_there(address) == there))
			return true;
	return false;
}

/* The number behind a name in a file like /proc/meminfo. */
static long file_value(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	long value = -1;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = strtol(line + strlen(name), NULL, 10);
	if (file)
		fclose(file);
	return value;
}

/* In KiB. The kernel leaves out what each CPU has put by, which may be a megabyte. */
static long memory_available(void)
{
	long available = file_value("/proc/meminfo", "MemAvailable:"), pages;
	FILE *file = fopen("/proc/zoneinfo", "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " count: %ld", &pages) == 1)
			available += pages * (long)page_size() / 1024;
	if (file)
		fclose(file);
	return available;
}

TEST_F_TIMEOUT(unplug, twenty_five_times_under_load_without_a_leak, 400)
{
	/* In KiB. A pool is a megabyte: leaking it twice in 20 cycles shows. */
	long available = 0, slab = 0, bound = 2048;
	unsigned int ioremaps = 0, interrupts = 0;
	struct load load;
	int cycle, fd;

	/*
	 * A kernel with KASAN keeps freed memory back and remembers who had it. There a
	 * leak in every second cycle shows, and kmemleak sees the small ones.
	 */
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		bound = 5 * bound;
	for (cycle = 0; cycle < CYCLES; cycle++) {
		/* By then, what the kernel allocates once has been allocated. */
		if (cycle == WARM_UP) {
			available = memory_available();
			slab = file_value("/proc/meminfo", "Slab:");
			ioremaps = lines_with("/proc/vmallocinfo", "ioremap");
			interrupts = lines_with("/proc/interrupts", "labyrinth");
		}
		fd = device_open_at(self->address);
		ASSERT_LE(0, fd);
		load_start(_metadata, &load, fd);
		ASSERT_EQ(0, host_command(self->host, "device_del edu1\n"));
		ASSERT_TRUE(wait_for_slot(self->address, false));
		load_expect_dead(_metadata, &load);
		ASSERT_EQ(0, host_command(self->host, "device_add edu1\n"));
		ASSERT_TRUE(wait_for_slot(self->address, true));
	}
	EXPECT_GT(bound, available - memory_available());
	EXPECT_GT(bound, file_value("/proc/meminfo", "Slab:") - slab);
	EXPECT_EQ(ioremaps, lines_with("/proc/vmallocinfo", "ioremap"));
	EXPECT_EQ(interrupts, lines_with("/proc/interrupts", "labyrinth"));
	fd = device_open_at(self->address);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(wait_until(device_is_quiet(fd)));
	close(fd);
}

TEST_HARNESS_MAIN
