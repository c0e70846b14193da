// SPDX-License-Identifier: GPL-2.0
/* Faults made in the interrupt handler and the worker: a refill that gets no pages. */
#include "labyrinth_device.h"
#include "labyrinth_inject.h"
#include "labyrinth_module.h"
#include "labyrinth_pool.h"
#include "labyrinth_trace.h"

#define HANDLER		INJECT_OWN "fail_refill_irq"
#define WORKER		INJECT_OWN "fail_refill_worker"
#define LOST		INJECT_OWN "fail_refill_lost"

/* The worker's pause after a failure doubles from the first to the second. */
#define FIRST_PAUSE_MS	10
#define LONGEST_PAUSE_MS 1000

/* So many that the last pause, unless it were bounded, would be five times as long. */
#define FAILURES	11
#define TOO_LONG_MS	(4 * LONGEST_PAUSE_MS)

/* Pages of a pool that did not get all: a few beyond the reserve. */
#define FEW		20

/* A timer may come a tick early, of which there are at least 100 in a second. */
#define TICK_MS		10

#define HANDLER_FAILED	"by=interrupt pages=0 failed"
#define WORKER_FAILED	"by=worker pages=0 failed"

FIXTURE(refill)
{
	int fd;
	struct labyrinth_buffer *buffers;
	struct labyrinth_stat before;
};

FIXTURE_SETUP(refill)
{
	struct labyrinth_info info;

	self->fd = open_quiet(_metadata, 0, O_RDWR);
	inject_require(_metadata, HANDLER);
	inject_require(_metadata, WORKER);
	inject_require(_metadata, LOST);
	ASSERT_TRUE(wait_until(pool_is_full(self->fd)));
	test_info(self->fd, &info);
	test_stat(self->fd, &self->before);
	ASSERT_LE(self->before.free, info.max_batch);
	ASSERT_LT(self->before.free, self->before.max / 2);
	self->buffers = calloc(info.max_batch, sizeof(*self->buffers));
	ASSERT_NE(NULL, self->buffers);
}

FIXTURE_TEARDOWN(refill)
{
	inject(HANDLER, 0);
	inject(WORKER, 0);
	inject(LOST, 0);
	close(self->fd);
	free(self->buffers);
}

/* In one go, so that there is one refill: so many stay free. */
#define take_all_but(left)						\
	ASSERT_EQ((int)(self->before.free - (left)),			\
		  raw_acquire(self->fd, LABYRINTH_ACQUIRE_PARTIAL,	\
			      self->before.free - (left), self->buffers))

#define expect_full()							\
({									\
	struct labyrinth_stat _now;					\
									\
	EXPECT_TRUE(wait_until(stat_value(self->fd, free) >= self->before.high)); \
	test_stat(self->fd, &_now);					\
	EXPECT_EQ(_now.total, stat_sum(&_now));				\
	EXPECT_EQ(self->before.total - self->before.free + _now.free +	\
		  _now.owned, _now.total);				\
})

/* It counts its pages at the end, when the last of them may be in use already. */
#define expect_worker_has_counted()					\
	EXPECT_TRUE(wait_until(stat_value(self->fd, worker_refill_pages) >	\
			       self->before.worker_refill_pages))

TEST_F(refill, worker_takes_over_from_a_handler_that_gets_no_page)
{
	struct labyrinth_stat after;

	ASSERT_EQ(0, inject(HANDLER, 1));
	take_all_but(self->before.low - 8);
	expect_full();
	expect_worker_has_counted();
	test_stat(self->fd, &after);
	EXPECT_EQ(self->before.refill_failures + 1, after.refill_failures);
	EXPECT_EQ(self->before.irq_refill_pages, after.irq_refill_pages);
	EXPECT_EQ(self->before.irq_refills, after.irq_refills);
}

/* Each time, as if the interrupt line were dead; and the next one that comes is heeded. */
TEST_F(refill, worker_makes_up_for_an_interrupt_that_is_lost)
{
	struct labyrinth_stat after;

	ASSERT_EQ(0, inject(LOST, -1));
	take_all_but(self->before.low - 8);
	expect_full();
	expect_worker_has_counted();
	test_stat(self->fd, &after);
	EXPECT_EQ(self->before.irq_refills, after.irq_refills);
	EXPECT_EQ(self->before.refill_failures, after.refill_failures);
	ASSERT_EQ(0, inject(LOST, 0));
	test_release(self->fd, after.owned, self->buffers);
	ASSERT_TRUE(wait_until(device_is_quiet(self->fd)));
	test_stat(self->fd, &self->before);
	take_all_but(self->before.low - 8);
	expect_full();
	EXPECT_TRUE(wait_until(stat_value(self->fd, irq_refill_pages) >
			       self->before.irq_refill_pages));
	EXPECT_EQ(self->before.worker_refill_pages,
		  stat_value(self->fd, worker_refill_pages));
}

