// SPDX-License-Identifier: GPL-2.0
/* Tickets when two want the same one, when the device goes, and ten thousand times. */
#include "labyrinth_device.h"
#include "labyrinth_peer.h"
#include "labyrinth_ticket.h"

#define ROUNDS	400

FIXTURE(race)
{
	int giver;
	struct labyrinth_info info;
	pthread_barrier_t barrier;
	atomic_int ticket;
};

FIXTURE_SETUP(race)
{
	self->giver = open_quiet(_metadata, 0, O_RDWR);
	test_info(self->giver, &self->info);
}

FIXTURE_TEARDOWN(race)
{
	close(self->giver);
}

/* A thread that takes one ticket after the other as soon as it is told to. */
struct taker {
	pthread_t thread;
	int fd;
	pthread_barrier_t *barrier;
	atomic_int *ticket;
	struct labyrinth_buffer buffers[2];
	int result;
	int error;
};

static void *taker_run(void *argument)
{
	struct taker *taker = argument;
	__u32 count;

	for (;;) {
		pthread_barrier_wait(taker->barrier);
		if (atomic_load(taker->ticket) < 0)
			return NULL;
		count = 2;
		errno = 0;
		taker->result = raw_take(taker->fd, atomic_load(taker->ticket), &count,
					 taker->buffers);
		taker->error = errno;
		pthread_barrier_wait(taker->barrier);
	}
}

static void race_for_tickets(struct __test_metadata *_metadata, int giver,
			     struct taker *takers, pthread_barrier_t *barrier,
			     atomic_int *ticket)
{
	struct labyrinth_buffer buffers[2];
	struct labyrinth_stat stat;
	int round, i, winner;

	ASSERT_EQ(0, pthread_barrier_init(barrier, NULL, 3));
	for (i = 0; i < 2; i++) {
		takers[i].barrier = barrier;
		takers[i].ticket = ticket;
		ASSERT_EQ(0, pthread_create(&takers[i].thread, NULL, taker_run,
					    &takers[i]));
	}
	for (round = 0; round < ROUNDS; round++) {
		test_acquire(giver, 2, buffers);
		atomic_store(ticket, raw_give(giver, 2, buffers));
		ASSERT_LE(0, atomic_load(ticket));
		pthread_barrier_wait(barrier);
		pthread_barrier_wait(barrier);
		winner = takers[0].result ? 1 : 0;
		ASSERT_EQ(0, takers[winner].result);
		ASSERT_EQ(-1, takers[!winner].result);
		ASSERT_TRUE(takers[!winner].error == EBUSY ||
			    takers[!winner].error == ENOENT);
		test_stat(giver, &stat);
		ASSERT_EQ(2, stat.owned);
		ASSERT_EQ(0, stat.ticketed);
		ASSERT_EQ(0, stat.charged);
		ASSERT_EQ(stat.total, stat_sum(&stat));
		test_release(takers[winner].fd, 2, takers[winner].buffers);
		ASSERT_EQ(0, close(atomic_load(ticket)));
	}
	atomic_store(ticket, -1);
	pthread_barrier_wait(barrier);
	for (i = 0; i < 2; i++)
		pthread_join(takers[i].thread, NULL);
}

TEST_F(race, exactly_one_of_two_files_gets_the_ticket)
{
	struct taker takers[2] = {
		{ .fd = raw_open(0, O_RDWR) }, { .fd = raw_open(0, O_RDWR) },
	};

	race_for_tickets(_metadata, self->giver, takers, &self->barrier, &self->ticket);
	close(takers[0].fd);
	close(takers[1].fd);
}

TEST_F(race, exactly_one_of_two_threads_of_a_file_gets_the_ticket)
{
	int fd = raw_open(0, O_RDWR);
	struct taker takers[2] = { { .fd = fd }, { .fd = fd } };

	race_for_tickets(_metadata, self->giver, takers, &self->barrier, &self->ticket);
	close(fd);
}

static void *give_run(void *argument)
{
	struct taker *thread = argument;

	pthread_barrier_wait(thread->barrier);
	thread->result = raw_give(thread->fd, 2, thread->buffers);
	thread->error = errno;
	return NULL;
}

