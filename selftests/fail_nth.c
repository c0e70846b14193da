// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation and each user copy in a call fails in turn: the call is refused as a whole,
 * with an errno that the interface names, or does all it should; and works the next time.
 */
#include <sys/epoll.h>

#include "labyrinth_fault.h"
#include "labyrinth_sweep.h"
#include "labyrinth_ticket.h"

/* Each is queued for twice by poll(): more than it has room for on its stack. */
#define POLLED		16

/* Where what checks the DMA API cannot make a note, it says so, and does not check any more. */
#define SPARED		"add_dma_entry"

FIXTURE(nth)
{
	struct sweep sweep;
};

FIXTURE_SETUP(nth)
{
	sweep_open(_metadata, &self->sweep);
	inject_spare_require(_metadata);
	inject_spare(_metadata, SPARED);
	fault_catch();
}

FIXTURE_TEARDOWN(nth)
{
	inject_spare_nothing(_metadata);
	sweep_close(_metadata, &self->sweep);
}

static void acquire(struct __test_metadata *_metadata, struct sweep *self)
{
	unsigned int i;

	test_acquire(self->fd, self->count, self->buffers);
	for (i = 0; i < self->count; i++)
		self->handles[i] = self->buffers[i].handle;
}

static void release(struct __test_metadata *_metadata, struct sweep *self)
{
	test_release(self->fd, self->count, self->buffers);
}

static void map_arena(struct __test_metadata *_metadata, struct sweep *self)
{
	self->length = self->info.arena_length;
	self->map = test_map_arena(self->fd, &self->info);
}

static void unmap(struct __test_metadata *_metadata, struct sweep *self)
{
	EXPECT_EQ(0, munmap(self->map, self->length));
}

static void close_made(struct __test_metadata *_metadata, struct sweep *self)
{
	EXPECT_EQ(0, close(self->made));
}

static int run_open(struct sweep *self)
{
	self->made = open("/dev/labyrinth0", O_RDWR | O_CLOEXEC);
	return self->made < 0 ? -1 : 0;
}

TEST_F_TIMEOUT(nth, open, 120)
{
	static const struct call call = {
		.name = "open", .run = run_open, .undo = close_made,
		.errors = { ENOMEM, EFAULT },
	};

	sweep_call(_metadata, &self->sweep, &call);
}

static int run_info(struct sweep *self)
{
	struct labyrinth_info info;

	return raw_info(self->fd, &info);
}

static int run_stat(struct sweep *self)
{
	struct labyrinth_stat stat;

	return raw_stat(self->fd, &stat);
}

TEST_F_TIMEOUT(nth, info_and_stat, 120)
{
	static const struct call info = {
		.name = "INFO", .run = run_info, .errors = { EFAULT },
	};
	static const struct call stat = {
		.name = "STAT", .run = run_stat, .errors = { EFAULT },
	};

	sweep_call(_metadata, &self->sweep, &info);
	sweep_call(_metadata, &self->sweep, &stat);
}

/*
 * As from a program that knows a longer struct than the kernel, with nothing in what is
 * new: it is copied in by a function that can be made to fail, which others are not.
 */
static int longer_ioctl(int fd, unsigned long request, const void *cmd, size_t size)
{
	char longer[128] = "";
	const __u32 longer_size = size + 8;

	memcpy(longer, cmd, size);
	memcpy(longer, &longer_size, sizeof(longer_size));
	return ioctl(fd, request, longer);
}

static int run_acquire(struct sweep *self)
{
	const struct labyrinth_acquire cmd = {
		.count = self->count,
		.buffers = (uintptr_t)self->buffers,
	};

	return longer_ioctl(self->fd, LABYRINTH_ACQUIRE, &cmd, sizeof(cmd));
}

TEST_F_TIMEOUT(nth, acquire, 120)
{
	static const struct call call = {
		.name = "ACQUIRE", .run = run_acquire, .undo = release,
		.errors = { EFAULT },
	};

	self->sweep.count = 1;
	sweep_call(_metadata, &self->sweep, &call);
	self->sweep.count = BATCH;
	sweep_call(_metadata, &self->sweep, &call);
}

static struct labyrinth_acquire populate(const struct sweep *self)
{
	return (struct labyrinth_acquire){
		.size = sizeof(struct labyrinth_acquire),
		.flags = LABYRINTH_ACQUIRE_POPULATE,
		.count = self->count,
		.buffers = (uintptr_t)self->buffers,
		.arena_addr = (uintptr_t)self->map,
	};
}

static int run_populate(struct sweep *self)
{
	struct labyrinth_acquire cmd = populate(self);

	return ioctl(self->fd, LABYRINTH_ACQUIRE, &cmd);
}

static int run_longer_populate(struct sweep *self)
{
	struct labyrinth_acquire cmd = populate(self);

	return longer_ioctl(self->fd, LABYRINTH_ACQUIRE, &cmd, sizeof(cmd));
}

