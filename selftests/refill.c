// SPDX-License-Identifier: GPL-2.0
/* The interrupt handler refills the pool with GFP_ATOMIC, and only when it should. */
#include "labyrinth_pool.h"
#include "labyrinth_trace.h"

#define PAGE_EVENTS	"events/kmem/mm_page_alloc/enable"

/* Attempts of the handler in one run, at most. */
#define HANDLER_BUDGET	16

FIXTURE(refill)
{
	int fd;
	struct labyrinth_info info;
	struct labyrinth_buffer *buffers;
	struct labyrinth_stat before;
};

static bool pool_is_at_rest(int fd)
{
	struct labyrinth_stat stat;

	return !raw_stat(fd, &stat) && stat.free >= stat.low &&
	       stat.free <= stat.high;
}

FIXTURE_SETUP(refill)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	test_info(self->fd, &self->info);
	self->buffers = calloc(self->info.file_quota, sizeof(*self->buffers));
	ASSERT_NE(NULL, self->buffers);
	ASSERT_TRUE(wait_until(pool_is_at_rest(self->fd)));
	test_stat(self->fd, &self->before);
}

FIXTURE_TEARDOWN(refill)
{
	close(self->fd);
	free(self->buffers);
}

/* Takes pages until n are free, as far as the snapshot before goes. */
static unsigned int take_down_to(struct __test_metadata *_metadata, int fd,
				 const struct labyrinth_info *info,
				 const struct labyrinth_stat *before, __u64 n,
				 struct labyrinth_buffer *buffers)
{
	unsigned int total = before->free > n ? before->free - n : 0;
	unsigned int left = total;

	while (left) {
		unsigned int count = left < info->max_batch ? left : info->max_batch;

		test_acquire(fd, count, buffers);
		buffers += count;
		left -= count;
	}
	return total;
}

TEST_F(refill, watermarks_are_in_order)
{
	EXPECT_LT(0, self->before.reserve);
	EXPECT_LT(self->before.reserve, self->before.low);
	EXPECT_LT(self->before.low, self->before.high);
	EXPECT_LE(self->before.high, self->before.max);
	EXPECT_EQ(self->info.max_pages, self->before.max);
	EXPECT_LE(self->before.total, self->before.max);
}

TEST_F(refill, pages_are_there_before_anyone_asks)
{
	EXPECT_LE(self->before.low, self->before.free);
	EXPECT_EQ(self->before.total, self->before.free + self->before.poisoned +
		  self->before.kernel);
}

TEST_F(refill, nothing_is_refilled_above_low)
{
	struct labyrinth_stat after;

	take_down_to(_metadata, self->fd, &self->info, &self->before,
		     self->before.low + 1, self->buffers);
	sleep_ms(300);
	test_stat(self->fd, &after);
	EXPECT_EQ(self->before.irq_refill_pages, after.irq_refill_pages);
	EXPECT_EQ(self->before.worker_refill_pages, after.worker_refill_pages);
	EXPECT_EQ(self->before.total, after.total);
	EXPECT_EQ(self->before.low + 1, after.free);
}

/* A refill counts its pages when the last of them can be seen already, or be in use. */
static bool is_counted(int fd, const struct labyrinth_stat *before)
{
	struct labyrinth_stat now = { .size = sizeof(now) };

	return !ioctl(fd, LABYRINTH_STAT, &now) &&
	       now.total - before->total ==
	       now.irq_refill_pages - before->irq_refill_pages +
	       now.worker_refill_pages - before->worker_refill_pages;
}

