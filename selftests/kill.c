// SPDX-License-Identifier: GPL-2.0
/*
 * kill -9 gives everything back, whatever a process was doing. A thousand of them are
 * killed at random points. LABYRINTH_SEED in the environment repeats their choices.
 */
#include <sys/mman.h>

#include "labyrinth_peer.h"
#include "labyrinth_pool.h"
#include "labyrinth_random.h"
#include "labyrinth_ticket.h"

#define PROCESSES	1000
#define WORKERS		8	/* that many live at a time */
#define MAX_DELAY_US	20000
#define HURRY_US	100
#define AT_LEAST	20	/* killed in each activity */
#define SCARCE		8	/* pages to be had where there are few */

/* What a process was doing when it was killed. */
enum activity {
	ON_THE_WAY,
	HOLDING,
	WAITING,
	COPYING,
	FENCED,
	PASSING,
	IN_SOCKET,
	TOUCHING,
	ACTIVITIES
};

static const char * const names[ACTIVITIES] = {
	[ON_THE_WAY] = "on the way there",
	[HOLDING] = "holding pages",
	[WAITING] = "blocked in ACQUIRE",
	[COPYING] = "copying",
	[FENCED] = "blocked by a fenced copy",
	[PASSING] = "passing a ticket to itself",
	[IN_SOCKET] = "with tickets in a socket",
	[TOUCHING] = "writing to mapped pages",
};

/* Shared by all processes. */
struct board {
	atomic_int now[WORKERS];	/* activity of each worker's process */
	atomic_int killed[ACTIVITIES];
	atomic_int finished;		/* workers */
};

/* From a process that is to be killed, any failure is an exit instead. */
static void must(bool condition)
{
	if (!condition)
		_exit(1);
}

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

static void hold(int fd, __u64 *random, atomic_int *now)
{
	struct labyrinth_buffer buffers[32];
	int count = random_between(random, 1, 32);

	must(raw_acquire(fd, 0, count, buffers) == count);
	atomic_store(now, HOLDING);
	sleep_for_ever();
}

/* On the device where pages are scarce: some have to wait, and some get theirs. */
static void wait_for_pages(int fd, __u64 *random, atomic_int *now)
{
	struct labyrinth_buffer buffers[2 * SCARCE];
	int count = random_between(random, SCARCE / 2, 2 * SCARCE);

	close(fd);
	fd = raw_open(1, O_RDWR);
	atomic_store(now, WAITING);
	must(raw_acquire(fd, 0, count, buffers) == count);
	atomic_store(now, HOLDING);
	sleep_for_ever();
}

static void copy(int fd, __u32 flags, __u64 *random, atomic_int *now)
{
	struct labyrinth_buffer buffers[2];
	struct labyrinth_copy cmd = { .size = sizeof(cmd), .flags = flags };
	int i, copies = random_between(random, 1, 8);
	struct labyrinth_event event;
	char *page;

	must(raw_acquire(fd, 0, 2, buffers) == 2);
	page = raw_map(fd, PROT_READ | PROT_WRITE, buffers[1].length, buffers[1].offset);
	must(page != MAP_FAILED);
	__atomic_store_n(page, 1, __ATOMIC_RELAXED);
	cmd.src_handle = buffers[0].handle;
	cmd.dst_handle = buffers[1].handle;
	cmd.length = random_between(random, 1, page_size());
	for (i = 0; i < copies; i++)
		must(!ioctl(fd, LABYRINTH_COPY, &cmd));
	atomic_store(now, flags ? FENCED : COPYING);
	if (flags)
		__atomic_store_n(page, 2, __ATOMIC_RELAXED);
	while (!raw_event(fd, &event))
		must(!ioctl(fd, LABYRINTH_COPY, &cmd));
	_exit(1);
}

static void pass(int fd, __u64 *random, atomic_int *now)
{
	struct labyrinth_buffer buffers[16];
	__u32 count = random_between(random, 1, 16);
	int ticket;

	must(raw_acquire(fd, 0, count, buffers) == (int)count);
	for (;;) {
		ticket = raw_give(fd, count, buffers);
		must(ticket >= 0);
		atomic_store(now, PASSING);
		must(!raw_take(fd, ticket, &count, buffers));
		must(!close(ticket));
	}
}

