// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The cache on a device that is none: a file in memory for its arena, and calls that
 * count themselves. What a real device makes of them is for tests/vm/cache.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <labyrinth.h>

#define PAGE		4096U
#define SLOTS		64U

static unsigned int tests, failures;
static unsigned int acquires, releases;	/* calls */
static unsigned int owned, quota;
static uint64_t handles[SLOTS];		/* 0: free */
static uint64_t last_handle, freed[SLOTS];
static int fail_with;			/* all calls, unless 0 */
static unsigned int last_count, last_flags;

static void result(int passed, const char *name)
{
	printf("%sok %u - %s\n", passed ? "" : "not ", ++tests, name);
	if (!passed) {
		printf("# errno %d, text: %s\n", errno, labyrinth_strerror());
		printf("# %u acquires, %u releases, %u owned\n", acquires, releases, owned);
		failures++;
	}
}

static int refuse(int error)
{
	errno = error;
	return -1;
}

static int fake_info(struct labyrinth_info *info)
{
	info->page_size = PAGE;
	info->capabilities = LABYRINTH_CAP_PARTIAL | LABYRINTH_CAP_POPULATE;
	info->arena_length = SLOTS * PAGE;
	info->max_pages = SLOTS;
	info->max_batch = 8;
	info->max_order = 1;
	info->file_quota = quota;
	info->copy_depth = 1;
	return 0;
}

static int fake_acquire(struct labyrinth_acquire *request)
{
	struct labyrinth_buffer *buffers = (void *)(uintptr_t)request->buffers;
	const unsigned int pages = 1U << request->order;
	unsigned int slot;

	acquires++;
	last_count = request->count;
	last_flags = request->flags;
	request->acquired = 0;
	for (slot = 0; slot < SLOTS && request->acquired < request->count; slot += pages) {
		if (handles[slot] || owned + pages > quota)
			continue;
		handles[slot] = ++last_handle;
		owned += pages;
		buffers[request->acquired++] = (struct labyrinth_buffer){
			.handle = handles[slot],
			.offset = slot * PAGE,
			.length = pages * PAGE,
		};
	}
	return request->acquired ? 0 : refuse(EDQUOT);
}

static unsigned int find(uint64_t handle)
{
	unsigned int slot = 0;

	while (slot < SLOTS && (!handle || handles[slot] != handle))
		slot++;
	return slot;
}

static int fake_release(struct labyrinth_release *request)
{
	const uint64_t *given = (void *)(uintptr_t)request->handles;
	unsigned int i;

	releases++;
	last_count = request->count;
	for (i = 0; i < request->count; i++)
		if (find(given[i]) == SLOTS)
			return refuse(ENOENT);
	for (i = 0; i < request->count; i++) {
		handles[find(given[i])] = 0;
		freed[i] = given[i];
	}
	owned -= request->count;
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...);

/* Takes the place of ioctl(). */
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	(void)fd;
	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (fail_with)
		return refuse(fail_with);
	switch (request) {
	case LABYRINTH_INFO:
		return fake_info(argument);
	case LABYRINTH_ACQUIRE:
		return fake_acquire(argument);
	case LABYRINTH_RELEASE:
		return fake_release(argument);
	case LABYRINTH_STAT:
		return 0;
	default:
		return refuse(ENOTTY);
	}
}

static struct labyrinth_device *open_fake(void)
{
	struct labyrinth_device *dev;
	int fd = memfd_create("arena", 0);
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || ftruncate(fd, SLOTS * PAGE))
		exit(1);
	dev = labyrinth_device_open(path);
	close(fd);
	if (!dev)
		exit(1);
	return dev;
}

static struct labyrinth_cache *begin(unsigned int size, unsigned int may_have,
				     struct labyrinth_device **dev)
{
	struct labyrinth_cache *cache;

