// SPDX-License-Identifier: GPL-2.0
/* The tracepoints labyrinth:* tell what happens to pages, in a trace and to perf. */
#include "labyrinth_perf.h"
#include "labyrinth_pool.h"
#include "labyrinth_ticket.h"
#include "labyrinth_trace.h"

FIXTURE(trace)
{
	int fd;
	const char *dir;
	struct labyrinth_buffer buffers[2];
};

FIXTURE_SETUP(trace)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->dir = tracing_begin(LABYRINTH_EVENTS, "1");
	if (!self->dir)
		SKIP(return, "no tracefs with labyrinth events");
	put_text(self->dir, "tracing_on", "1");
	put_text(self->dir, "trace", "\n");
	test_acquire(self->fd, 2, self->buffers);
}

FIXTURE_TEARDOWN(trace)
{
	if (self->dir) {
		tracing_end(self->dir, LABYRINTH_EVENTS);
		put_text(self->dir, "trace", "\n");
	}
	close(self->fd);
}

static void name_handle(char *text, size_t size, const struct labyrinth_buffer *buffer)
{
	/* The kernel's %#llx has 0x in front of a zero too; the C library's has not. */
	snprintf(text, size, "handle=%#llx offset=0x%llx pages=1",
		 (unsigned long long)buffer->handle,
		 (unsigned long long)buffer->offset);
}

TEST_F(trace, acquire_and_release_name_each_handle_once)
{
	char text[80];
	int i;

	test_release(self->fd, 2, self->buffers);
	for (i = 0; i < 2; i++) {
		name_handle(text, sizeof(text), &self->buffers[i]);
		EXPECT_EQ(1, count_lines(self->dir, "labyrinth_acquire:", text));
		EXPECT_EQ(1, count_lines(self->dir, "labyrinth_release:", text));
	}
}

TEST_F(trace, copy_tells_length_and_result)
{
	test_copy(self->fd, self->buffers[0].handle, 0, self->buffers[1].handle, 0, 17, 0xabc);
	test_event(self->fd, 0xabc, 0);
	EXPECT_EQ(1, count_lines(self->dir, "labyrinth_copy:",
				 "user_data=0xabc length=17 moved=17 result=0"));
}

TEST_F(trace, refill_tells_who_allocated)
{
	struct labyrinth_buffer more[256];
	struct labyrinth_stat stat;

	test_stat(self->fd, &stat);
	ASSERT_LE(stat.high, 256);
	ASSERT_EQ(stat.high - 32, raw_acquire(self->fd, 0, stat.high - 32, more));
	ASSERT_TRUE(wait_until(stat_value(self->fd, free) >= stat.high));
	EXPECT_LT(0, count_lines(self->dir, "labyrinth_refill:", "by=interrupt pages=16"));
}

TEST_F(trace, give_and_take_name_both_handles)
{
	struct labyrinth_buffer taken;
	struct labyrinth_give give = {
		.size = sizeof(give), .count = 1,
		.handles = (uintptr_t)&self->buffers[0].handle,
	};
	struct labyrinth_take take = {
		.size = sizeof(take), .count = 1, .buffers = (uintptr_t)&taken,
	};
	char text[80];

	ASSERT_EQ(0, ioctl(self->fd, LABYRINTH_GIVE, &give));
	take.ticket_fd = give.ticket_fd;
	ASSERT_EQ(0, ioctl(self->fd, LABYRINTH_TAKE, &take));
	name_handle(text, sizeof(text), &self->buffers[0]);
	EXPECT_EQ(1, count_lines(self->dir, "labyrinth_give:", text));
	name_handle(text, sizeof(text), &taken);
	EXPECT_EQ(1, count_lines(self->dir, "labyrinth_take:", text));
	close(give.ticket_fd);
}

/* What perf has counted of an event while @statement ran. */
#define perf_count(event, statement)					\
({									\
	struct perf_counter _counter;					\
									\
	ASSERT_LT(0, perf_begin(&_counter, self->dir, event));		\
	statement;							\
	perf_end(&_counter);						\
})

TEST_F(trace, perf_counts_each_buffer_once)
{
	struct labyrinth_buffer more[3];
	__u32 count = 1;
	int ticket;

	perf_require(_metadata);
	EXPECT_EQ(3, perf_count("labyrinth_acquire", test_acquire(self->fd, 3, more)));
	EXPECT_EQ(3, perf_count("labyrinth_release", test_release(self->fd, 3, more)));
	EXPECT_EQ(1, perf_count("labyrinth_give",
				ticket = test_give(self->fd, 1, self->buffers)));
	EXPECT_EQ(1, perf_count("labyrinth_take",
				EXPECT_EQ(0, raw_take(self->fd, ticket, &count, more))));
	close(ticket);
	EXPECT_EQ(1, perf_count("labyrinth_copy", {
		test_copy(self->fd, more[0].handle, 0, self->buffers[1].handle, 0, 17, 1);
		test_event(self->fd, 1, 0);
	}));
}

TEST_F(trace, perf_counts_the_refills_of_the_interrupt_handler)
{
	struct labyrinth_buffer more[256];
	struct labyrinth_stat stat;

	perf_require(_metadata);
	test_stat(self->fd, &stat);
	ASSERT_LE(stat.high, 256);
	EXPECT_LT(0, perf_count("labyrinth_refill", {
		ASSERT_EQ(stat.high - 32, raw_acquire(self->fd, 0, stat.high - 32, more));
		ASSERT_TRUE(wait_until(stat_value(self->fd, free) >= stat.high));
	}));
}

TEST_HARNESS_MAIN