/* Filling the arena is best effort: what could not be filled is there when touched. */
static void touch_and_release(struct __test_metadata *_metadata, struct sweep *self)
{
	unsigned int i;

	for (i = 0; i < self->count; i++)
		test_touch(self->map + self->buffers[i].offset);
	release(_metadata, self);
}

TEST_F_TIMEOUT(nth, acquire_with_populate, 120)
{
	static const struct call call = {
		.name = "ACQUIRE with POPULATE", .prepare = map_arena,
		.run = run_populate, .undo = touch_and_release, .clean_up = unmap,
	};
	static const struct call longer = {
		.name = "longer ACQUIRE with POPULATE", .prepare = map_arena,
		.run = run_longer_populate, .undo = touch_and_release,
		.clean_up = unmap, .errors = { EFAULT },
	};

	self->sweep.count = 1;
	sweep_call(_metadata, &self->sweep, &call);
	sweep_call(_metadata, &self->sweep, &longer);
	self->sweep.count = BATCH;
	sweep_call(_metadata, &self->sweep, &call);
	sweep_call(_metadata, &self->sweep, &longer);
}

static int run_acquire_order(struct sweep *self)
{
	return raw_acquire_order(self->fd, 0, 2, self->count, self->buffers) < 0 ? -1 : 0;
}

TEST_F_TIMEOUT(nth, acquire_of_contiguous_buffers, 120)
{
	static const struct call call = {
		.name = "ACQUIRE of order 2", .run = run_acquire_order, .undo = release,
		.errors = { ENOMEM, EFAULT },
	};

	if (!(self->sweep.info.capabilities & LABYRINTH_CAP_CONTIGUOUS))
		SKIP(return, "no contiguous buffers in this driver");
	self->sweep.count = 3;
	sweep_call(_metadata, &self->sweep, &call);
}

static int run_release(struct sweep *self)
{
	return raw_release_handles(self->fd, 0, self->count, self->handles);
}

static int run_longer_release(struct sweep *self)
{
	const struct labyrinth_release cmd = {
		.count = self->count,
		.handles = (uintptr_t)self->handles,
	};

	return longer_ioctl(self->fd, LABYRINTH_RELEASE, &cmd, sizeof(cmd));
}

TEST_F_TIMEOUT(nth, release, 120)
{
	static const struct call call = {
		.name = "RELEASE", .prepare = acquire, .run = run_release,
		.errors = { ENOMEM },
	};
	static const struct call longer = {
		.name = "longer RELEASE", .prepare = acquire, .run = run_longer_release,
		.errors = { ENOMEM, EFAULT },
	};

	self->sweep.count = 1;
	sweep_call(_metadata, &self->sweep, &longer);
	self->sweep.count = BATCH;
	sweep_call(_metadata, &self->sweep, &call);
	sweep_call(_metadata, &self->sweep, &longer);
}

static int run_copy(struct sweep *self)
{
	return raw_copy(self->fd, self->handles[0], 0, self->handles[1], 0, 1, 7);
}

static void expect_event(struct __test_metadata *_metadata, struct sweep *self)
{
	test_event(self->fd, 7, 0);
}

TEST_F_TIMEOUT(nth, copy, 120)
{
	static const struct call call = {
		.name = "COPY", .prepare = acquire, .run = run_copy,
		.undo = expect_event, .clean_up = release,
		.errors = { ENOMEM, EFAULT },
	};

	self->sweep.count = 2;
	sweep_call(_metadata, &self->sweep, &call);
}

static int run_give(struct sweep *self)
{
	self->made = raw_give_handles(self->fd, self->count, self->handles);
	return self->made < 0 ? -1 : 0;
}

TEST_F_TIMEOUT(nth, give, 120)
{
	static const struct call call = {
		.name = "GIVE", .prepare = acquire, .run = run_give, .undo = close_made,
		.errors = { ENOMEM, EFAULT, ENFILE, EMFILE },
	};
	int before = next_descriptor();

	self->sweep.count = 1;
	sweep_call(_metadata, &self->sweep, &call);
	self->sweep.count = BATCH;
	sweep_call(_metadata, &self->sweep, &call);
	EXPECT_EQ(before, next_descriptor());
}

static void give(struct __test_metadata *_metadata, struct sweep *self)
{
	acquire(_metadata, self);
	self->made = test_give(self->fd, self->count, self->buffers);
}

static int run_take(struct sweep *self)
{
	const struct labyrinth_take cmd = {
		.ticket_fd = self->made,
		.count = self->count,
		.buffers = (uintptr_t)self->buffers,
	};

	return longer_ioctl(self->other, LABYRINTH_TAKE, &cmd, sizeof(cmd));
}

static void release_taken(struct __test_metadata *_metadata, struct sweep *self)
{
	test_release(self->other, self->count, self->buffers);
}

