// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A device that is none: what it answers. Each open has a pool of its own, in a file in
 * memory, and a copy is done when it has been asked for. There are no orders above 0, and
 * nobody to wait for: a page that is not there is EAGAIN. Tickets are there if the test
 * adds them to the capabilities, one at a time; what is in one stays there if it is closed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/labyrinth.h>

#include "fake.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define MAX_OPEN	16
#define DEPTH		8U		/* copies */
#define MAX_REQUEST	(FAKE_SLOTS / 4)
#define IN_TICKET	UINT64_MAX	/* the handle of such a page */

struct fake {
	int fd;				/* 0: not in use */
	unsigned int number;
	unsigned int slots;
	uint64_t handles[FAKE_MOST];	/* 0: free */
	int ticket;
	unsigned int given[FAKE_MOST];	/* slots, in the order of the ticket */
	unsigned int given_count;
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

/* With a guard behind each page, as the driver does. */
static size_t arena_length(const struct fake *fake)
{
	return 2UL * fake->slots * FAKE_PAGE;
}

/* 0, or -1 and errno: whether a program may map that. */
int fake_map(int fd, size_t length, off64_t offset)
{
	const struct fake *fake = find(fd);
	__u64 said;

	if (length == arena_length(fake))
		return fake_script(fake->number, "fail-arena", &said) ? refuse(said) : 0;
	if (fake_script(fake->number, "unmappable", &said) && (__u64)offset >= said)
		return refuse(ENOMEM);
	return 0;
}

/* Whether there are events, or -1 and errno. */
int fake_poll(int fd)
{
	const struct fake *fake = find(fd);
	__u64 error;

	return fake_script(fake->number, "fail-poll", &error) ? refuse(error) : !!fake->waiting;
}

/* An open file of device @number, at a free place; NULL without one. */
static struct fake *set_up(struct fake *fake, unsigned int number)
{
	__u64 slots = FAKE_SLOTS;