TEST_F(refill, who_waits_gets_pages_though_every_interrupt_is_lost)
{
	struct labyrinth_buffer more[FEW];

	ASSERT_EQ(0, inject(LOST, -1));
	take_all_but(self->before.reserve);
	test_acquire(self->fd, FEW, more);
}

TEST_F(refill, what_the_handler_got_before_it_failed_counts)
{
	struct labyrinth_stat after;

	ASSERT_EQ(0, inject_after(HANDLER, 5, 1));
	take_all_but(self->before.low - 8);
	expect_full();
	expect_worker_has_counted();
	test_stat(self->fd, &after);
	EXPECT_EQ(self->before.refill_failures + 1, after.refill_failures);
	EXPECT_EQ(self->before.irq_refill_pages + 5, after.irq_refill_pages);
	EXPECT_EQ(self->before.irq_refills + 1, after.irq_refills);
	EXPECT_EQ(self->before.high - (self->before.low - 8) - 5,
		  after.worker_refill_pages - self->before.worker_refill_pages);
}

/* Then the next one who needs pages has the interrupt handler try again. */
TEST_F(refill, worker_that_fails_tries_no_more_if_nobody_waits)
{
	struct labyrinth_buffer one;
	struct labyrinth_stat after;

	ASSERT_EQ(0, inject(HANDLER, 1));
	ASSERT_EQ(0, inject(WORKER, 1));
	take_all_but(self->before.low - 8);
	ASSERT_TRUE(wait_until(stat_value(self->fd, refill_failures) ==
			       self->before.refill_failures + 2));
	sleep_ms(300);
	test_stat(self->fd, &after);
	EXPECT_EQ(self->before.total, after.total);
	EXPECT_EQ(self->before.refill_failures + 2, after.refill_failures);
	test_acquire(self->fd, 1, &one);
	expect_full();
	test_stat(self->fd, &after);
	EXPECT_LT(self->before.irq_refill_pages, after.irq_refill_pages);
	EXPECT_EQ(self->before.worker_refill_pages, after.worker_refill_pages);
}

/* And gets the others as soon as somebody needs one. */
TEST_F_TIMEOUT(refill, probe_makes_do_with_the_pages_that_it_gets, 60)
{
	struct labyrinth_buffer one;
	char address[ADDRESS_SIZE];
	struct labyrinth_stat few;
	int fd;

	ASSERT_EQ(0, device_address(self->fd, address));
	ASSERT_EQ(0, device_unbind(address));
	ASSERT_EQ(0, inject_after(WORKER, FEW, 1));
	ASSERT_EQ(0, device_bind(address));
	ASSERT_TRUE(wait_until(device_is_there(address)));
	fd = device_open_at(address);
	ASSERT_LE(0, fd);
	test_stat(fd, &few);
	EXPECT_EQ(FEW, few.total);
	EXPECT_EQ(FEW, few.free);
	test_acquire(fd, 1, &one);
	EXPECT_TRUE(wait_until(stat_value(fd, free) == few.high));
	close(fd);
}

TEST_F_TIMEOUT(refill, probe_that_gets_no_page_at_all_fails, 60)
{
	char address[ADDRESS_SIZE];

	ASSERT_EQ(0, device_address(self->fd, address));
	ASSERT_EQ(0, device_unbind(address));
	ASSERT_EQ(0, inject(WORKER, -1));
	EXPECT_ERRNO(ENOMEM, device_bind(address));
	EXPECT_FALSE(device_is_there(address));
	ASSERT_EQ(0, inject(WORKER, 0));
	ASSERT_EQ(0, device_bind(address));
	EXPECT_TRUE(wait_until(device_is_there(address)));
}

TEST_F_TIMEOUT(refill, worker_tries_again_for_who_polls, 60)
{
	struct labyrinth_stat after;

	ASSERT_EQ(0, inject(HANDLER, -1));
	ASSERT_EQ(0, inject(WORKER, 4));
	take_all_but(self->before.reserve);
	EXPECT_EQ(POLLOUT, poll_woken(self->fd, POLLOUT, 20000) & POLLOUT);
	expect_full();
	test_stat(self->fd, &after);
	EXPECT_EQ(self->before.irq_refill_pages, after.irq_refill_pages);
	EXPECT_LE(self->before.refill_failures + 4 + 1, after.refill_failures);
}

