// SPDX-License-Identifier: GPL-2.0
/* In sentinel mode, whoever writes to a page that nobody owns is noticed. */
#include <sched.h>

#include "labyrinth_sentinel.h"
#include "labyrinth_trace.h"

/* More than the reserve, fewer than what is free beyond the low watermark. */
#define BROKEN		64

/* What the device writes: neither zeroes nor a likely pattern. */
#define STRAY_BYTE	0x7e

/* A device that is new has neither limits nor pages from before. */
static void end_sentinel(struct __test_metadata *_metadata, int fd, const char *address)
{
	sentinel_write(fd, "0");
	close(fd);
	client_unload();
	stray_unload();
	device_renew(_metadata, address);
}

/* Opens the kernel's log; only what comes from here on is read. */
static int log_open(struct __test_metadata *_metadata)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	ASSERT_LE(0, log);
	ASSERT_EQ(0, lseek(log, 0, SEEK_END));
	return log;
}

struct report {
	char device[ADDRESS_SIZE];
	unsigned long long offset;
	unsigned int byte;
};

/* The next page that the log says is poisoned, and whether there is one. */
static bool log_next(int log, struct report *report)
{
	char record[1024];
	const char *text;
	ssize_t length;

	while ((length = read(log, record, sizeof(record) - 1)) > 0) {
		record[length] = 0;
		text = strstr(record, ";labyrinth ");
		if (text && sscanf(text,
				   ";labyrinth %31s page at arena offset %llx is poisoned: byte %u of it",
				   report->device, &report->offset, &report->byte) == 3) {
			report->device[strlen(report->device) - 1] = 0;	/* a colon */
			return true;
		}
	}
	return false;
}

static bool is_zero(int fd, const struct labyrinth_buffer *buffer)
{
	char *page = raw_map(fd, PROT_READ, buffer->length, buffer->offset);
	bool zero = page != MAP_FAILED && all_bytes_are(page, buffer->length, 0);

	munmap(page, buffer->length);
	return zero;
}

/* One page that is broken while it is free. */
FIXTURE(stray)
{
	int fd;
	int log;
	char address[ADDRESS_SIZE];
	const char *tracing;
};

FIXTURE_VARIANT(stray)
{
	bool by_device;
	bool into_zeroes;	/* the mode was off when the page became free */
	unsigned int offset;
	unsigned int length;
};

FIXTURE_VARIANT_ADD(stray, store_to_first_byte) { .offset = 0, .length = 1 };
FIXTURE_VARIANT_ADD(stray, store_to_middle) { .offset = 2048, .length = 1 };
FIXTURE_VARIANT_ADD(stray, store_to_last_byte) { .offset = 4095, .length = 1 };
FIXTURE_VARIANT_ADD(stray, store_into_zeroes)
{
	.into_zeroes = true, .offset = 1777, .length = 1,
};

FIXTURE_VARIANT_ADD(stray, dma_to_first_byte)
{
	.by_device = true, .offset = 0, .length = 1,
};

FIXTURE_VARIANT_ADD(stray, dma_to_middle)
{
	.by_device = true, .offset = 2047, .length = 3,
};

FIXTURE_VARIANT_ADD(stray, dma_to_last_byte)
{
	.by_device = true, .offset = 4095, .length = 1,
};

FIXTURE_VARIANT_ADD(stray, dma_of_a_chunk)
{
	.by_device = true, .offset = 1, .length = 4095,
};

FIXTURE_VARIANT_ADD(stray, dma_into_zeroes)
{
	.by_device = true, .into_zeroes = true, .offset = 64, .length = 512,
};

FIXTURE_SETUP(stray)
{
	self->fd = open_with_sentinel(_metadata, variant->into_zeroes ? "0" : "1");
	ASSERT_EQ(0, device_address(self->fd, self->address));
	client_require(_metadata, self->fd);
	stray_require(_metadata, self->fd);
	stray_load_device(_metadata, self->fd, STRAY_BYTE);
	self->tracing = tracing_begin(LABYRINTH_EVENTS, "1");
	if (self->tracing) {
		put_text(self->tracing, "tracing_on", "1");
		put_text(self->tracing, "trace", "\n");
	}
	self->log = log_open(_metadata);
	stray_remember(_metadata, self->fd, 1);
	ASSERT_EQ(0, variant->by_device ?
		     stray_dma(0, variant->offset, variant->length) :
		     stray_store(0, variant->offset));
	if (variant->into_zeroes)
		ASSERT_EQ(0, sentinel_write(self->fd, "1"));
}

