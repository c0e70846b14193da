/* SPDX-License-Identifier: GPL-2.0 */
/* Making the kernel fail on purpose: its own fault attributes, and the driver's. */
#ifndef LABYRINTH_INJECT_H
#define LABYRINTH_INJECT_H

#include "labyrinth_limits.h"

#define INJECT		"/sys/kernel/debug/"
#define INJECT_OWN	"labyrinth/"

static inline void inject_path(char *path, size_t size, const char *attribute,
			       const char *file)
{
	snprintf(path, size, INJECT "%s/%s", attribute, file);
}

static inline int inject_write(const char *attribute, const char *file, const char *text)
{
	char path[96];

	inject_path(path, sizeof(path), attribute, file);
	return sysfs_write(path, text);
}

/* The first character of a file, 0 if there is none: enough for N, Y, 0 and 1. */
static inline char inject_read(const char *attribute, const char *file)
{
	char path[96], value = 0;
	int fd;

	inject_path(path, sizeof(path), attribute, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, &value, 1) != 1)
		value = 0;
	close(fd);
	return value;
}

static inline bool inject_has(const char *attribute, const char *file)
{
	char path[96];

	inject_path(path, sizeof(path), attribute, file);
	return !access(path, W_OK);
}

static inline bool inject_exists(const char *attribute)
{
	return inject_has(attribute, "times");
}

/*
 * Quietly: a failure that was asked for is nothing the kernel's log should show, where a
 * stack means that something is wrong.
 */
static inline int inject_hush(const char *attribute)
{
	return inject_write(attribute, "verbose", "0");
}

/* Skips where this kernel, or this driver, cannot be made to fail like that. */
static inline void inject_require(struct __test_metadata *_metadata,
				  const char *attribute)
{
	if (!inject_exists(attribute))
		SKIP(_exit(KSFT_SKIP), "this kernel has no fault injection (%s)",
		     attribute);
	ASSERT_EQ(0, inject_hush(attribute));
}

/* Those of the driver, which are new whenever it is loaded. */
static inline void inject_require_own(struct __test_metadata *_metadata)
{
	inject_require(_metadata, INJECT_OWN "fail_refill_irq");
	inject_require(_metadata, INJECT_OWN "fail_refill_worker");
	inject_require(_metadata, INJECT_OWN "fail_refill_lost");
	inject_require(_metadata, INJECT_OWN "fail_dma_late");
	inject_require(_metadata, INJECT_OWN "fail_dma_lost");
}

/* Where a function of the kernel begins, and the next one. */
static inline bool inject_find(const char *name, unsigned long *start, unsigned long *end)
{
	unsigned long address;
	char symbol[256];
	FILE *file;

	file = fopen("/proc/kallsyms", "r");
	if (!file)
		return false;
	*start = 0;
	*end = 0;
	while (!*end && fscanf(file, "%lx %*c %255s%*[^\n]", &address, symbol) == 2) {
		if (!strcmp(symbol, name))
			*start = address;
		else if (*start && address > *start)
			*end = address;
	}
	fclose(file);
	return *end;
}

static inline void inject_spare_range(struct __test_metadata *_metadata,
				      unsigned long start, unsigned long end)
{
	static const char * const attributes[] = { "failslab", "fail_page_alloc" };
	unsigned int i;
	char text[32];

	for (i = 0; i < ARRAY_COUNT(attributes); i++) {
		snprintf(text, sizeof(text), "0x%lx", start);
		ASSERT_EQ(0, inject_write(attributes[i], "reject-start", text));
		snprintf(text, sizeof(text), "0x%lx", end);
		ASSERT_EQ(0, inject_write(attributes[i], "reject-end", text));
	}
}

static inline void inject_spare_require(struct __test_metadata *_metadata)
{
	if (!inject_has("failslab", "reject-start"))
		SKIP(_exit(KSFT_SKIP), "this kernel cannot spare what is below a function");
}

/* What is allocated below one function of the kernel does not fail. False: there is none. */
static inline bool inject_spare(struct __test_metadata *_metadata, const char *name)
{
	unsigned long start, end;

	if (!inject_find(name, &start, &end))
		return false;
	inject_spare_range(_metadata, start, end);
	return true;
}

static inline void inject_spare_nothing(struct __test_metadata *_metadata)
{
	inject_spare_range(_metadata, 0, 0);
}

/*
 * From now on, after so many chances have been let go by, each one is a failure until
 * there have been so many of them; -1 for ever, 0 none.
 */
static inline int inject_after(const char *attribute, int skip, int times)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", skip ? skip + 1 : 0);
	if (inject_write(attribute, "times", "0") ||
	    inject_write(attribute, "space", text) ||
	    inject_write(attribute, "probability", times ? "100" : "0"))
		return -1;
	snprintf(text, sizeof(text), "%d", times);
	return inject_write(attribute, "times", text);
}

static inline int inject(const char *attribute, int times)
{
	return inject_after(attribute, 0, times);
}

/*
 * The nth chance of failing that the calling thread gets, whichever attribute it is of, is
 * a failure. Attributes that spare it do not count: see nth_require().
 */
struct nth {
	int fd;
};

static inline void nth_require(struct __test_metadata *_metadata, struct nth *nth)
{
	static const char * const kernel[] = {
		"failslab", "fail_page_alloc", "fail_usercopy",
	};
	unsigned int i;

	nth->fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth->fd < 0)
		SKIP(_exit(KSFT_SKIP), "this kernel has no fault injection (fail-nth)");
	for (i = 0; i < ARRAY_COUNT(kernel); i++)
		inject_require(_metadata, kernel[i]);
	inject_require_own(_metadata);
	/* By default those that may sleep are spared, and single pages. */
	ASSERT_EQ(0, inject_write("failslab", "ignore-gfp-wait", "N"));
	ASSERT_EQ(0, inject_write("fail_page_alloc", "ignore-gfp-wait", "N"));
	ASSERT_EQ(0, inject_write("fail_page_alloc", "min-order", "0"));
	ASSERT_EQ('N', inject_read("failslab", "ignore-gfp-wait"));
	ASSERT_EQ('N', inject_read("failslab", "cache-filter"));
	ASSERT_EQ('N', inject_read("fail_page_alloc", "ignore-gfp-wait"));
	ASSERT_EQ('0', inject_read("fail_page_alloc", "min-order"));
}

static inline void nth_set(struct __test_metadata *_metadata, struct nth *nth,
			   unsigned int n)
{
	char text[16];
	int length;

	length = snprintf(text, sizeof(text), "%u", n);
	ASSERT_EQ(length, pwrite(nth->fd, text, length, 0));
}

/* Whether the failure has happened; if not, it will not. Both calls have chances, too. */
static inline bool nth_end(struct __test_metadata *_metadata, struct nth *nth)
{
	char left[16] = "";
	bool hit;
	int i;

	hit = pread(nth->fd, left, sizeof(left) - 1, 0) > 0 && !strcmp(left, "0\n");
	for (i = 0; i < 2; i++)
		if (pwrite(nth->fd, "0", 1, 0) == 1)
			return hit;
	ASSERT_EQ(0, errno);
	return false;
}

#endif /* LABYRINTH_INJECT_H */
