// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A device that is none: what it answers. Each open has a pool of its own, in a file in
 * memory, and a copy is done when it has been asked for. There are no tickets, no orders
 * above 0, and nobody to wait for: a page that is not there is EAGAIN.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/labyrinth.h>

#include "fake.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define MAX_OPEN	16
#define DEPTH		8U		/* copies */

struct fake {
	int fd;				/* 0: not in use */
	unsigned int number;
	uint64_t handles[FAKE_SLOTS];	/* 0: free */
	__u64 acquired, released, copies, copied_bytes;
	struct labyrinth_event events[DEPTH];
	unsigned int waiting;		/* events */
};

static struct fake fakes[MAX_OPEN];
static uint64_t last_handle;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int refuse(int error)
{
	errno = error;
	return -1;
}

static struct fake *find(int fd)
{
	unsigned int i;

	for (i = 0; fd > 0 && i < MAX_OPEN; i++)
		if (fakes[i].fd == fd)
			return &fakes[i];
	return NULL;
}

int fake_is_open(int fd)
{
	return !!find(fd);
}

int fake_events(int fd)
{
	return find(fd)->waiting;
}

int fake_open(unsigned int number)
{
	struct fake *fake = NULL;
	__u64 error;
	unsigned int i;

	if (fake_script(number, "fail-open", &error))
		return refuse(error);
	pthread_mutex_lock(&lock);
	for (i = 0; i < MAX_OPEN && !fake; i++)
		if (!fakes[i].fd)
			fake = &fakes[i];
	if (fake) {
		*fake = (struct fake){ .number = number };
		fake->fd = memfd_create("labyrinth", MFD_CLOEXEC);
		if (fake->fd < 0 || ftruncate(fake->fd, FAKE_ARENA) < 0)
			fake = NULL;
	}
	pthread_mutex_unlock(&lock);
	return fake ? fake->fd : refuse(EMFILE);
}

void fake_close(int fd)
{
	find(fd)->fd = 0;
}

static int info(struct fake *fake, struct labyrinth_info *info)
{
	info->abi_version = LABYRINTH_ABI_VERSION;
	info->page_size = FAKE_PAGE;
	info->capabilities = LABYRINTH_CAP_COPY | LABYRINTH_CAP_PARTIAL | LABYRINTH_CAP_POPULATE;
	info->arena_length = FAKE_ARENA;
	info->max_copy = FAKE_PAGE;
	info->max_pages = FAKE_SLOTS;
	info->max_batch = 16;
	info->max_request = FAKE_SLOTS / 4;
	info->file_quota = FAKE_SLOTS;
	info->copy_depth = DEPTH;
	info->copy_chunk = 4095;
	fake_script(fake->number, "capabilities", &info->capabilities);
	return 0;
}

static unsigned int owned(const struct fake *fake)
{
	unsigned int slot, count = 0;

	for (slot = 0; slot < FAKE_SLOTS; slot++)
		count += !!fake->handles[slot];
	return count;
}

static int stat(struct fake *fake, struct labyrinth_stat *stat)
{
	unsigned int i;
	struct {
		const char *key;
		__u64 *value, usual;
	} fields[] = {
		{ "total", &stat->total, FAKE_SLOTS },
		{ "free", &stat->free, FAKE_SLOTS - owned(fake) },
		{ "owned", &stat->owned, owned(fake) },
		{ "ticketed", &stat->ticketed, 0 },
		{ "kernel", &stat->kernel, 0 },
		{ "quarantined", &stat->quarantined, 0 },
		{ "poisoned", &stat->poisoned, 0 },
		{ "charged", &stat->charged, owned(fake) },
		{ "waiters", &stat->waiters, 0 },
		{ "high", &stat->high, FAKE_SLOTS },
		{ "max", &stat->max, FAKE_SLOTS },
		{ "acquired", &stat->acquired, fake->acquired },
		{ "released", &stat->released, fake->released },
		{ "irq_refill_pages", &stat->irq_refill_pages, 0 },
		{ "worker_refill_pages", &stat->worker_refill_pages, 0 },
		{ "copies", &stat->copies, fake->copies },
		{ "copied_bytes", &stat->copied_bytes, fake->copied_bytes },
	};

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		*fields[i].value = fields[i].usual;
		fake_script(fake->number, fields[i].key, fields[i].value);
	}
	return 0;
}

