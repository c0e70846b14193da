// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `labyrinth map` reads of what the driver tells, and what it refuses. Needs no
 * device.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../command.h"
#include "../map.h"

#define HEADER	"slot offset pages state content pid comm\n"

static unsigned int tests, failures;
static char said[256];			/* on stderr by the last parse() */

static void result(bool passed, const char *name)
{
	printf("%sok %u - %s\n", passed ? "" : "not ", ++tests, name);
	failures += !passed;
}

/* Closes @file. */
static int parse(FILE *file, struct pages *pages)
{
	FILE *before = stderr;
	int code;

	memset(said, 0, sizeof(said));
	stderr = fmemopen(said, sizeof(said), "w");
	if (!file || !stderr)
		exit(1);
	code = pages_parse(file, "FILE", pages);
	fclose(stderr);
	stderr = before;
	fclose(file);
	return code;
}

static FILE *from_text(const char *text)
{
	return fmemopen((void *)text, strlen(text), "r");
}

static void test_line(void)
{
	struct pages pages;
	const struct slot *slot;

	if (parse(from_text(HEADER "7 57344 4 quarantined - 4711  a  -\033\\012\377\n"), &pages))
		exit(1);
	slot = pages.slots;
	result(pages.count == 1 && slot->number == 7 && slot->offset == 57344 &&
	       slot->pages == 4 && slot->state == STATE_QUARANTINED &&
	       slot->content == CONTENT_UNKNOWN && slot->pid == 4711, "a line is read");
	result(!strcmp(slot->comm, " a  -\\033\\012\\377"),
	       "a name may be anything, and becomes printable");
	pages_free(&pages);
}

static void test_many(void)
{
	struct pages pages;
	char *lines = NULL;
	unsigned int i;
	size_t size;
	FILE *file;

	file = open_memstream(&lines, &size);
	if (!file)
		exit(1);
	fputs(HEADER, file);
	for (i = 0; i < 2500; i++)
		fprintf(file, "%u %u 1 owned - %u p%u\n", i, i * 8192, i + 1, i + 1);
	fclose(file);
	result(!parse(from_text(lines), &pages) && pages_total(&pages) == 2500 &&
	       pages.slots[2499].offset == 2499 * 8192 &&
	       !strcmp(pages.slots[2499].comm, "p2500"), "2500 pages are read");
	pages_free(&pages);
	free(lines);
}

static FILE *empty(void)
{
	return fdopen(open("/dev/null", O_RDONLY | O_CLOEXEC), "r");
}

static void test_refused(const char *lines, const char *line, const char *name)
{
	struct pages pages;

	result(parse(*lines ? from_text(lines) : empty(), &pages) ==
	       EXIT_FAILED && strstr(said, line), name);
	pages_free(&pages);
}

static void test_malformed(void)
{
	test_refused("", "line 1 of FILE is not understood", "no header is refused");
	test_refused("slot pages comm\n1 1 a\n", "line 1 of", "other columns are refused");
	test_refused(HEADER "0 0 1 free zero 0 -\n1 8192 1 owned - 1\n", "line 3 of",
		     "a line that ends early is refused");
	test_refused(HEADER "\n", "line 2 of", "an empty line is refused");
	test_refused(HEADER "0 0 1 lost - 0 -\n", "line 2 of", "an unknown state is refused");
	test_refused(HEADER "0 0 1 free dirt 0 -\n", "line 2 of",
		     "an unknown content is refused");
	test_refused(HEADER "0 0 0 free zero 0 -\n", "line 2 of", "no pages are refused");
	test_refused(HEADER "0 0 4294967295 free zero 0 -\n", "line 2 of",
		     "too many pages are refused");
	test_refused(HEADER "0 0 1 owned - -1 a\n", "line 2 of", "a negative pid is refused");
	test_refused(HEADER "0 0 1  owned - 1 a\n", "line 2 of", "two blanks are refused");
	test_refused(HEADER "1 8192 1 free zero 0 -\n1 8192 1 free zero 0 -\n", "line 3 of",
		     "a slot that comes twice is refused");
}

static ssize_t vanish(void *cookie, char *buffer, size_t size)
{
	(void)cookie;
	(void)buffer;
	(void)size;
	errno = EIO;
	return -1;
}

static void test_gone(void)
{
	FILE *file = fopencookie(NULL, "r", (cookie_io_functions_t){ .read = vanish });
	struct pages pages;

	result(parse(file, &pages) == EXIT_NO_DEVICE && strstr(said, "the device went away"),
	       "a device that goes away meanwhile is exit code 3");
	pages_free(&pages);
}

/* What the machine is like: why there is no file to read. */
static int open_error, statfs_error;
static long mounted;			/* the magic number of what is at debugfs' place */
static int device_there;
static uid_t user;

FILE *__wrap_fopen64(const char *path, const char *mode);

FILE *__wrap_fopen64(const char *path, const char *mode)
{
	(void)path;
	(void)mode;
	errno = open_error;
	return NULL;
}

int __wrap_statfs64(const char *path, struct statfs *system);

int __wrap_statfs64(const char *path, struct statfs *system)
{
	(void)path;
	*system = (struct statfs){ .f_type = mounted };
	errno = statfs_error;
	return statfs_error ? -1 : 0;
}

int __wrap_access(const char *path, int mode);

int __wrap_access(const char *path, int mode)
{
	(void)mode;
	errno = ENOENT;
	return device_there && !strcmp(path, "/sys/class/labyrinth/labyrinth3") ? 0 : -1;
}

typeof(geteuid) __wrap_geteuid;

uid_t __wrap_geteuid(void)
{
	return user;
}

static void test_not_there(int code, const char *text, const char *name)
{
	FILE *before = stderr;
	struct pages pages;
	int got;

	memset(said, 0, sizeof(said));
	stderr = fmemopen(said, sizeof(said), "w");
	if (!stderr)
		exit(1);
	got = pages_read(3, &pages);
	fclose(stderr);
	stderr = before;
	result(got == code && strstr(said, text) && !pages.count, name);
	pages_free(&pages);
}

/* From the inside to the outside. */
static void test_no_file(void)
{
	open_error = ENOENT;
	mounted = DEBUGFS_MAGIC;
	device_there = 1;
	test_not_there(EXIT_FAILED, "the loaded module does not say who owns what: load a newer",
		       "a module without the file is told of");
	device_there = 0;
	test_not_there(EXIT_NO_DEVICE, "the device went away while /sys/kernel/debug/labyrinth/",
		       "so is a device that is gone, with exit code 3");
	mounted = SYSFS_MAGIC;
	test_not_there(EXIT_FAILED, "debugfs is not mounted: mount -t debugfs",
		       "so is debugfs that is not mounted");
	statfs_error = ENOENT;
	test_not_there(EXIT_FAILED, "this kernel has no debugfs", "so is a kernel without it");
	open_error = EMFILE;
	test_not_there(EXIT_FAILED, "labyrinth3/pages: Too many open files", "and anything else");
}

static void test_no_right(void)
{
	open_error = EPERM;
	user = 1000;
	test_not_there(EXIT_FAILED, "only root may see who owns what: run it with sudo",
		       "a person is told to be root");
	user = 0;
	test_not_there(EXIT_FAILED, "root may not see who owns what either",
		       "but root is not");
}

int main(void)
{
	printf("TAP version 13\n1..22\n");
	test_line();
	test_many();
	test_malformed();
	test_gone();
	test_no_file();
	test_no_right();
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n", tests - failures,
	       failures);
	return failures != 0;
}
