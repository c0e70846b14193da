// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a program is told when there is no device, or something else in its place.
 * Needs no device; where there is one, the tests about its absence are skipped.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <labyrinth.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

static unsigned int tests, failures, skipped;
static unsigned int devices;

static void result(int passed, const char *name)
{
	printf("%sok %u - %s\n", passed ? "" : "not ", ++tests, name);
	if (!passed) {
		printf("# errno %d, text: %s\n", errno, labyrinth_strerror());
		failures++;
	}
}

static void skip(const char *name)
{
	printf("ok %u - %s # SKIP this machine has a labyrinth device\n", ++tests, name);
	skipped++;
}

static int text_has(const char *words)
{
	return !!strstr(labyrinth_strerror(), words);
}

static void test_before_any_error(void)
{
	result(!strcmp(labyrinth_strerror(), "no error"), "no error before the first failure");
}

static void test_success_changes_nothing(void)
{
	int found;

	errno = EXDEV;
	found = labyrinth_devices_list(NULL, 0);
	result(found >= 0 && errno == EXDEV && text_has("no error"),
	       "a function that does not fail leaves errno and the text alone");
}

static void test_none_to_open(void)
{
	static const char *name = "opening the only device without one is ENODEV, and says so";
	struct labyrinth_device *dev;

	if (devices) {
		skip(name);
		return;
	}
	dev = labyrinth_device_open_only();
	result(!dev && errno == ENODEV && text_has("no labyrinth device: "), name);
}

static void test_no_such_number(void)
{
	struct labyrinth_device *dev = labyrinth_device_open_number(4000000);

	result(!dev && errno == ENODEV && text_has("/dev/labyrinth4000000"),
	       "opening a number that is not there is ENODEV, and names it");
}

static void test_no_such_path(void)
{
	struct labyrinth_device *dev = labyrinth_device_open("/nonexistent/labyrinth");

	result(!dev && errno == ENOENT && text_has("/nonexistent/labyrinth"),
	       "opening a path that is not there is ENOENT, and names it");
}

static void test_other_device(void)
{
	struct labyrinth_device *dev = labyrinth_device_open("/dev/null");

	result(!dev && errno == ENOTTY && text_has("/dev/null is not a labyrinth device"),
	       "opening another device is ENOTTY, and says so");
}

static void test_folder(void)
{
	struct labyrinth_device *dev = labyrinth_device_open("/dev");

	result(!dev && errno == EISDIR, "opening a folder is EISDIR");
}

static void test_no_descriptor_lost(void)
{
	int before = dup(0), after;

	close(before);
	labyrinth_device_open("/dev/null");
	after = dup(0);
	close(after);
	result(before == after, "a failed open leaves no descriptor behind");
}

static void test_permission(void)
{
	static const char *name = "opening without permission is EACCES, and says who may";
	char path[] = "/tmp/labyrinth-errors-XXXXXX";
	struct labyrinth_device *dev;
	int fd = mkstemp(path);

	fchmod(fd, 0);
	if (!access(path, R_OK))
		/* Root may open anything: this part is for everybody else. */
		(void)!seteuid(65534);
	dev = labyrinth_device_open(path);
	result(fd >= 0 && !dev && errno == EACCES && text_has("may not open"), name);
	(void)!seteuid(getuid());
	close(fd);
	unlink(path);
}

static void *other_thread(void *text)
{
	*(const char **)text = labyrinth_strerror();
	return text;
}

static void test_text_is_per_thread(void)
{
	const char *text = NULL;
	pthread_t thread;
	int same;

	labyrinth_device_open("/dev/null");
	same = pthread_create(&thread, NULL, other_thread, &text) ||
	       pthread_join(thread, NULL) || !text || text == labyrinth_strerror();
	result(!same, "each thread has its own text");
}

static void test_nothing_to_do(void)
{
	struct labyrinth_buf *none[3] = { NULL, NULL, NULL };

	labyrinth_device_close(NULL);
	result(!labyrinth_buf_release(NULL) && !labyrinth_bufs_release(none, 3) &&
	       !labyrinth_bufs_release(NULL, 0), "closing and releasing nothing succeeds");
}

static void test_nothing_to_give(void)
{
	result(labyrinth_bufs_give(NULL, 0) == -1 && errno == EINVAL &&
	       text_has("nothing to give"), "giving nothing is EINVAL, and says so");
}

static void test_not_a_buffer_to_give(void)
{
	struct labyrinth_buf *none[2] = { NULL, NULL };

	result(labyrinth_bufs_give(none, 2) == -1 && errno == EINVAL && text_has("entry 0"),
	       "giving what is no buffer is EINVAL, and names it");
}

static void test_no_cache(void)
{
	struct labyrinth_cache *cache = labyrinth_cache_create(NULL, 0);

	labyrinth_cache_destroy(NULL);
	result(!cache && errno == EINVAL && text_has("at least one page"),
	       "a cache of nothing is EINVAL, and says so");
}

int main(void)
{
	static void (*const all[])(void) = {
		test_before_any_error, test_success_changes_nothing, test_none_to_open,
		test_no_such_number, test_no_such_path, test_other_device, test_folder,
		test_no_descriptor_lost, test_permission, test_text_is_per_thread,
		test_nothing_to_do, test_nothing_to_give, test_not_a_buffer_to_give,
		test_no_cache,
	};
	const unsigned int count = ARRAY_SIZE(all);
	int found = labyrinth_devices_list(NULL, 0);
	unsigned int i;

	devices = found > 0 ? found : 0;
	printf("TAP version 13\n1..%u\n", count);
	for (i = 0; i < count; i++)
		all[i]();
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:%u error:0\n",
	       tests - failures - skipped, failures, skipped);
	return failures != 0;
}