FIXTURE_TEARDOWN(stray)
{
	if (self->tracing)
		tracing_end(self->tracing, LABYRINTH_EVENTS);
	close(self->log);
	end_sentinel(_metadata, self->fd, self->address);
}

TEST_F(stray, write_is_noticed_and_the_page_and_byte_are_named_once)
{
	struct report report, second;
	struct labyrinth_stat after;
	char text[64];

	look_at_all(_metadata, self->fd);
	look_at_all(_metadata, self->fd);
	test_stat(self->fd, &after);
	EXPECT_EQ(1, after.poisoned);
	EXPECT_EQ(after.total, stat_sum(&after));
	ASSERT_TRUE(log_next(self->log, &report));
	EXPECT_STREQ(self->address, report.device);
	EXPECT_EQ(0, report.offset % page_size());
	EXPECT_EQ(variant->offset, report.byte);
	EXPECT_FALSE(log_next(self->log, &second));
	if (!self->tracing)
		SKIP_REST(return, "no tracefs with labyrinth events");
	snprintf(text, sizeof(text), "offset=0x%llx byte=%u", report.offset, report.byte);
	EXPECT_EQ(1, count_lines(self->tracing, "labyrinth_poison:", text));
	EXPECT_EQ(1, count_lines(self->tracing, "labyrinth_poison:", self->address));
}

TEST_F_TIMEOUT(stray, page_is_never_handed_out_again, 60)
{
	struct labyrinth_stat stat;
	struct report report;
	struct hoard hoard;
	unsigned int i;
	int round;

	look_at_all(_metadata, self->fd);
	ASSERT_TRUE(log_next(self->log, &report));
	for (round = 0; round < 2; round++) {
		hoard_fill(_metadata, &hoard, 0, self->fd);
		test_stat(self->fd, &stat);
		EXPECT_EQ(stat.max - stat.reserve - 1, hoard.count);
		EXPECT_EQ(1, stat.poisoned);
		EXPECT_EQ(stat.total, stat_sum(&stat));
		for (i = 0; i < hoard.count; i++) {
			ASSERT_NE(report.offset, hoard.buffers[i].offset);
			ASSERT_TRUE(is_zero(hoard.owners[i], &hoard.buffers[i]));
		}
		hoard_close(&hoard);
		ASSERT_TRUE(wait_until(device_is_quiet(self->fd)));
		/* Not even once nobody looks any more. */
		ASSERT_EQ(0, sentinel_write(self->fd, "0"));
	}
	look_at_all(_metadata, self->fd);
	EXPECT_EQ(1, stat_value(self->fd, poisoned));
}

TEST_F(stray, page_is_not_handed_out_alone_by_the_cpu_that_has_it_at_hand)
{
	struct labyrinth_buffer buffers[24];
	cpu_set_t before, here;
	unsigned int cpu, i;

	ASSERT_EQ(0, sched_getaffinity(0, sizeof(before), &before));
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &before))
			continue;
		CPU_ZERO(&here);
		CPU_SET(cpu, &here);
		ASSERT_EQ(0, sched_setaffinity(0, sizeof(here), &here));
		for (i = 0; i < ARRAY_COUNT(buffers); i++) {
			test_acquire(self->fd, 1, &buffers[i]);
			ASSERT_TRUE(is_zero(self->fd, &buffers[i]));
		}
		test_release(self->fd, ARRAY_COUNT(buffers), buffers);
	}
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(before), &before));
	look_at_all(_metadata, self->fd);
	EXPECT_EQ(1, stat_value(self->fd, poisoned));
}

/* Many broken pages, and those who come across them. */
FIXTURE(broken)
{
	int fd;
	int log;
	char address[ADDRESS_SIZE];
	struct labyrinth_stat before;
};

FIXTURE_SETUP(broken)
{
	unsigned int i;

	self->fd = open_with_sentinel(_metadata, "1");
	ASSERT_EQ(0, device_address(self->fd, self->address));
	client_require(_metadata, self->fd);
	stray_require(_metadata, self->fd);
	stray_remember(_metadata, self->fd, BROKEN);
	for (i = 0; i < BROKEN; i++)
		ASSERT_EQ(0, stray_store(i, i * 64));
	self->log = log_open(_metadata);
	test_stat(self->fd, &self->before);
	ASSERT_GT(BROKEN, self->before.reserve);
}