/* Milliseconds between the failures of the worker since it was rung for last. */
static int read_pauses(const char *dir, double *pauses, int most)
{
	char path[128], line[512], *event;
	double last = 0, now;
	FILE *trace;
	int n = -1;

	snprintf(path, sizeof(path), "%s/trace", dir);
	trace = fopen(path, "r");
	if (!trace)
		return -1;
	while (fgets(line, sizeof(line), trace)) {
		event = strstr(line, ": labyrinth_refill:");
		if (!event)
			continue;
		if (strstr(event, HANDLER_FAILED))
			n = -1;
		if (!strstr(event, WORKER_FAILED) || n == most)
			continue;
		*event = 0;
		now = strtod(strrchr(line, ' '), NULL);
		if (n >= 0)
			pauses[n] = (now - last) * 1000;
		last = now;
		n++;
	}
	fclose(trace);
	return n;
}

FIXTURE(backoff)
{
	int fd;
	const char *dir;
	struct labyrinth_buffer *buffers;
	struct labyrinth_stat before;
};

FIXTURE_SETUP(backoff)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	inject_require(_metadata, HANDLER);
	inject_require(_metadata, WORKER);
	self->dir = tracing_begin(LABYRINTH_EVENTS, "1");
	if (!self->dir)
		SKIP(return, "no tracefs with labyrinth events");
	ASSERT_EQ(0, put_text(self->dir, "trace_clock", "mono"));
	put_text(self->dir, "tracing_on", "1");
	ASSERT_TRUE(wait_until(pool_is_full(self->fd)));
	test_stat(self->fd, &self->before);
	self->buffers = calloc(self->before.free, sizeof(*self->buffers));
	ASSERT_NE(NULL, self->buffers);
}

FIXTURE_TEARDOWN(backoff)
{
	inject(HANDLER, 0);
	inject(WORKER, 0);
	if (self->dir) {
		tracing_end(self->dir, LABYRINTH_EVENTS);
		put_text(self->dir, "trace_clock", "local");
	}
	close(self->fd);
}

TEST_F_TIMEOUT(backoff, worker_pauses_from_10_ms_to_1_s_while_somebody_waits, 90)
{
	struct waiter waiter = { .fd = self->fd, .count = 1 };
	double pauses[FAILURES - 1], least;
	struct labyrinth_stat after;
	int i;

	ASSERT_EQ(0, inject(HANDLER, -1));
	ASSERT_EQ(0, inject(WORKER, -1));
	take_all_but(self->before.reserve);
	ASSERT_TRUE(wait_until(count_lines(self->dir, "refill:", WORKER_FAILED) == 1));
	put_text(self->dir, "trace", "\n");

	waiter_start(_metadata, &waiter);
	ASSERT_TRUE(wait_until(count_lines(self->dir, "refill:", WORKER_FAILED) >= 6));
	ASSERT_TRUE(wait_until(count_lines(self->dir, "refill:", WORKER_FAILED) >= 9));
	ASSERT_TRUE(wait_until(count_lines(self->dir, "refill:", WORKER_FAILED) >=
			       FAILURES));
	/* It was rung for once, for the waiter, and not again. */
	EXPECT_EQ(1, count_lines(self->dir, "refill:", HANDLER_FAILED));
	EXPECT_FALSE(waiter_is_done(&waiter));
	ASSERT_EQ(0, inject(WORKER, 0));
	ASSERT_EQ(0, inject(HANDLER, 0));
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(1, waiter.result);

	ASSERT_LE(FAILURES - 1, read_pauses(self->dir, pauses, FAILURES - 1));
	for (i = 0, least = FIRST_PAUSE_MS; i < FAILURES - 1; i++, least *= 2) {
		TH_LOG("pause %d: %.1f ms", i + 1, pauses[i]);
		if (least > LONGEST_PAUSE_MS)
			least = LONGEST_PAUSE_MS;
		EXPECT_LE(least - TICK_MS, pauses[i]);
	}
	EXPECT_GT(TOO_LONG_MS, pauses[FAILURES - 2]);
	expect_worker_has_counted();
	test_stat(self->fd, &after);
	EXPECT_LE(self->before.refill_failures + FAILURES + 2, after.refill_failures);
	expect_full();
}

TEST_HARNESS_MAIN
