// SPDX-License-Identifier: GPL-2.0
/* A long queue of processes: whoever came first is served first, whatever it wants. */
#include <sys/mman.h>

#include "labyrinth_peer.h"
#include "labyrinth_pool.h"

#define WAITERS		50

/* A process in ACQUIRE, with a file of its own. */
struct queuer {
	struct peer peer;
	__u32 wanted;
	__u64 deadline_ns;
	atomic_int *result;	/* shared: 0 while it waits, then buffers or -errno */
};

/* All pages of a device in one hand, and processes that wait for them. */
struct queue {
	int fd;
	struct labyrinth_info info;
	struct hoard hoard;
	struct labyrinth_stat before;
	struct queuer queuers[WAITERS];
	unsigned int length;
	atomic_int *results;
	unsigned int released;
};

static void queue_open(struct __test_metadata *_metadata, struct queue *queue)
{
	queue->fd = open_quiet(_metadata, 0, O_RDWR);
	test_info(queue->fd, &queue->info);
	queue->results = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, queue->results);
	hoard_fill(_metadata, &queue->hoard, 0, queue->fd);
	test_stat(queue->fd, &queue->before);
}

static void queue_close(struct queue *queue)
{
	while (queue->length) {
		struct peer *peer = &queue->queuers[--queue->length].peer;

		kill(peer->pid, SIGKILL);
		waitpid(peer->pid, NULL, 0);
		close(peer->line);
	}
	hoard_close(&queue->hoard);
	close(queue->fd);
}

static void no_op(int sig)
{
	(void)sig;
}

static void queuer_run(struct queuer *queuer)
{
	struct labyrinth_buffer *buffers = calloc(queuer->wanted, sizeof(*buffers));
	struct sigaction action = { .sa_handler = no_op };
	int got;

	sigaction(SIGUSR1, &action, NULL);
	got = raw_acquire_until(raw_open(0, O_RDWR), 0, queuer->wanted, buffers,
				queuer->deadline_ns);
	atomic_store(queuer->result, got < 0 ? -errno : got);
	for (;;)
		pause();
}

/* One more in the queue; nobody comes after it before it stands there. */
static void queue_join(struct __test_metadata *_metadata, struct queue *queue,
		       __u32 wanted, __u64 deadline_ns)
{
	struct queuer *queuer = &queue->queuers[queue->length];

	queuer->wanted = wanted;
	queuer->deadline_ns = deadline_ns;
	queuer->result = &queue->results[queue->length];
	ASSERT_LE(0, peer_fork(&queuer->peer));
	if (!queuer->peer.pid)
		queuer_run(queuer);
	queue->length++;
	ASSERT_TRUE(wait_until(stat_value(queue->fd, waiters) == queue->length));
}

/* Releases so many pages in one call, or fewer, because one file must own them all. */
static void queue_feed(struct __test_metadata *_metadata, struct queue *queue,
		       unsigned int most)
{
	struct hoard *hoard = &queue->hoard;
	const int *newest = hoard->owners + hoard->count - 1;
	unsigned int n = 1;

	ASSERT_LT(0, hoard->count);
	while (n < most && n < hoard->count && newest[-(int)n] == *newest)
		n++;
	test_hoard_release(hoard, n);
	queue->released += n;
}

/* Whether it was given all it wanted. */
static bool queuer_is_served(struct queuer *queuer)
{
	return atomic_load(queuer->result) == (int)queuer->wanted;
}

/* The first of the queue have all they wanted, pages in total, and the rest nothing. */
static void expect_served(struct __test_metadata *_metadata, struct queue *queue,
			  unsigned int served, unsigned int pages)
{
	struct labyrinth_stat stat;
	unsigned int i;

	ASSERT_TRUE(wait_until(stat_value(queue->fd, waiters) ==
			       queue->length - served));
	for (i = 0; i < served; i++)
		ASSERT_TRUE(wait_until(queuer_is_served(&queue->queuers[i])));
	for (; i < queue->length; i++)
		ASSERT_EQ(0, atomic_load(queue->queuers[i].result));
	test_stat(queue->fd, &stat);
	ASSERT_EQ(queue->before.owned - queue->released + pages, stat.owned);
	ASSERT_EQ(stat.total, stat_sum(&stat));
}

