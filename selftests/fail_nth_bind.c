// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of a probe fails once, and each of a removal: the device is bound as a
 * whole or not at all, nothing is left behind, and the next time works.
 */
#include "labyrinth_inject.h"
#include "labyrinth_reload.h"

/* A small pool: each of its pages is a chance to fail, and one is like the other. */
#define SMALL		"max=8 high=2 low=1 reserve=1"
#define SMALL_HIGH	2

#define MOST_CHANCES	1500

/* Probes differ in how often they allocate: this many in a row must have had no chance left. */
#define MISSES		5

#define NUMBER		1	/* of the device, always: none may stay taken */

/*
 * Where a file of /proc/irq/N could not be made, the kernel takes it away all the same,
 * and warns that it was not there (6.1 and 6.12, unregister_irq_proc()).
 */
#define SPARED		"register_irq_proc"

struct binding {
	struct nth nth;
	char address[ADDRESS_SIZE];
	struct loaded loaded;
	int bind;
	int unbind;
	unsigned int ioremaps;
	unsigned int interrupts;
};

FIXTURE(bind)
{
	struct binding binding;
};

/* EBUSY: that is what the kernel says if it cannot note that the BAR is taken. */
static bool may_refuse_with(int error)
{
	return error == ENOMEM || error == EFAULT || error == EBUSY;
}

static void count_resources(struct binding *self)
{
	self->ioremaps = lines_with("/proc/vmallocinfo", "ioremap");
	self->interrupts = lines_with("/proc/interrupts", DRIVER_MODULE);
}

FIXTURE_SETUP(bind)
{
	int fd = open_quiet(_metadata, NUMBER, O_RDWR);

	nth_require(_metadata, &self->binding.nth);
	inject_spare_require(_metadata);
	ASSERT_TRUE(inject_spare(_metadata, SPARED));
	ASSERT_EQ(0, device_address(fd, self->binding.address));
	ASSERT_EQ(0, close(fd));
	loaded_remember(_metadata, &self->binding.loaded);
	reload(_metadata, SMALL);
	inject_require_own(_metadata);
	self->binding.bind = open(DRIVER "bind", O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, self->binding.bind);
	self->binding.unbind = open(DRIVER "unbind", O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, self->binding.unbind);
}

FIXTURE_TEARDOWN(bind)
{
	nth_end(_metadata, &self->binding.nth);
	inject_spare_nothing(_metadata);
	close(self->binding.bind);
	close(self->binding.unbind);
	reload(_metadata, self->binding.loaded.parameters);
	EXPECT_TRUE(wait_until(device_is_there(self->binding.address)));
}

static int write_address(struct binding *self, int fd)
{
	ssize_t length = strlen(self->address);

	return pwrite(fd, self->address, length, 0) == length ? 0 : -1;
}

static bool is_bound(struct binding *self)
{
	char path[sizeof(DRIVER) + ADDRESS_SIZE];

	snprintf(path, sizeof(path), DRIVER "%s", self->address);
	return !access(path, F_OK);
}

static void expect_nothing_left(struct __test_metadata *_metadata,
				struct binding *self)
{
	EXPECT_FALSE(is_bound(self));
	EXPECT_FALSE(device_is_there(self->address));
	EXPECT_EQ(self->ioremaps, lines_with("/proc/vmallocinfo", "ioremap"));
	EXPECT_EQ(self->interrupts, lines_with("/proc/interrupts", DRIVER_MODULE));
}

static int expect_device(struct __test_metadata *_metadata, struct binding *self)
{
	struct labyrinth_stat stat;
	int fd;

	EXPECT_TRUE(is_bound(self));
	EXPECT_TRUE(wait_until(device_is_there(self->address)));
	fd = device_open_at(self->address);
	ASSERT_LE(0, fd);
	EXPECT_EQ(NUMBER, device_number(fd));
	test_stat(fd, &stat);
	/* A pool that could be filled in part is a smaller one, until it is refilled. */
	EXPECT_LE(1, stat.total);
	EXPECT_GE(SMALL_HIGH, stat.total);
	EXPECT_EQ(stat.total, stat.free);
	return fd;
}

TEST_F_TIMEOUT(bind, device_is_bound_as_a_whole_or_not_at_all, 500)
{
	unsigned int n = 0, hits = 0, misses = 0, refused = 0;
	int result, error;
	bool hit;

	ASSERT_EQ(0, write_address(&self->binding, self->binding.unbind));
	count_resources(&self->binding);
	do {
		ASSERT_GT(MOST_CHANCES, ++n);
		nth_set(_metadata, &self->binding.nth, n);
		errno = 0;
		result = write_address(&self->binding, self->binding.bind);
		error = errno;
		hit = nth_end(_metadata, &self->binding.nth);
		hits += hit;
		misses = hit ? 0 : misses + 1;
		if (result) {
			refused++;
			EXPECT_TRUE(hit);
			if (!may_refuse_with(error))
				TH_LOG("bind, chance %u: errno %d", n, error);
			EXPECT_TRUE(may_refuse_with(error));
			expect_nothing_left(_metadata, &self->binding);
			ASSERT_EQ(0, write_address(&self->binding, self->binding.bind));
		}
		close(expect_device(_metadata, &self->binding));
		ASSERT_EQ(0, write_address(&self->binding, self->binding.unbind));
		expect_nothing_left(_metadata, &self->binding);
	} while (misses < MISSES);
	TH_LOG("probe: %u failures injected, %u refused", hits, refused);
	EXPECT_LT(0, refused);
	ASSERT_EQ(0, write_address(&self->binding, self->binding.bind));
}

TEST_F_TIMEOUT(bind, removal_goes_through_or_does_not_begin, 500)
{
	unsigned int n = 0, hits = 0, misses = 0, refused = 0;
	struct labyrinth_buffer buffer;
	struct labyrinth_stat stat;
	int fd, result, error;
	char *page;
	bool hit;

	fault_catch();
	ASSERT_EQ(0, write_address(&self->binding, self->binding.unbind));
	count_resources(&self->binding);
	ASSERT_EQ(0, write_address(&self->binding, self->binding.bind));
	do {
		ASSERT_GT(MOST_CHANCES, ++n);
		fd = expect_device(_metadata, &self->binding);
		test_acquire(fd, 1, &buffer);
		page = test_map_buffer(fd, &buffer);
		test_touch(page);
		nth_set(_metadata, &self->binding.nth, n);
		errno = 0;
		result = write_address(&self->binding, self->binding.unbind);
		error = errno;
		hit = nth_end(_metadata, &self->binding.nth);
		hits += hit;
		misses = hit ? 0 : misses + 1;
		if (result) {
			refused++;
			EXPECT_TRUE(hit);
			EXPECT_TRUE(error == ENOMEM || error == EFAULT);
			test_touch(page);
			test_stat(fd, &stat);
			ASSERT_EQ(0, write_address(&self->binding, self->binding.unbind));
		}
		expect_nothing_left(_metadata, &self->binding);
		EXPECT_ERRNO(ENODEV, raw_stat(fd, &stat));
		test_sigbus(page);
		EXPECT_EQ(0, munmap(page, buffer.length));
		EXPECT_EQ(0, close(fd));
		ASSERT_EQ(0, write_address(&self->binding, self->binding.bind));
	} while (misses < MISSES);
	TH_LOG("removal: %u failures injected, %u refused", hits, refused);
	EXPECT_LT(0, hits);
}

TEST_HARNESS_MAIN
