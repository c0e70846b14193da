// SPDX-License-Identifier: GPL-2.0
/* A file works only in the process that opened it, however others come by it. */
#include "labyrinth_fault.h"
#include "labyrinth_peer.h"

/* The other process got the file by fork(), or through a Unix socket. */
FIXTURE(other_process)
{
	int fd;
	struct labyrinth_info info;
	struct labyrinth_buffer buffers[2];
	char *arena;
	char *map;
	struct peer peer;
};

FIXTURE_VARIANT(other_process)
{
	bool pass;
};

FIXTURE_VARIANT_ADD(other_process, forked) { .pass = false };
FIXTURE_VARIANT_ADD(other_process, passed) { .pass = true };

FIXTURE_SETUP(other_process)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR | O_NONBLOCK);
	test_info(self->fd, &self->info);
	test_acquire(self->fd, 2, self->buffers);
	self->arena = test_map_arena(self->fd, &self->info);
	self->map = test_map_buffer(self->fd, &self->buffers[0]);
	*self->map = 'p';
	fault_catch();
}

FIXTURE_TEARDOWN(other_process)
{
	close(self->fd);
}

/* Forks; in the child, returns its descriptor for the file, in the parent -1. */
static int fork_with_file(struct __test_metadata *_metadata, struct peer *peer,
			  int fd, bool pass)
{
	__u64 number;

	ASSERT_LE(0, peer_fork(peer));
	if (peer->pid) {
		if (pass)
			ASSERT_EQ(0, peer_send(peer, 0, fd));
		return -1;
	}
	if (pass) {
		close(fd);
		ASSERT_EQ(0, peer_receive(peer, &number, &fd));
	}
	return fd;
}

TEST_F(other_process, every_ioctl_is_eperm)
{
	struct labyrinth_stat before, stat;
	struct labyrinth_buffer buffer;
	struct labyrinth_info info;
	int fd;

	test_stat(self->fd, &before);
	fd = fork_with_file(_metadata, &self->peer, self->fd, variant->pass);
	if (fd < 0) {
		test_peer_join(&self->peer);
		test_unchanged(self->fd, &before);
		EXPECT_EQ('p', *self->map);
		return;
	}
	EXPECT_ERRNO(EPERM, raw_info(fd, &info));
	EXPECT_ERRNO(EPERM, raw_stat(fd, &stat));
	test_err_acquire(EPERM, fd, LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer);
	test_err_release(EPERM, fd, 0, 1, self->buffers);
	test_err_copy(EPERM, fd, self->buffers[0].handle, 0,
		      self->buffers[1].handle, 0, 1, 0);
	test_child_exit();
}

TEST_F(other_process, eperm_comes_after_the_struct_and_before_the_fields)
{
	struct labyrinth_acquire acquire = { .size = sizeof(acquire) };
	int fd;

	fd = fork_with_file(_metadata, &self->peer, self->fd, variant->pass);
	if (fd < 0) {
		test_peer_join(&self->peer);
		return;
	}
	/* count 0 would be EINVAL */
	EXPECT_ERRNO(EPERM, ioctl(fd, LABYRINTH_ACQUIRE, &acquire));
	acquire.flags = 1U << 31;
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(fd, LABYRINTH_ACQUIRE, &acquire));
	acquire.size--;
	EXPECT_ERRNO(EINVAL, ioctl(fd, LABYRINTH_ACQUIRE, &acquire));
	EXPECT_ERRNO(EFAULT, ioctl(fd, LABYRINTH_ACQUIRE, NULL));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, _IO(LABYRINTH_TYPE, 0x7f), &acquire));
	test_child_exit();
}

TEST_F(other_process, mmap_is_eperm)
{
	struct labyrinth_buffer *buffer = &self->buffers[0];
	int fd;

	fd = fork_with_file(_metadata, &self->peer, self->fd, variant->pass);
	if (fd < 0) {
		test_peer_join(&self->peer);
		EXPECT_EQ('p', *self->map);
		return;
	}
	test_err_map(EPERM, fd, PROT_READ, self->info.arena_length, 0);
	test_err_map(EPERM, fd, PROT_READ, buffer->length, buffer->offset);
	test_child_exit();
}

TEST_F(other_process, read_and_poll_and_close_are_free)
{
	struct labyrinth_event event;
	int fd;

	test_copy(self->fd, self->buffers[0].handle, 0, self->buffers[1].handle, 0,
		  1, 77);
	fd = fork_with_file(_metadata, &self->peer, self->fd, variant->pass);
	if (fd < 0) {
		test_peer_join(&self->peer);
		/* The other process took the event; the file still works here. */
		EXPECT_ERRNO(EAGAIN, read(self->fd, &event, sizeof(event)));
		EXPECT_EQ(2, stat_value(self->fd, charged));
		test_release(self->fd, 2, self->buffers);
		return;
	}
	EXPECT_EQ(POLLOUT, poll_now(fd) & POLLOUT);
	test_event(fd, 77, 0);
	EXPECT_EQ(0, close(fd));
	test_child_exit();
}