	acquires = 0;
	releases = 0;
	owned = 0;
	quota = may_have;
	fail_with = 0;
	memset(handles, 0, sizeof(handles));
	*dev = open_fake();
	cache = labyrinth_cache_create(*dev, size);
	if (!cache)
		exit(1);
	return cache;
}

static void end(struct labyrinth_cache *cache, struct labyrinth_device *dev)
{
	fail_with = 0;
	labyrinth_cache_destroy(cache);
	labyrinth_device_close(dev);
}

static void acquire_all(struct labyrinth_cache *cache, struct labyrinth_buf **bufs,
			unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		bufs[i] = labyrinth_cache_acquire(cache);
		if (!bufs[i])
			exit(1);
	}
}

static unsigned int release_all(struct labyrinth_cache *cache, struct labyrinth_buf **bufs,
				unsigned int count)
{
	unsigned int i, done = 0;

	for (i = 0; i < count; i++)
		done += !labyrinth_cache_release(cache, bufs[i]);
	return done;
}

static void test_hits(void)
{
	struct labyrinth_device *dev;
	struct labyrinth_cache *cache = begin(8, SLOTS, &dev);
	struct labyrinth_buf *first = labyrinth_cache_acquire(cache), *buf = first;
	unsigned int i, same = 0;

	result(buf && acquires == 1 && last_count == 4 &&
	       last_flags == (LABYRINTH_ACQUIRE_PARTIAL | LABYRINTH_ACQUIRE_POPULATE),
	       "an empty cache asks once, for half of what it holds");
	for (i = 0; i < 10000 && buf; i++) {
		if (labyrinth_cache_release(cache, buf))
			break;
		buf = labyrinth_cache_acquire(cache);
		same += buf == first;
	}
	result(same == 10000 && acquires == 1 && !releases,
	       "then 10,000 times it asks nobody, and returns the page used last");
	labyrinth_cache_release(cache, buf);
	end(cache, dev);
	result(!owned && releases == 1 && last_count == 4, "destroying it gives all back at once");
}

static void test_batches(void)
{
	struct labyrinth_buf *bufs[24];
	struct labyrinth_device *dev;
	struct labyrinth_cache *cache = begin(8, SLOTS, &dev);
	uint64_t oldest;

	acquire_all(cache, bufs, 12);
	result(acquires == 3 && owned == 12, "12 pages come in 3 batches of 4");
	oldest = labyrinth_buf_handle(bufs[0]);
	result(release_all(cache, bufs, 8) == 8 && !releases, "it keeps as many as it is for");
	result(!labyrinth_cache_release(cache, bufs[8]) && releases == 1 && last_count == 4 &&
	       owned == 8 && freed[0] == oldest,
	       "with one more it gives half back in one call, the oldest");
	result(labyrinth_cache_acquire(cache) == bufs[8] &&
	       labyrinth_cache_acquire(cache) == bufs[7], "and keeps those used last, in order");
	result(!labyrinth_cache_drain(cache) && owned == 5 && releases == 2 &&
	       !labyrinth_cache_drain(cache) && releases == 2,
	       "draining gives back what is in it, and nothing twice");
	result(labyrinth_cache_acquire(cache) && owned == 9, "and it can be used as before");
	end(cache, dev);
	result(owned == 6, "pages that are out when it is destroyed remain the caller's");
}

static void test_sizes(void)
{
	struct labyrinth_buf *bufs[3];
	struct labyrinth_device *dev;
	struct labyrinth_cache *cache = begin(1, SLOTS, &dev);

	acquire_all(cache, bufs, 2);
	result(acquires == 2 && release_all(cache, bufs, 2) == 2 && owned == 1,
	       "a cache of one page keeps one page");
	end(cache, dev);
	cache = begin(~0U, SLOTS, &dev);
	result(labyrinth_cache_acquire(cache) && last_count == 8,
	       "a cache of any size asks for no more than max_batch at a time");
	end(cache, dev);
}

