/* SPDX-License-Identifier: GPL-2.0 */
/* Taking a device away and giving it back, and a program that uses it meanwhile. */
#ifndef LABYRINTH_DEVICE_H
#define LABYRINTH_DEVICE_H

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include "labyrinth_fault.h"

#define DRIVER		"/sys/bus/pci/drivers/labyrinth/"
#define ADDRESS_SIZE	32

/* The PCI address behind an open file, such as 0000:00:11.0. */
static inline int device_address(int fd, char *address)
{
	char path[64], target[256];
	struct stat stat;
	ssize_t length;

	if (fstat(fd, &stat))
		return -1;
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device",
		 major(stat.st_rdev), minor(stat.st_rdev));
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return -1;
	target[length] = 0;
	snprintf(address, ADDRESS_SIZE, "%.31s", strrchr(target, '/') + 1);
	return 0;
}

/* Opens the device at a PCI address, -1 if there is none. Others may be dead. */
static inline int device_open_at(const char *address)
{
	char found[ADDRESS_SIZE], path[32];
	unsigned int number;
	int fd;

	for (number = 0; number < MOST_NUMBERS; number++) {
		snprintf(path, sizeof(path), "/dev/labyrinth%u", number);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!device_address(fd, found) && !strcmp(found, address))
			return fd;
		close(fd);
	}
	return -1;
}

static inline bool device_is_there(const char *address)
{
	int fd = device_open_at(address);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static inline int sysfs_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t length = strlen(text);
	int result;

	if (fd < 0)
		return -1;
	result = write(fd, text, length) == length ? 0 : -1;
	close(fd);
	return result;
}

static inline int device_unbind(const char *address)
{
	return sysfs_write(DRIVER "unbind", address);
}

static inline int device_bind(const char *address)
{
	return sysfs_write(DRIVER "bind", address);
}

/* The host itself waits for up to 60 s until a device has gone. */
#define HOST_PATIENCE_MS	70000

/* A line to the machine's host and its answer: 0 if that is "ok". */
static inline int host_command(const char *tty, const char *line)
{
	struct pollfd pollfd = { .events = POLLIN };
	struct termios raw;
	char answer[128];
	size_t length = 0;

	pollfd.fd = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pollfd.fd < 0)
		return -1;
	if (!tcgetattr(pollfd.fd, &raw)) {
		cfmakeraw(&raw);
		tcsetattr(pollfd.fd, TCSANOW, &raw);
	}
	if (write(pollfd.fd, line, strlen(line)) != (ssize_t)strlen(line))
		goto out;
	while (length < sizeof(answer) - 1 && poll(&pollfd, 1, HOST_PATIENCE_MS) == 1 &&
	       read(pollfd.fd, answer + length, 1) == 1 && answer[length] != '\n')
		length++;
out:
	close(pollfd.fd);
	answer[length] = 0;
	return strcmp(answer, "ok") ? -1 : 0;
}

/* 400 ms each: longer than a removal takes, or a slot, so that some are cut off. */
#define LOAD_COPIES	64

/* A file in full use: pages mapped twice and written to all the time, copies queued. */
struct load {
	int fd;
	struct labyrinth_info info;
	struct labyrinth_buffer buffers[4];
	char *arena;
	char *alone;
	struct toucher in_arena;
	struct toucher in_alone;
};

static inline void load_start(struct __test_metadata *_metadata,
			      struct load *load, int fd)
{
	int i;

	memset(load, 0, sizeof(*load));
	load->fd = fd;
	fault_catch();
	test_info(fd, &load->info);
	test_acquire(fd, 4, load->buffers);
	load->arena = test_map_arena(fd, &load->info);
	load->alone = test_map_buffer(fd, &load->buffers[1]);
	ASSERT_EQ(0, toucher_start(&load->in_arena,
				   load->arena + load->buffers[0].offset));
	ASSERT_EQ(0, toucher_start(&load->in_alone, load->alone));
	for (i = 0; i < LOAD_COPIES; i++)
		test_copy(fd, load->buffers[2].handle, 0, load->buffers[3].handle, 0,
			  4096, i);
	ASSERT_TRUE(wait_until(atomic_load(&load->in_arena.touched) &&
			       atomic_load(&load->in_alone.touched)));
}

/* Every call on a file whose device is gone. */
static inline void expect_dead(struct __test_metadata *_metadata, int fd,
			       const struct labyrinth_buffer *buffer)
{
	struct labyrinth_buffer more;
	struct labyrinth_info info;
	struct labyrinth_stat stat;
	int events;

	EXPECT_ERRNO(ENODEV, raw_info(fd, &info));
	EXPECT_ERRNO(ENODEV, raw_stat(fd, &stat));
	test_err_acquire(ENODEV, fd, 0, 1, &more);
	test_err_acquire(ENODEV, fd, LABYRINTH_ACQUIRE_NOWAIT, 1, &more);
	/* Bad fields come after it. */
	test_err_acquire(ENODEV, fd, 0, 0, &more);
	test_err_release(ENODEV, fd, 0, 1, buffer);
	test_err_copy(ENODEV, fd, buffer->handle, 0, buffer->handle, 2048, 1, 0);
	test_err_map(ENODEV, fd, PROT_READ, buffer->length, buffer->offset);
	events = poll_now(fd);
	EXPECT_EQ(POLLERR | POLLHUP | POLLOUT, events & ~POLLIN);
}

/* The device has just gone. Ends the load and closes its file. */
static inline void load_expect_dead(struct __test_metadata *_metadata,
				    struct load *load)
{
	struct labyrinth_event event;
	int i, failed = 0;

	ASSERT_TRUE(wait_until(atomic_load(&load->in_arena.faulted) &&
			       atomic_load(&load->in_alone.faulted)));
	ASSERT_EQ(0, toucher_stop(&load->in_arena));
	ASSERT_EQ(0, toucher_stop(&load->in_alone));
	test_sigbus(load->arena + load->buffers[0].offset);
	test_sigbus(load->arena + load->buffers[3].offset);
	test_sigbus(load->alone);
	expect_dead(_metadata, load->fd, &load->buffers[0]);
	for (i = 0; i < LOAD_COPIES; i++) {
		ASSERT_EQ(0, raw_event(load->fd, &event));
		EXPECT_EQ(i, event.user_data);
		/* Some may have ended before; none after the first that did not. */
		EXPECT_TRUE(event.result == -ENODEV || (!event.result && !failed));
		failed += event.result == -ENODEV;
	}
	EXPECT_LT(0, failed);
	EXPECT_ERRNO(ENODEV, read(load->fd, &event, sizeof(event)));
	EXPECT_EQ(0, poll_now(load->fd) & POLLIN);
	EXPECT_EQ(0, munmap(load->arena, load->info.arena_length));
	EXPECT_EQ(0, munmap(load->alone, load->buffers[1].length));
	EXPECT_EQ(0, close(load->fd));
}

/* How many lines of a file contain that text. */
static inline unsigned int lines_with(const char *path, const char *text)
{
	FILE *file = fopen(path, "r");
	unsigned int count = 0;
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		count += !!strstr(line, text);
	if (file)
		fclose(file);
	return count;
}

#endif /* LABYRINTH_DEVICE_H */