TEST_F(race, exactly_one_of_give_and_release_gets_the_buffers)
{
	struct taker thread = { .fd = self->giver, .barrier = &self->barrier };
	int round, released, error;

	ASSERT_EQ(0, pthread_barrier_init(&self->barrier, NULL, 2));
	for (round = 0; round < ROUNDS / 2; round++) {
		test_acquire(self->giver, 2, thread.buffers);
		ASSERT_EQ(0, pthread_create(&thread.thread, NULL, give_run, &thread));
		pthread_barrier_wait(&self->barrier);
		released = raw_release(self->giver, 0, 2, thread.buffers);
		error = errno;
		ASSERT_EQ(0, pthread_join(thread.thread, NULL));
		ASSERT_NE(released == 0, thread.result >= 0);
		ASSERT_EQ(ENOENT, released ? error : thread.error);
		if (thread.result >= 0)
			ASSERT_EQ(0, close(thread.result));
		ASSERT_TRUE(wait_until(!stat_value(self->giver, charged)));
	}
}

#define BATCH		100
#define TURNS		100	/* each moves a batch: 10,000 buffers in all */

/* Expects the mark of the last owner in every buffer, and leaves its own. */
static void mark_all(struct __test_metadata *_metadata, char *arena,
		     const struct labyrinth_buffer *buffers, unsigned int turn)
{
	unsigned int expected = turn ? 0xab000000 + turn - 1 : 0;
	unsigned int mark = 0xab000000 + turn, word, i;
	char *page;

	for (i = 0; i < BATCH; i++) {
		page = arena + buffers[i].offset;
		memcpy(&word, page, sizeof(word));
		ASSERT_EQ(expected, word);
		memcpy(&word, page + page_size() - sizeof(word), sizeof(word));
		ASSERT_EQ(expected, word);
		memcpy(page, &mark, sizeof(mark));
		memcpy(page + page_size() - sizeof(word), &mark, sizeof(mark));
	}
}

static void play(struct __test_metadata *_metadata, struct peer *peer, bool first)
{
	struct labyrinth_buffer buffers[BATCH];
	int own = raw_open(0, O_RDWR), ticket;
	struct labyrinth_info info;
	unsigned int turn;
	__u64 number;
	char *arena;

	test_info(own, &info);
	arena = test_map_arena(own, &info);
	if (first)
		test_acquire(own, BATCH, buffers);
	for (turn = 0; turn < TURNS; turn++) {
		if (turn % 2 == !first) {
			mark_all(_metadata, arena, buffers, turn);
			ticket = test_give(own, BATCH, buffers);
			ASSERT_EQ(0, peer_send(peer, turn, ticket));
			ASSERT_EQ(0, close(ticket));
		} else {
			ASSERT_EQ(0, peer_receive(peer, &number, &ticket));
			EXPECT_EQ(turn, number);
			test_take(own, ticket, BATCH, buffers);
		}
	}
	munmap(arena, info.arena_length);
	close(own);
}

TEST_F_TIMEOUT(race, ten_thousand_buffers_go_between_two_processes, 60)
{
	__u64 given = stat_value(self->giver, given);
	__u64 taken = stat_value(self->giver, taken);
	__u64 start = now_ns();
	struct peer peer;

	ASSERT_LE(0, peer_fork(&peer));
	play(_metadata, &peer, peer.pid != 0);
	if (!peer.pid)
		test_child_exit();
	test_peer_join(&peer);
	EXPECT_EQ(given + BATCH * TURNS, stat_value(self->giver, given));
	EXPECT_EQ(taken + BATCH * TURNS, stat_value(self->giver, taken));
	EXPECT_TRUE(wait_until(device_is_quiet(self->giver)));
	EXPECT_GT(20 * NSEC_PER_SEC, now_ns() - start);
}

/* The device goes while buffers are on their way. */
FIXTURE(unbind)
{
	int fd, ticket, users;
	char address[ADDRESS_SIZE];
	struct labyrinth_buffer buffers[5];
};

/* Open files that keep the module from being unloaded. */
static int module_users(void)
{
	FILE *file = fopen("/sys/module/labyrinth/refcnt", "r");
	int users = -1;

	if (file) {
		if (fscanf(file, "%d", &users) != 1)
			users = -1;
		fclose(file);
	}
	return users;
}