TEST_F(refill, below_low_the_interrupt_handler_refills_to_high)
{
	struct labyrinth_stat after;
	__u64 by_irq, by_worker;

	take_down_to(_metadata, self->fd, &self->info, &self->before,
		     self->before.low - 8, self->buffers);
	ASSERT_TRUE(wait_until(stat_value(self->fd, free) >= self->before.high));
	EXPECT_TRUE(wait_until(is_counted(self->fd, &self->before)));
	test_stat(self->fd, &after);
	by_irq = after.irq_refill_pages - self->before.irq_refill_pages;
	by_worker = after.worker_refill_pages - self->before.worker_refill_pages;
	EXPECT_LT(0, by_irq);
	/* The worker only steps in for pages that the handler failed to get. */
	if (after.refill_failures == self->before.refill_failures)
		EXPECT_EQ(0, by_worker);
	EXPECT_EQ(self->before.high, after.free);
	EXPECT_EQ(after.total, self->before.total + by_irq + by_worker);
	EXPECT_EQ(after.total, stat_sum(&after));
}

TEST_F(refill, handler_stays_within_its_budget)
{
	struct labyrinth_stat after;
	__u64 runs, pages;

	take_down_to(_metadata, self->fd, &self->info, &self->before,
		     self->before.low - 8, self->buffers);
	ASSERT_TRUE(wait_until(stat_value(self->fd, free) >= self->before.high));
	test_stat(self->fd, &after);
	runs = after.irq_refills - self->before.irq_refills;
	pages = after.irq_refill_pages - self->before.irq_refill_pages;
	EXPECT_LT(0, runs);
	EXPECT_LE(pages, runs * HANDLER_BUDGET);
	EXPECT_LE(runs, after.irq_hard + after.irq_threaded -
		  self->before.irq_hard - self->before.irq_threaded);
}

TEST_F(refill, handler_runs_in_a_thread_on_preempt_rt_only)
{
	FILE *file = fopen("/proc/cmdline", "r");
	struct labyrinth_stat after;
	char line[2048] = "";

	ASSERT_NE(NULL, file);
	ASSERT_NE(NULL, fgets(line, sizeof(line), file));
	fclose(file);
	take_down_to(_metadata, self->fd, &self->info, &self->before,
		     self->before.low - 8, self->buffers);
	ASSERT_TRUE(wait_until(stat_value(self->fd, free) >= self->before.high));
	test_stat(self->fd, &after);
	if (kernel_is_realtime() || strstr(line, "threadirqs")) {
		EXPECT_LT(self->before.irq_threaded, after.irq_threaded);
		EXPECT_EQ(0, after.irq_hard);
	} else {
		EXPECT_LT(self->before.irq_hard, after.irq_hard);
		EXPECT_EQ(0, after.irq_threaded);
	}
}

TEST_F(refill, surplus_above_high_is_given_back)
{
	struct labyrinth_stat after;
	unsigned int taken;

	taken = take_down_to(_metadata, self->fd, &self->info, &self->before,
			     self->before.low - 8, self->buffers);
	ASSERT_TRUE(wait_until(stat_value(self->fd, free) >= self->before.high));
	while (taken) {
		unsigned int count = taken < self->info.max_batch ?
				     taken : self->info.max_batch;

		taken -= count;
		test_release(self->fd, count, self->buffers + taken);
	}
	EXPECT_TRUE(wait_until(pool_is_at_rest(self->fd)));
	test_stat(self->fd, &after);
	EXPECT_LT(self->before.trimmed, after.trimmed);
	EXPECT_EQ(0, after.owned);
	EXPECT_EQ(after.total, stat_sum(&after));
}

TEST_F(refill, refill_stops_at_max)
{
	struct labyrinth_stat full, later;
	struct hoard hoard;

	hoard_fill(_metadata, &hoard, 0, self->fd);
	EXPECT_TRUE(wait_until(is_counted(self->fd, &self->before)));
	test_stat(self->fd, &full);
	EXPECT_EQ(full.max, full.total);
	EXPECT_EQ(full.reserve, full.free);
	sleep_ms(300);
	test_stat(self->fd, &later);
	EXPECT_EQ(full.total, later.total);
	EXPECT_EQ(full.irq_refill_pages, later.irq_refill_pages);
	EXPECT_EQ(full.worker_refill_pages, later.worker_refill_pages);
	hoard_close(&hoard);
}

