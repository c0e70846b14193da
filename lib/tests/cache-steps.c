// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What tests/vm/cache does with the cache on a real device, one step by name. It ends
 * with 0 if all went as it should, with 1 and a line that says what did not, or with 4
 * where the kernel cannot show it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include <labyrinth.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define CANNOT_SHOW	4
#define MAX_PAGES	64

#define check(condition)	check_at(condition, #condition, __LINE__)

static void check_at(bool condition, const char *text, int line)
{
	if (condition)
		return;
	fprintf(stderr, "line %d: not so: %s; errno %d, %s\n", line, text, errno,
		labyrinth_strerror());
	exit(1);
}

static struct labyrinth_device *open_device(void)
{
	struct labyrinth_device *dev = labyrinth_device_open_number(0);

	check(dev);
	return dev;
}

static struct labyrinth_cache *create(struct labyrinth_device *dev, unsigned int size)
{
	struct labyrinth_cache *cache = labyrinth_cache_create(dev, size);

	check(cache);
	return cache;
}

static struct labyrinth_stat stat_of(struct labyrinth_device *dev)
{
	struct labyrinth_stat stat;

	check(!labyrinth_device_stat(dev, &stat, sizeof(stat)));
	return stat;
}

static unsigned int charged(struct labyrinth_device *dev)
{
	return stat_of(dev).charged;
}

static int peek(struct labyrinth_buf *buf)
{
	return __atomic_load_n((char *)labyrinth_buf_data(buf), __ATOMIC_RELAXED);
}

static void touch(struct labyrinth_buf *buf, int value)
{
	__atomic_store_n((char *)labyrinth_buf_data(buf), value, __ATOMIC_RELAXED);
}

/*
 * Uses a populated page, which must not fault. An arm64 CPU that does not mark pages as
 * dirty by itself faults at the first write to any page, so there it is only read.
 */
static void use(struct labyrinth_buf *buf)
{
	check(!peek(buf));
#ifndef __aarch64__
	touch(buf, 1);
#endif
}

static bool is_zero(const struct labyrinth_buf *buf)
{
	const char *data = labyrinth_buf_data(buf);

	return !data[0] && !memcmp(data, data + 1, labyrinth_buf_size(buf) - 1);
}

static void acquire(struct labyrinth_cache *cache, struct labyrinth_buf **bufs,
		    unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		bufs[i] = labyrinth_cache_acquire(cache);
		check(bufs[i]);
	}
}

static void release(struct labyrinth_cache *cache, struct labyrinth_buf **bufs,
		    unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		check(!labyrinth_cache_release(cache, bufs[i]));
}

static unsigned int hit(struct labyrinth_cache *cache, unsigned int times)
{
	unsigned int done = 0;

	while (times--) {
		struct labyrinth_buf *buf = labyrinth_cache_acquire(cache);

		if (!buf)
			break;
		touch(buf, 1);
		if (labyrinth_cache_release(cache, buf))
			break;
		done++;
	}
	return done;
}

/* In strict mode, any call but read(), write() and exit() is the end: SIGKILL. */
static int forbidden(const char *unused)
{
	struct labyrinth_cache *cache = create(open_device(), 32);
	static const char done[] = "1000 hits\n";

	(void)unused;
	check(hit(cache, 1) == 1);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		return CANNOT_SHOW;
	if (hit(cache, 1000) == 1000 && write(1, done, sizeof(done) - 1) > 0)
		syscall(SYS_exit, 0);
	syscall(SYS_exit, 1);
	return 1;
}

/* And that it would have been the end. */
static int missed(const char *unused)
{
	struct labyrinth_cache *cache = create(open_device(), 32);

	(void)unused;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		return CANNOT_SHOW;
	labyrinth_cache_acquire(cache);
	syscall(SYS_exit, 0);
	return 0;
}

static int counters(const char *unused)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_cache *cache = create(dev, 32);
	struct labyrinth_stat before, after;

	(void)unused;
	check(hit(cache, 1) == 1);
	before = stat_of(dev);
	check(hit(cache, 10000) == 10000);
	after = stat_of(dev);
	check(after.acquired == before.acquired && after.released == before.released &&
	      after.revoked == before.revoked && after.scrubbed == before.scrubbed);
	labyrinth_cache_destroy(cache);
	check(charged(dev) == 0);
	labyrinth_device_close(dev);
	return 0;
}