FIXTURE_TEARDOWN(broken)
{
	close(self->log);
	end_sentinel(_metadata, self->fd, self->address);
}

TEST_F(broken, acquire_that_meets_them_gets_as_many_intact_pages)
{
	struct labyrinth_buffer buffers[BROKEN];
	struct labyrinth_stat after;
	int i;

	test_acquire(self->fd, BROKEN, buffers);
	for (i = 0; i < BROKEN; i++)
		ASSERT_TRUE(is_zero(self->fd, &buffers[i]));
	test_stat(self->fd, &after);
	EXPECT_LT(0, after.poisoned);
	EXPECT_EQ(BROKEN, after.owned);
	EXPECT_EQ(BROKEN, after.charged);
	EXPECT_EQ(self->before.acquired + BROKEN, after.acquired);
	EXPECT_EQ(after.total, stat_sum(&after));
}

TEST_F(broken, partial_acquire_is_content_with_those_that_are_intact)
{
	unsigned int most = self->before.free - self->before.reserve;
	struct labyrinth_buffer *buffers = calloc(most, sizeof(*buffers));
	struct labyrinth_stat after;
	int count, i;

	ASSERT_NE(NULL, buffers);
	count = raw_acquire(self->fd, LABYRINTH_ACQUIRE_PARTIAL, most, buffers);
	test_stat(self->fd, &after);
	EXPECT_LT(0, after.poisoned);
	EXPECT_EQ(most - after.poisoned, count);
	EXPECT_EQ(count, after.owned);
	EXPECT_EQ(count, after.charged);
	for (i = 0; i < count; i++)
		ASSERT_TRUE(is_zero(self->fd, &buffers[i]));
	free(buffers);
}

TEST_F(broken, client_in_the_kernel_gets_intact_pages_in_hard_interrupts)
{
	struct labyrinth_stat after;
	long long failed;

	ASSERT_EQ(0, client_take("hardirq", BROKEN));
	/* One call goes through 16 of them, and then it depends on the system's memory. */
	failed = client_value("failed");
	EXPECT_GE(BROKEN / 16, failed);
	test_client(self->fd, BROKEN - failed, failed);
	test_stat(self->fd, &after);
	EXPECT_LT(0, after.poisoned);
	EXPECT_EQ(self->before.acquired + BROKEN - failed, after.acquired);
	ASSERT_EQ(0, client_write("free", "hardirq"));
}

TEST_F(broken, each_is_counted_and_logged_once)
{
	unsigned int reports = 0, bytes = 0;
	struct labyrinth_stat after;
	struct report report;
	char path[80];
	FILE *file;

	look_at_all(_metadata, self->fd);
	test_stat(self->fd, &after);
	EXPECT_EQ(BROKEN, after.poisoned);
	EXPECT_EQ(after.total, stat_sum(&after));
	while (log_next(self->log, &report)) {
		reports++;
		bytes += report.byte;
	}
	EXPECT_EQ(BROKEN, reports);
	EXPECT_EQ(BROKEN * (BROKEN - 1) / 2 * 64, bytes);
	snprintf(path, sizeof(path), "/sys/class/labyrinth/labyrinth%u/pool/poisoned",
		 device_number(self->fd));
	file = fopen(path, "r");
	ASSERT_NE(NULL, file);
	ASSERT_EQ(1, fscanf(file, "%u", &bytes));
	fclose(file);
	EXPECT_EQ(BROKEN, bytes);
}

TEST_F(broken, they_stay_poisoned_with_the_mode_off_and_go_with_the_device)
{
	look_at_all(_metadata, self->fd);
	ASSERT_EQ(0, sentinel_write(self->fd, "0"));
	look_at_all(_metadata, self->fd);
	ASSERT_EQ(0, sentinel_write(self->fd, "1"));
	look_at_all(_metadata, self->fd);
	EXPECT_EQ(BROKEN, stat_value(self->fd, poisoned));
	client_unload();
	stray_unload();
	close(self->fd);
	device_renew(_metadata, self->address);
	self->fd = device_open_at(self->address);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, stat_value(self->fd, poisoned));
	EXPECT_TRUE(device_is_quiet(self->fd));
}

TEST_HARNESS_MAIN