/* The kernel's own record of page allocations. */
FIXTURE(trace)
{
	int fd;
	struct labyrinth_info info;
	struct labyrinth_buffer *buffers;
	const char *dir;
};

FIXTURE_SETUP(trace)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	test_info(self->fd, &self->info);
	self->dir = tracing_begin(PAGE_EVENTS, "0");
	if (!self->dir)
		SKIP(return, "no tracefs with kmem events");
	self->buffers = calloc(self->info.file_quota, sizeof(*self->buffers));
	ASSERT_NE(NULL, self->buffers);
	ASSERT_TRUE(wait_until(pool_is_at_rest(self->fd)));
}

FIXTURE_TEARDOWN(trace)
{
	if (self->dir) {
		tracing_end(self->dir, PAGE_EVENTS);
		put_text(self->dir, "options/stacktrace", "0");
		put_text(self->dir, "options/sym-offset", "0");
	}
	close(self->fd);
}

/*
 * True for a line like
 *   selftest-123  [000] d.h1.  1.0: mm_page_alloc: ... gfp_flags=GFP_ATOMIC|...
 * whose flags say: interrupts off, in a hard interrupt.
 */
static bool is_hardirq_atomic(const char *line)
{
	const char *flags = strchr(line, '[');

	if (!strstr(line, "mm_page_alloc:") || !strstr(line, "GFP_ATOMIC") || !flags)
		return false;
	flags = strchr(flags, ']');
	if (!flags)
		return false;
	flags += strspn(flags, "] ");
	/* The third flag: h is a hard interrupt, H one inside a soft interrupt. */
	return strcspn(flags, " ") >= 3 && (flags[2] == 'h' || flags[2] == 'H');
}

TEST_F_TIMEOUT(trace, kernel_saw_gfp_atomic_allocations_in_hard_interrupt_context, 120)
{
	bool stacks, in_atomic = false;
	struct labyrinth_stat before, after;
	unsigned int atomic = 0, ours = 0;
	char line[1024];
	FILE *trace;

	test_stat(self->fd, &before);
	/* Symbols with an offset are printed with the module they are in. */
	stacks = !put_text(self->dir, "options/stacktrace", "1") &&
		 !put_text(self->dir, "options/sym-offset", "1");
	put_text(self->dir, "trace", "");
	put_text(self->dir, "tracing_on", "1");
	ASSERT_EQ(0, put_text(self->dir, PAGE_EVENTS, "1"));
	take_down_to(_metadata, self->fd, &self->info, &before, before.low - 8,
		     self->buffers);
	EXPECT_TRUE(wait_until(stat_value(self->fd, free) >= before.high));
	put_text(self->dir, PAGE_EVENTS, "0");
	put_text(self->dir, "options/stacktrace", "0");
	test_stat(self->fd, &after);
	if (after.irq_threaded != before.irq_threaded)
		SKIP_REST(return, "interrupt handlers are threaded here");

	snprintf(line, sizeof(line), "%s/trace", self->dir);
	trace = fopen(line, "r");
	ASSERT_NE(NULL, trace);
	while (fgets(line, sizeof(line), trace)) {
		if (strstr(line, "mm_page_alloc:")) {
			in_atomic = is_hardirq_atomic(line);
			atomic += in_atomic;
		} else if (in_atomic && strstr(line, "[labyrinth]")) {
			ours++;
			in_atomic = false;
		}
	}
	fclose(trace);
	TH_LOG("%u GFP_ATOMIC pages in hard interrupts, %u through labyrinth, %u counted",
	       atomic, ours,
	       (unsigned int)(after.irq_refill_pages - before.irq_refill_pages));
	EXPECT_LT(before.irq_refill_pages, after.irq_refill_pages);
	EXPECT_LT(before.irq_hard, after.irq_hard);
	EXPECT_LE(after.irq_refill_pages - before.irq_refill_pages, atomic);
	if (stacks)
		EXPECT_LT(0, ours);
}

TEST_HARNESS_MAIN