static void test_errors(void)
{
	struct labyrinth_buf *bufs[6];
	struct labyrinth_device *dev;
	struct labyrinth_cache *cache = begin(8, 6, &dev);
	uint64_t handle;

	acquire_all(cache, bufs, 6);
	result(acquires == 2 && owned == 6, "at the quota a batch is what there is of it");
	result(!labyrinth_cache_acquire(cache) && errno == EDQUOT,
	       "over the quota is EDQUOT");
	result(!labyrinth_cache_release(cache, bufs[0]) &&
	       labyrinth_cache_acquire(cache) == bufs[0], "until a page comes back");
	fail_with = EAGAIN;
	result(!labyrinth_cache_acquire(cache) && errno == EAGAIN, "EAGAIN is passed on");
	fail_with = 0;
	end(cache, dev);

	cache = begin(2, SLOTS, &dev);
	acquire_all(cache, bufs, 4);
	release_all(cache, bufs, 2);
	handle = labyrinth_buf_handle(bufs[2]);
	fail_with = ENODEV;
	result(labyrinth_cache_release(cache, bufs[2]) == -1 && errno == ENODEV &&
	       labyrinth_buf_handle(bufs[2]) == handle,
	       "a full cache of a device that is gone is ENODEV, and the page as it was");
	result(labyrinth_cache_drain(cache) == -1 && errno == ENODEV &&
	       labyrinth_cache_acquire(cache) == bufs[1] &&
	       labyrinth_cache_acquire(cache) == bufs[0] &&
	       !labyrinth_cache_acquire(cache) && errno == ENODEV,
	       "what cannot be given back stays in the cache");
	handle = labyrinth_buf_handle(bufs[3]);
	result(labyrinth_buf_release(bufs[3]) == -1 && errno == ENODEV &&
	       labyrinth_buf_handle(bufs[3]) == handle,
	       "a release that fails leaves the buffer as it was");
	fail_with = 0;
	result(!labyrinth_bufs_release(bufs, 4) && !owned, "nothing was lost");
	end(cache, dev);
}

static void test_misuse(void)
{
	const struct labyrinth_acquire_options two_pages = {
		.size = sizeof(two_pages),
		.order = 1,
	};
	struct labyrinth_device *dev, *other;
	struct labyrinth_cache *cache = begin(4, SLOTS, &dev);
	struct labyrinth_buf *buf = labyrinth_cache_acquire(cache), *foreign, *large;

	other = open_fake();
	foreign = labyrinth_buf_acquire(other);
	result(labyrinth_bufs_acquire(dev, 1, &two_pages, &large) == 1 &&
	       labyrinth_cache_release(cache, large) == -1 && errno == EINVAL &&
	       strstr(labyrinth_strerror(), "8192 bytes"), "a buffer of two pages is EINVAL");
	result(labyrinth_cache_release(cache, foreign) == -1 && errno == EINVAL &&
	       strstr(labyrinth_strerror(), "another"),
	       "a buffer of another open device is EINVAL");
	result(labyrinth_cache_release(cache, NULL) == -1 && errno == EINVAL, "NULL is EINVAL");
	result(!labyrinth_cache_release(cache, buf) &&
	       labyrinth_cache_release(cache, buf) == -1 && errno == EINVAL &&
	       strstr(labyrinth_strerror(), "before"), "a page put there twice is EINVAL");
	result(labyrinth_buf_release(buf) == -1 && errno == ENOENT &&
	       labyrinth_cache_acquire(cache) == buf && labyrinth_buf_handle(buf) <= last_handle,
	       "releasing a page that is in the cache is ENOENT, and does not harm it");
	result(!labyrinth_buf_release(buf) && labyrinth_cache_release(cache, buf) == -1 &&
	       errno == EINVAL, "a page that was released is EINVAL");
	labyrinth_device_close(other);
	end(cache, dev);
}

int main(void)
{
	printf("TAP version 13\n1..26\n");
	test_hits();
	test_batches();
	test_sizes();
	test_errors();
	test_misuse();
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n", tests - failures,
	       failures);
	return failures != 0;
}