static int batches(const char *unused)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_cache *cache = create(dev, 32);
	struct labyrinth_buf *bufs[MAX_PAGES];
	struct rusage before, after;
	unsigned int i;

	(void)unused;
	acquire(cache, bufs, 1);
	check(charged(dev) == 16);
	acquire(cache, bufs + 1, 15);
	check(charged(dev) == 16);
	getrusage(RUSAGE_SELF, &before);
	for (i = 0; i < 16; i++)
		use(bufs[i]);
	getrusage(RUSAGE_SELF, &after);
	/* One or two for code of the test that runs for the first time. */
	check(after.ru_minflt - before.ru_minflt < 8);
	acquire(cache, bufs + 16, 17);
	check(charged(dev) == 48);
	/* 33 are out, 15 are in it. */
	release(cache, bufs, 17);
	check(charged(dev) == 48);
	release(cache, bufs + 17, 1);
	check(charged(dev) == 32);
	labyrinth_cache_destroy(cache);
	labyrinth_device_close(dev);
	return 0;
}

static int content(const char *unused)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_cache *cache = create(dev, 8);
	struct labyrinth_buf *bufs[8];
	unsigned int i;

	(void)unused;
	acquire(cache, bufs, 8);
	for (i = 0; i < 8; i++) {
		check(is_zero(bufs[i]));
		touch(bufs[i], i + 1);
	}
	release(cache, bufs, 8);
	for (i = 8; i-- > 0; ) {
		struct labyrinth_buf *buf = labyrinth_cache_acquire(cache);

		check(buf == bufs[i] && *(char *)labyrinth_buf_data(buf) == (char)(i + 1));
	}
	release(cache, bufs, 8);
	check(!labyrinth_cache_drain(cache) && charged(dev) == 0);
	acquire(cache, bufs, 8);
	for (i = 0; i < 8; i++)
		check(is_zero(bufs[i]));
	labyrinth_cache_destroy(cache);
	check(charged(dev) == 8 && !labyrinth_bufs_release(bufs, 8) && charged(dev) == 0);
	labyrinth_device_close(dev);
	return 0;
}

/* The quota of an open file is 6. */
static int quota(const char *unused)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_cache *cache = create(dev, 32);
	struct labyrinth_buf *bufs[6];

	(void)unused;
	acquire(cache, bufs, 6);
	check(charged(dev) == 6);
	check(!labyrinth_cache_acquire(cache) && errno == EDQUOT &&
	      strstr(labyrinth_strerror(), "it has 6 pages, wants 1 more, and may have 6"));
	release(cache, bufs, 6);
	check(!labyrinth_buf_acquire(dev) && errno == EDQUOT);
	check(!labyrinth_cache_drain(cache));
	check(labyrinth_buf_acquire(dev) && charged(dev) == 1);
	labyrinth_cache_destroy(cache);
	labyrinth_device_close(dev);
	return 0;
}

static int release_raw(struct labyrinth_device *dev, uint64_t handle)
{
	struct labyrinth_release request = {
		.size = sizeof(request),
		.count = 1,
		.handles = (uintptr_t)&handle,
	};

	return ioctl(labyrinth_device_fd(dev), LABYRINTH_RELEASE, &request);
}