TEST_F_TIMEOUT(nth, take, 120)
{
	static const struct call call = {
		.name = "TAKE", .prepare = give, .run = run_take, .undo = release_taken,
		.clean_up = close_made, .errors = { EFAULT },
	};

	self->sweep.count = 1;
	sweep_call(_metadata, &self->sweep, &call);
	self->sweep.count = BATCH;
	sweep_call(_metadata, &self->sweep, &call);
}

static int run_map_arena(struct sweep *self)
{
	self->length = self->info.arena_length;
	self->map = raw_map(self->fd, PROT_READ | PROT_WRITE, self->length, 0);
	return self->map == MAP_FAILED ? -1 : 0;
}

static int run_map_buffer(struct sweep *self)
{
	self->length = self->buffers[0].length;
	self->map = raw_map(self->fd, PROT_READ | PROT_WRITE, self->length,
			    self->buffers[0].offset);
	return self->map == MAP_FAILED ? -1 : 0;
}

TEST_F_TIMEOUT(nth, mmap, 120)
{
	static const struct call arena = {
		.name = "mmap of the arena", .run = run_map_arena, .undo = unmap,
		.errors = { ENOMEM },
	};
	static const struct call buffer = {
		.name = "mmap of a buffer", .prepare = acquire, .run = run_map_buffer,
		.undo = unmap, .clean_up = release, .errors = { ENOMEM },
	};

	sweep_call(_metadata, &self->sweep, &arena);
	self->sweep.count = 1;
	sweep_call(_metadata, &self->sweep, &buffer);
}

/* The kernel has the access tried again: it must work, with fresh page tables. */
static int run_touch(struct sweep *self)
{
	__atomic_store_n(self->map + self->buffers[0].offset, 1, __ATOMIC_RELAXED);
	return 0;
}

static void acquire_and_map(struct __test_metadata *_metadata, struct sweep *self)
{
	acquire(_metadata, self);
	map_arena(_metadata, self);
}

static void release_and_unmap(struct __test_metadata *_metadata, struct sweep *self)
{
	release(_metadata, self);
	unmap(_metadata, self);
}

TEST_F_TIMEOUT(nth, first_touch, 120)
{
	static const struct call call = {
		.name = "first touch", .prepare = acquire_and_map, .run = run_touch,
		.clean_up = release_and_unmap,
	};

	/* Not by way of touch(), which is a system call as well. */
	signal(SIGBUS, SIG_DFL);
	self->sweep.count = 1;
	sweep_call(_metadata, &self->sweep, &call);
}

static void copy(struct __test_metadata *_metadata, struct sweep *self)
{
	acquire(_metadata, self);
	ASSERT_EQ(0, run_copy(self));
	ASSERT_EQ(POLLIN, poll_woken(self->fd, POLLIN, 20000));
}

static int run_read(struct sweep *self)
{
	struct labyrinth_event event;

	if (read(self->fd, &event, sizeof(event)) != sizeof(event))
		return -1;
	errno = EPROTO;		/* the event is not lost, nor another one */
	return event.user_data == 7 && !event.result ? 0 : -1;
}

TEST_F_TIMEOUT(nth, read, 120)
{
	static const struct call call = {
		.name = "read", .prepare = copy, .run = run_read, .clean_up = release,
		.errors = { EFAULT },
	};

	self->sweep.count = 2;
	sweep_call(_metadata, &self->sweep, &call);
}

static int run_poll(struct sweep *self)
{
	struct pollfd fds[POLLED];
	unsigned int i;

	for (i = 0; i < POLLED; i++)
		fds[i] = (struct pollfd){ .fd = self->fd, .events = POLLIN };
	return poll(fds, POLLED, 1) < 0 ? -1 : 0;
}

static void make_set(struct __test_metadata *_metadata, struct sweep *self)
{
	self->made = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, self->made);
}

static int run_epoll_add(struct sweep *self)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };

	return epoll_ctl(self->made, EPOLL_CTL_ADD, self->fd, &event);
}

static void expect_pollout(struct __test_metadata *_metadata, struct sweep *self)
{
	struct epoll_event event;

	EXPECT_EQ(1, epoll_wait(self->made, &event, 1, 0));
	EXPECT_EQ(EPOLLOUT, event.events);
}

TEST_F_TIMEOUT(nth, poll_and_epoll, 120)
{
	static const struct call poll = {
		.name = "poll", .run = run_poll, .errors = { ENOMEM, EFAULT },
	};
	static const struct call epoll = {
		.name = "epoll", .prepare = make_set, .run = run_epoll_add,
		.undo = expect_pollout, .clean_up = close_made,
		.errors = { ENOMEM, EFAULT },
	};

	sweep_call(_metadata, &self->sweep, &poll);
	sweep_call(_metadata, &self->sweep, &epoll);
}

TEST_HARNESS_MAIN