	if (!fake)
		return NULL;
	fake_script(number, "pages", &slots);
	*fake = (struct fake){ .number = number, .slots = slots };
	fake->fd = memfd_create("labyrinth", MFD_CLOEXEC);
	return fake->fd >= 0 && !ftruncate(fake->fd, arena_length(fake)) ? fake : NULL;
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
	fake = set_up(fake, number);
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
	info->arena_length = arena_length(fake);
	info->max_copy = FAKE_PAGE;
	info->max_pages = fake->slots;
	info->max_batch = fake->slots / 4;
	info->max_request = MAX_REQUEST;
	info->file_quota = fake->slots;
	info->copy_depth = DEPTH;
	info->copy_chunk = 4095;
	fake_script(fake->number, "capabilities", &info->capabilities);
	return 0;
}

static unsigned int free_slots(const struct fake *fake)
{
	unsigned int slot, count = 0;

	for (slot = 0; slot < fake->slots; slot++)
		count += !fake->handles[slot];
	return count;
}

static unsigned int owned(const struct fake *fake)
{
	return fake->slots - free_slots(fake) - fake->given_count;
}

static int stat(struct fake *fake, struct labyrinth_stat *stat)
{
	unsigned int i;
	struct {
		const char *key;
		__u64 *value, usual;
	} fields[] = {
		{ "total", &stat->total, fake->slots },
		{ "free", &stat->free, free_slots(fake) },
		{ "owned", &stat->owned, owned(fake) },
		{ "ticketed", &stat->ticketed, fake->given_count },
		{ "kernel", &stat->kernel, 0 },
		{ "quarantined", &stat->quarantined, 0 },
		{ "poisoned", &stat->poisoned, 0 },
		{ "charged", &stat->charged, owned(fake) },
		{ "waiters", &stat->waiters, 0 },
		{ "low", &stat->low, 0 },
		{ "high", &stat->high, fake->slots },
		{ "max", &stat->max, fake->slots },
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
	const unsigned int left = free_slots(fake);
	static const char zeroes[FAKE_PAGE];
	unsigned int slot;
	__u64 dirty = 0;

	if (request->order || !request->count || request->count > fake->slots / 4 ||
	    (request->count > MAX_REQUEST && !request->flags))
		return refuse(EINVAL);
	if (!left || (request->count > left && !(request->flags & LABYRINTH_ACQUIRE_PARTIAL)))
		return refuse(EAGAIN);
	fake_script(fake->number, "dirty", &dirty);
	request->acquired = 0;
	for (slot = 0; slot < fake->slots && request->acquired < request->count; slot++) {
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

/* The slot, or the number of slots. */
static unsigned int find_handle(const struct fake *fake, uint64_t handle)
{
	unsigned int slot;

	for (slot = 0; slot < fake->slots; slot++)
		if (handle && handle != IN_TICKET && fake->handles[slot] == handle)
			return slot;
	return fake->slots;
}

static int own_all(const struct fake *fake, const uint64_t *handles, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (find_handle(fake, handles[i]) == fake->slots)
			return 0;
	return 1;
}

static int release(struct fake *fake, struct labyrinth_release *request)
{
	const uint64_t *handles = (void *)(uintptr_t)request->handles;
	unsigned int i;

	if (!own_all(fake, handles, request->count))
		return refuse(ENOENT);
	for (i = 0; i < request->count; i++)
		fake->handles[find_handle(fake, handles[i])] = 0;
	fake->released += request->count;
	return 0;
}

static int has_tickets(struct fake *fake)
{
	struct labyrinth_info capable;

	info(fake, &capable);
	return !!(capable.capabilities & LABYRINTH_CAP_TICKETS);
}

static int give(struct fake *fake, struct labyrinth_give *request)
{
	const uint64_t *handles = (void *)(uintptr_t)request->handles;
	unsigned int i;

	if (!has_tickets(fake))
		return refuse(ENOTTY);
	if (!request->count || request->count > fake->slots / 4)
		return refuse(EINVAL);
	if (fake->given_count)
		return refuse(ENFILE);
	if (!own_all(fake, handles, request->count))
		return refuse(ENOENT);
	request->ticket_fd = eventfd(0, EFD_CLOEXEC);
	if (request->ticket_fd < 0)
		return -1;
	fake->ticket = request->ticket_fd;
	for (i = 0; i < request->count; i++) {
		fake->given[i] = find_handle(fake, handles[i]);
		fake->handles[fake->given[i]] = IN_TICKET;
	}
	fake->given_count = request->count;
	return 0;
}

static int take(struct fake *fake, struct labyrinth_take *request)
{
	struct labyrinth_buffer *buffers = (void *)(uintptr_t)request->buffers;
	const unsigned int room = request->count;
	unsigned int i;

	if (!has_tickets(fake))
		return refuse(ENOTTY);
	if (!fake->ticket || request->ticket_fd != fake->ticket)
		return refuse(EINVAL);
	if (!fake->given_count)
		return refuse(ENOENT);
	request->count = fake->given_count;
	if (room < fake->given_count)
		return refuse(ENOSPC);
	for (i = 0; i < fake->given_count; i++) {
		fake->handles[fake->given[i]] = ++last_handle;
		buffers[i] = (struct labyrinth_buffer){
			.handle = last_handle,
			.offset = 2ULL * fake->given[i] * FAKE_PAGE,
			.length = FAKE_PAGE,
		};
	}
	fake->given_count = 0;
	return 0;
}

static int copy(struct fake *fake, struct labyrinth_copy *request)
{
	const unsigned int source = find_handle(fake, request->src_handle);
	const unsigned int target = find_handle(fake, request->dst_handle);
	char data[FAKE_PAGE];
	struct timespec now;
	__u64 miscopied, failed = 0;

	if (!request->length || request->length > FAKE_PAGE ||
	    request->src_offset > FAKE_PAGE - request->length ||
	    request->dst_offset > FAKE_PAGE - request->length)
		return refuse(EINVAL);
	if (source == fake->slots || target == fake->slots)
		return refuse(ENOENT);
	if (fake->waiting == DEPTH)
		return refuse(EAGAIN);
	fake_script(fake->number, "event-result", &failed);
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
		.result = -(int)failed,
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
	case LABYRINTH_GIVE:
		return fake_script(fake->number, "fail-give", &error) ? refuse(error) :
		       give(fake, argument);
	case LABYRINTH_TAKE:
		return fake_script(fake->number, "fail-take", &error) ? refuse(error) :
		       take(fake, argument);
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
	__u64 error;

	if (fake_script(fake->number, "fail-read", &error))
		return refuse(error);
	pthread_mutex_lock(&lock);
	if (count > fake->waiting)
		count = fake->waiting;
	memcpy(data, fake->events, count * sizeof(fake->events[0]));
	fake->waiting -= count;
	memmove(fake->events, fake->events + count, fake->waiting * sizeof(fake->events[0]));
	pthread_mutex_unlock(&lock);
	return count ? (ssize_t)(count * sizeof(fake->events[0])) : refuse(EAGAIN);
}