FIXTURE_SETUP(unbind)
{
	self->users = module_users();
	self->fd = open_quiet(_metadata, 1, O_RDWR);
	ASSERT_EQ(0, device_address(self->fd, self->address));
	if (access(DRIVER "unbind", W_OK))
		SKIP(return, "no right to unbind devices");
	test_acquire(self->fd, 4, self->buffers);
	test_acquire_order(self->fd, 2, 1, self->buffers + 4);
	self->ticket = test_give(self->fd, 5, self->buffers);
}

FIXTURE_TEARDOWN(unbind)
{
	if (!device_is_there(self->address))
		device_bind(self->address);
}

TEST_F(unbind, take_is_enodev_and_the_ticket_can_be_closed)
{
	struct labyrinth_buffer taken[5];

	EXPECT_LT(self->users, module_users());
	ASSERT_EQ(0, device_unbind(self->address));
	test_err_take(ENODEV, self->fd, self->ticket, 5, taken);
	test_err_give(ENODEV, self->fd, 1, self->buffers);
	ASSERT_EQ(0, close(self->ticket));
	ASSERT_EQ(0, close(self->fd));
	EXPECT_TRUE(wait_until(module_users() == self->users));
}

TEST_F(unbind, ticket_may_be_the_last_to_be_closed)
{
	ASSERT_EQ(0, close(self->fd));
	ASSERT_EQ(0, device_unbind(self->address));
	EXPECT_EQ(self->users + 1, module_users());
	ASSERT_EQ(0, close(self->ticket));
	EXPECT_TRUE(wait_until(module_users() == self->users));
}

TEST_F(unbind, ticket_of_the_old_device_is_exdev_on_the_new_one)
{
	struct labyrinth_buffer taken[5];
	struct labyrinth_stat before;
	int fd;

	ASSERT_EQ(0, device_unbind(self->address));
	ASSERT_EQ(0, device_bind(self->address));
	ASSERT_TRUE(wait_until(device_is_there(self->address)));
	fd = device_open_at(self->address);
	test_stat(fd, &before);
	EXPECT_EQ(0, before.ticketed);
	test_err_take(EXDEV, fd, self->ticket, 5, taken);
	/* Its end must not touch what is the new device's. */
	ASSERT_EQ(0, close(self->ticket));
	ASSERT_EQ(0, close(self->fd));
	test_unchanged(fd, &before);
	close(fd);
}

/* Tickets of every age, until the device goes. */
static void give_and_take(int fd)
{
	struct labyrinth_buffer buffers[4];
	int ticket[2];
	__u32 count;

	while (raw_acquire(fd, LABYRINTH_ACQUIRE_NOWAIT, 4, buffers) == 4) {
		ticket[0] = raw_give(fd, 2, buffers);
		ticket[1] = raw_give(fd, 2, buffers + 2);
		count = 2;
		if (!raw_take(fd, ticket[0], &count, buffers))
			raw_release(fd, 0, 2, buffers);
		close(ticket[0]);
		close(ticket[1]);
	}
}

TEST_F_TIMEOUT(unbind, give_and_take_may_race_with_removal, 240)
{
	struct peer peer;
	int cycle, fd;

	ASSERT_EQ(0, close(self->ticket));
	ASSERT_EQ(0, close(self->fd));
	for (cycle = 0; cycle < 6; cycle++) {
		ASSERT_LE(0, peer_fork(&peer));
		if (!peer.pid) {
			fd = device_open_at(self->address);
			ASSERT_LE(0, fd);
			test_peer_send(&peer, 1);
			give_and_take(fd);
			EXPECT_EQ(ENODEV, errno);
			test_child_exit();
		}
		test_peer_receive(&peer);
		sleep_ms(100 + 7 * cycle);
		ASSERT_EQ(0, device_unbind(self->address));
		test_peer_join(&peer);
		ASSERT_EQ(0, device_bind(self->address));
		ASSERT_TRUE(wait_until(device_is_there(self->address)));
	}
	fd = device_open_at(self->address);
	EXPECT_TRUE(wait_until(device_is_quiet(fd)));
	close(fd);
	EXPECT_TRUE(wait_until(module_users() == self->users));
}

TEST_HARNESS_MAIN