static void send_away(int fd, __u64 *random, atomic_int *now)
{
	struct labyrinth_buffer buffers[16];
	int pair[2], i, ticket, count = random_between(random, 1, 16);
	struct peer out = { .pid = 0 };

	must(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
	out.line = pair[0];
	for (i = 0; i < 4; i++) {
		must(raw_acquire(fd, 0, count, buffers) == count);
		ticket = raw_give(fd, count, buffers);
		must(ticket >= 0 && !peer_send(&out, i, ticket) && !close(ticket));
		atomic_store(now, IN_SOCKET);
	}
	sleep_for_ever();
}

static void touch_pages(int fd, __u64 *random, atomic_int *now)
{
	struct labyrinth_buffer buffers[8];
	struct labyrinth_info info;
	unsigned char i;
	char *arena;

	must(!raw_info(fd, &info));
	arena = raw_map(fd, PROT_READ | PROT_WRITE, info.arena_length, 0);
	must(arena != MAP_FAILED && raw_acquire(fd, 0, 8, buffers) == 8);
	atomic_store(now, TOUCHING);
	for (i = random_next(random); ; i++)
		__atomic_store_n(arena + buffers[i % 8].offset + i, i, __ATOMIC_RELAXED);
}

static void run(enum activity activity, __u64 *random, atomic_int *now)
{
	int fd = raw_open(0, O_RDWR);

	must(fd >= 0);
	switch (activity) {
	case HOLDING:
		hold(fd, random, now);
		break;
	case WAITING:
		wait_for_pages(fd, random, now);
		break;
	case COPYING:
		copy(fd, 0, random, now);
		break;
	case FENCED:
		copy(fd, LABYRINTH_COPY_FENCE, random, now);
		break;
	case PASSING:
		pass(fd, random, now);
		break;
	case IN_SOCKET:
		send_away(fd, random, now);
		break;
	default:
		touch_pages(fd, random, now);
		break;
	}
}

/* One process from its beginning to its end: false if it has ended by itself. */
static bool kill_one(struct board *board, unsigned int worker, __u64 random)
{
	atomic_int *now = &board->now[worker];
	enum activity activity = random_between(&random, HOLDING, TOUCHING);
	__u32 manner = random_between(&random, 0, 7);
	__u32 delay_us = random_between(&random, 0, manner ? MAX_DELAY_US : HURRY_US);
	bool at_work = manner % 2;
	pid_t pid, parent = getpid();
	int status;

	atomic_store(now, ON_THE_WAY);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		must(getppid() == parent);
		run(activity, &random, now);
	}
	/* Every other one is left alone until it is at work, and a few are not at all. */
	if (pid < 0 || (at_work && !wait_until(atomic_load(now) != ON_THE_WAY)))
		return false;
	usleep(delay_us);
	if (kill(pid, SIGKILL) || waitpid(pid, &status, 0) != pid)
		return false;
	atomic_fetch_add(&board->killed[atomic_load(now)], 1);
	return WIFSIGNALED(status);
}

static void work(struct board *board, unsigned int worker, __u64 seed)
{
	unsigned int i;

	for (i = worker; i < PROCESSES; i += WORKERS) {
		__u64 random = seed + i;

		if (!kill_one(board, worker, random_next(&random)))
			_exit(1);
	}
	atomic_fetch_add(&board->finished, 1);
	_exit(0);
}

static bool is_conserved(int fd)
{
	struct labyrinth_stat stat;

	return !raw_stat(fd, &stat) && stat.total == stat_sum(&stat);
}

static bool everything_is_back(int fd)
{
	struct labyrinth_stat stat;

	return !raw_stat(fd, &stat) && !stat.owned && !stat.ticketed && !stat.kernel &&
	       !stat.quarantined && !stat.waiters &&
	       stat.free + stat.poisoned == stat.total;
}

FIXTURE(kill)
{
	int fds[2];
	struct hoard hoard;
	struct board *board;
	struct peer workers[WORKERS];
};

FIXTURE_SETUP(kill)
{
	self->fds[0] = open_quiet(_metadata, 0, O_RDWR);
	self->fds[1] = open_quiet(_metadata, 1, O_RDWR);
	hoard_fill(_metadata, &self->hoard, 1, self->fds[1]);
	test_hoard_release(&self->hoard, SCARCE);
	self->board = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->board);
}

FIXTURE_TEARDOWN(kill)
{
	hoard_close(&self->hoard);
	close(self->fds[0]);
	close(self->fds[1]);
}

TEST_F_TIMEOUT(kill, a_thousand_killed_processes_leave_nothing_behind, 300)
{
	const __u64 seed = choose_seed();
	struct board *board = self->board;
	unsigned int i;

	TH_LOG("LABYRINTH_SEED=%llu", (unsigned long long)seed);
	for (i = 0; i < WORKERS; i++) {
		ASSERT_LE(0, peer_fork(&self->workers[i]));
		if (!self->workers[i].pid)
			work(board, i, seed);
	}
	/* In every snapshot that is taken meanwhile, no page is missing. */
	while (atomic_load(&board->finished) < WORKERS &&
	       !(poll_now(self->workers[0].line) & POLLHUP)) {
		ASSERT_TRUE(is_conserved(self->fds[0]));
		ASSERT_TRUE(is_conserved(self->fds[1]));
		sleep_ms(20);
	}
	for (i = 0; i < WORKERS; i++)
		test_peer_join(&self->workers[i]);
	hoard_close(&self->hoard);
	for (i = 0; i < 2; i++)
		EXPECT_TRUE(wait_until(everything_is_back(self->fds[i])));
	for (i = 0; i < ACTIVITIES; i++) {
		TH_LOG("%d killed %s", atomic_load(&board->killed[i]), names[i]);
		EXPECT_LT(AT_LEAST, atomic_load(&board->killed[i]));
	}
}

TEST_HARNESS_MAIN