static int acquire(struct fake *fake, struct labyrinth_acquire *request)
{
	struct labyrinth_buffer *buffers = (void *)(uintptr_t)request->buffers;
	const unsigned int left = FAKE_SLOTS - owned(fake);
	static const char zeroes[FAKE_PAGE];
	unsigned int slot;
	__u64 dirty = 0;

	if (request->order || !request->count || request->count > 16)
		return refuse(EINVAL);
	if (!left || (request->count > left && !(request->flags & LABYRINTH_ACQUIRE_PARTIAL)))
		return refuse(EAGAIN);
	fake_script(fake->number, "dirty", &dirty);
	request->acquired = 0;
	for (slot = 0; slot < FAKE_SLOTS && request->acquired < request->count; slot++) {
		const uint64_t offset = 2ULL * slot * FAKE_PAGE;

		if (fake->handles[slot])
			continue;
		if (!dirty && pwrite(fake->fd, zeroes, FAKE_PAGE, offset) != (ssize_t)FAKE_PAGE)
			return refuse(ENOMEM);
		fake->handles[slot] = ++last_handle;
		buffers[request->acquired++] = (struct labyrinth_buffer){
			.handle = last_handle,
			.offset = offset,
			.length = FAKE_PAGE,
		};
	}
	fake->acquired += request->acquired;
	return 0;
}

/* The slot, or FAKE_SLOTS. */
static unsigned int find_handle(const struct fake *fake, uint64_t handle)
{
	unsigned int slot;

	for (slot = 0; slot < FAKE_SLOTS; slot++)
		if (handle && fake->handles[slot] == handle)
			return slot;
	return FAKE_SLOTS;
}

static int release(struct fake *fake, struct labyrinth_release *request)
{
	const uint64_t *handles = (void *)(uintptr_t)request->handles;
	unsigned int i;

	for (i = 0; i < request->count; i++)
		if (find_handle(fake, handles[i]) == FAKE_SLOTS)
			return refuse(ENOENT);
	for (i = 0; i < request->count; i++)
		fake->handles[find_handle(fake, handles[i])] = 0;
	fake->released += request->count;
	return 0;
}

static int copy(struct fake *fake, struct labyrinth_copy *request)
{
	const unsigned int source = find_handle(fake, request->src_handle);
	const unsigned int target = find_handle(fake, request->dst_handle);
	char data[FAKE_PAGE];
	struct timespec now;
	__u64 miscopied;

	if (!request->length || request->length > FAKE_PAGE ||
	    request->src_offset > FAKE_PAGE - request->length ||
	    request->dst_offset > FAKE_PAGE - request->length)
		return refuse(EINVAL);
	if (source == FAKE_SLOTS || target == FAKE_SLOTS)
		return refuse(ENOENT);
	if (fake->waiting == DEPTH)
		return refuse(EAGAIN);
	if (fake_script(fake->number, "miscopy", &miscopied))
		request->src_offset ^= miscopied;
	if (pread(fake->fd, data, request->length,
		  2ULL * source * FAKE_PAGE + request->src_offset) < 0 ||
	    pwrite(fake->fd, data, request->length,
		   2ULL * target * FAKE_PAGE + request->dst_offset) < 0)
		return -1;
	fake->copies++;
	fake->copied_bytes += request->length;
	clock_gettime(CLOCK_MONOTONIC, &now);
	fake->events[fake->waiting++] = (struct labyrinth_event){
		.user_data = request->user_data,
		.timestamp_ns = now.tv_sec * 1000000000ULL + now.tv_nsec,
		.type = LABYRINTH_EVENT_COPY,
	};
	return 0;
}

static int answer(struct fake *fake, unsigned long call, void *argument)
{
	__u64 error;

	switch (call) {
	case LABYRINTH_INFO:
		return fake_script(fake->number, "fail-info", &error) ? refuse(error) :
		       info(fake, argument);
	case LABYRINTH_STAT:
		return fake_script(fake->number, "fail-stat", &error) ? refuse(error) :
		       stat(fake, argument);
	case LABYRINTH_ACQUIRE:
		return fake_script(fake->number, "fail-acquire", &error) ? refuse(error) :
		       acquire(fake, argument);
	case LABYRINTH_RELEASE:
		return fake_script(fake->number, "fail-release", &error) ? refuse(error) :
		       release(fake, argument);
	case LABYRINTH_COPY:
		return fake_script(fake->number, "fail-copy", &error) ? refuse(error) :
		       copy(fake, argument);
	default:
		return refuse(ENOTTY);
	}
}

int fake_ioctl(int fd, unsigned long call, void *argument)
{
	int result;

	pthread_mutex_lock(&lock);
	result = answer(find(fd), call, argument);
	pthread_mutex_unlock(&lock);
	return result;
}

/* Never waits: what a copy has to say is there at once. */
ssize_t fake_read(int fd, void *data, size_t size)
{
	struct fake *fake = find(fd);
	size_t count = size / sizeof(fake->events[0]);

	pthread_mutex_lock(&lock);
	if (count > fake->waiting)
		count = fake->waiting;
	memcpy(data, fake->events, count * sizeof(fake->events[0]));
	fake->waiting -= count;
	memmove(fake->events, fake->events + count, fake->waiting * sizeof(fake->events[0]));
	pthread_mutex_unlock(&lock);
	return count ? (ssize_t)(count * sizeof(fake->events[0])) : refuse(EAGAIN);
}