/* What is set aside for the queue is for nobody who comes now, however it asks. */
static void expect_no_way_past(struct __test_metadata *_metadata, struct queue *queue)
{
	const __u32 partial = LABYRINTH_ACQUIRE_PARTIAL;
	struct labyrinth_buffer buffer;

	test_err_acquire(EAGAIN, queue->fd, LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer);
	test_err_acquire(EAGAIN, queue->fd, LABYRINTH_ACQUIRE_NOWAIT | partial, 1,
			 &buffer);
	EXPECT_ERRNO(ETIMEDOUT, raw_acquire_until(queue->fd, partial, 1, &buffer, 1));
	test_err_acquire_order(ENOMEM, queue->fd, 0, 1, 1, &buffer);
}

FIXTURE(fifo)
{
	struct queue queue;
};

FIXTURE_SETUP(fifo)
{
	queue_open(_metadata, &self->queue);
}

FIXTURE_TEARDOWN(fifo)
{
	queue_close(&self->queue);
}

/* What they want, in turn; 0 is the most that may be waited for. */
static const __u32 sizes[] = { 1, 7, 0, 1, 2, 64, 1, 3, 16, 1 };
static const unsigned int steps[] = { 1, 5, 2, 13, 3, 8 };

TEST_F_TIMEOUT(fifo, fifty_processes_are_served_in_the_order_they_came, 90)
{
	struct queue *queue = &self->queue;
	unsigned int i, served = 0, pages = 0, total = 0;
	__u32 largest = queue->info.max_request;
	struct labyrinth_stat after;

	if (largest > queue->info.max_batch)
		largest = queue->info.max_batch;
	for (i = 0; i < WAITERS; i++) {
		__u32 size = sizes[i % ARRAY_COUNT(sizes)];

		queue_join(_metadata, queue, size ? size : largest, 0);
		total += size ? size : largest;
	}
	ASSERT_LE(total, queue->hoard.count);
	for (i = 0; served < WAITERS; i++) {
		queue_feed(_metadata, queue, steps[i % ARRAY_COUNT(steps)]);
		while (served < WAITERS &&
		       pages + queue->queuers[served].wanted <= queue->released)
			pages += queue->queuers[served++].wanted;
		expect_served(_metadata, queue, served, pages);
		if (served < WAITERS && !(i % 16))
			expect_no_way_past(_metadata, queue);
	}
	test_stat(queue->fd, &after);
	EXPECT_EQ(queue->before.exhaustion_waits + WAITERS, after.exhaustion_waits);
	EXPECT_EQ(queue->before.acquired + total, after.acquired);
	EXPECT_EQ(queue->before.released + queue->released, after.released);
	EXPECT_EQ(queue->before.total, after.total);
}

/* Processes that take pages and give them back, again and again, and never end. */
#define CHURNERS	10
#define CHURNED		8	/* pages each of them takes */

static void churner_run(atomic_int *rounds)
{
	struct labyrinth_buffer buffers[CHURNED];
	int fd = raw_open(0, O_RDWR);

	while (raw_acquire(fd, 0, CHURNED, buffers) == CHURNED) {
		sleep_ms(2);
		if (raw_release(fd, 0, CHURNED, buffers))
			break;
		atomic_fetch_add(rounds, 1);
	}
	_exit(1);
}