TEST_F(other_process, pages_return_with_the_last_reference)
{
	struct labyrinth_stat stat;
	struct peer owner;
	int fd = -1;
	__u64 zero;

	ASSERT_LE(0, peer_fork(&owner));
	if (!owner.pid) {
		struct labyrinth_buffer buffers[3];
		int own = raw_open(0, O_RDWR);

		test_acquire(own, 3, buffers);
		ASSERT_EQ(0, peer_send(&owner, 0, own));
		test_peer_receive(&owner);
		test_child_exit();
	}
	ASSERT_EQ(0, peer_receive(&owner, &zero, &fd));
	test_peer_kill(&owner);
	/* The opener is dead, but this process still refers to its file. */
	sleep_ms(200);
	test_stat(self->fd, &stat);
	EXPECT_EQ(2 + 3, stat.owned);
	EXPECT_ERRNO(EPERM, raw_stat(fd, &stat));
	ASSERT_EQ(0, close(fd));
	EXPECT_TRUE(wait_until(stat_value(self->fd, owned) == 2));
}

FIXTURE(inheritance)
{
	int fd;
	struct labyrinth_info info;
	struct labyrinth_buffer buffer;
	char *maps[2];
	size_t lengths[2];
	char *pages[2];
};

FIXTURE_SETUP(inheritance)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	test_info(self->fd, &self->info);
	test_acquire(self->fd, 1, &self->buffer);
	self->maps[0] = test_map_arena(self->fd, &self->info);
	self->lengths[0] = self->info.arena_length;
	self->pages[0] = self->maps[0] + self->buffer.offset;
	self->maps[1] = test_map_buffer(self->fd, &self->buffer);
	self->lengths[1] = self->buffer.length;
	self->pages[1] = self->maps[1];
	fault_catch();
	test_touch(self->pages[0]);
	test_touch(self->pages[1]);
	memcpy(self->pages[0], "secret", sizeof("secret"));
}

FIXTURE_TEARDOWN(inheritance)
{
	close(self->fd);
}

TEST_F(inheritance, fork_child_has_no_mapping)
{
	struct peer peer;
	int i;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		for (i = 0; i < 2; i++) {
			EXPECT_EQ(SIGSEGV, touch(self->pages[i], TOUCH_READ));
			EXPECT_EQ(SIGSEGV, touch(self->pages[i], TOUCH_WRITE));
		}
		test_child_exit();
	}
	test_peer_join(&peer);
	EXPECT_STREQ("secret", self->pages[1]);
}

TEST_F(inheritance, dofork_cannot_undo_it)
{
	struct peer peer;
	int i;

	for (i = 0; i < 2; i++)
		EXPECT_ERRNO(EINVAL, madvise(self->maps[i], self->lengths[i],
					     MADV_DOFORK));
	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		for (i = 0; i < 2; i++)
			EXPECT_EQ(SIGSEGV, touch(self->pages[i], TOUCH_READ));
		test_child_exit();
	}
	test_peer_join(&peer);
}

TEST_F(inheritance, parent_keeps_page_and_mapping_over_a_fork)
{
	struct peer peer;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid)
		test_child_exit();
	test_peer_join(&peer);
	EXPECT_STREQ("secret", self->pages[0]);
	test_touch(self->pages[1]);
	EXPECT_EQ(1, stat_value(self->fd, charged));
	test_release(self->fd, 1, &self->buffer);
}

TEST_F(inheritance, child_can_open_the_device_itself)
{
	struct peer peer;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		struct labyrinth_buffer own;
		int fd = raw_open(0, O_RDWR);

		test_acquire(fd, 1, &own);
		EXPECT_NE(self->buffer.offset, own.offset);
		test_touch(test_map_buffer(fd, &own));
		test_err_release(ENOENT, fd, 0, 1, &self->buffer);
		test_child_exit();
	}
	test_peer_join(&peer);
}

static void *thread_uses_file(void *argument)
{
	struct labyrinth_buffer own;
	int fd = *(int *)argument;
	void *map = MAP_FAILED;

	if (raw_acquire(fd, 0, 1, &own) == 1)
		map = raw_map(fd, PROT_READ, own.length, own.offset);
	return map == MAP_FAILED ? NULL : map;
}

TEST_F(inheritance, threads_share_the_file)
{
	pthread_t thread;
	void *map = NULL;

	ASSERT_EQ(0, pthread_create(&thread, NULL, thread_uses_file, &self->fd));
	ASSERT_EQ(0, pthread_join(thread, &map));
	ASSERT_NE(NULL, map);
	EXPECT_TRUE(all_bytes_are(map, page_size(), 0));
	EXPECT_EQ(2, stat_value(self->fd, charged));
}

TEST_HARNESS_MAIN