/* The pool has 8 pages. */
static int others(const char *unused)
{
	struct labyrinth_device *dev = open_device(), *other = open_device();
	struct labyrinth_cache *cache = create(dev, 16), *their_cache = create(other, 16);
	struct labyrinth_buf *bufs[8], *theirs[8];
	unsigned int i;

	(void)unused;
	fcntl(labyrinth_device_fd(other), F_SETFL, O_NONBLOCK);
	acquire(cache, bufs, 8);
	for (i = 0; i < 8; i++)
		memset(labyrinth_buf_data(bufs[i]), 's', labyrinth_buf_size(bufs[i]));
	check(release_raw(other, labyrinth_buf_handle(bufs[0])) && errno == ENOENT);
	check(labyrinth_cache_release(their_cache, bufs[0]) && errno == EINVAL);
	release(cache, bufs, 8);
	check(!labyrinth_cache_acquire(their_cache) && errno == EAGAIN);
	check(!labyrinth_buf_acquire(other) && errno == EAGAIN);
	check(labyrinth_buf_release(bufs[0]) && errno == ENOENT);
	check(labyrinth_bufs_give(bufs, 1) == -1 && errno == ENOENT);
	check(labyrinth_copy(bufs[0], 0, bufs[1], 1, 1) && errno == ENOENT);
	check(labyrinth_cache_release(cache, bufs[0]) && errno == EINVAL);
	check(!labyrinth_cache_drain(cache) && charged(dev) == 0);
	acquire(their_cache, theirs, 8);
	for (i = 0; i < 8; i++)
		check(is_zero(theirs[i]));
	labyrinth_cache_destroy(cache);
	labyrinth_cache_destroy(their_cache);
	labyrinth_device_close(dev);
	labyrinth_device_close(other);
	return 0;
}

static unsigned int mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned int count = 0;
	char line[512];

	check(file);
	while (fgets(line, sizeof(line), file))
		count += !!strstr(line, "/dev/labyrinth0");
	fclose(file);
	return count;
}

static void limit_address_space(size_t bytes_more)
{
	FILE *file = fopen("/proc/self/statm", "r");
	struct rlimit limit;
	unsigned long pages = 0;

	check(file && fscanf(file, "%lu", &pages) == 1);
	fclose(file);
	limit.rlim_cur = pages * sysconf(_SC_PAGESIZE) + bytes_more;
	limit.rlim_max = limit.rlim_cur;
	check(!setrlimit(RLIMIT_AS, &limit));
}

/* As where RLIMIT_AS leaves no room for the arena. */
static int one_by_one(const char *unused)
{
	struct labyrinth_device *dev, *other = open_device();
	struct labyrinth_cache *cache;
	struct labyrinth_buf *bufs[24];
	unsigned int others_mappings = mappings();

	(void)unused;
	limit_address_space(6 << 20);
	dev = open_device();
	check(mappings() == others_mappings);
	cache = create(dev, 16);
	acquire(cache, bufs, 24);
	check(hit(cache, 1) == 1 && charged(dev) == 32);
	touch(bufs[0], 1);
	release(cache, bufs, 24);
	check(charged(dev) == 16);
	check(!labyrinth_cache_drain(cache) && charged(dev) == 0);
	check(mappings() == others_mappings);
	check(hit(cache, 1) == 1 && stat_of(other).owned == 8);
	/* In the wrong order, which leaves the cache unusable, and takes the pages. */
	labyrinth_device_close(dev);
	check(mappings() == others_mappings && stat_of(other).owned == 0);
	labyrinth_device_close(other);
	return 0;
}

static void take_away(const char *address)
{
	int fd = open("/sys/bus/pci/drivers/labyrinth/unbind", O_WRONLY);

	check(address && fd >= 0);
	check(write(fd, address, strlen(address)) == (ssize_t)strlen(address));
	close(fd);
}

static int gone(const char *address)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_cache *cache = create(dev, 4);
	struct labyrinth_buf *bufs[6];

	acquire(cache, bufs, 6);
	release(cache, bufs, 4);
	take_away(address);
	check(labyrinth_cache_release(cache, bufs[4]) && errno == ENODEV);
	check(labyrinth_cache_drain(cache) && errno == ENODEV);
	acquire(cache, bufs, 4);
	check(!labyrinth_cache_acquire(cache) && errno == ENODEV);
	release(cache, bufs, 1);
	labyrinth_cache_destroy(cache);
	labyrinth_device_close(dev);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const char *argument);
	} steps[] = {
		{ "forbidden", forbidden }, { "missed", missed }, { "counters", counters },
		{ "batches", batches }, { "content", content }, { "quota", quota },
		{ "others", others }, { "one-by-one", one_by_one }, { "gone", gone },
	};
	unsigned int i;

	for (i = 0; argc > 1 && i < ARRAY_SIZE(steps); i++)
		if (!strcmp(steps[i].name, argv[1]))
			return steps[i].run(argv[2]);
	fputs("usage: cache-steps STEP [ARGUMENT]\n", stderr);
	return 2;
}