TEST_F_TIMEOUT(fifo, large_request_does_not_starve_among_small_ones, 60)
{
	struct queue *queue = &self->queue;
	/* Never all free at once, as the small ones want more than there are. */
	const unsigned int spare = CHURNERS * CHURNED - CHURNED - 1;
	struct labyrinth_buffer buffers[CHURNERS * CHURNED];
	struct waiter large = { .fd = queue->fd, .count = spare, .array = buffers };
	atomic_int *rounds = queue->results + WAITERS;
	int turn, seen;

	for (turn = 0; turn < CHURNERS; turn++) {
		struct queuer *queuer = &queue->queuers[queue->length++];

		ASSERT_LE(0, peer_fork(&queuer->peer));
		if (!queuer->peer.pid)
			churner_run(rounds);
	}
	while (queue->released < spare)
		queue_feed(_metadata, queue, spare - queue->released);
	for (turn = 0; turn < 5; turn++) {
		seen = atomic_load(rounds);
		ASSERT_TRUE(wait_until(atomic_load(rounds) > seen + 2 * CHURNERS));
		atomic_store(&large.done, false);
		ASSERT_EQ(0, pthread_create(&large.thread, NULL, waiter_run, &large));
		waiter_join(_metadata, &large);
		ASSERT_EQ((int)spare, large.result);
		test_release(queue->fd, spare, buffers);
	}
}

/* Some of the queue do not stay. */
#define LEAVING		4
#define STAYING		8
#define EACH		4	/* pages everyone wants, but the second one less */

FIXTURE(leaving)
{
	struct queue queue;
};

FIXTURE_VARIANT(leaving)
{
	int sig;	/* makes them leave; 0: a deadline does */
	int result;	/* what they are told */
};

FIXTURE_VARIANT_ADD(leaving, sigkill) { .sig = SIGKILL, .result = 0 };
FIXTURE_VARIANT_ADD(leaving, signal) { .sig = SIGUSR1, .result = -EINTR };
FIXTURE_VARIANT_ADD(leaving, deadline) { .sig = 0, .result = -ETIMEDOUT };

FIXTURE_SETUP(leaving)
{
	queue_open(_metadata, &self->queue);
}

FIXTURE_TEARDOWN(leaving)
{
	queue_close(&self->queue);
}

/* The first, two neighbours, and the last: places in the queue. */
static const unsigned int leaving[LEAVING] = { 5, 0, 11, 4 };

static bool is_leaving(unsigned int place)
{
	unsigned int i;

	for (i = 0; i < LEAVING; i++)
		if (leaving[i] == place)
			return true;
	return false;
}

TEST_F_TIMEOUT(leaving, those_who_stay_are_served_in_the_order_they_came, 60)
{
	struct queue *queue = &self->queue;
	__u64 deadline = variant->sig ? 0 : now_ns() + 4 * NSEC_PER_SEC;
	unsigned int i, j;

	for (i = 0; i < LEAVING + STAYING; i++)
		queue_join(_metadata, queue, EACH - (i == 1),
			   is_leaving(i) ? deadline : 0);
	/* The first one lacks a page; what it has will be enough for the second. */
	queue_feed(_metadata, queue, EACH - 1);
	ASSERT_EQ(EACH - 1, queue->released);
	ASSERT_EQ(LEAVING + STAYING, stat_value(queue->fd, waiters));
	for (i = 0; i < LEAVING && variant->sig; i++)
		ASSERT_EQ(0, kill(queue->queuers[leaving[i]].peer.pid, variant->sig));
	ASSERT_TRUE(wait_until(stat_value(queue->fd, waiters) == STAYING - 1));
	for (i = 0; i < LEAVING; i++)
		EXPECT_TRUE(wait_until(atomic_load(&queue->results[leaving[i]]) ==
				       variant->result));
	for (i = 0; i < LEAVING + STAYING; i++) {
		if (is_leaving(i))
			continue;
		if (i > 1)
			queue_feed(_metadata, queue, EACH);
		ASSERT_TRUE(wait_until(queuer_is_served(&queue->queuers[i])));
		for (j = i + 1; j < LEAVING + STAYING; j++)
			ASSERT_EQ(is_leaving(j) ? variant->result : 0,
				  atomic_load(&queue->results[j]));
	}
	EXPECT_EQ(0, stat_value(queue->fd, waiters));
	EXPECT_EQ(queue->before.owned, stat_value(queue->fd, owned));
}

TEST_HARNESS_MAIN
